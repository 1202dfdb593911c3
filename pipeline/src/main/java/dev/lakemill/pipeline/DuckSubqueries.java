package dev.lakemill.pipeline;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.SourcePosition;
import java.util.HashSet;
import java.util.Set;

/** Refuses subqueries of which DuckDB cannot make joins. */
final class DuckSubqueries {
    /** Columns that the subquery itself has; those of the query around it are others. */
    private final Set<Integer> own = new HashSet<>();

    private DuckSubqueries(Relation query) {
        Relations.deep(query)
                .flatMap(part -> part.output().stream())
                .map(Attribute::id)
                .forEach(own::add);
    }

    /**
     * The query, if DuckDB takes it.
     *
     * @param position of the subquery
     */
    static Relation flat(Relation query, SourcePosition position) {
        var subqueries = new DuckSubqueries(query);
        Relations.deep(query)
                .filter(Relation.Join.class::isInstance)
                .map(Relation.Join.class::cast)
                .filter(subqueries::isRefused)
                .findFirst()
                .ifPresent(
                        _ -> {
                            throw DuckRefusal.of(
                                    position,
                                    "a subquery that uses columns of the query around it beside"
                                            + " INTERSECT, EXCEPT, a semi, anti or full join, or"
                                            + " in the ON of an outer join",
                                    "compute it in a query of its own, and join that");
                        });
        return query;
    }

    private boolean isRefused(Relation.Join join) {
        var condition = join.condition();
        return switch (join.kind()) {
            case INNER, CROSS -> false;
            case LEFT_OUTER, RIGHT_OUTER -> condition != null && looksOut(condition);
            case LEFT_SEMI, LEFT_ANTI, FULL_OUTER ->
                    (condition != null && looksOut(condition))
                            || looksOut(join.left())
                            || looksOut(join.right());
        };
    }

    private boolean looksOut(Relation relation) {
        return Relations.deep(relation).flatMap(Relations::expressions).anyMatch(this::looksOut);
    }

    private boolean looksOut(Expression expression) {
        return Relations.deep(expression)
                        .anyMatch(
                                part ->
                                        part instanceof Expression.Reference(var attribute)
                                                && !own.contains(attribute.id()))
                || Relations.subqueries(expression).anyMatch(this::looksOut);
    }
}
