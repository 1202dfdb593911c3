package dev.lakemill.compiler;

import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.JoinKind;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextError;
import java.util.ArrayList;
import java.util.List;

/**
 * Which queries may read streams, as Lakeflow has it: a streaming table computes each new row of
 * its streams once, alone or against the present state of other tables; a materialized view reads
 * whole tables.
 */
final class StreamingRules {
    private static final String USE_VIEW = "use a MATERIALIZED VIEW over the streaming table";

    private final SourcePosition position;
    private final List<TextError> errors = new ArrayList<>();

    private StreamingRules(SourcePosition position) {
        this.position = position;
    }

    static List<TextError> ofStreamingTable(Relation query, SourcePosition position) {
        var rules = new StreamingRules(position);
        if (!reads(query)) {
            rules.refuse(
                    "a streaming table reads at least one STREAM",
                    "write FROM STREAM(table), or make it a MATERIALIZED VIEW");
        }
        rules.check(query);
        return rules.errors;
    }

    static List<TextError> ofView(Relation query) {
        return ofWhole(
                query,
                "a materialized view reads whole tables, not streams",
                "leave STREAM out, or make it a STREAMING TABLE");
    }

    static List<TextError> ofOnce(Relation query) {
        return ofWhole(
                query, "a flow that runs ONCE reads whole tables, not streams", "leave STREAM out");
    }

    private static List<TextError> ofWhole(Relation query, String message, String hint) {
        return Relations.scans(query)
                .filter(Relation.Scan::streaming)
                .map(scan -> new TextError(scan.position(), message, hint))
                .limit(1)
                .toList();
    }

    /** Whether new rows of a stream come through a relation. */
    private static boolean reads(Relation relation) {
        return Relations.deep(relation)
                .anyMatch(part -> part instanceof Relation.Scan scan && scan.streaming());
    }

    private void check(Relation relation) {
        checkSubqueries(relation);
        if (reads(relation)) {
            checkStreaming(relation);
        }
        relation.inputs().forEach(this::check);
    }

    private void checkStreaming(Relation relation) {
        switch (relation) {
            case Relation.Aggregate _ ->
                    refuse("GROUP BY or an aggregate over a STREAM is not supported", USE_VIEW);
            case Relation.Distinct _ -> refuse("DISTINCT over a STREAM is not supported", USE_VIEW);
            case Relation.Window _ ->
                    refuse("a window function over a STREAM is not supported", USE_VIEW);
            case Relation.Sort _ -> refuse("ORDER BY over a STREAM is not supported", USE_VIEW);
            case Relation.Limit _ -> refuse("LIMIT over a STREAM is not supported", USE_VIEW);
            case Relation.UnionAll union -> {
                if (!union.inputs().stream().allMatch(StreamingRules::reads)) {
                    refuse(
                            "UNION of a STREAM and a whole table is not supported",
                            "read every branch as STREAM, or use a MATERIALIZED VIEW");
                }
            }
            case Relation.Join join -> checkJoin(join);
            case Relation.Scan _,
                    Relation.Values _,
                    Relation.Filter _,
                    Relation.Project _,
                    Relation.Unnest _ -> {}
        }
    }

    private void checkJoin(Relation.Join join) {
        var left = reads(join.left());
        var right = reads(join.right());
        if (left && right) {
            refuse("a join of two STREAMs is not supported", "leave STREAM out on one side");
            return;
        }
        var preserved =
                switch (join.kind()) {
                    case INNER, CROSS -> true;
                    case LEFT_OUTER, LEFT_SEMI, LEFT_ANTI -> left;
                    case RIGHT_OUTER -> right;
                    case FULL_OUTER -> false;
                };
        if (!preserved) {
            refuse(
                    "%s JOIN that keeps rows of the whole table is not supported over a STREAM"
                            .formatted(name(join.kind())),
                    "let the STREAM be the side whose rows are kept");
        }
    }

    private static String name(JoinKind kind) {
        return kind.name().replace('_', ' ');
    }

    private void checkSubqueries(Relation relation) {
        var streams =
                Relations.expressions(relation)
                        .flatMap(Relations::subqueries)
                        .flatMap(Relations::scans)
                        .anyMatch(Relation.Scan::streaming);
        if (streams) {
            refuse("a STREAM in a subquery is not supported", "leave STREAM out there");
        }
    }

    private void refuse(String message, String hint) {
        errors.add(new TextError(position, message, hint));
    }
}
