package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.feed.TableBatch;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Durable;
import dev.lakemill.wal.Frame;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.arrow.memory.RootAllocator;
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
    void framesThatMakeTooManyValuesTogetherComeOneAfterTheOther() {
        pending.arrive(frame(7));
        pending.arrive(frame(8));
        pending.arrive(frame(9));
        assertThat(pending.beginDecoding()).hasSize(3);
        assertThat(lsns(pending.decodeFirst(2))).containsExactly(7L, 8L);
        pending.skip(Map.of());
        assertThat(pending.oldestPosition()).isEqualTo(9);
        assertThat(lsns(pending.beginDecoding())).containsExactly(9L);
    }

    private static List<Long> lsns(List<PendingRows.Arrival> frames) {
        return frames.stream().map(f -> f.frame().lsn()).toList();
    }

    @Test
    void nothingIsDecodedWhileDeltaIsTooFarBehind() throws InterruptedException {
        var schema = TableSchema.of(Column.nullable("v", Primitive.LONG));
        try (var allocator = new RootAllocator()) {
            var rows = ArrowMessages.rows(schema, List.of("{\"v\":1}"), allocator);
            pending.arrive(frame(7));
            pending.beginDecoding();
            pending.publish(new TableBatch(rows, new long[] {7}, 0), Map.of());
            pending.arrive(frame(8));
            assertThat(pending.await(Duration.ZERO, Long.MAX_VALUE)).hasSize(1);
            pending.decodeFirst(0);
            pending.end();
            assertThat(pending.await(Duration.ZERO, 1)).isEmpty();
            pending.beginCommit(1);
            pending.committed();
            assertThat(pending.oldestPosition()).isEqualTo(8);
        }
    }

    @Test
    void theLogKeepsNothingOfATableWhoseRowsAreAllInDelta() {
        pending.clear();
        assertThat(pending.oldestPosition()).isEqualTo(Long.MAX_VALUE);
    }
}
