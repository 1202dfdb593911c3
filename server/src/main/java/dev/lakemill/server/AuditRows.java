package dev.lakemill.server;

import dev.lakemill.catalog.AuditRecord;
import dev.lakemill.postgres.RowAuditReader.RowChange;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.TimeStampMicroTZVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.StructVector;
import org.jspecify.annotations.Nullable;

/**
 * Audit records as rows of the Delta tables {@code system.access.audit} and {@code
 * system.access.row_audit}.
 */
final class AuditRows {
    /** Databricks' columns, and behind them the door and the seal. */
    static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("event_id", Primitive.STRING),
                    Column.required("event_time", Primitive.TIMESTAMP),
                    Column.required("event_date", Primitive.DATE),
                    Column.nullable("version", Primitive.STRING),
                    Column.nullable("source_ip_address", Primitive.STRING),
                    Column.nullable("user_agent", Primitive.STRING),
                    Column.nullable("session_id", Primitive.STRING),
                    Column.nullable("user_identity", texts("email", "subject_name")),
                    Column.nullable("service_name", Primitive.STRING),
                    Column.nullable("action_name", Primitive.STRING),
                    Column.nullable("request_id", Primitive.STRING),
                    Column.nullable(
                            "request_params",
                            new DataType.Map(Primitive.STRING, Primitive.STRING, true)),
                    Column.nullable(
                            "response",
                            new DataType.Struct(
                                    List.of(
                                            Column.nullable("status_code", Primitive.INTEGER),
                                            Column.nullable("error_message", Primitive.STRING),
                                            Column.nullable("result", Primitive.STRING)))),
                    Column.nullable("audit_level", Primitive.STRING),
                    Column.nullable("identity_metadata", texts("run_by", "run_as")),
                    Column.nullable("door", Primitive.STRING),
                    Column.required("sequence", Primitive.LONG),
                    Column.required("hash", Primitive.STRING));

    /** The old and new rows are JSON. */
    static final TableSchema ROW_SCHEMA =
            TableSchema.of(
                    Column.required("event_time", Primitive.TIMESTAMP),
                    Column.required("event_date", Primitive.DATE),
                    Column.required("transaction_id", Primitive.LONG),
                    Column.required("table_schema", Primitive.STRING),
                    Column.required("table_name", Primitive.STRING),
                    Column.required("operation", Primitive.STRING),
                    Column.required("user_email", Primitive.STRING),
                    Column.nullable("on_behalf_of", Primitive.STRING),
                    Column.nullable("application_name", Primitive.STRING),
                    Column.required("backend_pid", Primitive.INTEGER),
                    Column.nullable("old_row", Primitive.STRING),
                    Column.nullable("new_row", Primitive.STRING),
                    Column.required("sequence", Primitive.LONG),
                    Column.required("hash", Primitive.STRING));

    private AuditRows() {}

    private static DataType texts(String... names) {
        return new DataType.Struct(
                Arrays.stream(names).map(n -> Column.nullable(n, Primitive.STRING)).toList());
    }

    static Rows of(List<AuditRecord> records, BufferAllocator allocator) {
        return rows(SCHEMA, records, AuditRows::values, allocator);
    }

    static Rows ofRows(List<RowChange> changes, BufferAllocator allocator) {
        return rows(ROW_SCHEMA, changes, AuditRows::values, allocator);
    }

    private static <T> Rows rows(
            TableSchema schema,
            List<T> records,
            Function<T, List<@Nullable Object>> valuesOf,
            BufferAllocator allocator) {
        var rows = Rows.empty(schema, allocator);
        for (int row = 0; row < records.size(); row++) {
            var values = valuesOf.apply(records.get(row));
            for (int column = 0; column < schema.size(); column++) {
                set(rows.vector(column), row, values.get(column));
            }
        }
        rows.root().setRowCount(records.size());
        return rows;
    }

    private static List<@Nullable Object> values(RowChange change) {
        return Arrays.<@Nullable Object>asList(
                micros(change.time()),
                day(change.time()),
                change.transaction(),
                change.schema(),
                change.table(),
                change.operation(),
                change.user(),
                orNull(change.onBehalfOf()),
                orNull(change.application()),
                change.backendPid(),
                change.oldRow(),
                change.newRow(),
                change.sequence(),
                change.hash());
    }

    private static long micros(Instant time) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, time);
    }

    private static int day(Instant time) {
        return Math.toIntExact(time.atOffset(ZoneOffset.UTC).toLocalDate().toEpochDay());
    }

    private static List<@Nullable Object> values(AuditRecord record) {
        return Arrays.<@Nullable Object>asList(
                record.eventId().toString(),
                micros(record.time()),
                day(record.time()),
                record.version(),
                orNull(record.address()),
                orNull(record.userAgent()),
                orNull(record.sessionId()),
                List.of(record.email(), record.subjectName()),
                record.service(),
                record.action(),
                orNull(record.requestId()),
                record.parameters(),
                Arrays.<@Nullable Object>asList(record.status(), orNull(record.error()), null),
                record.level(),
                List.of(record.runBy(), record.runAs()),
                record.door(),
                record.sequence(),
                record.hash());
    }

    private static @Nullable String orNull(String text) {
        return text.isEmpty() ? null : text;
    }

    /** What is not set stays null. */
    private static void set(ValueVector vector, int row, @Nullable Object value) {
        if (value == null) {
            return;
        }
        switch (vector) {
            case VarCharVector v ->
                    v.setSafe(row, ((String) value).getBytes(StandardCharsets.UTF_8));
            case TimeStampMicroTZVector v -> v.setSafe(row, (Long) value);
            case BigIntVector v -> v.setSafe(row, (Long) value);
            case DateDayVector v -> v.setSafe(row, (Integer) value);
            case IntVector v -> v.setSafe(row, (Integer) value);
            case StructVector v -> {
                v.setIndexDefined(row);
                for (int i = 0; i < v.size(); i++) {
                    set(v.getChildByOrdinal(i), row, ((List<?>) value).get(i));
                }
            }
            case MapVector v -> {
                var at = v.startNewValue(row);
                var entries = (StructVector) v.getDataVector();
                for (var entry : ((Map<?, ?>) value).entrySet()) {
                    entries.setIndexDefined(at);
                    set(entries.getChildByOrdinal(0), at, entry.getKey());
                    set(entries.getChildByOrdinal(1), at, entry.getValue());
                    at++;
                }
                v.endValue(row, ((Map<?, ?>) value).size());
            }
            default -> throw new IllegalStateException(vector.getField().toString());
        }
    }
}
