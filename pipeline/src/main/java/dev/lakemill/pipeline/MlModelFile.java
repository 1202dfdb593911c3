package dev.lakemill.pipeline;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * The file {@code MLmodel} of a model's folder, as MLflow writes it: the file of its ONNX flavor,
 * and its signature, by columns or as one tensor of a fixed number of columns.
 *
 * @param onnx the file of the graph
 * @param output the type of the output; empty where the signature does not say
 */
record MlModelFile(Path onnx, List<Column> features, Optional<DataType> output) {
    static final String NAME = "MLmodel";

    private static final int BYTES_MAX = 1 << 20;
    private static final int FEATURES_MAX = 1_000;
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * @throws LakemillException INVALID_ARGUMENT for a folder that is not an ONNX model with a
     *     signature; FAILED_PRECONDITION for a model of other flavors alone
     */
    static MlModelFile read(Path folder) {
        var file = folder.resolve(NAME);
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > BYTES_MAX) {
                throw bad(folder, "has no file %s of at most 1 MiB".formatted(NAME), null);
            }
            var yaml = new Yaml(new SafeConstructor(new LoaderOptions()));
            if (!(yaml.load(Files.readString(file)) instanceof Map<?, ?> root)) {
                throw bad(folder, NAME + " is not a map", null);
            }
            return new MlModelFile(onnx(folder, root), features(folder, root), output(root));
        } catch (YAMLException | IOException | IllegalArgumentException e) {
            throw bad(folder, "%s cannot be read: %s".formatted(NAME, e.getMessage()), e);
        }
    }

    private static Path onnx(Path folder, Map<?, ?> root) {
        var flavors = map(root.get("flavors"));
        if (!flavors.containsKey("onnx")) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the model has the flavors %s, and not onnx".formatted(flavors.keySet()),
                    "log it with mlflow.onnx.log_model, so that it can be scored here");
        }
        var data = map(flavors.get("onnx")).get("data");
        var file = folder.resolve(data instanceof String name ? name : "model.onnx").normalize();
        if (!file.startsWith(folder.normalize()) || !Files.isRegularFile(file)) {
            throw bad(folder, "has no file '%s', its onnx flavor's data".formatted(data), null);
        }
        return file;
    }

    private static List<Column> features(Path folder, Map<?, ?> root) throws IOException {
        var inputs = signature(root, "inputs");
        if (inputs.isEmpty()) {
            throw bad(folder, NAME + " has no signature of inputs", null);
        }
        var features = new ArrayList<Column>();
        for (var input : inputs.get()) {
            features.addAll(columns(input, features.size() + 1));
        }
        if (features.isEmpty() || features.size() > FEATURES_MAX) {
            throw new IllegalArgumentException(
                    "%d features, not 1 to %d".formatted(features.size(), FEATURES_MAX));
        }
        return features;
    }

    private static Optional<DataType> output(Map<?, ?> root) throws IOException {
        return signature(root, "outputs")
                .filter(outputs -> outputs.size() > 0)
                .map(outputs -> type(typeName(outputs.get(0))));
    }

    /** In MLmodel the two sides of the signature are JSON within the YAML. */
    private static Optional<JsonNode> signature(Map<?, ?> root, String side) throws IOException {
        if (!(map(root.get("signature")).get(side) instanceof String text)) {
            return Optional.empty();
        }
        try {
            return Optional.of(JSON.readTree(text));
        } catch (JsonProcessingException e) {
            throw new IOException("signature." + side + " is not JSON", e);
        }
    }

    private static List<Column> columns(JsonNode input, int number) {
        var name = input.path("name").asText("");
        var type = type(typeName(input));
        var optional = !input.path("required").asBoolean(true);
        var tensor = input.path("tensor-spec");
        if (tensor.isMissingNode()) {
            return List.of(new Column(name.isEmpty() ? "f" + number : name, type, optional, ""));
        }
        var shape = tensor.path("shape");
        var width = shape.size() == 2 ? shape.get(1).asInt() : shape.size() == 1 ? 1 : -1;
        if (width < 1 || width > FEATURES_MAX) {
            throw new IllegalArgumentException(
                    "a tensor of shape %s; [-1] and [-1, columns] are scored".formatted(shape));
        }
        return IntStream.range(0, width)
                .mapToObj(i -> name.isEmpty() || width > 1 ? name + "f" + (number + i) : name)
                .map(n -> new Column(n, type, false, ""))
                .toList();
    }

    private static String typeName(JsonNode side) {
        return side.path("tensor-spec").path("dtype").asText(side.path("type").asText(""));
    }

    private static DataType type(String name) {
        return switch (name) {
            case "double", "float", "float32", "float64" -> Primitive.DOUBLE;
            case "integer", "long", "int32", "int64" -> Primitive.LONG;
            case "boolean", "bool" -> Primitive.BOOLEAN;
            default ->
                    throw new IllegalArgumentException(
                            "the signature's type '%s' is not scored; numbers and booleans are"
                                    .formatted(name));
        };
    }

    private static Map<?, ?> map(@Nullable Object value) {
        return value instanceof Map<?, ?> map ? map : Map.of();
    }

    private static LakemillException bad(Path folder, String what, @Nullable Exception cause) {
        var problem = "the model in %s: %s".formatted(folder, what);
        var hint = "save it with mlflow.onnx.save_model and a signature";
        return cause == null
                ? new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint)
                : new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint, cause);
    }
}
