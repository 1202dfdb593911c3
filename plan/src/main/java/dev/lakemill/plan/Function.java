package dev.lakemill.plan;

import java.util.List;

/**
 * The scalar functions and operators that a plan may hold, each with exactly Spark's ANSI meaning;
 * what is not here cannot be said in a plan.
 *
 * <p>{@link #forms()} are the ways to write it in SQL; a form of one word is a function's name.
 */
public enum Function {
    // Logic and comparison. NaN equals NaN and is greater than any other number.
    AND("a AND b"),
    OR("a OR b"),
    NOT("NOT a"),
    EQUAL("a = b"),
    NULL_SAFE_EQUAL("a <=> b", "a IS NOT DISTINCT FROM b", "equal_null"),
    LESS("a < b"),
    LESS_OR_EQUAL("a <= b"),
    GREATER("a > b"),
    GREATER_OR_EQUAL("a >= b"),
    IN("a IN (b, c)"),
    IS_NULL("a IS NULL", "isnull"),
    IS_NOT_NULL("a IS NOT NULL", "isnotnull"),
    IS_NAN("isnan"),
    COALESCE("coalesce", "nvl", "ifnull"),
    /** The greatest argument that is not NULL. */
    GREATEST("greatest"),
    /** The least argument that is not NULL. */
    LEAST("least"),
    NANVL("nanvl"),
    RAISE_ERROR("raise_error"),

    // Who asks; a pipeline, which nobody asks, does not know these.
    CURRENT_USER("current_user", "session_user"),
    /** Whether the caller is in the group of that name; false for NULL. */
    IS_MEMBER("is_account_group_member", "is_member"),

    // Arithmetic; operands have the type that Spark's coercion gave them.
    ADD("a + b"),
    SUBTRACT("a - b"),
    MULTIPLY("a * b"),
    DIVIDE("a / b"),
    INTEGRAL_DIVIDE("a div b"),
    REMAINDER("a % b", "mod"),
    PMOD("pmod"),
    NEGATE("-a", "negative"),
    ABS("abs"),
    TRY_ADD("try_add"),
    TRY_SUBTRACT("try_subtract"),
    TRY_MULTIPLY("try_multiply"),
    TRY_DIVIDE("try_divide"),
    BIT_AND("a & b"),
    BIT_OR("a | b"),
    BIT_XOR("a ^ b"),
    BIT_NOT("~a"),
    SHIFT_LEFT("a << n", "shiftleft"),
    /** Keeps the sign. */
    SHIFT_RIGHT("a >> n", "shiftright"),
    BIT_COUNT("bit_count"),
    CEIL("ceil", "ceiling"),
    FLOOR("floor"),
    /** To a number of digits, half away from zero. */
    ROUND("round"),
    SQRT("sqrt"),
    CBRT("cbrt"),
    EXP("exp"),
    /** NULL for zero and below. */
    LN("ln"),
    LOG10("log10"),
    LOG2("log2"),
    POWER("power", "pow"),
    SIGN("sign", "signum"),
    SIN("sin"),
    COS("cos"),
    TAN("tan"),
    ASIN("asin"),
    ACOS("acos"),
    ATAN("atan"),
    ATAN2("atan2"),
    DEGREES("degrees"),
    RADIANS("radians"),
    SINH("sinh"),
    COSH("cosh"),
    TANH("tanh"),
    HYPOT("hypot"),
    FACTORIAL("factorial"),
    /** Half to even, to a whole number that is a double. */
    RINT("rint"),

    // Text; characters are counted as Unicode code points.
    /** NULL if any argument is NULL. */
    CONCAT("a || b", "concat"),
    CONCAT_WS("concat_ws"),
    UPPER("upper", "ucase"),
    LOWER("lower", "lcase"),
    LENGTH("length", "char_length", "character_length", "len"),
    OCTET_LENGTH("octet_length"),
    SUBSTRING("substring", "substr", "mid", "left", "right"),
    /** Without further argument blanks, not other white space, go. */
    TRIM("trim", "btrim"),
    TRIM_LEFT("ltrim"),
    TRIM_RIGHT("rtrim"),
    REPLACE("replace"),
    TRANSLATE("translate"),
    LPAD("lpad"),
    RPAD("rpad"),
    REPEAT("repeat"),
    REVERSE("reverse"),
    STARTS_WITH("startswith"),
    ENDS_WITH("endswith"),
    CONTAINS("contains"),
    /** The first place from 1, else 0. */
    LOCATE("instr", "locate", "position", "charindex"),
    LIKE("a LIKE b"),
    ILIKE("a ILIKE b"),
    /** The pattern is a constant of the part that Java's and RE2's syntax share. */
    RLIKE("a RLIKE b", "regexp", "regexp_like"),
    REGEXP_REPLACE("regexp_replace"),
    REGEXP_EXTRACT("regexp_extract"),
    SPLIT_PART("split_part"),
    ASCII("ascii"),
    CHR("chr", "char"),
    BIT_LENGTH("bit_length"),
    SOUNDEX("soundex"),
    LEVENSHTEIN("levenshtein"),
    SUBSTRING_INDEX("substring_index"),
    FIND_IN_SET("find_in_set"),
    /** By a regular expression of Java's. */
    SPLIT("split"),
    BASE64("base64"),
    UNHEX("unhex"),
    BIN("bin"),
    SHA1("sha1", "sha"),
    /** The text, a path of names and places, both as Spark reads them. */
    GET_JSON_OBJECT("get_json_object"),
    MD5("md5"),
    SHA2("sha2"),
    HEX("hex"),
    /** With a constant number of decimals. */
    FORMAT_NUMBER("format_number"),

    // Time. Sessions run in UTC; now() is one instant for a whole batch.
    NOW("now", "current_timestamp"),
    CURRENT_DATE("current_date", "curdate"),
    YEAR("year", "extract(YEAR FROM t)"),
    QUARTER("quarter"),
    MONTH("month"),
    DAY("day", "dayofmonth"),
    /** Sunday is 1. */
    DAY_OF_WEEK("dayofweek"),
    /** Monday is 0. */
    WEEKDAY("weekday"),
    DAY_OF_YEAR("dayofyear"),
    /** By ISO 8601. */
    WEEK_OF_YEAR("weekofyear"),
    HOUR("hour"),
    MINUTE("minute"),
    SECOND("second"),
    /** Seconds with their fraction, DECIMAL(8,6). */
    SECOND_WITH_FRACTION("extract(SECOND FROM t)"),
    /** The unit, a constant from MICROSECOND to YEAR, comes first. */
    DATE_TRUNC("date_trunc"),
    /** Of a date; the unit, a constant from WEEK to YEAR, comes second. */
    TRUNC("trunc"),
    DATE_ADD("date_add", "dateadd", "d + days"),
    DATE_SUB("date_sub", "d - days"),
    DATE_DIFF("datediff", "date_diff"),
    ADD_MONTHS("add_months", "d + INTERVAL n MONTH"),
    LAST_DAY("last_day"),
    MAKE_DATE("make_date"),
    UNIX_DATE("unix_date"),
    DATE_FROM_UNIX_DATE("date_from_unix_date"),
    UNIX_SECONDS("unix_seconds", "unix_timestamp"),
    UNIX_MILLIS("unix_millis"),
    UNIX_MICROS("unix_micros"),
    TIMESTAMP_SECONDS("timestamp_seconds"),
    TIMESTAMP_MILLIS("timestamp_millis"),
    TIMESTAMP_MICROS("timestamp_micros"),
    /** A time and microseconds. */
    TIMESTAMP_ADD_MICROS("t + INTERVAL n HOUR", "timestampadd"),
    /** A time and months; a day past the month's end becomes its last. */
    TIMESTAMP_ADD_MONTHS("t + INTERVAL n MONTH"),
    /** Microseconds between two times. */
    TIMESTAMP_SUBTRACT("t - u"),
    /** The unit, a constant; whole units from the second argument to the third. */
    TIMESTAMP_DIFF("timestampdiff"),
    /** With a constant pattern of the letters y M d H m s S, E and a. */
    DATE_FORMAT("date_format"),

    NEXT_DAY("next_day"),
    MONTHS_BETWEEN("months_between"),

    // Models.
    /** The model's full name and its version, constants, then the features. */
    PREDICT("predict"),
    /** See {@link Question}. */
    AI_QUERY("ai_query"),

    // Functions of a jar.
    /** The name of a {@link JavaFunction}, a constant, then the arguments. */
    JAVA("@SqlFunction"),

    // Nested values.
    ARRAY("array"),
    /** Fields in the order of the type. */
    STRUCT("struct", "named_struct"),
    /** Keys and values in turn. */
    MAP("map"),
    MAP_FROM_ARRAYS("map_from_arrays"),
    MAP_KEYS("map_keys"),
    MAP_VALUES("map_values"),
    MAP_ENTRIES("map_entries"),
    /** NULL for a key that is not there. */
    MAP_VALUE("m[k]"),
    /** By a place from 0; an error outside of the array. */
    ELEMENT("a[i]"),
    /** By a place from 0; NULL outside of the array. */
    TRY_ELEMENT("get"),
    /** By a place from 1, or from -1 at the end; an error outside of the array. */
    ELEMENT_AT("element_at"),
    /** As {@link #ELEMENT_AT}, but NULL outside of the array. */
    TRY_ELEMENT_AT("try_element_at"),
    /** From 1; 0 for what is not there. */
    ARRAY_POSITION("array_position"),
    ARRAY_MIN("array_min"),
    ARRAY_MAX("array_max"),
    /** NULLs first when it goes up, else last. */
    SORT_ARRAY("sort_array"),
    SLICE("slice"),
    ARRAY_JOIN("array_join"),
    FLATTEN("flatten"),
    /** Of whole numbers. */
    SEQUENCE("sequence"),
    ARRAY_REPEAT("array_repeat"),
    ARRAY_REMOVE("array_remove"),
    ARRAY_DISTINCT("array_distinct"),
    ARRAYS_OVERLAP("arrays_overlap"),
    /** The array, the element's name as a reference, and what becomes of it. */
    TRANSFORM("transform"),
    FILTER("filter"),
    EXISTS("exists"),
    FORALL("forall"),
    SIZE("size", "cardinality", "array_size"),
    ARRAY_CONTAINS("array_contains");

    @SuppressWarnings("ImmutableEnumChecker") // List.of gives an immutable list
    private final List<String> forms;

    Function(String... forms) {
        this.forms = List.of(forms);
    }

    /** How it is written in SQL. */
    public List<String> forms() {
        return forms;
    }
}
