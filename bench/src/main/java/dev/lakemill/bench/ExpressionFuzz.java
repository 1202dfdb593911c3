package dev.lakemill.bench;

import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;

/**
 * Random expressions over NULLs, NaN and the ends of each type's range: each must give, or fail, in
 * our engine as in Spark. A seed and a number of cases say all.
 *
 * <p>A form is text with a letter in braces for each operand: i an INT, l a BIGINT, d a DOUBLE, m a
 * DECIMAL(12,2), s a STRING, b a BOOLEAN, t a TIMESTAMP, a an ARRAY of INT, y a DATE.
 */
final class ExpressionFuzz {
    private static final Pattern OPERAND = Pattern.compile("\\{([a-z])}");
    private static final int DEPTH_MAX = 3;

    private static final String ROWS =
            """
            CREATE OR REPLACE TEMPORARY VIEW v AS SELECT * FROM VALUES
            (1, 0, 0L, 0.0D, 0.00BD, '', true, timestamp'1970-01-01 00:00:00', array(), date'1970-01-01'),
            (2, 2147483647, 9223372036854775807L, double('NaN'), 9999999999.99BD, 'Lake mill', false, timestamp'2026-02-28 23:59:59.999999', array(1, null, 3), date'2024-02-29'),
            (3, -2147483648, -9223372036854775808L, double('Infinity'), -9999999999.99BD, '12', true, timestamp'1999-12-31 12:00:00', array(3, 1, 2, 1), date'1999-12-31'),
            (4, null, null, null, null, null, null, null, null, null),
            (5, -1, 1L, -0.0D, 0.01BD, 'a,b,,c', false, timestamp'2000-01-01 00:00:00.000001', array(null), date'2000-03-31'),
            (6, 42, -42L, -2.5D, -2.50BD, ' Grüße ', true, timestamp'2024-02-29 06:07:08', array(42), date'2026-11-28')
            AS t(id, i, l, d, m0, s, b, t, a, y)""";

    private static final Map<Character, List<String>> FORMS =
            Map.of(
                    'i',
                    List.of(
                            "({i} + {i})",
                            "({i} - {i})",
                            "({i} % 7)",
                            "abs({i})",
                            "length({s})",
                            "year({t})",
                            "month({y})",
                            "dayofweek({y})",
                            "size({a})",
                            "({i} & {i})",
                            "shiftleft({i}, 3)",
                            "shiftright({i}, {i})",
                            "coalesce({i}, 7)",
                            "if({b}, {i}, {i})",
                            "{a}[1]",
                            "try_element_at({a}, 2)",
                            "instr({s}, 'a')",
                            "greatest({i}, {i})",
                            "hour({t})",
                            "levenshtein({s}, {s})",
                            "array_max({a})",
                            "bit_count({l})",
                            "find_in_set({s}, 'a,b')",
                            "ascii({s})",
                            "datediff({y}, {y})",
                            "CAST({d} AS INT)"),
                    'l',
                    List.of(
                            "({l} + {i})",
                            "({l} * 2L)",
                            "unix_micros({t})",
                            "CAST({i} AS BIGINT)",
                            "pmod({l}, 10L)",
                            "({l} div 3L)",
                            "try_add({l}, 1L)",
                            "nullif({l}, 1L)",
                            "floor({d})",
                            "ceil({m})",
                            "array_position({a}, {i})",
                            "factorial({i})"),
                    'd',
                    List.of(
                            "({d} + {d})",
                            "({d} * 0.5D)",
                            "({i} / 3)",
                            "sqrt({d})",
                            "exp({d})",
                            "ln({d})",
                            "round({d}, 2)",
                            "try_divide({d}, {d})",
                            "CAST({l} AS DOUBLE)",
                            "nanvl({d}, 1D)",
                            "rint({d})",
                            "hypot({d}, {d})",
                            "tanh({d})",
                            "sinh({d})",
                            "months_between({t}, {t})",
                            "CAST({m} AS DOUBLE)",
                            "power({d}, 2)",
                            "signum({d})"),
                    'm',
                    List.of(
                            "({m} + {m})",
                            "({m} * {m})",
                            "CAST({i} AS DECIMAL(12,2))",
                            "({m} - 1)",
                            "round({m}, 1)",
                            "CAST({m} / 3 AS DECIMAL(20,6))",
                            "abs({m})",
                            "try_divide({m}, {m})",
                            "coalesce({m}, 1.5BD)"),
                    's',
                    List.of(
                            "upper({s})",
                            "concat({s}, {s})",
                            "substring({s}, 2, 3)",
                            "trim({s})",
                            "CAST({i} AS STRING)",
                            "CAST({d} AS STRING)",
                            "CAST({m} AS STRING)",
                            "lpad({s}, 5, '*')",
                            "replace({s}, 'a', 'bb')",
                            "reverse({s})",
                            "hex({i})",
                            "substring_index({s}, ',', 2)",
                            "soundex({s})",
                            "array_join({a}, '-')",
                            "date_format({t}, 'yyyy-MM-dd')",
                            "md5({s})",
                            "split({s}, ',')[0]",
                            "get_json_object(concat('[1, \"', {s}, '\"]'), '$[1]')",
                            "bin({l})",
                            "repeat({s}, 2)",
                            "sha1({s})"),
                    'b',
                    List.of(
                            "({i} < {i})",
                            "({d} = {d})",
                            "({s} LIKE '%a%')",
                            "({b} AND {b})",
                            "({b} OR {b})",
                            "(NOT {b})",
                            "({m} >= {m})",
                            "({l} <=> {l})",
                            "array_contains({a}, {i})",
                            "isnan({d})",
                            "({t} > {t})",
                            "exists({a}, x -> x > 1)",
                            "({i} IN (1, 42, NULL))",
                            "startswith({s}, 'a')",
                            "arrays_overlap({a}, {a})"),
                    't',
                    List.of(
                            "date_trunc('HOUR', {t})",
                            "({t} + INTERVAL 90 MINUTE)",
                            "CAST({y} AS TIMESTAMP)",
                            "coalesce({t}, timestamp'2026-01-01 00:00:00')",
                            "greatest({t}, {t})"),
                    'a',
                    List.of(
                            "array({i}, {i})",
                            "sort_array({a})",
                            "filter({a}, x -> x > 0)",
                            "transform({a}, x -> x % 10)",
                            "slice({a}, 1, 2)",
                            "reverse({a})",
                            "array_distinct({a})",
                            "array_remove({a}, 1)"),
                    'y',
                    List.of(
                            "CAST({t} AS DATE)",
                            "last_day({y})",
                            "date_add({y}, 31)",
                            "add_months({y}, 1)",
                            "trunc({y}, 'MM')",
                            "next_day({y}, 'MON')"));

    private final Conformance conformance;
    private final EngineQueries engine;
    private final SparkPeer spark;
    private final Random random;

    ExpressionFuzz(Conformance conformance, EngineQueries engine, SparkPeer spark, long seed) {
        this.conformance = conformance;
        this.engine = engine;
        this.spark = spark;
        this.random = new Random(seed);
    }

    Conformance.Counts run(int cases) throws IOException, SQLException {
        engine.clear();
        spark.fresh(false);
        spark.query(ROWS);
        spark.query(
                "CREATE OR REPLACE TEMPORARY VIEW w AS SELECT *, CAST(m0 AS DECIMAL(12,2)) AS m,"
                        + " CAST(a AS ARRAY<INT>) AS a0 FROM v");
        var counts = new Conformance.Counts("fuzz");
        var types = new ArrayList<>(FORMS.keySet());
        types.sort(null);
        for (int i = 0; i < cases; i++) {
            var type = types.get(random.nextInt(types.size()));
            var id = 1 + random.nextInt(6);
            conformance.ask(
                    counts,
                    "case " + i,
                    "SELECT %s AS r FROM w WHERE id = %d".formatted(expression(type, 0), id));
        }
        return counts;
    }

    private String expression(char type, int depth) {
        if (depth == DEPTH_MAX || (depth > 0 && random.nextInt(3) == 0)) {
            return String.valueOf(type);
        }
        var forms = FORMS.getOrDefault(type, List.of());
        var form = forms.get(random.nextInt(forms.size()));
        var text = new StringBuilder();
        var operands = OPERAND.matcher(form);
        while (operands.find()) {
            operands.appendReplacement(text, "");
            text.append(expression(operands.group(1).charAt(0), depth + 1));
        }
        return operands.appendTail(text).toString();
    }
}
