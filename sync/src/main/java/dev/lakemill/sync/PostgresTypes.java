package dev.lakemill.sync;

import dev.lakemill.types.DataType;

/** Which Postgres type holds which of ours, named as Postgres's format_type() names it. */
final class PostgresTypes {
    private PostgresTypes() {}

    static String of(DataType type) {
        return switch (type) {
            case DataType.Primitive primitive -> of(primitive);
            case DataType.Decimal d -> "numeric(%d,%d)".formatted(d.precision(), d.scale());
            case DataType.Array _, DataType.Map _, DataType.Struct _ -> "jsonb";
        };
    }

    private static String of(DataType.Primitive type) {
        return switch (type) {
            case BOOLEAN -> "boolean";
            case BYTE, SHORT -> "smallint";
            case INTEGER -> "integer";
            case LONG -> "bigint";
            case FLOAT -> "real";
            case DOUBLE -> "double precision";
            case STRING -> "text";
            case BINARY -> "bytea";
            case DATE -> "date";
            case TIMESTAMP -> "timestamp with time zone";
            case TIMESTAMP_NTZ -> "timestamp without time zone";
        };
    }
}
