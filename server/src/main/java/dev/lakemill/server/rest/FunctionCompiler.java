package dev.lakemill.server.rest;

import dev.lakemill.catalog.PolicyFunction;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import java.util.List;

/** Makes of one SQL expression over parameters what each engine runs. */
public interface FunctionCompiler {
    /** INVALID_ARGUMENT for what is no such expression, or not of that type. */
    PolicyFunction compile(
            String name, List<Column> parameters, DataType returns, String body, String comment);
}
