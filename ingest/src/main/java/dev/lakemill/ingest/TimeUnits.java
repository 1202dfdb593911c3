package dev.lakemill.ingest;

import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.util.Set;

/**
 * Catches seconds and milliseconds sent for microseconds, in the columns that declare microseconds.
 * Reads rows in the log's form, whatever they came as. Belongs to one stream.
 */
final class TimeUnits {
    private final TableSchema schema;
    private final boolean[] checked;
    private final boolean any;
    private final WireReader in = new WireReader();

    TimeUnits(TableSchema schema, Set<String> columns) {
        this.schema = schema;
        this.checked = new boolean[schema.size()];
        for (var name : columns) {
            int column = schema.indexOf(name).orElse(-1);
            if (column < 0
                    || (schema.column(column).type() != Primitive.TIMESTAMP
                            && schema.column(column).type() != Primitive.TIMESTAMP_NTZ)) {
                throw Refusal.badRequest(
                        "column '%s' declares microseconds, but is no TIMESTAMP".formatted(name),
                        "take the tag zerobus_unit off it");
            }
            checked[column] = true;
        }
        this.any = !columns.isEmpty();
    }

    /** Checks the row that the writer holds from a place on. */
    void check(RowWriter out, int from) {
        if (!any) {
            return;
        }
        out.read(in, from);
        while (in.hasMore()) {
            int tag = in.tag();
            int column = (tag >>> 3) - 1;
            switch (tag & 7) {
                case RowWriter.VARINT -> check(column, in.varint());
                case RowWriter.FIXED32 -> in.fixed32();
                case RowWriter.FIXED64 -> in.fixed64();
                default -> in.skip(in.length());
            }
        }
    }

    private void check(int column, long value) {
        if (checked[column] && value >= 0 && value < RowPolicy.MICROSECONDS_MIN) {
            throw implausible(value).inside(schema.column(column).name());
        }
    }

    static RefusedRow implausible(long value) {
        return RefusedRow.value(
                "declares microseconds, found %d, which looks like %s"
                        .formatted(value, value < 100_000_000_000L ? "seconds" : "milliseconds"),
                RowPolicy.UNIT_HINT);
    }
}
