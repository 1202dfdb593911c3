package dev.lakemill.compiler;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.Named;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.types.Column;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.catalyst.expressions.Cast;

/** Brings the columns of a table's flows to the table's own, by name. */
final class FlowColumns {
    private final Scope scope;
    private final int flowCount;

    FlowColumns(Scope scope, int flowCount) {
        this.scope = scope;
        this.flowCount = flowCount;
    }

    int flowCount() {
        return flowCount;
    }

    /**
     * All columns of all queries; one that a query lacks may be NULL.
     *
     * @param positions of the queries
     */
    List<Column> merged(List<Relation> queries, List<SourcePosition> positions) {
        var merged = new LinkedHashMap<String, Column>();
        var seen = new LinkedHashMap<String, Integer>();
        for (int i = 0; i < queries.size(); i++) {
            for (var a : queries.get(i).output()) {
                var key = a.name().toLowerCase(Locale.ROOT);
                var position = positions.get(i);
                seen.merge(key, 1, Integer::sum);
                merged.merge(
                        key,
                        new Column(a.name(), a.type(), a.nullable(), ""),
                        (old, more) -> merged(old, more, position));
            }
        }
        return merged.entrySet().stream()
                .map(
                        e ->
                                new Column(
                                        e.getValue().name(),
                                        e.getValue().type(),
                                        e.getValue().nullable()
                                                || seen.getOrDefault(e.getKey(), 0)
                                                        < queries.size(),
                                        ""))
                .toList();
    }

    /** Of types that differ in what may be NULL within, the one in which all may be. */
    private static Column merged(Column old, Column more, SourcePosition position) {
        var type = SparkTypes.spark(more.type()).asNullable();
        if (!SparkTypes.spark(old.type()).asNullable().equals(type)) {
            throw new TextRefused(
                    position,
                    "flows give '%s' as %s and as %s"
                            .formatted(old.name(), old.type().sql(), more.type().sql()),
                    "declare the column, or CAST in the query");
        }
        var merged =
                old.type().equals(more.type())
                        ? old.type()
                        : SparkTypes.column(type).orElse(old.type());
        return new Column(old.name(), merged, old.nullable() || more.nullable(), "");
    }

    /** The query with its columns in the table's order, names and types. */
    Relation fitted(Relation query, TableSchema schema, List<SourcePosition> positions) {
        var named = new ArrayList<Named>();
        for (int i = 0; i < schema.size(); i++) {
            named.add(fitted(query, schema.column(i), positions.get(i)));
        }
        for (var column : query.output()) {
            if (schema.indexOf(column.name()).isEmpty()) {
                throw new TextRefused(
                        positions.getFirst(),
                        "the query's column '%s' is not declared".formatted(column.name()),
                        "declare it, or leave it out of the query");
            }
        }
        return new Relation.Project(query, named);
    }

    private Named fitted(Relation query, Column column, SourcePosition position) {
        var matching =
                query.output().stream()
                        .filter(a -> a.name().equalsIgnoreCase(column.name()))
                        .toList();
        if (matching.isEmpty() && flowCount > 1 && column.nullable()) {
            return new Named(
                    new Attribute(scope.nextId(), column.name(), column.type(), true),
                    new Expression.Literal(column.type(), null));
        }
        if (matching.size() != 1) {
            throw new TextRefused(
                    position,
                    "the query gives %d columns named '%s'"
                            .formatted(matching.size(), column.name()),
                    NearestName.hint(
                            column.name(), query.output().stream().map(Attribute::name).toList()));
        }
        var found = matching.getFirst();
        var attribute =
                new Attribute(scope.nextId(), column.name(), column.type(), found.nullable());
        return new Named(attribute, cast(new Expression.Reference(found), column, position));
    }

    private static Expression cast(Expression value, Column column, SourcePosition position) {
        if (value.type().equals(column.type())) {
            return value;
        }
        if (!Cast.canANSIStoreAssign(
                SparkTypes.spark(value.type()), SparkTypes.spark(column.type()))) {
            throw new TextRefused(
                    position,
                    "column '%s' is declared as %s, but the query gives %s"
                            .formatted(column.name(), column.type().sql(), value.type().sql()),
                    "declare %s, or CAST in the query".formatted(value.type().sql()));
        }
        return new Expression.Cast(value, column.type(), false, value.nullable(), position);
    }

    /** The rows of all queries, which have the same columns. */
    static Relation together(List<Relation> queries, Scope scope) {
        if (queries.size() == 1) {
            return queries.getFirst();
        }
        var output = new ArrayList<Attribute>();
        for (int i = 0; i < queries.getFirst().output().size(); i++) {
            var place = i;
            var first = queries.getFirst().output().get(i);
            output.add(
                    new Attribute(
                            scope.nextId(),
                            first.name(),
                            first.type(),
                            queries.stream().anyMatch(q -> q.output().get(place).nullable())));
        }
        return new Relation.UnionAll(queries, output);
    }
}
