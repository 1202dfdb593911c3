package dev.lakemill.compiler;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.trees.TreeNode;

/** What the lowering of one query shares: the numbers of its columns and the errors found. */
final class Scope {
    private final Catalyst catalyst;
    private final SourcePosition statement;
    private final Map<ExprId, Integer> ids = new HashMap<>();
    private final Map<Integer, String> names = new HashMap<>();
    private final List<TextError> errors = new ArrayList<>();
    private boolean readsTables;

    /**
     * @param statement the place of what has no place of its own
     */
    Scope(Catalyst catalyst, SourcePosition statement) {
        this.catalyst = catalyst;
        this.statement = statement;
    }

    /**
     * A column's number, from 0 in the order of first use, so that equal texts give equal plans.
     */
    int id(ExprId id) {
        return ids.computeIfAbsent(id, _ -> ids.size());
    }

    /** A number that no column has. */
    int nextId() {
        return id(NamedExpression.newExprId());
    }

    /** Gives a column that Spark named itself a name that is the same in every run. */
    void rename(ExprId id, String name) {
        names.put(id(id), name);
    }

    Attribute attribute(org.apache.spark.sql.catalyst.expressions.Attribute attribute) {
        // A value without a type of ours was refused where it is computed.
        var type =
                errors.isEmpty()
                        ? type(attribute)
                        : SparkTypes.value(attribute.dataType()).orElse(Primitive.STRING);
        var id = id(attribute.exprId());
        return new Attribute(
                id, names.getOrDefault(id, attribute.name()), type, attribute.nullable());
    }

    /** The query reads a table, which may be empty. */
    void noteTable() {
        readsTables = true;
    }

    boolean readsTables() {
        return readsTables;
    }

    SourcePosition position(TreeNode<?> node) {
        return catalyst.position(node.origin(), statement);
    }

    /** The type of a value; a type that no plan holds is noted as an error. */
    DataType type(Expression expression) {
        return SparkTypes.value(expression.dataType())
                .orElseGet(
                        () -> {
                            refuse(
                                    expression,
                                    "a value of type %s is not supported"
                                            .formatted(expression.dataType().sql()),
                                    "");
                            return Primitive.STRING;
                        });
    }

    /** The type of the elements of a value that is an array. */
    DataType elementType(Expression array) {
        return type(array) instanceof DataType.Array type ? type.element() : Primitive.STRING;
    }

    void refuse(TreeNode<?> node, String message, String hint) {
        errors.add(new TextError(position(node), message, hint));
    }

    void refuse(TextError error) {
        errors.add(error);
    }

    /** What was refused; a plan with errors is not to be used. */
    List<TextError> errors() {
        return errors.stream().distinct().toList();
    }
}
