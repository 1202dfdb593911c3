package dev.lakemill.compiler;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relation.Named;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.CollectionGenerator;
import org.apache.spark.sql.catalyst.expressions.Explode;
import org.apache.spark.sql.catalyst.expressions.Inline;
import org.apache.spark.sql.catalyst.expressions.PosExplode;
import org.apache.spark.sql.catalyst.expressions.Stack;
import org.apache.spark.sql.catalyst.plans.logical.Generate;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.jspecify.annotations.Nullable;

/** Says explode, posexplode, inline and stack as rows of an array's elements. */
final class GeneratorLowering {
    private final Scope scope;
    private final ExpressionLowering values;
    private final ExpressionLowering.Queries queries;

    GeneratorLowering(Scope scope, ExpressionLowering values, ExpressionLowering.Queries queries) {
        this.scope = scope;
        this.values = values;
        this.queries = queries;
    }

    Relation lower(Generate generate) {
        var columns = attributes(generate.generatorOutput());
        var input = queries.lower(generate.child());
        var array = array(generate);
        var isPlaced = generate.generator() instanceof PosExplode;
        var position = isPlaced ? columns.getFirst() : null;
        var parts = isPlaced ? columns.subList(1, columns.size()) : columns;
        var outer = generate.outer();
        var isElement = parts.size() == 1 && generate.generator() instanceof CollectionGenerator;
        var unnested =
                isElement && !(generate.generator() instanceof Inline)
                        ? new Relation.Unnest(input, array, parts.getFirst(), position, outer)
                        : fields(input, array, parts, position, outer);
        return new Relation.Project(
                unnested,
                attributes(generate.output()).stream()
                        .map(a -> new Named(a, new Expression.Reference(a)))
                        .toList());
    }

    private List<Attribute> attributes(
            scala.collection.immutable.Seq<org.apache.spark.sql.catalyst.expressions.Attribute>
                    columns) {
        return Scala.<org.apache.spark.sql.catalyst.expressions.Attribute>list(columns).stream()
                .map(scope::attribute)
                .toList();
    }

    private Expression array(Generate generate) {
        return switch (generate.generator()) {
            case Explode explode -> collection(generate, explode.child());
            case PosExplode explode -> collection(generate, explode.child());
            case Inline inline -> values.lower(inline.child());
            case Stack stack -> rows(generate, stack);
            default ->
                    throw new TextRefused(
                            scope.position(generate),
                            "%s is not supported"
                                    .formatted(generate.generator().getClass().getSimpleName()),
                            "use explode, posexplode, inline or stack");
        };
    }

    private Expression collection(
            LogicalPlan at, org.apache.spark.sql.catalyst.expressions.Expression collection) {
        var lowered = values.lower(collection);
        if (!(lowered.type() instanceof DataType.Map map)) {
            return lowered;
        }
        var entry =
                new DataType.Struct(
                        List.of(
                                new Column("key", map.key(), false, ""),
                                new Column("value", map.value(), map.valueContainsNull(), "")));
        return new Expression.Call(
                Function.MAP_ENTRIES,
                List.of(lowered),
                new DataType.Array(entry, false),
                true,
                scope.position(at));
    }

    /** An element that is a struct, and a column for each of its fields. */
    private Relation fields(
            Relation input,
            Expression array,
            List<Attribute> parts,
            @Nullable Attribute position,
            boolean outer) {
        if (!(array.type() instanceof DataType.Array type)
                || !(type.element() instanceof DataType.Struct struct)) {
            return new Relation.Project(input, List.of()); // the array was refused
        }
        var element = new Attribute(scope.nextId(), "element", struct, true);
        var unnested = new Relation.Unnest(input, array, element, position, outer);
        var columns = new ArrayList<Named>();
        input.output().forEach(a -> columns.add(new Named(a, new Expression.Reference(a))));
        if (position != null) {
            columns.add(new Named(position, new Expression.Reference(position)));
        }
        for (int i = 0; i < parts.size(); i++) {
            var field = struct.fields().get(i);
            columns.add(
                    new Named(
                            parts.get(i),
                            new Expression.Field(
                                    new Expression.Reference(element),
                                    field.name(),
                                    field.type(),
                                    true)));
        }
        return new Relation.Project(unnested, columns);
    }

    /** Row by row; what is missing behind the last is NULL. */
    private Expression rows(Generate generate, Stack stack) {
        var children =
                Scala.<org.apache.spark.sql.catalyst.expressions.Expression>list(stack.children());
        var columns = attributes(generate.generatorOutput());
        var fields =
                IntStream.range(0, columns.size())
                        .mapToObj(i -> new Column("f" + i, columns.get(i).type(), true, ""))
                        .toList();
        var struct = new DataType.Struct(fields);
        var cells = values.lower(children.subList(1, children.size()));
        var count = (Integer) stack.children().head().eval(InternalRow.empty());
        var rows =
                IntStream.range(0, count)
                        .<Expression>mapToObj(
                                row ->
                                        call(
                                                generate,
                                                Function.STRUCT,
                                                IntStream.range(0, columns.size())
                                                        .mapToObj(
                                                                i ->
                                                                        cell(
                                                                                cells,
                                                                                row * columns.size()
                                                                                        + i,
                                                                                fields.get(i)))
                                                        .toList(),
                                                struct))
                        .toList();
        return call(generate, Function.ARRAY, rows, new DataType.Array(struct, false));
    }

    private static Expression cell(List<Expression> cells, int index, Column field) {
        return index < cells.size() ? cells.get(index) : new Expression.Literal(field.type(), null);
    }

    private Expression call(
            LogicalPlan at, Function function, List<Expression> arguments, DataType type) {
        return new Expression.Call(function, arguments, type, false, scope.position(at));
    }
}
