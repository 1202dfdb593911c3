package dev.lakemill.server;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The pipelines that a command is about: all of a project, or the one of a jar. */
final class PipelineProject {
    @Option(
            names = "--project",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "of lakemill.yml and the data (default: this folder)")
    private Path folder = Path.of(".");

    @Parameters(
            paramLabel = "JAR",
            arity = "0..1",
            description = "of annotated classes: this pipeline alone")
    private @Nullable Path jar;

    /**
     * @throws LakemillException NOT_FOUND for a project without pipelines
     */
    Config config() {
        var config = Config.load(folder, System.getenv());
        if (jar != null) {
            return config.only(entry(config, jar));
        }
        if (config.pipelines().isEmpty()) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "the project %s has no pipeline".formatted(config.folder()),
                    "'./lakemill pipeline init' makes one; or list it in %s under 'pipelines', or"
                                    .formatted(Config.FILE)
                            + " name the project with --project");
        }
        return config;
    }

    /**
     * @throws LakemillException FAILED_PRECONDITION for a jar that the project's node does not have
     */
    void checkKnown() {
        if (jar == null) {
            return;
        }
        var config = Config.load(folder, System.getenv());
        var wanted = entry(config, jar);
        var listed =
                listed(config, wanted.name()).stream()
                        .map(entry -> entry.folder().toAbsolutePath().normalize())
                        .anyMatch(
                                path ->
                                        path.equals(wanted.folder())
                                                || path.equals(wanted.folder().getParent()));
        if (!listed) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the node that runs has no pipeline '%s' of %s"
                            .formatted(wanted.name(), wanted.folder()),
                    "list it in %s, '- name: %s' and 'folder: %s', and start the node again"
                            .formatted(Config.FILE, wanted.name(), jar));
        }
    }

    private static Config.PipelineEntry entry(Config config, Path jar) {
        var path = jar.toAbsolutePath().normalize();
        var given = PipelineJars.of(config.data(), path).name();
        var name = given.isEmpty() ? path.getFileName().toString().replace(".jar", "") : given;
        return listed(config, name).stream()
                .findFirst()
                .map(e -> new Config.PipelineEntry(name, path, e.owner(), e.configuration()))
                .orElse(new Config.PipelineEntry(name, path, "", Map.of()));
    }

    private static List<Config.PipelineEntry> listed(Config config, String name) {
        return config.pipelines().stream().filter(entry -> entry.name().equals(name)).toList();
    }
}
