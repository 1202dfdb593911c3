package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/** A project's lakemill.yml for commands that take a list of it, as JSON. */
final class ProjectYaml {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ProjectYaml() {}

    /**
     * All that stands in the file; an empty object where there is none.
     *
     * @param wrong what is thrown for text that is no YAML, of what is wrong with it
     */
    static JsonNode read(Path file, Function<String, LakemillException> wrong) {
        if (!Files.exists(file)) {
            return JSON.createObjectNode();
        }
        try (var reader = Files.newBufferedReader(file)) {
            Object tree = new Yaml(new SafeConstructor(new LoaderOptions())).load(reader);
            return JSON.valueToTree(tree);
        } catch (YAMLException e) {
            throw wrong.apply(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE, "cannot read " + file, "check its permissions", e);
        }
    }
}
