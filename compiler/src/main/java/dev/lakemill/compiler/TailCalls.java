package dev.lakemill.compiler;

import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.SqlCompilation;
import dev.lakemill.plan.TextRefused;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/** The calls of {@code log_tail('table')} in a query, as names of tables. */
final class TailCalls {
    private static final String FUNCTION = "log_tail";

    private TailCalls() {}

    /**
     * The query with its calls replaced; each names its table with {@link
     * SqlCompilation.Read#LOG_TAIL} behind it.
     *
     * @throws TextRefused for a call that is wrong
     */
    static LogicalPlan named(Catalyst catalyst, LogicalPlan query, SourcePosition otherwise) {
        return query.transformDownWithSubqueries(
                Scala.change(
                        node -> node instanceof UnresolvedTableValuedFunction call && isOne(call),
                        node -> {
                            var call = (UnresolvedTableValuedFunction) node;
                            return relation(call, catalyst.position(call.origin(), otherwise));
                        }));
    }

    private static boolean isOne(UnresolvedTableValuedFunction call) {
        return call.name().size() == 1 && call.name().head().equalsIgnoreCase(FUNCTION);
    }

    private static UnresolvedRelation relation(
            UnresolvedTableValuedFunction call, SourcePosition at) {
        var arguments = Scala.<Expression>list(call.functionArgs());
        if (call.isStreaming()
                || arguments.size() != 1
                || !(arguments.getFirst() instanceof Literal literal)
                || literal.value() == null) {
            throw new TextRefused(
                    at,
                    "log_tail takes the name of a table, as a text",
                    "write FROM log_tail('catalog.schema.table')");
        }
        var parts = new ArrayList<>(List.of(literal.value().toString().split("\\.", -1)));
        parts.add(SqlCompilation.Read.LOG_TAIL);
        return new UnresolvedRelation(Scala.seq(parts), CaseInsensitiveStringMap.empty(), false);
    }
}
