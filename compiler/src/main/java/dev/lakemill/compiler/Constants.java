package dev.lakemill.compiler;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.*;

/** Finds what Spark itself can compute when a text is compiled. */
final class Constants {
    private Constants() {}

    /**
     * The expression in a form that can be evaluated, if it is made of constants alone; now()
     * counts as foldable for Spark, but is none.
     */
    static Optional<Expression> computable(Expression e) {
        if (!e.deterministic() || !isMadeOfConstants(e)) {
            return Optional.empty();
        }
        var plain = plain(e);
        return isEvaluable(plain, new HashSet<>()) ? Optional.of(plain) : Optional.empty();
    }

    /** Looked at first, since it is cheap and says no for nearly everything. */
    private static boolean isMadeOfConstants(Expression e) {
        if (e instanceof AttributeReference || e instanceof OuterReference) {
            return false;
        }
        return Scala.<Expression>list(e.children()).stream().allMatch(Constants::isMadeOfConstants);
    }

    /** Names for other expressions and shared parts are replaced by what they stand for. */
    private static Expression plain(Expression e) {
        var replaced =
                e.transform(
                        Scala.change(
                                x -> x instanceof RuntimeReplaceable,
                                x -> replacement((RuntimeReplaceable) x)));
        return replaced.transformUp(
                Scala.change(x -> x instanceof With, x -> withoutShared((With) x)));
    }

    private static Expression replacement(RuntimeReplaceable replaceable) {
        var replacement = replaceable.replacement();
        return replacement instanceof RuntimeReplaceable next ? replacement(next) : replacement;
    }

    private static Expression withoutShared(With with) {
        var shared = new HashMap<CommonExpressionId, Expression>();
        Scala.list(with.defs()).forEach(d -> shared.put(d.id(), d.child()));
        return with.child()
                .transform(
                        Scala.change(
                                x ->
                                        x instanceof CommonExpressionRef r
                                                && shared.containsKey(r.id()),
                                x -> shared.getOrDefault(((CommonExpressionRef) x).id(), x)));
    }

    private static boolean isEvaluable(Expression e, Set<ExprId> bound) {
        if (e instanceof NamedLambdaVariable variable) {
            return bound.contains(variable.exprId());
        }
        if (e instanceof Unevaluable
                || e instanceof RuntimeReplaceable
                || e instanceof Generator
                || e instanceof ApplyFunctionExpression
                || e instanceof PlanExpression<?>) {
            return false;
        }
        var children = Scala.<Expression>list(e.children());
        if (children.isEmpty()) {
            return e instanceof Literal || e instanceof LeafMathExpression;
        }
        if (!(e instanceof LambdaFunction lambda)) {
            return children.stream().allMatch(c -> isEvaluable(c, bound));
        }
        var inner = new HashSet<>(bound);
        Scala.list(lambda.arguments()).forEach(a -> inner.add(a.exprId()));
        return isEvaluable(lambda.function(), inner);
    }
}
