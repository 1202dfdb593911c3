package dev.lakemill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Outputs A and B of one source; numbers are batches. */
final class RecoveryTest {
    private static final TableName SOURCE = TableName.parse("c.b.events");
    private static final TableName A = TableName.parse("c.s.a");
    private static final TableName B = TableName.parse("c.s.b");
    private static final Path FOLDER = Path.of("pipelines", "test");

    private final List<Checkpoint> checkpoints = new ArrayList<>();
    private final List<BatchRecord> journal = new ArrayList<>();
    private final Map<TableName, OutputTable> outputs = new HashMap<>();

    @Test
    void nothingStartsAtNothing() {
        inDelta(0, 0);
        assertThat(point()).isEqualTo(new Recovery.Point(Checkpoint.START, List.of()));
    }

    @Test
    void theFirstRoundBrokeOff() {
        journal(1, 2);
        checkpoint(2, A, B);
        inDelta(2, 0);
        assertThat(point().base()).isEqualTo(Checkpoint.START);
        assertThat(numbers(point())).containsExactly(1L, 2L);
    }

    @Test
    void anOutputThatDidNotChangeStandsAtTheRoundToo() {
        checkpoint(4, A, B);
        checkpoint(9, A);
        journal(5, 6, 7, 8, 9, 10);
        outputs.put(A, new History(4, 9));
        outputs.put(B, new History(4));
        assertThat(point().base().number()).isEqualTo(9);
        assertThat(numbers(point())).containsExactly(10L);
    }

    @Test
    void aRoundThatBrokeOffIsRepeatedFromTheOneBefore() {
        checkpoint(4, A, B);
        checkpoint(9, A, B);
        journal(5, 6, 7, 8, 9, 10);
        outputs.put(A, new History(4, 9));
        outputs.put(B, new History(4));
        assertThat(point().base().number()).isEqualTo(4);
        assertThat(numbers(point())).containsExactly(5L, 6L, 7L, 8L, 9L, 10L);
    }

    @Test
    void anOutputThatJumpedOverABrokenRoundDoesNotCompleteIt() {
        checkpoint(4, A, B);
        checkpoint(7, A, B);
        checkpoint(9, A, B);
        journal(5, 6, 7, 8, 9);
        outputs.put(A, new History(4, 7));
        outputs.put(B, new History(4, 9));
        assertThat(point().base().number()).isEqualTo(4);
    }

    @Test
    void aDroppedOutputHoldsNoRoundBack() {
        checkpoint(4, A, TableName.parse("c.s.dropped"));
        inDelta(4, 0);
        assertThat(point().base().number()).isEqualTo(4);
    }

    @Test
    void aLostJournalIsReplacedByTheCheckpointOfTheRoundThatBrokeOff() {
        checkpoint(4, A, B);
        checkpoint(7, A, B);
        outputs.put(A, new History(4, 7));
        outputs.put(B, new History(4));
        var point = point();
        assertThat(point.base().number()).isEqualTo(4);
        assertThat(point.replay()).containsExactly(batchAt(5, 4), batchAt(6, 4), batchAt(7, 7));
    }

    @Test
    void aLostJournalBehindACompleteRoundCostsNothing() {
        checkpoint(7, A, B);
        inDelta(7, 7);
        assertThat(point()).isEqualTo(new Recovery.Point(checkpoints.getFirst(), List.of()));
    }

    @Test
    void aDamagedCheckpointIsReplacedByTheOneBefore() {
        checkpoint(4, A, B);
        journal(5, 6, 7, 8);
        outputs.put(A, new History(4, 7));
        outputs.put(B, new History(4, 7));
        assertThat(point().base().number()).isEqualTo(4);
        assertThat(numbers(point())).containsExactly(5L, 6L, 7L, 8L);
    }

    @Test
    void whatNobodyKnowsIsRefused() {
        checkpoint(4, A, B);
        outputs.put(A, new History(4, 7));
        outputs.put(B, new History(4));
        refused("c.s.a holds batch 7");
    }

    @Test
    void aGapIsRefused() {
        journal(5, 6);
        inDelta(4, 4);
        refused("goes on at batch 5");
    }

    private void refused(String problem) {
        assertThatThrownBy(this::point)
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.DATA_LOSS);
                            assertThat(e.problem()).contains(problem);
                            assertThat(e.hint()).contains(FOLDER.toString(), "built again");
                        });
    }

    private Recovery.Point point() {
        return new Recovery(FOLDER, new Checkpoints.Found(checkpoints, List.of()), journal, outputs)
                .point();
    }

    private void inDelta(long a, long b) {
        outputs.put(A, new History(a));
        outputs.put(B, new History(b));
    }

    /** An output of which only its commits are known; 0 is none. */
    private record History(long... batches) implements OutputTable {
        @Override
        public OptionalLong committed() {
            return committedAt(Long.MAX_VALUE);
        }

        @Override
        public OptionalLong committedAt(long batch) {
            return LongStream.of(batches).filter(b -> b > 0 && b <= batch).max();
        }

        @Override
        public void append(List<Rows> rows, long batch) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void replace(Iterator<Rows> rows, long batch) {
            throw new UnsupportedOperationException();
        }

        @Override
        public DeltaSnapshot snapshotAt(long batch) {
            throw new UnsupportedOperationException();
        }

        @Override
        public DeltaSnapshot snapshot() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void keep(DeltaSnapshot snapshot, long batch) {
            throw new UnsupportedOperationException();
        }
    }

    private void journal(long... numbers) {
        for (var number : numbers) {
            journal.add(batchAt(number, number));
        }
    }

    private void checkpoint(long number, TableName... due) {
        var versions = new HashMap<TableName, Long>();
        for (var output : due) {
            versions.put(output, number);
        }
        var at = batchAt(number, number);
        checkpoints.add(
                new Checkpoint(
                        number, at.now(), at.sources(), 0, "hash", versions, Map.of(), Set.of()));
    }

    private static BatchRecord batchAt(long number, long position) {
        return new BatchRecord(number, Instant.ofEpochSecond(position), Map.of(SOURCE, position));
    }

    private static List<Long> numbers(Recovery.Point point) {
        return point.replay().stream().map(BatchRecord::number).toList();
    }
}
