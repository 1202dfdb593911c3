package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.lakemill.agents.gateway.Gateway;
import dev.lakemill.agents.gateway.GatewayConfig;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * The section {@code models} of lakemill.yml: a folder of models to register, and the endpoints of
 * the model gateway. Where it is a text, it is the folder.
 */
final class ModelSection {
    private static final String KEY = "models";
    private static final ObjectMapper JSON = new ObjectMapper();

    private ModelSection() {}

    /** The file's keys with the folder alone in the section. */
    static Map<String, Object> folderAlone(Map<String, Object> tree) {
        if (!(tree.get(KEY) instanceof Map<?, ?> section)) {
            return tree;
        }
        var changed = new LinkedHashMap<>(tree);
        if (section.get("folder") instanceof String folder) {
            changed.put(KEY, folder);
        } else {
            changed.remove(KEY);
        }
        return changed;
    }

    /** The gateway of a project. */
    static Gateway open(Config config, Catalog catalog, DataSource database) {
        var section = read(config.folder().resolve(Config.FILE));
        var endpoints =
                GatewayConfig.read(
                        section, config.folder(), config.data().resolve("secrets"), System::getenv);
        return Gateway.open(endpoints, catalog, database, Clock.systemUTC());
    }

    private static JsonNode read(Path file) {
        if (!Files.exists(file)) {
            return MissingNode.getInstance();
        }
        try (var reader = Files.newBufferedReader(file)) {
            Object tree = new Yaml(new SafeConstructor(new LoaderOptions())).load(reader);
            return JSON.<JsonNode>valueToTree(tree).path(KEY);
        } catch (IOException | YAMLException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "cannot read the models of " + file,
                    "write YAML that can be read",
                    e);
        }
    }

    /** What is measured of it. */
    static void measure(Gateway gateway, Metrics metrics) {
        metrics.counter("lakemill_model_calls", "calls of models", () -> gateway.totals().calls());
        metrics.counter(
                "lakemill_model_calls_failed",
                "of them without a whole answer, refused ones among them",
                () -> gateway.totals().failed());
        metrics.counter(
                "lakemill_model_calls_by_template",
                "of them answered by a template",
                () -> gateway.totals().templates());
        metrics.counter(
                "lakemill_model_input_tokens",
                "read by models",
                () -> gateway.totals().inputTokens());
        metrics.counter(
                "lakemill_model_output_tokens",
                "written by models",
                () -> gateway.totals().outputTokens());
        metrics.counter(
                "lakemill_model_cost_usd",
                "by the prices of lakemill.yml",
                () -> gateway.totals().costUsd());
        metrics.gauge("lakemill_model_calls_running", "now", () -> gateway.totals().running());
        metrics.gauge(
                "lakemill_model_providers_resting",
                "providers that failed and are left alone for a while",
                () -> gateway.totals().resting());
    }
}
