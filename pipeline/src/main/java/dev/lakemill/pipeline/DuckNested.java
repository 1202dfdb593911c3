package dev.lakemill.pipeline;

import dev.lakemill.plan.Expression.Call;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Prints functions of arrays, maps and structs. The parameter of a lambda is named as a column, by
 * its number in the plan.
 */
final class DuckNested {
    private final Call call;
    private final List<String> a;

    DuckNested(Call call, List<String> arguments) {
        this.call = call;
        this.a = arguments;
    }

    String print() {
        return switch (call.function()) {
            case STRUCT -> struct();
            case MAP -> map();
            case MAP_FROM_ARRAYS -> unlessNull(typed("map(%s, %s)".formatted(a.get(0), a.get(1))));
            case MAP_KEYS -> "map_keys(" + a.get(0) + ")";
            case MAP_VALUES -> "map_values(" + a.get(0) + ")";
            case MAP_ENTRIES -> typed("map_entries(" + a.get(0) + ")");
            case MAP_VALUE -> "map_extract_value(%s, %s)".formatted(a.get(0), a.get(1));
            case ELEMENT -> element(error());
            case TRY_ELEMENT -> element(nothing());
            case ELEMENT_AT -> elementAt(error());
            case TRY_ELEMENT_AT -> elementAt(nothing());
            case ARRAY_POSITION ->
                    unlessNull(
                            "CAST(coalesce(list_position(%s, %s), 0) AS BIGINT)"
                                    .formatted(a.get(0), a.get(1)));
            case ARRAY_MIN -> onlyPlain("list_min(%s)".formatted(a.get(0)));
            case ARRAY_MAX -> onlyPlain("list_max(%s)".formatted(a.get(0)));
            case SORT_ARRAY -> onlyPlain(sorted());
            case SLICE -> slice();
            case ARRAY_JOIN -> joined();
            case FLATTEN ->
                    "(CASE WHEN len(%1$s) > list_count(%1$s) THEN NULL ELSE flatten(%1$s) END)"
                            .formatted(a.get(0));
            case SEQUENCE -> sequence();
            case ARRAY_REPEAT ->
                    "(CASE WHEN %2$s IS NULL THEN NULL ELSE %3$s END)"
                            .formatted(
                                    a.get(0),
                                    a.get(1),
                                    typed(
                                            "list_transform(range(greatest(%s, 0)), lambda _lakemill_i : %s)"
                                                    .formatted(a.get(1), a.get(0))));
            case ARRAY_REMOVE ->
                    unlessNull(
                            "list_filter(%1$s, lambda _lakemill_e : _lakemill_e IS DISTINCT FROM %2$s)"
                                    .formatted(a.get(0), a.get(1)));
            case ARRAY_DISTINCT ->
                    onlyPlain(
                            "list_filter(%1$s, lambda _lakemill_e, _lakemill_i : list_position(%1$s, _lakemill_e) = _lakemill_i)"
                                    .formatted(a.get(0)));
            case ARRAYS_OVERLAP -> overlap();
            case TRANSFORM -> typed(lambda("list_transform"));
            case FILTER -> filter();
            case EXISTS -> quantified("true", "false");
            case FORALL -> quantified("false", "true");
            default -> throw new IllegalArgumentException("of no parts: " + call.function());
        };
    }

    private String typed(String value) {
        return DuckTypes.cast(value, call.type());
    }

    private String nothing() {
        return typed("NULL");
    }

    private String error() {
        return typed(
                "error('a place outside of the array at %s')"
                        .formatted(call.position().toString().replace("'", "")));
    }

    private String unlessNull(String value) {
        var isNull = a.stream().map(v -> v + " IS NULL").collect(Collectors.joining(" OR "));
        return "(CASE WHEN %s THEN NULL ELSE %s END)".formatted(isNull, value);
    }

    private String struct() {
        var fields = ((DataType.Struct) call.type()).fields();
        var names = new HashSet<String>();
        for (var field : fields) {
            if (field.name().isEmpty() || !names.add(field.name().toLowerCase(Locale.ROOT))) {
                throw DuckRefusal.of(
                        call.position(),
                        "a struct with two fields named '%s'".formatted(field.name()),
                        "give each field a name of its own");
            }
        }
        return typed(
                IntStream.range(0, fields.size())
                        .mapToObj(i -> DuckPrinter.quoted(fields.get(i).name()) + " := " + a.get(i))
                        .collect(Collectors.joining(", ", "struct_pack(", ")")));
    }

    private String map() {
        var keys = IntStream.range(0, a.size() / 2).mapToObj(i -> a.get(2 * i));
        var values = IntStream.range(0, a.size() / 2).mapToObj(i -> a.get(2 * i + 1));
        return typed(
                "map([%s], [%s])"
                        .formatted(
                                keys.collect(Collectors.joining(", ")),
                                values.collect(Collectors.joining(", "))));
    }

    private String element(String otherwise) {
        return "(CASE WHEN %1$s IS NULL OR %2$s IS NULL THEN NULL WHEN %2$s < 0 OR %2$s >= len(%1$s) THEN %3$s ELSE list_extract(%1$s, CAST(%2$s AS BIGINT) + 1) END)"
                .formatted(a.get(0), a.get(1), otherwise);
    }

    private String elementAt(String otherwise) {
        return "(CASE WHEN %1$s IS NULL OR %2$s IS NULL THEN NULL WHEN abs(CAST(%2$s AS BIGINT)) > len(%1$s) THEN %3$s WHEN %2$s = 0 THEN %4$s ELSE list_extract(%1$s, %2$s) END)"
                .formatted(a.get(0), a.get(1), otherwise, error());
    }

    /** Elements that have parts are ordered by other rules. */
    private String onlyPlain(String printed) {
        var type = DuckFunctions.argumentType(call, 0);
        var isPlain =
                type instanceof DataType.Array array
                        && (array.element() instanceof Primitive
                                || array.element() instanceof DataType.Decimal);
        if (!isPlain) {
            throw DuckRefusal.of(
                    call.position(),
                    "%s() of %s".formatted(call.function().forms().getFirst(), type.sql()),
                    "use it with an array of plain values");
        }
        return printed;
    }

    private String sorted() {
        var order = DuckFunctions.constant(call, 1, "sort_array() in an order");
        return order.equals("true")
                ? "list_sort(%s, 'ASC', 'NULLS FIRST')".formatted(a.get(0))
                : "list_sort(%s, 'DESC', 'NULLS LAST')".formatted(a.get(0));
    }

    private String slice() {
        var from =
                "(CASE WHEN %2$s < 0 THEN len(%1$s) + %2$s + 1 ELSE CAST(%2$s AS BIGINT) END)"
                        .formatted(a.get(0), a.get(1));
        return unlessNull(
                "(CASE WHEN %2$s = 0 OR %3$s < 0 THEN %5$s WHEN %4$s < 1 THEN %6$s ELSE list_slice(%1$s, %4$s, %4$s + %3$s - 1) END)"
                        .formatted(a.get(0), a.get(1), a.get(2), from, error(), typed("[]")));
    }

    /** NULLs are left out, or stand as a text of their own. */
    private String joined() {
        var filled =
                a.size() == 2
                        ? "list_filter(%s, lambda _lakemill_e : _lakemill_e IS NOT NULL)"
                                .formatted(a.get(0))
                        : "list_transform(%s, lambda _lakemill_e : coalesce(_lakemill_e, %s))"
                                .formatted(a.get(0), a.get(2));
        return unlessNull("coalesce(array_to_string(%s, %s), '')".formatted(filled, a.get(1)));
    }

    /** From the first to the last, both included; a step that leads away is an error. */
    private String sequence() {
        var first = DuckTypes.cast(a.get(0), Primitive.LONG);
        var last = DuckTypes.cast(a.get(1), Primitive.LONG);
        var step =
                a.size() > 2
                        ? DuckTypes.cast(a.get(2), Primitive.LONG)
                        : "(CASE WHEN %s <= %s THEN 1 ELSE -1 END)".formatted(first, last);
        return unlessNull(
                "(CASE WHEN %1$s = %2$s THEN %5$s WHEN %3$s = 0 OR (%1$s < %2$s) <> (%3$s > 0) THEN %4$s ELSE %6$s END)"
                        .formatted(
                                first,
                                last,
                                step,
                                error(),
                                typed("[%s]".formatted(first)),
                                typed("generate_series(%s, %s, %s)".formatted(first, last, step))));
    }

    private String overlap() {
        return "(CASE WHEN %1$s IS NULL OR %2$s IS NULL THEN NULL WHEN list_has_any(%1$s, %2$s) THEN true WHEN len(%1$s) > 0 AND len(%2$s) > 0 AND (len(%1$s) > list_count(%1$s) OR len(%2$s) > list_count(%2$s)) THEN NULL ELSE false END)"
                .formatted(a.get(0), a.get(1));
    }

    private String lambda(String function) {
        return "%s(%s, lambda %s : %s)".formatted(function, a.get(0), a.get(1), a.get(2));
    }

    private String filter() {
        return "list_filter(%s, lambda %s : coalesce(%s, false))"
                .formatted(a.get(0), a.get(1), a.get(2));
    }

    /**
     * The first answer where some element gives it, else NULL where some gives NULL, else the
     * second.
     */
    private String quantified(String found, String otherwise) {
        var answers = "list_transform(%s, lambda %s : %s)".formatted(a.get(0), a.get(1), a.get(2));
        return "(CASE WHEN %1$s IS NULL THEN NULL WHEN list_contains(%2$s, %3$s) THEN %3$s WHEN len(%2$s) > list_count(%2$s) THEN NULL ELSE %4$s END)"
                .formatted(a.get(0), answers, found, otherwise);
    }
}
