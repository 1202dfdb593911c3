package dev.lakemill.pipeline;

import dev.lakemill.types.TableName;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A query written by hand: {@code {stream t}} stands for the new rows of t, {@code {t: a, b}} for
 * all rows of t, of which a and b are read, and {@code {now}} for now().
 */
record TestQuery(String text) implements Query {
    private static final Pattern STREAM = Pattern.compile("\\{stream ([\\w.]+)}");
    private static final Pattern WHOLE = Pattern.compile("\\{([\\w.]+): ?([\\w, ]*)}");

    @Override
    public String sql(Tables tables, String now) {
        var streamed =
                STREAM.matcher(text).replaceAll(m -> tables.fresh(TableName.parse(m.group(1))));
        return WHOLE.matcher(streamed)
                .replaceAll(m -> tables.whole(TableName.parse(m.group(1))))
                .replace("{now}", now);
    }

    @Override
    public Set<TableName> streamed() {
        var tables = new LinkedHashSet<TableName>();
        STREAM.matcher(text).results().forEach(m -> tables.add(TableName.parse(m.group(1))));
        return tables;
    }

    @Override
    public Map<TableName, Set<String>> columnsRead() {
        var read = new LinkedHashMap<TableName, Set<String>>();
        WHOLE.matcher(text)
                .results()
                .forEach(
                        m -> {
                            var columns =
                                    read.computeIfAbsent(
                                            TableName.parse(m.group(1)),
                                            _ -> new LinkedHashSet<>());
                            if (!m.group(2).isBlank()) {
                                columns.addAll(List.of(m.group(2).trim().split(", *")));
                            }
                        });
        return read;
    }

    @Override
    public boolean usesNow() {
        return text.contains("{now}");
    }
}
