package dev.lakemill.plan;

import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A query, analysed: names are resolved, types are Spark's, temporary views and CTEs are inlined,
 * every implicit cast is written out. Columns are known by {@link Attribute#id()}.
 *
 * <p>The top relation of a dataset's query gives exactly the dataset's columns: their names, types
 * and order.
 */
public sealed interface Relation {
    /** The columns given out, in order. */
    List<Attribute> output();

    /** The relations read, in order; empty for a leaf. */
    List<Relation> inputs();

    /**
     * Reads a table of the pipeline.
     *
     * @param streaming true for {@code STREAM(table)}: each row once, as it comes
     * @param output only the columns that the query uses, in the table's order; may be empty
     */
    record Scan(TableName table, boolean streaming, List<Attribute> output, SourcePosition position)
            implements Relation {
        @Override
        public List<Relation> inputs() {
            return List.of();
        }
    }

    /** Rows written in the query; one row without columns is a query without FROM. */
    record Values(List<Attribute> output, List<List<Expression>> rows) implements Relation {
        @Override
        public List<Relation> inputs() {
            return List.of();
        }
    }

    /** Keeps the rows for which the condition is true; NULL is not true. */
    record Filter(Relation input, Expression condition) implements Relation {
        @Override
        public List<Attribute> output() {
            return input.output();
        }

        @Override
        public List<Relation> inputs() {
            return List.of(input);
        }
    }

    record Project(Relation input, List<Named> columns) implements Relation {
        @Override
        public List<Attribute> output() {
            return columns.stream().map(Named::attribute).toList();
        }

        @Override
        public List<Relation> inputs() {
            return List.of(input);
        }
    }

    /** A column that a projection computes. */
    record Named(Attribute attribute, Expression value) {}

    /**
     * Groups by the keys; without keys the whole input is one group, also when it is empty. Gives
     * out the keys, then the measures; expressions over them stand in a projection above.
     */
    record Aggregate(Relation input, List<Named> keys, List<Measure> measures) implements Relation {
        @Override
        public List<Attribute> output() {
            return Stream.concat(
                            keys.stream().map(Named::attribute),
                            measures.stream().map(Measure::attribute))
                    .toList();
        }

        @Override
        public List<Relation> inputs() {
            return List.of(input);
        }
    }

    /** A column that an aggregate function computes. */
    record Measure(Attribute attribute, AggregateCall call) {}

    /** The condition is null only for a cross join. */
    record Join(Relation left, Relation right, JoinKind kind, @Nullable Expression condition)
            implements Relation {
        /** LEFT_SEMI and LEFT_ANTI give out the left columns only. */
        @Override
        public List<Attribute> output() {
            var leftOutput = optional(left.output(), kind.leftOptional());
            return kind.leftOnly()
                    ? leftOutput
                    : Stream.concat(
                                    leftOutput.stream(),
                                    optional(right.output(), kind.rightOptional()).stream())
                            .toList();
        }

        @Override
        public List<Relation> inputs() {
            return List.of(left, right);
        }

        private static List<Attribute> optional(List<Attribute> columns, boolean optional) {
            return optional
                    ? columns.stream()
                            .map(a -> new Attribute(a.id(), a.name(), a.type(), true))
                            .toList()
                    : columns;
        }
    }

    /** How unmatched rows of the sides are treated. */
    enum JoinKind {
        INNER,
        CROSS,
        LEFT_OUTER,
        RIGHT_OUTER,
        FULL_OUTER,
        LEFT_SEMI,
        LEFT_ANTI;

        boolean leftOnly() {
            return this == LEFT_SEMI || this == LEFT_ANTI;
        }

        boolean leftOptional() {
            return this == RIGHT_OUTER || this == FULL_OUTER;
        }

        boolean rightOptional() {
            return this == LEFT_OUTER || this == FULL_OUTER;
        }
    }

    /** All rows of all inputs; columns match by position and have the same types. */
    record UnionAll(List<Relation> inputs, List<Attribute> output) implements Relation {}

    /** Each different row once; NULLs are equal here. */
    record Distinct(Relation input) implements Relation {
        @Override
        public List<Attribute> output() {
            return input.output();
        }

        @Override
        public List<Relation> inputs() {
            return List.of(input);
        }
    }

    /** Matters below a {@link Limit} only. */
    record Sort(Relation input, List<SortKey> keys) implements Relation {
        @Override
        public List<Attribute> output() {
            return input.output();
        }

        @Override
        public List<Relation> inputs() {
            return List.of(input);
        }
    }

    /** The first {@code countRows} rows after the first {@code offsetRows}; -1 rows is no limit. */
    record Limit(Relation input, long countRows, long offsetRows) implements Relation {
        @Override
        public List<Attribute> output() {
            return input.output();
        }

        @Override
        public List<Relation> inputs() {
            return List.of(input);
        }
    }

    /** Adds a column per window call; all share one partition and order. */
    record Window(
            Relation input,
            List<Expression> partitionBy,
            List<SortKey> orderBy,
            List<Windowed> columns)
            implements Relation {
        @Override
        public List<Attribute> output() {
            return Stream.concat(input.output().stream(), columns.stream().map(Windowed::attribute))
                    .toList();
        }

        @Override
        public List<Relation> inputs() {
            return List.of(input);
        }
    }

    /**
     * Each row once for every element of an array.
     *
     * @param position the element's place, from 0, INTEGER; null where nobody asks
     * @param outer a row whose array is NULL or empty stays, once, with NULLs
     */
    record Unnest(
            Relation input,
            Expression array,
            Attribute element,
            @Nullable Attribute position,
            boolean outer)
            implements Relation {
        @Override
        public List<Attribute> output() {
            return Stream.of(
                            input.output().stream(),
                            Stream.of(element),
                            Stream.ofNullable(position).map(Objects::requireNonNull))
                    .flatMap(s -> s)
                    .toList();
        }

        @Override
        public List<Relation> inputs() {
            return List.of(input);
        }
    }

    /** A column that a window call computes. */
    record Windowed(Attribute attribute, WindowCall call) {}
}
