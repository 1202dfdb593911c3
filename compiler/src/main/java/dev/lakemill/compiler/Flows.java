package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.CreateDataset;
import dev.lakemill.compiler.Statement.CreateFlow;
import dev.lakemill.compiler.Statement.Flow;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.TextError;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Brings each {@code CREATE FLOW} to the streaming table that it writes, and checks that what
 * writes a table goes together.
 */
final class Flows {
    private final List<TextError> errors;

    private Flows(List<TextError> errors) {
        this.errors = errors;
    }

    /** The statements without CREATE FLOW, the tables with all their flows. */
    static List<Statement> joined(List<Statement> statements, List<TextError> errors) {
        return new Flows(errors).joined(statements);
    }

    private List<Statement> joined(List<Statement> statements) {
        var tables = new LinkedHashMap<String, CreateDataset>();
        for (var statement : statements) {
            if (statement instanceof CreateDataset dataset) {
                tables.putIfAbsent(Declarations.key(dataset.name().toString()), dataset);
            }
        }
        var added = new HashMap<String, List<Flow>>();
        var names = new HashSet<String>();
        for (var statement : statements) {
            if (statement instanceof CreateFlow flow) {
                add(flow, tables, names, added);
            }
        }
        var joined = new ArrayList<Statement>();
        for (var statement : statements) {
            switch (statement) {
                case CreateDataset dataset -> joined.add(joined(dataset, added));
                case CreateFlow _ -> {}
                case Statement.CreateTable _,
                        Statement.CreateView _,
                        Statement.CreateSynced _,
                        Statement.CatalogTable _ ->
                        joined.add(statement);
            }
        }
        return joined;
    }

    private void add(
            CreateFlow flow,
            Map<String, CreateDataset> tables,
            Set<String> names,
            Map<String, List<Flow>> added) {
        var key = Declarations.key(flow.target().toString());
        var table = tables.get(key);
        if (!names.add(flow.flow().name().toLowerCase(Locale.ROOT))) {
            refuse(
                    flow.flow(),
                    "the flow '%s' is declared twice".formatted(flow.flow().name()),
                    "give one of them another name");
        } else if (table == null || !table.streaming()) {
            var streaming =
                    tables.values().stream()
                            .filter(CreateDataset::streaming)
                            .map(t -> t.name().toString())
                            .toList();
            errors.add(
                    new TextError(
                            flow.targetPosition(),
                            table == null
                                    ? "this pipeline has no streaming table '%s'"
                                            .formatted(flow.target())
                                    : "%s is a materialized view; a flow writes a streaming table"
                                            .formatted(flow.target()),
                            NearestName.of(flow.target().toString(), streaming)
                                    .map("did you mean %s?"::formatted)
                                    .orElse(
                                            "declare it: CREATE OR REFRESH STREAMING TABLE %s"
                                                    .formatted(flow.target()))));
        } else {
            added.computeIfAbsent(key, _ -> new ArrayList<>()).add(flow.flow());
        }
    }

    private CreateDataset joined(CreateDataset dataset, Map<String, List<Flow>> added) {
        var flows = new ArrayList<>(dataset.flows());
        flows.addAll(added.getOrDefault(Declarations.key(dataset.name().toString()), List.of()));
        var changes = flows.stream().filter(Flow.AutoCdc.class::isInstance).toList();
        if (flows.isEmpty()) {
            errors.add(
                    new TextError(
                            dataset.position(),
                            "nothing writes the streaming table %s".formatted(dataset.name()),
                            "write AS query, or CREATE FLOW name AS INSERT INTO %s BY NAME query"
                                    .formatted(dataset.name())));
        } else if (!changes.isEmpty() && flows.size() > 1) {
            refuse(
                    flows.get(1),
                    "%s has a flow beside AUTO CDC".formatted(dataset.name()),
                    "the events of a table come from one stream: join them in a streaming table"
                            + " with several flows, and read that");
        } else if (dataset.streaming()
                && flows.stream().allMatch(f -> f instanceof Flow.Insert insert && insert.once())) {
            refuse(
                    flows.getFirst(),
                    "%s has only flows that run ONCE".formatted(dataset.name()),
                    "add a flow that reads a STREAM, or make it a MATERIALIZED VIEW");
        }
        return dataset.with(flows);
    }

    private void refuse(Flow flow, String message, String hint) {
        errors.add(new TextError(flow.position(), message, hint));
    }
}
