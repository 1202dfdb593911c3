package dev.lakemill.pipeline;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.List;

/**
 * Gives a streaming query one more column, {@link Checks#ROW}: the place in the source of the row
 * that a result comes from. A database may turn rows round in a join; with the column, the order
 * stays the source's in every replay.
 *
 * <p>The column can be carried where each result comes of one streamed row. Everything else
 * (grouping, DISTINCT, windows, LIMIT, a join of two streams) would have to remember the rows of
 * earlier batches, and is refused: such a result belongs in a materialized view.
 */
final class StreamOrder {
    private final TableName table;
    private int lastId = 1_000_000_000;

    private StreamOrder(TableName table) {
        this.table = table;
    }

    /**
     * @throws LakemillException UNIMPLEMENTED when a result does not come of one streamed row
     */
    static Relation carriedThrough(Relation query, TableName table) {
        return new StreamOrder(table).carried(query).relation();
    }

    private record Carried(Relation relation, Attribute row) {}

    private Carried carried(Relation relation) {
        return switch (relation) {
            case Relation.Scan scan -> carried(scan);
            case Relation.Project project -> carried(project);
            case Relation.Filter filter -> {
                var input = carried(filter.input());
                yield new Carried(
                        new Relation.Filter(input.relation(), filter.condition()), input.row());
            }
            case Relation.Sort sort -> carried(sort.input());
            case Relation.Join join -> carried(join);
            case Relation.Unnest unnest -> {
                var input = carried(unnest.input());
                yield new Carried(
                        new Relation.Unnest(
                                input.relation(),
                                unnest.array(),
                                unnest.element(),
                                unnest.position(),
                                unnest.outer()),
                        input.row());
            }
            case Relation.UnionAll union -> carried(union);
            case Relation.Aggregate _ -> throw refused("groups a stream");
            case Relation.Distinct _ -> throw refused("takes DISTINCT rows of a stream");
            case Relation.Limit _ -> throw refused("limits a stream");
            case Relation.Window _ -> throw refused("uses a window over a stream");
            case Relation.Values _ -> throw refused("reads no stream");
        };
    }

    private Carried carried(Relation.Scan scan) {
        if (!scan.streaming()) {
            throw refused("reads %s without STREAM where a stream belongs".formatted(scan.table()));
        }
        var row = row();
        return new Carried(
                new Relation.Scan(scan.table(), true, with(scan.output(), row), scan.position()),
                row);
    }

    private Carried carried(Relation.Project project) {
        var input = carried(project.input());
        var row = row();
        var columns = new ArrayList<>(project.columns());
        columns.add(new Relation.Named(row, new Expression.Reference(input.row())));
        return new Carried(new Relation.Project(input.relation(), columns), row);
    }

    private Carried carried(Relation.Join join) {
        var leftStreams = streams(join.left());
        if (leftStreams && streams(join.right())) {
            throw refused("joins two streams");
        }
        var fits =
                switch (join.kind()) {
                    case INNER, CROSS -> true;
                    case LEFT_OUTER, LEFT_SEMI, LEFT_ANTI -> leftStreams;
                    case RIGHT_OUTER -> !leftStreams;
                    case FULL_OUTER -> false;
                };
        if (!fits) {
            throw refused("joins a stream where its rows may be missing");
        }
        var side = carried(leftStreams ? join.left() : join.right());
        var left = leftStreams ? side.relation() : join.left();
        var right = leftStreams ? join.right() : side.relation();
        return new Carried(
                new Relation.Join(left, right, join.kind(), join.condition()), side.row());
    }

    private Carried carried(Relation.UnionAll union) {
        var inputs = new ArrayList<Relation>();
        for (var input : union.inputs()) {
            var carried = carried(input);
            var columns = new ArrayList<Relation.Named>();
            for (var column : input.output()) {
                columns.add(same(column));
            }
            columns.add(same(carried.row()));
            inputs.add(new Relation.Project(carried.relation(), columns));
        }
        var row = row();
        return new Carried(new Relation.UnionAll(inputs, with(union.output(), row)), row);
    }

    private Relation.Named same(Attribute column) {
        return new Relation.Named(
                new Attribute(lastId++, column.name(), column.type(), column.nullable()),
                new Expression.Reference(column));
    }

    private Attribute row() {
        return new Attribute(lastId++, Checks.ROW, Primitive.LONG, false);
    }

    private static List<Attribute> with(List<Attribute> columns, Attribute row) {
        var all = new ArrayList<>(columns);
        all.add(row);
        return all;
    }

    private static boolean streams(Relation relation) {
        return Relations.scans(relation).anyMatch(Relation.Scan::streaming);
    }

    private LakemillException refused(String what) {
        return new LakemillException(
                ErrorCode.UNIMPLEMENTED,
                "the streaming table %s %s".formatted(table, what),
                "declare it as a materialized view, or read one STREAM row by row");
    }
}
