package dev.lakemill.sync;

import dev.lakemill.types.DataType;
import org.postgresql.core.Oid;

/** Which Postgres type holds which of ours. */
enum PostgresType {
    BOOLEAN("boolean", Oid.BOOL, "_bool", Oid.BOOL_ARRAY),
    SMALLINT("smallint", Oid.INT2, "_int2", Oid.INT2_ARRAY),
    INTEGER("integer", Oid.INT4, "_int4", Oid.INT4_ARRAY),
    BIGINT("bigint", Oid.INT8, "_int8", Oid.INT8_ARRAY),
    REAL("real", Oid.FLOAT4, "_float4", Oid.FLOAT4_ARRAY),
    DOUBLE_PRECISION("double precision", Oid.FLOAT8, "_float8", Oid.FLOAT8_ARRAY),
    NUMERIC("numeric", Oid.NUMERIC, "_numeric", Oid.NUMERIC_ARRAY),
    TEXT("text", Oid.TEXT, "_text", Oid.TEXT_ARRAY),
    BYTEA("bytea", Oid.BYTEA, "_bytea", Oid.BYTEA_ARRAY),
    DATE("date", Oid.DATE, "_date", Oid.DATE_ARRAY),
    TIMESTAMPTZ("timestamp with time zone", Oid.TIMESTAMPTZ, "_timestamptz", Oid.TIMESTAMPTZ_ARRAY),
    TIMESTAMP("timestamp without time zone", Oid.TIMESTAMP, "_timestamp", Oid.TIMESTAMP_ARRAY),
    JSONB("jsonb", Oid.JSONB, "_jsonb", Oid.JSONB_ARRAY);

    private final String sql;
    private final int oid;
    private final String arrayName;
    private final int arrayOid;

    PostgresType(String sql, int oid, String arrayName, int arrayOid) {
        this.sql = sql;
        this.oid = oid;
        this.arrayName = arrayName;
        this.arrayOid = arrayOid;
    }

    static PostgresType of(DataType type) {
        return switch (type) {
            case DataType.Primitive primitive -> of(primitive);
            case DataType.Decimal _ -> NUMERIC;
            case DataType.Array _, DataType.Map _, DataType.Struct _ -> JSONB;
        };
    }

    private static PostgresType of(DataType.Primitive type) {
        return switch (type) {
            case BOOLEAN -> BOOLEAN;
            case BYTE, SHORT -> SMALLINT;
            case INTEGER -> INTEGER;
            case LONG -> BIGINT;
            case FLOAT -> REAL;
            case DOUBLE -> DOUBLE_PRECISION;
            case STRING -> TEXT;
            case BINARY -> BYTEA;
            case DATE -> DATE;
            case TIMESTAMP -> TIMESTAMPTZ;
            case TIMESTAMP_NTZ -> TIMESTAMP;
        };
    }

    /** The type in DDL, spelt as Postgres's format_type() spells it. */
    static String declaration(DataType type) {
        return type instanceof DataType.Decimal decimal
                ? "numeric(%d,%d)".formatted(decimal.precision(), decimal.scale())
                : of(type).sql;
    }

    /** The type's name in SQL, without parameters. */
    String sql() {
        return sql;
    }

    int oid() {
        return oid;
    }

    /** The name in Postgres's catalog of the type of its arrays. */
    String arrayName() {
        return arrayName;
    }

    int arrayOid() {
        return arrayOid;
    }
}
