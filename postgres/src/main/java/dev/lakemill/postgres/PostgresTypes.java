package dev.lakemill.postgres;

import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.regex.Pattern;

/** The catalog's types for Postgres's own. */
public final class PostgresTypes {
    private static final Pattern DECIMAL = Pattern.compile("numeric\\((\\d+),(\\d+)\\)");
    private static final int PRECISION_MAX = 38;

    private PostgresTypes() {}

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
