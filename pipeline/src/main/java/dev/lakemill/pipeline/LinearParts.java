package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.MaintenanceSql.WEIGHT;
import static dev.lakemill.pipeline.MaintenanceSql.column;
import static dev.lakemill.pipeline.MaintenanceSql.weighted;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.Named;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The parts of a query that run over changes as they run over rows. */
final class LinearParts {
    private LinearParts() {}

    /** A table or view of the pipeline. */
    static final class Table implements Maintained {
        private final Relation.Scan scan;
        private final Relation.Scan changed;

        Table(Relation.Scan scan, MaintenanceSql sql) {
            this.scan = scan;
            this.changed = sql.stand("", weighted(scan.output()));
        }

        @Override
        public Relation now() {
            return scan;
        }

        @Override
        public Optional<Relation> changes(MaintenanceSql sql) {
            var changes = sql.changes(scan.table());
            changes.ifPresent(rows -> sql.move(changed, numbered(rows)));
            return changes.map(_ -> changed);
        }

        private String numbered(String rows) {
            return weighted(scan.output()).stream()
                    .map(a -> DuckPrinter.quoted(a.name()) + " AS " + column(a))
                    .collect(Collectors.joining(", ", "(SELECT ", " FROM " + rows + ")"));
        }

        @Override
        public List<Maintained> inputs() {
            return List.of();
        }

        @Override
        public MaintenanceKind kind() {
            return MaintenanceKind.LINEAR;
        }
    }

    /** Rows that stand in the query. */
    record Constant(Relation now) implements Maintained {
        @Override
        public Optional<Relation> changes(MaintenanceSql sql) {
            return Optional.empty();
        }

        @Override
        public List<Maintained> inputs() {
            return List.of();
        }

        @Override
        public MaintenanceKind kind() {
            return MaintenanceKind.LINEAR;
        }
    }

    /**
     * A condition.
     *
     * @param ofChanges what changes must meet, without now()
     */
    record Kept(Maintained input, Expression condition, Expression ofChanges)
            implements Maintained {
        @Override
        public Relation now() {
            return new Relation.Filter(input.now(), condition);
        }

        @Override
        public Optional<Relation> changes(MaintenanceSql sql) {
            return input.changes(sql).map(rows -> new Relation.Filter(rows, ofChanges));
        }

        @Override
        public List<Maintained> inputs() {
            return List.of(input);
        }

        @Override
        public MaintenanceKind kind() {
            return MaintenanceKind.LINEAR;
        }
    }

    record Computed(Maintained input, List<Named> columns) implements Maintained {
        @Override
        public Relation now() {
            return new Relation.Project(input.now(), columns);
        }

        @Override
        public Optional<Relation> changes(MaintenanceSql sql) {
            var withWeight = new ArrayList<>(columns);
            withWeight.add(new Named(WEIGHT, new Expression.Reference(WEIGHT)));
            return input.changes(sql).map(rows -> new Relation.Project(rows, withWeight));
        }

        @Override
        public List<Maintained> inputs() {
            return List.of(input);
        }

        @Override
        public MaintenanceKind kind() {
            return MaintenanceKind.LINEAR;
        }
    }

    /** A row that comes or goes takes its elements along. */
    record Unnested(Maintained input, Relation.Unnest unnest) implements Maintained {
        @Override
        public Relation now() {
            return over(input.now());
        }

        @Override
        public Optional<Relation> changes(MaintenanceSql sql) {
            return input.changes(sql).map(this::over);
        }

        private Relation over(Relation rows) {
            return new Relation.Unnest(
                    rows, unnest.array(), unnest.element(), unnest.position(), unnest.outer());
        }

        @Override
        public List<Maintained> inputs() {
            return List.of(input);
        }

        @Override
        public MaintenanceKind kind() {
            return MaintenanceKind.LINEAR;
        }
    }

    record Together(List<Maintained> inputs, List<Attribute> output) implements Maintained {
        @Override
        public Relation now() {
            return new Relation.UnionAll(inputs.stream().map(Maintained::now).toList(), output);
        }

        @Override
        public Optional<Relation> changes(MaintenanceSql sql) {
            var branches = new ArrayList<Relation>();
            for (var input : inputs) {
                input.changes(sql).map(rows -> branch(input, rows)).ifPresent(branches::add);
            }
            return branches.isEmpty()
                    ? Optional.empty()
                    : Optional.of(MaintenanceSql.union(branches));
        }

        private Relation branch(Maintained input, Relation rows) {
            var from = input.now().output();
            var columns = new ArrayList<Named>();
            IntStream.range(0, output.size())
                    .forEach(
                            i ->
                                    columns.add(
                                            new Named(
                                                    output.get(i),
                                                    new Expression.Reference(from.get(i)))));
            columns.add(new Named(WEIGHT, new Expression.Reference(WEIGHT)));
            return new Relation.Project(rows, columns);
        }

        @Override
        public MaintenanceKind kind() {
            return MaintenanceKind.LINEAR;
        }
    }
}
