package dev.lakemill.pipeline;

import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.List;

/** The texts of CSV files, and those in JSON, as values. */
final class CsvTypes {
    /** Tried in this order; a column that fits none is STRING. */
    static final List<DataType> INFERRED =
            List.of(
                    Primitive.LONG,
                    Primitive.DOUBLE,
                    Primitive.BOOLEAN,
                    Primitive.DATE,
                    Primitive.TIMESTAMP);

    private CsvTypes() {}

    /** SQL of the value; NULL where the text is none. */
    static String typed(String text, DataType type) {
        return switch (type) {
            case Primitive primitive -> typed(text, primitive);
            case DataType.Decimal _ -> tried(text, type);
            case DataType.Array _, DataType.Map _, DataType.Struct _ ->
                    "CAST(NULL AS %s)".formatted(DuckTypes.name(type));
        };
    }

    private static String typed(String text, Primitive type) {
        return switch (type) {
            case STRING -> text;
            case BINARY -> "encode(%s)".formatted(text);
            case BYTE, SHORT, INTEGER, LONG ->
                    guarded(text, "\\s*[+-]?\\d+\\s*", tried(text, type));
            case FLOAT, DOUBLE -> tried(text, type);
            case BOOLEAN -> guarded(text, "(?i)\\s*(true|false)\\s*", tried(text, type));
            case DATE -> guarded(text, "\\s*\\d{4}-\\d\\d?-\\d\\d?\\s*", tried(text, type));
            case TIMESTAMP ->
                    guarded(
                            text,
                            "\\s*\\d{4}-.*",
                            "TRY_CAST(%s AS TIMESTAMPTZ) AT TIME ZONE 'UTC'".formatted(text));
            case TIMESTAMP_NTZ -> guarded(text, "\\s*\\d{4}-.*", tried(text, type));
        };
    }

    private static String tried(String text, DataType type) {
        return "TRY_CAST(%s AS %s)".formatted(text, DuckTypes.name(type));
    }

    private static String guarded(String text, String pattern, String value) {
        return "CASE WHEN regexp_full_match(%s, '%s') THEN %s END".formatted(text, pattern, value);
    }
}
