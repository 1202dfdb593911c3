package dev.lakemill.server;

import dev.lakemill.catalog.PolicyFunction;
import dev.lakemill.pipeline.DuckPrinter;
import dev.lakemill.pipeline.WarmCompiler;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.SqlCompilation;
import dev.lakemill.plan.SqlRequest;
import dev.lakemill.postgres.PolicyPrinter;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import java.util.List;

/** Makes of a function's body, written once in Spark SQL, what DuckDB and Postgres run. */
final class PolicyCompiler {
    private final WarmCompiler compiler;

    PolicyCompiler(WarmCompiler compiler) {
        this.compiler = compiler;
    }

    /**
     * @throws dev.lakemill.types.LakemillException INVALID_ARGUMENT for what is no expression over
     *     the parameters or not of the type; UNIMPLEMENTED for what one of the engines cannot
     *     compute exactly as Spark does
     */
    PolicyFunction compile(
            String name, List<Column> parameters, DataType returns, String body, String comment) {
        var text = Fragment.all(new SourceText(name, body));
        return compile(name, parameters, returns, text, comment);
    }

    PolicyFunction compile(
            String name, List<Column> parameters, DataType returns, Fragment body, String comment) {
        parameters.forEach(parameter -> PolicyPrinter.type(parameter.type()));
        PolicyPrinter.type(returns);
        var expression = expression(new SqlRequest.Scalar(body, parameters, returns));
        var names = parameters.stream().map(Column::name).toList();
        return new PolicyFunction(
                name,
                parameters,
                returns,
                body.text().strip(),
                DuckPrinter.function(names, expression),
                PolicyPrinter.function(names, expression),
                comment);
    }

    private Expression expression(SqlRequest.Scalar request) {
        return switch (compiler.compile(request)) {
            case SqlCompilation.Scalar(Expression body) -> body;
            case SqlCompilation.Rejected(var errors) ->
                    throw errors.getFirst().toException(request.text().source());
            case SqlCompilation.Query _, SqlCompilation.Reads _ ->
                    throw new IllegalStateException("a body gives an expression");
        };
    }
}
