package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.PolicyFunction;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.server.Routes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Scalar SQL functions. */
final class FunctionRoutes {
    private final Catalog catalog;
    private final Sight sight;
    private final FunctionCompiler compiler;

    FunctionRoutes(Catalog catalog, Sight sight, FunctionCompiler compiler) {
        this.catalog = catalog;
        this.sight = sight;
        this.compiler = compiler;
    }

    void mount(Routes routes) {
        var api = Api.unity(routes, "FUNCTION");
        api.post("/functions", this::create);
        api.get("/functions", this::list);
        api.get("/functions/:name", r -> shape(named(r)));
        api.delete("/functions/:name", this::delete);
    }

    private SecurableInfo named(Request request) {
        return sight.require(request.caller(), request.securable(SecurableType.FUNCTION, "name"));
    }

    private Object create(Request whole) {
        var request =
                new Request(whole.context(), whole.caller(), whole.body().path("function_info"));
        if (!request.text("routine_body").equals("SQL")) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "only functions with an SQL body can be made",
                    "send routine_body SQL and one expression as routine_definition");
        }
        var securable = new Securable(SecurableType.FUNCTION, request.fullName("name"));
        sight.require(request.caller(), securable.parent().orElseThrow());
        var function = compiled(request, securable.name());
        catalog.policies().createFunction(request.caller(), function, false);
        return shape(catalog.securables().find(securable).orElseThrow());
    }

    /** What an engine cannot compute is the request's fault: clients repeat whatever is 5xx. */
    private PolicyFunction compiled(Request request, String name) {
        try {
            return compiler.compile(
                    name,
                    parameters(request.body().path("input_params").path("parameters")),
                    DataType.parse(request.text("full_data_type")),
                    request.text("routine_definition"),
                    request.optional("comment").orElse(""));
        } catch (LakemillException e) {
            throw e.code() == ErrorCode.UNIMPLEMENTED
                    ? new LakemillException(ErrorCode.INVALID_ARGUMENT, e.problem(), e.hint(), e)
                    : e;
        }
    }

    private static List<Column> parameters(JsonNode infos) {
        var parameters = new ArrayList<Column>();
        for (var info : infos) {
            parameters.add(
                    new Column(
                            info.path("name").asText(),
                            ColumnJson.readType(info),
                            true,
                            Request.text(info.path("comment"))));
        }
        return parameters;
    }

    private Object list(Request request) {
        var schema =
                Securable.schema(request.queried("catalog_name"), request.queried("schema_name"));
        sight.require(request.caller(), schema);
        var seen = sight.list(request.caller(), schema, SecurableType.FUNCTION);
        return Page.of(request, "functions", seen, Request::key, this::shape);
    }

    private Object delete(Request request) {
        catalog.policies().dropFunction(request.caller(), named(request).securable().name());
        return Api.EMPTY;
    }

    private ObjectNode shape(SecurableInfo info) {
        var function = catalog.policies().function(info.securable().name()).orElseThrow();
        var node =
                Shapes.base(info)
                        .put("catalog_name", Shapes.part(info, 0))
                        .put("schema_name", Shapes.part(info, 1))
                        .put("full_name", info.securable().name())
                        .put("function_id", info.id().toString())
                        .put("data_type", ColumnJson.typeName(function.returns()))
                        .put(
                                "full_data_type",
                                ColumnJson.text(function.returns()).toUpperCase(Locale.ROOT))
                        .put("routine_body", "SQL")
                        .put("routine_definition", function.body())
                        .put("parameter_style", "S")
                        .put("is_deterministic", true)
                        .put("sql_data_access", "CONTAINS_SQL")
                        .put("is_null_call", true)
                        .put("security_type", "DEFINER")
                        .put("specific_name", Shapes.part(info, 2));
        parameters(node, function);
        return node;
    }

    private static void parameters(ObjectNode node, PolicyFunction function) {
        var array = node.putObject("input_params").putArray("parameters");
        for (var position = 0; position < function.parameters().size(); position++) {
            array.add(
                    ColumnJson.info(function.parameters().get(position), position)
                            .put("parameter_mode", "IN")
                            .put("parameter_type", "PARAM"));
        }
    }
}
