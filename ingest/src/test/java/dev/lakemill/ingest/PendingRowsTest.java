package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.wal.Durable;
import dev.lakemill.wal.Frame;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What a table holds between the log and Delta. */
final class PendingRowsTest {
    private final PendingRows pending = new PendingRows();

    private static PendingRows.Arrival frame(long lsn, byte... payload) {
        var frame = new Frame(new UUID(0, 1), new UUID(0, 2), lsn, payload);
        return new PendingRows.Arrival(new Durable(frame, lsn), 0);
    }

    @Test
    void theLogKeepsFramesThatNobodyDecodedBeforeTheirMemoryIsFreed() {
        pending.arrive(frame(7));
        pending.arrive(frame(8));
        pending.clear();
        assertThat(pending.bytes()).isZero();
        assertThat(pending.oldestPosition()).isEqualTo(7);
        pending.arrive(frame(9));
        assertThat(pending.oldestPosition()).isEqualTo(7);
    }

    @Test
    void theLogKeepsFramesWhoseDecodingFailed() {
        pending.arrive(frame(7));
        pending.beginDecoding();
        pending.arrive(frame(8));
        pending.clear();
        assertThat(pending.oldestPosition()).isEqualTo(7);
    }

    @Test
    void theLogKeepsFramesWhoseOffsetsAloneWereToBeCommitted() {
        pending.arrive(frame(7));
        pending.beginDecoding();
        pending.skip(Map.of(new UUID(0, 2), 7L));
        pending.clear();
        assertThat(pending.oldestPosition()).isEqualTo(7);
        assertThat(pending.hasPublished()).isFalse();
    }

    @Test
    void theLogKeepsNothingOfATableWhoseRowsAreAllInDelta() {
        pending.clear();
        assertThat(pending.oldestPosition()).isEqualTo(Long.MAX_VALUE);
    }
}
