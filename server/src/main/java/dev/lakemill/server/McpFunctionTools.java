package dev.lakemill.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.agents.mcp.McpResult;
import dev.lakemill.agents.mcp.McpTool;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Decision;
import dev.lakemill.catalog.PolicyFunction;
import dev.lakemill.postgres.PolicySql;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.List;

/**
 * The catalog's functions as MCP's tools: each that the caller may EXECUTE, with its parameters,
 * run in a session of the caller's own that may only read.
 */
final class McpFunctionTools {
    private static final int NAME_CHARACTERS_MAX = 128;

    private final Catalog catalog;
    private final McpSqlTools sql;

    McpFunctionTools(Catalog catalog, McpSqlTools sql) {
        this.catalog = catalog;
        this.sql = sql;
    }

    List<McpTool> of(Caller caller) {
        return catalog.policies().functions().stream()
                .filter(function -> name(function).length() <= NAME_CHARACTERS_MAX)
                .filter(function -> mayExecute(caller, function))
                .map(this::tool)
                .toList();
    }

    private boolean mayExecute(Caller caller, PolicyFunction function) {
        return catalog.access().decide(caller, Privilege.EXECUTE, securable(function))
                instanceof Decision.Allowed;
    }

    private static Securable securable(PolicyFunction function) {
        return new Securable(SecurableType.FUNCTION, function.name());
    }

    /** Databricks' form: clients take no dots. */
    private static String name(PolicyFunction function) {
        return function.name().replace(".", "__");
    }

    private McpTool tool(PolicyFunction function) {
        var schema = McpSchemas.object();
        for (var parameter : function.parameters()) {
            var type = parameter.type();
            var told = "%s %s".formatted(type.sql(), parameter.comment()).strip();
            if (parameter.nullable()) {
                schema.optional(parameter.name(), jsonType(type), told);
            } else {
                schema.required(parameter.name(), jsonType(type), told);
            }
        }
        return new McpTool(
                name(function),
                "%s Returns %s.".formatted(function.comment(), function.returns().sql()).strip(),
                schema.build(),
                false,
                (caller, arguments) -> call(caller, function, arguments));
    }

    private McpResult call(Caller caller, PolicyFunction function, ObjectNode arguments) {
        catalog.access().require(caller, Privilege.EXECUTE, securable(function));
        return sql.within(
                caller,
                connection -> {
                    try (var query = connection.prepareStatement(PolicySql.call(function))) {
                        var place = 1;
                        for (var parameter : function.parameters()) {
                            var value = arguments.path(parameter.name());
                            var isNull = value.isMissingNode() || value.isNull();
                            query.setString(place++, isNull ? null : value.asText());
                        }
                        try (var rows = query.executeQuery()) {
                            rows.next();
                            return McpResult.object(
                                    JsonNodeFactory.instance
                                            .objectNode()
                                            .put("value", rows.getString(1)));
                        }
                    }
                });
    }

    private static String jsonType(DataType type) {
        if (!(type instanceof Primitive primitive)) {
            return type instanceof DataType.Decimal ? "number" : "string";
        }
        return switch (primitive) {
            case BOOLEAN -> "boolean";
            case BYTE, SHORT, INTEGER, LONG -> "integer";
            case FLOAT, DOUBLE -> "number";
            default -> "string";
        };
    }
}
