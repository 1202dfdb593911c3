package dev.lakemill.ingest;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.wal.Frame;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Rows that do not fit their table, as rows of another one: the record as it came and what is wrong
 * with it. Belongs to one stream.
 *
 * <p>The table may have any of the columns of {@link #COLUMNS}; others must be nullable.
 */
final class DeadLetters {
    /** The columns by name, and their types. */
    static final Map<String, List<DataType>> COLUMNS =
            Map.of(
                    "payload",
                    List.of(Primitive.STRING, Primitive.BINARY),
                    "error",
                    List.of(Primitive.STRING),
                    "source_table",
                    List.of(Primitive.STRING),
                    "format",
                    List.of(Primitive.STRING),
                    "stream_id",
                    List.of(Primitive.STRING),
                    "offset_id",
                    List.of(Primitive.LONG),
                    "row_index",
                    List.of(Primitive.INTEGER),
                    "received_at",
                    List.of(Primitive.TIMESTAMP));

    private final Landing landing;
    private final TableName source;
    private final boolean json;
    private final Supplier<UUID> stream;

    /**
     * @throws Refusal when the table cannot take dead letters
     */
    DeadLetters(Landing landing, TableName source, boolean json, Supplier<UUID> stream) {
        this.landing = landing;
        this.source = source;
        this.json = json;
        this.stream = stream;
        landing.table().schema().columns().forEach(this::check);
    }

    private void check(Column column) {
        var types = COLUMNS.get(column.name().toLowerCase(Locale.ROOT));
        if (types == null ? !column.nullable() : !types.contains(column.type())) {
            throw Refusal.badRequest(
                    "%s cannot take the dead letters of %s: column '%s' is %s%s"
                            .formatted(
                                    landing.table().name(),
                                    source,
                                    column.name(),
                                    column.type().sql(),
                                    column.nullable() ? "" : " NOT NULL"),
                    "declare it with columns of docs/reference/ingest.md, others nullable");
        }
    }

    /** On its way into the log, before the rows that fit. */
    static final class Letter {
        private final Landing landing;
        private final Frame frame;
        private final int rows;
        private boolean taken;

        private Letter(Landing landing, Frame frame, int rows) {
            this.landing = landing;
            this.frame = frame;
            this.rows = rows;
        }

        Landing landing() {
            return landing;
        }

        Frame frame() {
            return frame;
        }

        int rows() {
            return rows;
        }

        boolean isTaken() {
            return taken;
        }

        void taken() {
            taken = true;
        }
    }

    /** All bad rows of a request as one frame, which no stream waits for. */
    Letter letter(List<BadRows.Bad> bad, long offset) {
        var out = new RowWriter(RecordEncoder.PAYLOAD_BYTES_MAX);
        out.count((long) bad.size() * Cells.of(landing.table().schema()).ofRow());
        var receivedMicros = Landings.micros(Instant.now());
        for (var row : bad) {
            int begin = out.beginLength();
            var columns = landing.table().schema().columns();
            for (int i = 0; i < columns.size(); i++) {
                write(columns.get(i), i, row, offset, receivedMicros, out);
            }
            out.endLength(begin);
        }
        var frame = new Frame(landing.table().id(), UUID.randomUUID(), 0, out.toByteArray());
        return new Letter(landing, frame, bad.size());
    }

    private void write(
            Column column, int index, BadRows.Bad row, long offset, long micros, RowWriter out) {
        switch (column.name().toLowerCase(Locale.ROOT)) {
            case "payload" -> payload(column, index, row.record(), out);
            case "error" -> text(index, row.why().problem() + "; hint: " + row.why().hint(), out);
            case "source_table" -> text(index, source.toString(), out);
            case "format" -> text(index, json ? "JSON" : "PROTO", out);
            case "stream_id" -> text(index, stream.get().toString(), out);
            case "offset_id" -> number(index, offset, out);
            case "row_index" -> number(index, row.row(), out);
            case "received_at" -> number(index, micros, out);
            default -> {
                // The table's own column, which is nullable.
            }
        }
    }

    private static void number(int index, long value, RowWriter out) {
        out.tag(index + 1, RowWriter.VARINT);
        out.varint(value);
    }

    private static void text(int index, String value, RowWriter out) {
        var bytes = value.getBytes(StandardCharsets.UTF_8);
        bytes(index, bytes, out);
    }

    /** As STRING, what is not UTF-8 is replaced; BINARY keeps it. */
    private static void payload(Column column, int index, byte @Nullable [] record, RowWriter out) {
        if (record == null) {
            return;
        }
        if (column.type() == Primitive.BINARY) {
            bytes(index, record, out);
        } else {
            text(index, new String(record, StandardCharsets.UTF_8), out);
        }
    }

    private static void bytes(int index, byte[] bytes, RowWriter out) {
        out.tag(index + 1, RowWriter.LENGTH);
        out.varint(bytes.length);
        out.bytes(bytes, 0, bytes.length);
    }
}
