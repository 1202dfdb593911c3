package dev.lakemill.pipeline;

import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.util.VectorAppender;

/**
 * Rows whose conditions are judged, with each row's fate and what each rule says of it, while the
 * UNIQUE rules are settled. One thread uses it; the rows stay the caller's.
 */
final class JudgedRows {
    private static final byte NOT_JUDGED = -1;
    private static final byte FAILED = 0;
    private static final byte PASSED = 1;

    /** Shorter ones, on average, are copied row by row. */
    private static final int RUN_ROWS_MIN = 16;

    private final Rows rows;
    private final BigIntVector order;
    private final byte[] fates;

    /** By rule. */
    private final byte[][] flags;

    /**
     * @param rows first those to be kept, in the order of the source; the last column is the place
     *     in it
     * @param fate the column of fates
     * @param flagged the columns of the rules' flags; -1 of a rule that all rows to be kept pass,
     *     until {@link #fail}
     */
    JudgedRows(Rows rows, int fate, List<Integer> flagged) {
        this.rows = rows;
        this.order = (BigIntVector) rows.vector(rows.schema().size() - 1);
        this.fates = new byte[rows.count()];
        var vector = (IntVector) rows.vector(fate);
        for (int row = 0; row < fates.length; row++) {
            fates[row] = (byte) vector.get(row);
        }
        this.flags = new byte[flagged.size()][];
        for (int rule = 0; rule < flags.length; rule++) {
            flags[rule] = flagged.get(rule) < 0 ? passing() : read(flagged.get(rule));
        }
    }

    private byte[] passing() {
        var passing = new byte[fates.length];
        for (int row = 0; row < passing.length; row++) {
            passing[row] = fates[row] == Checks.KEEP ? PASSED : NOT_JUDGED;
        }
        return passing;
    }

    private byte[] read(int column) {
        var vector = (BitVector) rows.vector(column);
        var read = new byte[fates.length];
        for (int row = 0; row < read.length; row++) {
            read[row] = vector.isNull(row) ? NOT_JUDGED : (byte) vector.get(row);
        }
        return read;
    }

    Rows rows() {
        return rows;
    }

    /** The row's place in the source. */
    long order(int row) {
        return order.get(row);
    }

    /** Those that are to be kept, as far as is known. */
    BitSet kept() {
        var kept = new BitSet(fates.length);
        for (int row = 0; row < fates.length; row++) {
            kept.set(row, fates[row] == Checks.KEEP);
        }
        return kept;
    }

    boolean hasFailed(int rule, int row) {
        return flags[rule][row] == FAILED;
    }

    /** A row fails a rule. */
    void fail(int rule, int row, int fate) {
        flags[rule][row] = FAILED;
        fates[row] = (byte) fate;
    }

    /** A rule is not to say anything of a row. */
    void unjudged(int rule, int row) {
        flags[rule][row] = NOT_JUDGED;
    }

    /** The row that fails the rule and comes first in the source. */
    OptionalInt firstFailed(int rule) {
        return IntStream.range(0, fates.length)
                .filter(row -> hasFailed(rule, row))
                .boxed()
                .min(Comparator.comparingLong(this::order))
                .map(OptionalInt::of)
                .orElse(OptionalInt.empty());
    }

    /** The rows of one fate, in the order of the source. */
    int[] of(int fate) {
        var found = IntStream.range(0, fates.length).filter(row -> fates[row] == fate).toArray();
        var sorted = true;
        for (int i = 1; i < found.length && sorted; i++) {
            sorted = order(found[i - 1]) < order(found[i]);
        }
        return sorted
                ? found
                : Arrays.stream(found)
                        .boxed()
                        .sorted(Comparator.comparingLong(this::order))
                        .mapToInt(Integer::intValue)
                        .toArray();
    }

    /**
     * Some columns of some rows, sharing memory where the rows stand together; to be closed.
     *
     * @param schema what the columns are to the reader
     */
    Rows take(int[] places, List<Integer> columns, TableSchema schema) {
        var vectors = new ArrayList<FieldVector>();
        for (var column : columns) {
            vectors.add(take(places, rows.vector(column)));
        }
        var root = new VectorSchemaRoot(vectors);
        root.setRowCount(places.length);
        return new Rows(schema, root);
    }

    private static FieldVector take(int[] places, FieldVector from) {
        var runs = runs(places);
        if (runs.size() <= 1) {
            return part(from, places.length == 0 ? 0 : places[0], places.length);
        }
        var to = from.getField().createVector(from.getAllocator());
        to.setInitialCapacity(places.length);
        to.allocateNew();
        if (runs.size() * RUN_ROWS_MIN > places.length) {
            for (int i = 0; i < places.length; i++) {
                to.copyFromSafe(places[i], i, from);
            }
            return to;
        }
        var appender = new VectorAppender(to);
        for (var run : runs) {
            try (var part = part(from, run[0], run[1])) {
                part.accept(appender, null);
            }
        }
        return to;
    }

    private static FieldVector part(FieldVector from, int first, int count) {
        var part = from.getTransferPair(from.getAllocator());
        part.splitAndTransfer(first, count);
        return (FieldVector) part.getTo();
    }

    /** The first of rows that stand together, and their number. */
    private static List<int[]> runs(int[] places) {
        var runs = new ArrayList<int[]>();
        for (int i = 0; i < places.length; i++) {
            if (i > 0 && places[i] == places[i - 1] + 1) {
                runs.getLast()[1]++;
            } else {
                runs.add(new int[] {places[i], 1});
            }
        }
        return runs;
    }

    TableCount count(List<Rule> rules) {
        var fated = new int[Checks.DROP + 1];
        for (var fate : fates) {
            fated[fate]++;
        }
        var counts =
                IntStream.range(0, flags.length)
                        .mapToObj(rule -> count(rules.get(rule).name(), flags[rule]))
                        .toList();
        return new TableCount(
                fates.length,
                fated[Checks.KEEP],
                fated[Checks.QUARANTINE],
                fated[Checks.DROP],
                counts);
    }

    private static TableCount.RuleCount count(String rule, byte[] flags) {
        long passed = 0;
        long failed = 0;
        for (var flag : flags) {
            passed += flag == PASSED ? 1 : 0;
            failed += flag == FAILED ? 1 : 0;
        }
        return new TableCount.RuleCount(rule, passed, failed);
    }
}
