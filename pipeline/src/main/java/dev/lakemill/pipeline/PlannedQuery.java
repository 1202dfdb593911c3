package dev.lakemill.pipeline;

import dev.lakemill.plan.ModelUse;
import dev.lakemill.plan.Question;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.types.TableName;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A query of a plan, printed for DuckDB.
 *
 * @param rulesUseNow whether the expectations on its result change with the clock
 */
record PlannedQuery(Relation relation, boolean rulesUseNow) implements Query {
    @Override
    public String sql(Tables tables, String now) {
        return new DuckPrinter(
                        scan ->
                                scan.streaming()
                                        ? tables.fresh(scan.table())
                                        : tables.whole(scan.table()),
                        now)
                .query(relation);
    }

    @Override
    public Set<TableName> streamed() {
        return Relations.scans(relation)
                .filter(Relation.Scan::streaming)
                .map(Relation.Scan::table)
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }

    @Override
    public Map<TableName, Set<String>> columnsRead() {
        var read = new LinkedHashMap<TableName, Set<String>>();
        Relations.scans(relation)
                .filter(scan -> !scan.streaming())
                .forEach(
                        scan -> {
                            var columns =
                                    read.computeIfAbsent(scan.table(), _ -> new LinkedHashSet<>());
                            scan.output().forEach(column -> columns.add(column.name()));
                        });
        return read;
    }

    @Override
    public Map<TableName, List<List<Retention.Condition>>> retained() {
        return Retention.of(relation);
    }

    @Override
    public Set<ModelUse> models() {
        return Relations.models(relation);
    }

    @Override
    public boolean asks() {
        return Question.isAskedIn(relation);
    }

    @Override
    public boolean usesNow() {
        return rulesUseNow || Relations.usesNow(relation);
    }
}
