package dev.lakemill.sync;

import dev.lakemill.types.DataType;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

    private static final Pattern DECIMAL = Pattern.compile("numeric\\((\\d+),(\\d+)\\)");
    private static final Pattern VARCHAR = Pattern.compile("character varying\\((\\d+)\\)");
    private static final Map<String, List<String>> WIDER =
            Map.of(
                    SMALLINT.sql, List.of(INTEGER.sql, BIGINT.sql, DOUBLE_PRECISION.sql),
                    INTEGER.sql, List.of(BIGINT.sql, DOUBLE_PRECISION.sql),
                    REAL.sql, List.of(DOUBLE_PRECISION.sql),
                    DATE.sql, List.of(TIMESTAMP.sql));

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

    /**
     * Whether a column of one type, as format_type() spells it, may become one of another without a
     * value changing.
     */
    static boolean isWidening(String from, String to) {
        if (WIDER.getOrDefault(from, List.of()).contains(to)) {
            return true;
        }
        var text = VARCHAR.matcher(from);
        if (text.matches()) {
            var longer = VARCHAR.matcher(to);
            return to.equals(TEXT.sql) || (longer.matches() && number(longer, 1) > number(text, 1));
        }
        var narrow = DECIMAL.matcher(from);
        var wide = DECIMAL.matcher(to);
        if (!narrow.matches() || !wide.matches()) {
            return false;
        }
        var scaleGain = number(wide, 2) - number(narrow, 2);
        return scaleGain >= 0 && number(wide, 1) - number(narrow, 1) >= scaleGain;
    }

    private static int number(Matcher decimal, int group) {
        return Integer.parseInt(decimal.group(group));
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
