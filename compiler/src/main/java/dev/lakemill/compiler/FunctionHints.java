package dev.lakemill.compiler;

import dev.lakemill.plan.AggregateFunction;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.WindowFunction;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What to write in place of a function that a plan cannot hold. */
final class FunctionHints {
    private static final Map<String, String> INSTEAD =
            Map.ofEntries(
                    Map.entry("approx_count_distinct", "use count(DISTINCT …)"),
                    Map.entry("approx_percentile", "use percentile, which is exact"),
                    Map.entry("percentile_approx", "use percentile, which is exact"),
                    Map.entry("bround", "use round"),
                    Map.entry("collect_list", "an order of rows is not kept; use an aggregate"),
                    Map.entry("collect_set", "an order of rows is not kept; use an aggregate"),
                    Map.entry("any_value", "it may give any row's: use min, max or max_by"),
                    Map.entry("first", "it may give any row's: use min_by(value, time)"),
                    Map.entry("first_value", "it may give any row's: use min_by(value, time)"),
                    Map.entry("last", "it may give any row's: use max_by(value, time)"),
                    Map.entry("last_value", "it may give any row's: use max_by(value, time)"),
                    Map.entry("mode", "it may give any of several: use max_by over a count"),
                    Map.entry("from_unixtime", "use timestamp_seconds and date_format"),
                    Map.entry(
                            "window",
                            "use timestamp_seconds(floor(unix_seconds(t) / 900) * 900) for 15"
                                    + " minutes"),
                    Map.entry("hash", "use md5 or sha2"),
                    Map.entry("xxhash64", "use md5 or sha2"),
                    Map.entry("rand", "a pipeline gives the same for the same input"),
                    Map.entry("randn", "a pipeline gives the same for the same input"),
                    Map.entry("uuid", "a pipeline gives the same for the same input: use sha2"),
                    Map.entry(
                            "monotonically_increasing_id",
                            "a pipeline gives the same for the same input: use row_number"),
                    Map.entry("to_timestamp", "use CAST(text AS TIMESTAMP)"),
                    Map.entry("gettimestamp", "use CAST(text AS TIMESTAMP)"),
                    Map.entry("explode", "one row gives one row in this version"));

    private FunctionHints() {}

    /** Advice for a function that is known to Spark or to nobody. */
    static String of(String name) {
        var instead = INSTEAD.get(name);
        var list = "docs/reference/sql-functions.md lists what is supported";
        return instead != null
                ? instead
                : NearestName.of(name, names())
                        .map(n -> "did you mean %s?".formatted(n))
                        .orElse(list);
    }

    private static List<String> names() {
        return Stream.of(
                        Arrays.stream(Function.values()).map(Function::forms),
                        Arrays.stream(AggregateFunction.values()).map(AggregateFunction::forms),
                        Arrays.stream(WindowFunction.values()).map(WindowFunction::forms))
                .flatMap(s -> s)
                .flatMap(List::stream)
                .filter(form -> form.matches("[a-z0-9_]+"))
                .toList();
    }
}
