package dev.lakemill.pipeline;

import dev.lakemill.feed.Changes;
import dev.lakemill.types.Rows;
import java.util.Arrays;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.compare.ApproxEqualsVisitor;
import org.apache.arrow.vector.compare.Range;
import org.apache.arrow.vector.compare.RangeEqualsVisitor;
import org.apache.arrow.vector.compare.VectorValueEqualizer;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;

/**
 * The rows of two small tables that are not in the other, as multisets. NULLs are equal, NaNs are
 * equal, and zeros of both signs are different, since an expression may tell them apart.
 */
final class RowDifference {
    private final Rows before;
    private final Rows after;
    private final int[] hashes;
    private final boolean[] matched;
    private final RangeEqualsVisitor[] columns;

    /** First row of {@link #before} in each bucket, and the next one of each row; -1 for none. */
    private final int[] firsts;

    private final int[] nexts;

    private RowDifference(Rows before, Rows after) {
        this.before = before;
        this.after = after;
        this.hashes = hashes(before);
        this.matched = new boolean[before.count()];
        this.columns = new RangeEqualsVisitor[after.schema().size()];
        Arrays.setAll(
                columns,
                i ->
                        new ApproxEqualsVisitor(
                                before.vector(i),
                                after.vector(i),
                                new SameFloats(),
                                new SameDoubles()));
        this.firsts = new int[Integer.highestOneBit(Math.max(1, before.count())) * 2];
        this.nexts = new int[before.count()];
    }

    /** What makes {@code after} of {@code before}; both stay the caller's. */
    static Changes between(Rows before, Rows after) {
        return new RowDifference(before, after).run();
    }

    private Changes run() {
        Arrays.fill(firsts, -1);
        for (int row = before.count() - 1; row >= 0; row--) {
            int bucket = hashes[row] & (firsts.length - 1);
            nexts[row] = firsts[bucket];
            firsts[bucket] = row;
        }
        var afterHashes = hashes(after);
        var came = new int[after.count()];
        int cameCount = 0;
        for (int row = 0; row < after.count(); row++) {
            if (!match(row, afterHashes[row])) {
                came[cameCount++] = row;
            }
        }
        var went = new int[before.count()];
        int wentCount = 0;
        for (int row = 0; row < before.count(); row++) {
            if (!matched[row]) {
                went[wentCount++] = row;
            }
        }
        var inserted = after.pick(Arrays.copyOf(came, cameCount));
        try {
            return new Changes(inserted, before.pick(Arrays.copyOf(went, wentCount)));
        } catch (RuntimeException | Error e) {
            inserted.close();
            throw e;
        }
    }

    private boolean match(int row, int hash) {
        for (int old = firsts[hash & (firsts.length - 1)]; old >= 0; old = nexts[old]) {
            if (!matched[old] && hashes[old] == hash && isSame(old, row)) {
                matched[old] = true;
                return true;
            }
        }
        return false;
    }

    private boolean isSame(int old, int row) {
        for (var column : columns) {
            if (!column.rangeEquals(new Range(old, row, 1))) {
                return false;
            }
        }
        return true;
    }

    /** Equal for equal values. */
    private static int hash(FieldVector vector, int row) {
        if (vector.isNull(row)) {
            return 0;
        }
        return switch (vector) {
            case Float8Vector doubles -> Double.hashCode(doubles.get(row));
            case Float4Vector floats -> Float.hashCode(floats.get(row));
            case ListVector list -> {
                int hash = 1;
                for (int i = list.getElementStartIndex(row);
                        i < list.getElementEndIndex(row);
                        i++) {
                    hash = 31 * hash + hash(list.getDataVector(), i);
                }
                yield hash;
            }
            case StructVector struct -> {
                int hash = 1;
                for (var field : struct.getChildrenFromFields()) {
                    hash = 31 * hash + hash(field, row);
                }
                yield hash;
            }
            default -> vector.hashCode(row);
        };
    }

    private static int[] hashes(Rows rows) {
        var hashes = new int[rows.count()];
        for (int i = 0; i < rows.schema().size(); i++) {
            var vector = rows.vector(i);
            for (int row = 0; row < hashes.length; row++) {
                hashes[row] = 31 * hashes[row] + hash(vector, row);
            }
        }
        for (int row = 0; row < hashes.length; row++) {
            hashes[row] ^= hashes[row] >>> 16;
        }
        return hashes;
    }

    private record SameDoubles() implements VectorValueEqualizer<Float8Vector> {
        @Override
        public boolean valuesEqual(Float8Vector left, int at, Float8Vector right, int other) {
            return left.isNull(at)
                    ? right.isNull(other)
                    : !right.isNull(other) && Double.compare(left.get(at), right.get(other)) == 0;
        }

        @Override
        public SameDoubles clone() {
            return this;
        }
    }

    private record SameFloats() implements VectorValueEqualizer<Float4Vector> {
        @Override
        public boolean valuesEqual(Float4Vector left, int at, Float4Vector right, int other) {
            return left.isNull(at)
                    ? right.isNull(other)
                    : !right.isNull(other) && Float.compare(left.get(at), right.get(other)) == 0;
        }

        @Override
        public SameFloats clone() {
            return this;
        }
    }
}
