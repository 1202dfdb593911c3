package dev.lakemill.ingest;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads everyday JSON objects in one pass over their bytes: values without parts, text without
 * escapes, keys that are the columns' names. At anything else, and at whatever is wrong, it gives
 * up, and the full parser reads the record from its start. So it never decides that a record is
 * bad, and what it writes is what {@link JsonColumns} would. Belongs to one stream; not
 * thread-safe.
 */
final class JsonPass {
    private static final int GIVEN_UP_MAX = 8;
    private static final int TRIED_AGAIN_EVERY = 64;

    private final Column[] columns;
    private final byte[][] keys;
    private final int[] tags;
    private final long[] min;
    private final long[] max;

    /** The column that came after a column the last time; the last entry is for the first one. */
    private final int[] next;

    /** The row in which a column was last seen. */
    private final long[] seenInRow;

    private final JsonBytes in = new JsonBytes();
    private final IsoTime time = new IsoTime();
    private long row;
    private int givenUp;

    private JsonPass(List<Column> columns) {
        int count = columns.size();
        this.columns = columns.toArray(Column[]::new);
        this.keys = new byte[count][];
        this.tags = new int[count];
        this.min = new long[count];
        this.max = new long[count];
        this.next = new int[count + 1];
        this.seenInRow = new long[count];
        for (int i = 0; i < count; i++) {
            var type = (Primitive) columns.get(i).type();
            keys[i] = ('"' + columns.get(i).name() + '"').getBytes(StandardCharsets.UTF_8);
            tags[i] = (i + 1) << 3 | JsonScalar.of(type).wireType();
            min[i] = min(type);
            max[i] = max(type);
            next[i] = i + 1 == count ? 0 : i + 1;
        }
    }

    /** Null when the table has columns that it does not read. */
    static @Nullable JsonPass of(List<Column> columns) {
        var simple =
                columns.stream()
                        .allMatch(c -> c.type() instanceof Primitive p && p != Primitive.BINARY);
        return simple && !columns.isEmpty() ? new JsonPass(columns) : null;
    }

    private static long min(Primitive type) {
        return switch (type) {
            case BYTE -> Byte.MIN_VALUE;
            case SHORT -> Short.MIN_VALUE;
            case INTEGER -> Integer.MIN_VALUE;
            case DATE -> IsoTime.DAYS_MIN;
            case TIMESTAMP, TIMESTAMP_NTZ -> IsoTime.MICROS_MIN;
            case LONG, BOOLEAN, FLOAT, DOUBLE, STRING, BINARY -> Long.MIN_VALUE;
        };
    }

    private static long max(Primitive type) {
        return switch (type) {
            case BYTE -> Byte.MAX_VALUE;
            case SHORT -> Short.MAX_VALUE;
            case INTEGER -> Integer.MAX_VALUE;
            case DATE -> IsoTime.DAYS_MAX;
            case TIMESTAMP, TIMESTAMP_NTZ -> IsoTime.MICROS_MAX;
            case LONG, BOOLEAN, FLOAT, DOUBLE, STRING, BINARY -> Long.MAX_VALUE;
        };
    }

    /** Writes the row of a record; false, with nothing written, when it gives up. */
    boolean write(byte[] record, int from, int to, RowWriter out) {
        row++;
        if (givenUp >= GIVEN_UP_MAX && row % TRIED_AGAIN_EVERY != 0) {
            return false; // A stream of records that are not for it should not pay for it.
        }
        int before = out.size();
        if (object(in.on(record, from, to), out)) {
            givenUp = 0;
            return true;
        }
        out.truncate(before);
        givenUp++;
        return false;
    }

    private boolean object(JsonBytes json, RowWriter out) {
        if (!json.skip('{')) {
            return false;
        }
        int last = columns.length;
        do {
            int column = column(json, last);
            if (column < 0 || !json.skip(':') || seenInRow[column] == row) {
                return false;
            }
            if (!json.skipNull()) {
                out.varint(tags[column]);
                if (!value(column, json, out)) {
                    return false;
                }
            } else if (!columns[column].nullable()) {
                return false;
            }
            seenInRow[column] = row;
            last = column;
        } while (json.skip(','));
        return json.skip('}') && json.isAtEnd() && hasRequired();
    }

    /** The column whose name comes next; -1 when there is none of it. */
    private int column(JsonBytes json, int last) {
        int guess = next[last];
        if (json.skip(keys[guess])) {
            return guess;
        }
        for (int i = 0; i < keys.length; i++) {
            if (json.skip(keys[i])) {
                next[last] = i;
                return i;
            }
        }
        return -1;
    }

    private boolean hasRequired() {
        for (int i = 0; i < columns.length; i++) {
            if (seenInRow[i] != row && !columns[i].nullable()) {
                return false;
            }
        }
        return true;
    }

    private boolean value(int column, JsonBytes json, RowWriter out) {
        var type = (Primitive) columns[column].type();
        return switch (type) {
            case BOOLEAN -> flag(json, out);
            case BYTE, SHORT, INTEGER, LONG -> json.integer() && whole(column, json.whole(), out);
            case FLOAT -> single(json, out);
            case DOUBLE -> twice(json, out);
            case STRING -> text(json, out);
            case DATE, TIMESTAMP, TIMESTAMP_NTZ -> time(column, type, json, out);
            case BINARY -> false;
        };
    }

    private static boolean flag(JsonBytes json, RowWriter out) {
        var isTrue = json.skip(JsonBytes.TRUE);
        if (!isTrue && !json.skip(JsonBytes.FALSE)) {
            return false;
        }
        out.oneByte(isTrue ? 1 : 0);
        return true;
    }

    private boolean whole(int column, long value, RowWriter out) {
        if (value < min[column] || value > max[column]) {
            return false;
        }
        out.varint(value);
        return true;
    }

    private static boolean twice(JsonBytes json, RowWriter out) {
        if (!json.decimal() || Double.isInfinite(json.asDouble())) {
            return false;
        }
        out.fixed64(Double.doubleToRawLongBits(json.asDouble()));
        return true;
    }

    private static boolean single(JsonBytes json, RowWriter out) {
        if (!json.decimal() || Float.isInfinite(json.asFloat())) {
            return false;
        }
        out.fixed32(Float.floatToRawIntBits(json.asFloat()));
        return true;
    }

    private static boolean text(JsonBytes json, RowWriter out) {
        if (!json.text()) {
            return false;
        }
        out.varint(json.textTo() - json.textFrom());
        out.bytes(json.bytes(), json.textFrom(), json.textTo());
        return true;
    }

    private boolean time(int column, Primitive type, JsonBytes json, RowWriter out) {
        if (json.integer()) {
            return whole(column, json.whole(), out);
        }
        if (!json.text() || json.textTo() - json.textFrom() > JsonBytes.TIME_CHARACTERS_MAX) {
            return false;
        }
        var characters = json.textCharacters();
        int length = json.textTo() - json.textFrom();
        try {
            long value =
                    type == Primitive.DATE
                            ? time.days(characters, 0, length)
                            : time.micros(characters, 0, length, type == Primitive.TIMESTAMP);
            return whole(column, value, out);
        } catch (IsoTime.NotATime e) {
            return false;
        }
    }
}
