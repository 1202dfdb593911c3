package dev.lakemill.server;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.LineageFlow.Columns;
import dev.lakemill.catalog.LineageFlow.Edge;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.pipeline.PipelineOutputs;
import dev.lakemill.plan.AggregateCall;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.FileSource.Format;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.WindowCall;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The lineage that a plan tells: an edge for each dataset and each table that its query reads, with
 * the columns whose values reach it.
 *
 * <p>A column's origins are those of the columns that its expression refers to, followed through
 * the query by the ids of the attributes. Columns that only decide which rows there are (filters,
 * join conditions, groups' keys that are not given out, orders) are no origins of a value, and are
 * left out, as Databricks does.
 */
final class PlanLineage {
    /** A column of a table that is read. */
    private record Origin(TableName table, String column) {}

    private final Map<TableName, LineageNode> nodes = new HashMap<>();

    private PlanLineage() {}

    /** Edges between the pipeline's tables, those of synced tables not among them. */
    static List<Edge> ofDatasets(PipelinePlan plan) {
        return new PlanLineage().datasets(plan);
    }

    /** Edges from datasets to their synced tables. */
    static List<Edge> ofSyncedTables(PipelinePlan plan) {
        var lineage = new PlanLineage();
        lineage.datasets(plan);
        var edges = new ArrayList<Edge>();
        for (var synced : plan.syncedTables()) {
            var source =
                    plan.datasets().stream()
                            .filter(d -> d.name().equals(synced.source()))
                            .findFirst();
            var columns =
                    source.stream()
                            .flatMap(d -> d.schema().columns().stream())
                            .map(c -> new Columns(c.name(), c.name()))
                            .toList();
            edges.add(
                    new Edge(
                            lineage.node(synced.source()),
                            LineageNode.table(synced.name()),
                            columns,
                            0));
        }
        return edges;
    }

    /** Edges to a view from what its text names. */
    static List<Edge> ofView(Catalog catalog, CatalogTable view, Relation query) {
        var lineage = new PlanLineage();
        for (var source : Relations.sources(query)) {
            catalog.find(source)
                    .filter(table -> table.kind() == TableKind.VIEW)
                    .ifPresent(t -> lineage.nodes.put(source, viewNode(t.name())));
        }
        return lineage.edges(viewNode(view.name()), view.schema(), query);
    }

    private static LineageNode viewNode(TableName name) {
        return new LineageNode(LineageNode.Type.VIEW, name.toString());
    }

    private List<Edge> datasets(PipelinePlan plan) {
        var edges = new ArrayList<Edge>();
        for (var dataset : plan.datasets()) {
            switch (dataset) {
                case Dataset.FileTable table when table.files().format() == Format.DELTA ->
                        nodes.put(table.name(), LineageNode.table(table.name()));
                case Dataset.FileTable _ -> {}
                case Dataset.IngestedTable table ->
                        nodes.put(table.name(), LineageNode.table(table.name()));
                case Dataset.StreamingTable table -> {
                    edges.addAll(edges(table, LineageNode.Type.STREAMING_TABLE, table.query()));
                    for (var flow : table.once()) {
                        edges(table, LineageNode.Type.STREAMING_TABLE, flow.query()).stream()
                                .filter(edge -> edges.stream().noneMatch(e -> isSame(e, edge)))
                                .forEach(edges::add);
                    }
                }
                case Dataset.MaterializedView view ->
                        edges.addAll(edges(view, LineageNode.Type.MATERIALIZED_VIEW, view.query()));
            }
        }
        edges.addAll(quarantines(plan, edges));
        return edges;
    }

    private static boolean isSame(Edge a, Edge b) {
        return Objects.equals(a.source(), b.source()) && Objects.equals(a.target(), b.target());
    }

    private List<Edge> edges(Dataset dataset, LineageNode.Type type, Relation query) {
        var target = new LineageNode(type, dataset.name().toString());
        nodes.put(dataset.name(), target);
        return edges(target, dataset.schema(), query);
    }

    private List<Edge> edges(LineageNode target, TableSchema schema, Relation query) {
        var columns = new LinkedHashMap<TableName, List<Columns>>();
        Relations.sources(query).forEach(source -> columns.put(source, new ArrayList<>()));
        var origins = new HashMap<Integer, Set<Origin>>();
        follow(query, origins);
        for (int i = 0; i < query.output().size(); i++) {
            var name = schema.column(i).name();
            for (var origin : origins.getOrDefault(query.output().get(i).id(), Set.of())) {
                columns.computeIfAbsent(origin.table(), _ -> new ArrayList<>())
                        .add(new Columns(origin.column(), name));
            }
        }
        var models =
                Relations.models(query).stream()
                        .map(use -> new LineageNode(LineageNode.Type.MODEL, use.model()))
                        .distinct()
                        .map(model -> new Edge(model, target, List.of(), 0));
        return Stream.concat(
                        columns.entrySet().stream()
                                .map(e -> new Edge(node(e.getKey()), target, e.getValue(), 0)),
                        models)
                .toList();
    }

    /** Rows that a streaming table sets aside come from where its own rows come from. */
    private static List<Edge> quarantines(PipelinePlan plan, List<Edge> edges) {
        var found = new ArrayList<Edge>();
        var owner = "";
        for (var output : PipelineOutputs.of(plan)) {
            if (output.kind() != TableKind.QUARANTINE) {
                owner = output.name().toString();
                continue;
            }
            var aside = LineageNode.table(output.name());
            for (var edge : edges) {
                if (edge.target() != null && edge.target().name().equals(owner)) {
                    found.add(new Edge(edge.source(), aside, edge.columns(), 0));
                }
            }
        }
        return found;
    }

    private LineageNode node(TableName table) {
        return nodes.getOrDefault(table, LineageNode.table(table));
    }

    /** Notes the origins of every attribute that the relation, or one below it, gives out. */
    private static void follow(Relation relation, Map<Integer, Set<Origin>> origins) {
        relation.inputs().forEach(input -> follow(input, origins));
        switch (relation) {
            case Relation.Scan scan ->
                    scan.output()
                            .forEach(
                                    a ->
                                            origins.put(
                                                    a.id(),
                                                    Set.of(new Origin(scan.table(), a.name()))));
            case Relation.Values values -> {
                for (int i = 0; i < values.output().size(); i++) {
                    var column = i;
                    var cells = values.rows().stream().map(row -> row.get(column));
                    origins.put(values.output().get(i).id(), of(cells, origins));
                }
            }
            case Relation.Project project -> named(project.columns(), origins);
            case Relation.Aggregate aggregate -> {
                named(aggregate.keys(), origins);
                aggregate
                        .measures()
                        .forEach(
                                m ->
                                        origins.put(
                                                m.attribute().id(), of(values(m.call()), origins)));
            }
            case Relation.UnionAll union -> {
                for (int i = 0; i < union.output().size(); i++) {
                    var all = new LinkedHashSet<Origin>();
                    for (var input : union.inputs()) {
                        all.addAll(origins.getOrDefault(input.output().get(i).id(), Set.of()));
                    }
                    origins.put(union.output().get(i).id(), all);
                }
            }
            case Relation.Window window ->
                    window.columns()
                            .forEach(
                                    w ->
                                            origins.put(
                                                    w.attribute().id(),
                                                    of(values(w.call()), origins)));
            case Relation.Unnest unnest ->
                    origins.put(unnest.element().id(), of(Stream.of(unnest.array()), origins));
            case Relation.Filter _,
                    Relation.Join _,
                    Relation.Distinct _,
                    Relation.Sort _,
                    Relation.Limit _ -> {}
        }
    }

    private static void named(List<Relation.Named> columns, Map<Integer, Set<Origin>> origins) {
        columns.forEach(c -> origins.put(c.attribute().id(), of(Stream.of(c.value()), origins)));
    }

    private static Stream<Expression> values(AggregateCall call) {
        return call.arguments().stream();
    }

    private static Stream<Expression> values(WindowCall call) {
        return switch (call) {
            case WindowCall.Positional positional -> positional.arguments().stream();
            case WindowCall.Framed framed -> values(framed.call());
        };
    }

    private static Set<Origin> of(
            Stream<Expression> expressions, Map<Integer, Set<Origin>> origins) {
        var found = new LinkedHashSet<Origin>();
        expressions
                .flatMap(Relations::deep)
                .forEach(
                        part -> {
                            switch (part) {
                                case Expression.Reference reference ->
                                        found.addAll(
                                                origins.getOrDefault(
                                                        reference.attribute().id(), Set.of()));
                                case Expression.ScalarSubquery scalar ->
                                        found.addAll(firstColumn(scalar.query(), origins));
                                case Expression.InSubquery in ->
                                        found.addAll(firstColumn(in.query(), origins));
                                case Expression.Literal _,
                                        Expression.Call _,
                                        Expression.Cast _,
                                        Expression.Case _,
                                        Expression.Field _,
                                        Expression.Exists _ -> {}
                            }
                        });
        return found;
    }

    private static Set<Origin> firstColumn(Relation query, Map<Integer, Set<Origin>> origins) {
        follow(query, origins);
        return origins.getOrDefault(query.output().getFirst().id(), Set.of());
    }
}
