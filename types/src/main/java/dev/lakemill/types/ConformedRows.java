package dev.lakemill.types;

import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.FloatingPointVector;
import org.apache.arrow.vector.VectorSchemaRoot;

/** Brings rows of one schema of a table into another one of the same table. */
final class ConformedRows {
    private final Rows rows;
    private final BufferAllocator allocator;

    private ConformedRows(Rows rows) {
        this.rows = rows;
        this.allocator = rows.vector(0).getAllocator();
    }

    static Rows of(Rows rows, TableSchema wanted) {
        if (isSame(rows.schema(), wanted)) {
            return rows.retain();
        }
        return new ConformedRows(rows).as(wanted);
    }

    private static boolean isSame(TableSchema present, TableSchema wanted) {
        var same = present.size() == wanted.size();
        for (int i = 0; same && i < present.size(); i++) {
            var a = present.column(i);
            var b = wanted.column(i);
            same = a.name().equalsIgnoreCase(b.name()) && isSame(a.type(), b.type());
        }
        return same;
    }

    /** Comments of fields, and whether they may be null, make no difference to vectors. */
    private static boolean isSame(DataType a, DataType b) {
        return a.equals(b) || a.sql().equalsIgnoreCase(b.sql());
    }

    private Rows as(TableSchema wanted) {
        var vectors = new ArrayList<FieldVector>();
        var done = false;
        try {
            for (var column : wanted.columns()) {
                vectors.add(vector(column));
            }
            done = true;
        } finally {
            if (!done) {
                vectors.forEach(FieldVector::close);
            }
        }
        var root = new VectorSchemaRoot(vectors);
        root.setRowCount(rows.count());
        return new Rows(wanted, root);
    }

    private FieldVector vector(Column wanted) {
        var place = rows.schema().indexOf(wanted.name());
        if (place.isEmpty()) {
            return filled(wanted, List.of());
        }
        var present = rows.vector(place.getAsInt());
        var type = rows.schema().column(place.getAsInt()).type();
        if (isSame(type, wanted.type())) {
            var transfer = present.getTransferPair(present.getAllocator());
            transfer.splitAndTransfer(0, rows.count());
            return (FieldVector) transfer.getTo();
        }
        if (!TypeWidening.isAllowed(type, wanted.type())
                && !TypeWidening.isAllowed(wanted.type(), type)) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "column '%s' is %s and is read as %s"
                            .formatted(wanted.name(), type.sql(), wanted.type().sql()),
                    "declare it as it is");
        }
        return filled(wanted, List.of(present));
    }

    /** A vector of NULLs, or of another one's numbers. */
    private FieldVector filled(Column wanted, List<FieldVector> from) {
        var made = ArrowTypes.field(wanted).createVector(allocator);
        var done = false;
        try {
            made.setInitialCapacity(rows.count());
            made.allocateNew();
            from.forEach(present -> copy(present, made, wanted));
            made.setValueCount(rows.count());
            done = true;
            return made;
        } finally {
            if (!done) {
                made.close();
            }
        }
    }

    private void copy(FieldVector from, FieldVector to, Column wanted) {
        for (int i = 0; i < rows.count(); i++) {
            if (!from.isNull(i)) {
                if (from instanceof BaseIntVector whole && to instanceof BaseIntVector target) {
                    target.setWithPossibleTruncate(i, whole.getValueAsLong(i));
                    check(target.getValueAsLong(i) == whole.getValueAsLong(i), from, i, wanted);
                } else if (from instanceof FloatingPointVector number
                        && to instanceof FloatingPointVector target) {
                    double value = number.getValueAsDouble(i);
                    target.setWithPossibleTruncate(i, value);
                    check(
                            Double.isInfinite(value)
                                    || !Double.isInfinite(target.getValueAsDouble(i)),
                            from,
                            i,
                            wanted);
                }
            }
        }
    }

    private static void check(boolean fits, FieldVector from, int row, Column wanted) {
        if (!fits) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "column '%s' holds %s, which is no %s any more: its type was widened"
                            .formatted(wanted.name(), from.getObject(row), wanted.type().sql()),
                    "declare the column with the type that the table has now");
        }
    }
}
