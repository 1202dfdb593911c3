package dev.lakemill.server.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.Yaml;

/** openapi.yaml, asked whether an answer is one that it promises. */
final class OpenApi {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JsonSchemaFactory SCHEMAS =
            JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);

    private final JsonNode root;
    private final Map<String, JsonSchema> schemas = new ConcurrentHashMap<>();

    OpenApi() {
        try (var stream = OpenApi.class.getResourceAsStream("openapi.yaml")) {
            Object tree = new Yaml().load(stream);
            root = JSON.valueToTree(tree);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    JsonNode root() {
        return root;
    }

    /** {@code GET /path/{name}} and so on. */
    Set<String> operations() {
        var operations = new TreeSet<String>();
        for (var path : root.path("paths").properties()) {
            for (var method : path.getValue().properties()) {
                if (!method.getKey().equals("parameters")) {
                    operations.add(method.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey());
                }
            }
        }
        return operations;
    }

    /** What is wrong with an answer; empty when it is as promised. */
    String faults(String method, String path, int status, String body) {
        var template = template(method, path);
        if (template.isEmpty()) {
            return "no path of openapi.yaml fits";
        }
        var pointer =
                "/paths/"
                        + template.get().replace("~", "~0").replace("/", "~1")
                        + "/"
                        + method.toLowerCase(Locale.ROOT)
                        + "/responses/";
        pointer += root.at(pointer + status).isMissingNode() ? "default" : status;
        var response = root.at(pointer);
        while (response.has("$ref")) {
            pointer = response.path("$ref").asText().substring(1);
            response = root.at(pointer);
        }
        if (response.isMissingNode()) {
            return "openapi.yaml does not promise status " + status;
        }
        var content = response.path("content");
        if (!content.has("application/json")) {
            return content.isEmpty() && !body.isEmpty() ? "there is a body" : "";
        }
        return check(pointer + "/content/application~1json/schema", body);
    }

    private String check(String pointer, String body) {
        try {
            var schema = schemas.computeIfAbsent(pointer, this::schema);
            var faults = schema.validate(JSON.readTree(body));
            return faults.isEmpty() ? "" : faults.toString();
        } catch (JsonProcessingException e) {
            return "the body is not JSON: " + e.getMessage();
        }
    }

    private JsonSchema schema(String pointer) {
        var schema = JSON.createObjectNode();
        schema.set("paths", root.path("paths"));
        schema.set("components", root.path("components"));
        schema.put("$ref", "#" + pointer.replace("{", "%7B").replace("}", "%7D"));
        return SCHEMAS.getSchema(schema);
    }

    private Optional<String> template(String method, String path) {
        return root.path("paths").properties().stream()
                .filter(e -> e.getValue().has(method.toLowerCase(Locale.ROOT)))
                .map(Map.Entry::getKey)
                .filter(
                        template ->
                                Pattern.matches(template.replaceAll("\\{[^}]+}", "[^/]+"), path))
                .findFirst();
    }
}
