package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Registered models, from the command line: by MLflow's registry protocol, as MLflow does it. */
@Command(
        name = "model",
        mixinStandardHelpOptions = true,
        description = {
            "Registers, lists, names and scores models.",
            "A model is a folder as MLflow saves it: a file MLmodel with an onnx flavor and a",
            "signature, and the ONNX file that it names."
        },
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nFrom a folder to a score in a pipeline:%n",
        footer = {
            "  ./lakemill model register main.ml.rank ./rank --alias champion",
            "  ./lakemill model score main.ml.rank@champion 4.80 36 0.95",
            "  ./lakemill grant EXECUTE ON REGISTERED MODEL main.ml.rank TO pipeline_owner",
            "and in a pipeline's text:",
            "  SELECT predict('main.ml.rank@champion', price, lead_time, reliability) AS score",
            "",
            "Moving the alias rolls the pipelines that name it forward, without a restart:",
            "  ./lakemill model alias main.ml.rank champion 2"
        })
final class ModelCommand {
    private static final String API = "/api/2.1/unity-catalog/models";

    @Spec private CommandSpec spec;

    @Command(
            name = "register",
            mixinStandardHelpOptions = true,
            description = {
                "Makes a new version of a model from a folder, and the model where it is new.",
                "The node scores made-up rows with it first: what cannot be scored is refused.",
                "The node must be on this machine, and yours: files are copied into its folder."
            })
    int register(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "NAME", description = "catalog.schema.model") String name,
            @Parameters(paramLabel = "FOLDER", description = "with a file MLmodel") Path folder,
            @Option(
                            names = "--alias",
                            paramLabel = "ALIAS",
                            description = "that stands for this version from then on")
                    @Nullable String alias,
            @Option(names = "--comment", paramLabel = "TEXT", defaultValue = "") String comment)
            throws IOException {
        var client = target.client();
        var parts = parts(name);
        var files = ModelFolder.files(folder);
        makeModel(client, parts);
        var wanted = new HashMap<String, Object>();
        wanted.put("catalog_name", parts.get(0));
        wanted.put("schema_name", parts.get(1));
        wanted.put("model_name", parts.get(2));
        wanted.put("source", folder.toAbsolutePath().normalize().toString());
        wanted.put("comment", comment);
        var made = client.post(API + "/versions", wanted);
        var version = made.path("version").asInt();
        ModelFolder.copy(folder, files, location(made));
        client.patch(
                "%s/%s/versions/%d/finalize".formatted(API, name, version),
                Map.of("full_name", name, "version", version));
        if (alias != null) {
            setAlias(client, name, alias, version);
        }
        say(
                "registered %s, version %d%s"
                        .formatted(name, version, alias == null ? "" : ", as " + alias));
        return 0;
    }

    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "Lists the models that you may see, or the versions of one.")
    int list(
            @Mixin NodeClient.Target target,
            @Parameters(arity = "0..1", paramLabel = "NAME", description = "catalog.schema.model")
                    @Nullable String name) {
        var client = target.client();
        if (name == null) {
            for (var model : client.get(API).path("registered_models")) {
                say(
                        "%-48s %s"
                                .formatted(
                                        model.path("full_name").asText(),
                                        model.path("comment").asText("")));
            }
            return 0;
        }
        parts(name);
        for (var version : client.get(API + "/" + name + "/versions").path("model_versions")) {
            var aliases = new ArrayList<String>();
            version.path("aliases").forEach(a -> aliases.add(a.path("alias_name").asText()));
            say(
                    "%5d  %-22s %-24s %s"
                            .formatted(
                                    version.path("version").asInt(),
                                    version.path("status").asText(),
                                    String.join(", ", aliases),
                                    version.path("source").asText("")));
        }
        return 0;
    }

    @Command(
            name = "alias",
            mixinStandardHelpOptions = true,
            description = {
                "Makes an alias stand for a version, and for no other any more.",
                "Pipelines that name the alias are compiled anew and go on with that version:",
                "their views are scored anew, their streaming tables from the next row on."
            })
    int alias(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "NAME", description = "catalog.schema.model") String name,
            @Parameters(paramLabel = "ALIAS", description = "for example champion") String alias,
            @Parameters(paramLabel = "VERSION", description = "its number") int version) {
        parts(name);
        setAlias(target.client(), name, alias, version);
        say("%s@%s is version %d".formatted(name, alias, version));
        return 0;
    }

    @Command(
            name = "score",
            mixinStandardHelpOptions = true,
            description = "Scores one row: ./lakemill model score main.ml.rank@champion 4.80 36")
    int score(
            @Mixin NodeClient.Target target,
            @Parameters(
                            index = "0",
                            paramLabel = "MODEL",
                            description = "catalog.schema.model@alias, or …/version")
                    String model,
            @Parameters(
                            index = "1..*",
                            arity = "1..*",
                            paramLabel = "FEATURE",
                            description = "numbers, in the order of the signature")
                    List<BigDecimal> features) {
        var at = Math.max(model.indexOf('@'), model.indexOf('/'));
        if (at < 0) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' names no version".formatted(model),
                    "write %s@champion, or %s/1".formatted(model, model));
        }
        var name = model.substring(0, at);
        parts(name);
        var kind = model.charAt(at) == '@' ? "aliases" : "versions";
        var path = "%s/%s/%s/%s/invocations".formatted(API, name, kind, model.substring(at + 1));
        var rows = Map.of("dataframe_split", Map.of("data", List.of(features)));
        var answer = target.client().post(path, rows);
        say(
                "%s (version %d)"
                        .formatted(
                                answer.path("predictions").path(0).asText(),
                                answer.path("model_version").asInt()));
        return 0;
    }

    private static void makeModel(NodeClient client, List<String> parts) {
        try {
            client.get(API + "/" + String.join(".", parts));
        } catch (LakemillException e) {
            if (e.code() != ErrorCode.NOT_FOUND) {
                throw e;
            }
            client.post(
                    API,
                    Map.of(
                            "catalog_name", parts.get(0),
                            "schema_name", parts.get(1),
                            "name", parts.get(2)));
        }
    }

    private static void setAlias(NodeClient client, String name, String alias, int version) {
        client.put(
                "%s/%s/aliases/%s".formatted(API, name, NodeClient.encoded(alias)),
                Map.of("version_num", version));
    }

    private static Path location(JsonNode version) {
        var location = version.path("storage_location").asText();
        if (!location.startsWith("file:")) {
            throw new LakemillException(
                    ErrorCode.UNIMPLEMENTED,
                    "the node keeps models at " + location,
                    "register with MLflow's client, which writes there");
        }
        return Path.of(URI.create(location));
    }

    private static List<String> parts(String name) {
        var parts = List.of(name.split("\\.", -1));
        if (parts.size() != 3) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is not a model's name".formatted(name),
                    "write catalog.schema.model");
        }
        return parts;
    }

    private void say(String line) {
        spec.commandLine().getOut().println(line);
        spec.commandLine().getOut().flush();
    }
}
