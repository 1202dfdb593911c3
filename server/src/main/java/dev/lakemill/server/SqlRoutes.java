package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.NameDefaults;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Databricks' Statement Execution API: {@code /api/2.0/sql/statements}, answers inline as
 * JSON_ARRAY in one chunk.
 */
final class SqlRoutes {
    private static final String PATH = "/api/2.0/sql/statements";
    private static final Duration WAIT = Duration.ofSeconds(10);

    private final SqlStatements statements;
    private final Routes routes;

    private SqlRoutes(SqlStatements statements, Routes routes) {
        this.statements = statements;
        this.routes = routes;
    }

    static void mount(Routes routes, SqlStatements statements) {
        var sql = new SqlRoutes(statements, routes);
        routes.secured(HttpMethod.POST, PATH, sql::execute);
        routes.secured(HttpMethod.POST, PATH + "/", sql::execute);
        routes.secured(HttpMethod.GET, PATH + "/:id", sql::get);
        routes.secured(HttpMethod.GET, PATH + "/:id/result/chunks/0", sql::chunk);
        routes.secured(HttpMethod.POST, PATH + "/:id/cancel", sql::cancel);
    }

    private Object execute(RoutingContext context, Caller caller) {
        var body = routes.body(context);
        only(body, "format", "JSON_ARRAY");
        only(body, "disposition", "INLINE");
        var text = new SourceText("sql", required(body, "statement"));
        var filled = SqlParameters.filled(text, parameters(body.path("parameters")));
        var defaults =
                new NameDefaults(body.path("catalog").asText(""), body.path("schema").asText(""));
        var wait = wait(body.path("wait_timeout").asText("10s"));
        var execution = statements.start(caller, filled, defaults);
        var isCancelled = body.path("on_wait_timeout").asText("").equals("CANCEL");
        if (!execution.await(wait) && isCancelled) {
            execution.cancel();
            execution.await(WAIT);
        }
        return told(execution);
    }

    private Object get(RoutingContext context, Caller caller) {
        return told(statements.require(caller, context.pathParam("id")));
    }

    private Object chunk(RoutingContext context, Caller caller) {
        var answer = statements.require(caller, context.pathParam("id")).answer();
        if (answer == null) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the statement has no result",
                    "look at its state");
        }
        return result(answer);
    }

    private Object cancel(RoutingContext context, Caller caller) {
        statements.require(caller, context.pathParam("id")).cancel();
        return Map.of();
    }

    private static String required(JsonNode body, String field) {
        var text = body.path(field).asText("");
        if (text.isBlank()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the field '%s' is missing".formatted(field),
                    "send {\"statement\": \"SELECT 1\"}");
        }
        return text;
    }

    private static void only(JsonNode body, String field, String value) {
        if (body.hasNonNull(field) && !body.path(field).asText().equals(value)) {
            throw new LakemillException(
                    ErrorCode.UNIMPLEMENTED,
                    "%s %s is not supported".formatted(field, body.path(field)),
                    "leave it out, or say " + value);
        }
    }

    private static List<SqlParameters.Parameter> parameters(JsonNode list) {
        var parameters = new ArrayList<SqlParameters.Parameter>();
        for (var node : list) {
            parameters.add(
                    new SqlParameters.Parameter(
                            required(node, "name"),
                            node.hasNonNull("value") ? node.path("value").asText() : null,
                            DataType.parse(node.path("type").asText("STRING"))));
        }
        return parameters;
    }

    /** {@code 0s}, or 5 to 50 seconds. */
    private static Duration wait(String text) {
        if (text.matches("0s|[5-9]s|[1-4][0-9]s|50s")) {
            return Duration.ofSeconds(Long.parseLong(text.substring(0, text.length() - 1)));
        }
        throw new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "wait_timeout is '%s'".formatted(text),
                "say 0s, or 5s to 50s");
    }

    private static Map<String, Object> told(SqlStatements.Execution execution) {
        var told = new LinkedHashMap<String, Object>();
        told.put("statement_id", execution.id());
        told.put("status", status(execution));
        var answer = execution.answer();
        if (answer != null && execution.state() == SqlStatements.State.SUCCEEDED) {
            told.put("manifest", manifest(answer));
            told.put("result", result(answer));
        }
        return told;
    }

    private static Map<String, Object> status(SqlStatements.Execution execution) {
        var state = execution.state().name();
        var failure = execution.failure();
        return failure == null
                ? Map.of("state", state)
                : Map.of(
                        "state",
                        state,
                        "error",
                        Map.of(
                                "error_code",
                                failure.code().name(),
                                "message",
                                String.valueOf(failure.getMessage())));
    }

    private static Map<String, Object> manifest(SqlAnswer answer) {
        var columns =
                IntStream.range(0, answer.columns().size())
                        .mapToObj(i -> column(answer.columns().get(i), i))
                        .toList();
        var manifest = new LinkedHashMap<String, Object>();
        manifest.put("format", "JSON_ARRAY");
        manifest.put("schema", Map.of("column_count", columns.size(), "columns", columns));
        manifest.put("total_chunk_count", 1);
        manifest.put("total_row_count", answer.rows().size());
        manifest.put("truncated", answer.cut());
        return manifest;
    }

    private static Map<String, Object> column(Column column, int position) {
        return Map.of(
                "name",
                column.name(),
                "position",
                position,
                "type_text",
                column.type().sql(),
                "type_name",
                typeName(column.type()));
    }

    private static String typeName(DataType type) {
        return switch (type) {
            case Primitive primitive -> primitive == Primitive.INTEGER ? "INT" : primitive.name();
            case DataType.Decimal _ -> "DECIMAL";
            case DataType.Array _ -> "ARRAY";
            case DataType.Map _ -> "MAP";
            case DataType.Struct _ -> "STRUCT";
        };
    }

    private static Map<String, Object> result(SqlAnswer answer) {
        var result = new LinkedHashMap<String, Object>();
        result.put("chunk_index", 0);
        result.put("row_offset", 0);
        result.put("row_count", answer.rows().size());
        result.put("data_array", answer.rows());
        return result;
    }
}
