package dev.lakemill.bench;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.TimeStampMicroTZVector;
import org.apache.arrow.vector.TimeStampMicroVector;
import org.jspecify.annotations.Nullable;

/** All rows of a small table as text, each with how often it stands there: for comparisons. */
final class TableContent {
    private static final int FETCHED_ROWS = 10_000;

    private TableContent() {}

    static Map<String, Integer> ofDelta(DeltaSnapshot snapshot) {
        var content = new HashMap<String, Integer>();
        try (var reader = snapshot.read(List.of())) {
            while (true) {
                try (var rows = reader.next()) {
                    if (rows == null) {
                        return content;
                    }
                    for (int row = 0; row < rows.count(); row++) {
                        content.merge(line(rows, row), 1, Integer::sum);
                    }
                }
            }
        }
    }

    static Map<String, Integer> ofPostgres(
            Connection connection, TableName table, TableSchema schema) throws SQLException {
        var content = new HashMap<String, Integer>();
        var columns =
                String.join(
                        ", ", schema.columns().stream().map(c -> "\"" + c.name() + "\"").toList());
        var query =
                "SELECT %s FROM \"%s\".\"%s\"".formatted(columns, table.schema(), table.table());
        var autoCommit = connection.getAutoCommit();
        connection.setAutoCommit(false); // or all rows would come at once
        try (var statement = connection.createStatement()) {
            statement.setFetchSize(FETCHED_ROWS);
            try (var rows = statement.executeQuery(query)) {
                while (rows.next()) {
                    var line = new StringBuilder();
                    for (int i = 0; i < schema.size(); i++) {
                        line.append(text(rows.getObject(i + 1))).append('\u001f');
                    }
                    content.merge(line.toString(), 1, Integer::sum);
                }
            }
        } finally {
            connection.setAutoCommit(autoCommit);
        }
        return content;
    }

    private static String line(Rows rows, int row) {
        var line = new StringBuilder();
        for (int i = 0; i < rows.schema().size(); i++) {
            var vector = rows.vector(i);
            Object value =
                    vector.isNull(row)
                            ? null
                            : switch (vector) {
                                case TimeStampMicroTZVector micros -> micros.get(row);
                                case TimeStampMicroVector micros -> micros.get(row);
                                default -> vector.getObject(row);
                            };
            line.append(text(value)).append('\u001f');
        }
        return line.toString();
    }

    private static String text(@Nullable Object value) {
        return switch (value) {
            case null -> "\u0000";
            case BigDecimal number -> number.stripTrailingZeros().toPlainString();
            case Timestamp time ->
                    String.valueOf(ChronoUnit.MICROS.between(Instant.EPOCH, time.toInstant()));
            default -> value.toString();
        };
    }
}
