package dev.lakemill.postgres;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Optional;
import java.util.regex.Pattern;

/** The catalog's types for Postgres's own. */
public final class PostgresTypes {
    private static final Pattern DECIMAL = Pattern.compile("numeric\\((\\d+),(\\d+)\\)");
    private static final int PRECISION_MAX = 38;

    private static final String COLUMNS =
            """
            SELECT a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
                coalesce(col_description(c.oid, a.attnum), '')
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE n.nspname = ? AND c.relname = ? AND c.relkind IN ('r', 'p', 'v') ORDER BY a.attnum
            """;

    private PostgresTypes() {}

    /** The columns of a table or view; empty when there is no such one. */
    public static Optional<TableSchema> columns(Connection connection, String schema, String table)
            throws SQLException {
        var columns = new ArrayList<Column>();
        try (var query = connection.prepareStatement(COLUMNS)) {
            query.setString(1, schema);
            query.setString(2, table);
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    columns.add(
                            new Column(
                                    rows.getString(1),
                                    of(rows.getString(2)),
                                    rows.getBoolean(3),
                                    rows.getString(4)));
                }
            }
        }
        return columns.isEmpty() ? Optional.empty() : Optional.of(new TableSchema(columns));
    }

    /**
     * The type that holds every value of a type; STRING for want of another.
     *
     * @param postgres as {@code format_type} writes it
     */
    public static DataType of(String postgres) {
        if (postgres.endsWith("[]")) {
            return new DataType.Array(of(postgres.substring(0, postgres.length() - 2)), true);
        }
        var decimal = DECIMAL.matcher(postgres);
        if (decimal.matches()) {
            var precision = Integer.parseInt(decimal.group(1));
            var scale = Integer.parseInt(decimal.group(2));
            return precision <= PRECISION_MAX && scale <= precision
                    ? new DataType.Decimal(precision, scale)
                    : Primitive.STRING;
        }
        return switch (postgres.replaceFirst("\\(\\d\\)", "")) {
            case "boolean" -> Primitive.BOOLEAN;
            case "smallint" -> Primitive.SHORT;
            case "integer" -> Primitive.INTEGER;
            case "bigint" -> Primitive.LONG;
            case "real" -> Primitive.FLOAT;
            case "double precision" -> Primitive.DOUBLE;
            case "bytea" -> Primitive.BINARY;
            case "date" -> Primitive.DATE;
            case "timestamp with time zone" -> Primitive.TIMESTAMP;
            case "timestamp without time zone" -> Primitive.TIMESTAMP_NTZ;
            default -> Primitive.STRING;
        };
    }
}
