package dev.lakemill.compiler;

import java.util.List;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.analysis.FunctionRegistry;
import org.apache.spark.sql.catalyst.expressions.ApplyFunctionExpression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.connector.catalog.functions.ScalarFunction;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;

/**
 * Databricks' {@code is_account_group_member(group)} and {@code is_member(group)}, which Spark
 * itself does not have: whether the caller is in the group. Never computed here.
 */
final class Membership implements ScalarFunction<Boolean> {
    private static final long serialVersionUID = 1L;

    private static final FunctionRegistry REGISTRY = registered();

    /** Spark's functions, these and {@link Predictions}. */
    static FunctionRegistry registry() {
        return REGISTRY;
    }

    private static FunctionRegistry registered() {
        var functions = FunctionRegistry.builtin();
        Predictions.register(functions);
        for (var name : List.of("is_account_group_member", "is_member")) {
            functions.registerFunction(
                    new FunctionIdentifier(name, Scala.none()),
                    new ExpressionInfo(Membership.class.getName(), name),
                    group -> new ApplyFunctionExpression(new Membership(), group));
        }
        return functions;
    }

    static boolean is(ApplyFunctionExpression expression) {
        return expression.function() instanceof Membership;
    }

    @Override
    public DataType[] inputTypes() {
        return new DataType[] {DataTypes.StringType};
    }

    @Override
    public DataType resultType() {
        return DataTypes.BooleanType;
    }

    @Override
    public String name() {
        return "is_account_group_member";
    }
}
