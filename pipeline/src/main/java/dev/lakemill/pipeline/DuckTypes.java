package dev.lakemill.pipeline;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.stream.Collectors;

/** DuckDB's types for ours, and what they have in common. */
final class DuckTypes {
    private DuckTypes() {}

    /** The name of a type; both kinds of TIMESTAMP are TIMESTAMP, in UTC. */
    static String name(DataType type) {
        return switch (type) {
            case Primitive primitive -> name(primitive);
            case DataType.Decimal d -> "DECIMAL(%d,%d)".formatted(d.precision(), d.scale());
            case DataType.Array a -> name(a.element()) + "[]";
            case DataType.Map m -> "MAP(%s, %s)".formatted(name(m.key()), name(m.value()));
            case DataType.Struct s ->
                    s.fields().stream()
                            .map(DuckTypes::field)
                            .collect(Collectors.joining(", ", "STRUCT(", ")"));
        };
    }

    private static String field(Column field) {
        return DuckPrinter.quoted(field.name()) + " " + name(field.type());
    }

    private static String name(Primitive type) {
        return switch (type) {
            case BOOLEAN -> "BOOLEAN";
            case BYTE -> "TINYINT";
            case SHORT -> "SMALLINT";
            case INTEGER -> "INTEGER";
            case LONG -> "BIGINT";
            case FLOAT -> "FLOAT";
            case DOUBLE -> "DOUBLE";
            case STRING -> "VARCHAR";
            case BINARY -> "BLOB";
            case DATE -> "DATE";
            case TIMESTAMP, TIMESTAMP_NTZ -> "TIMESTAMP";
        };
    }

    static String cast(String value, DataType type) {
        return "CAST(" + value + " AS " + name(type) + ")";
    }

    static boolean isIntegral(DataType type) {
        return type == Primitive.BYTE
                || type == Primitive.SHORT
                || type == Primitive.INTEGER
                || type == Primitive.LONG;
    }

    static boolean isFloating(DataType type) {
        return type == Primitive.FLOAT || type == Primitive.DOUBLE;
    }

    /** Whether a value of the type is or holds a number whose zero may have a sign. */
    static boolean holdsFloating(DataType type) {
        return switch (type) {
            case Primitive primitive -> isFloating(primitive);
            case DataType.Decimal _ -> false;
            case DataType.Array a -> holdsFloating(a.element());
            case DataType.Map m -> holdsFloating(m.key()) || holdsFloating(m.value());
            case DataType.Struct s -> s.fields().stream().anyMatch(f -> holdsFloating(f.type()));
        };
    }

    static boolean holdsStruct(DataType type) {
        return switch (type) {
            case Primitive _, DataType.Decimal _ -> false;
            case DataType.Array a -> holdsStruct(a.element());
            case DataType.Map m -> holdsStruct(m.key()) || holdsStruct(m.value());
            case DataType.Struct _ -> true;
        };
    }

    static boolean isTimestamp(DataType type) {
        return type == Primitive.TIMESTAMP || type == Primitive.TIMESTAMP_NTZ;
    }
}
