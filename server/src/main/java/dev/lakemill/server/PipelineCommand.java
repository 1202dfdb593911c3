package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.pipeline.PipelineOutputs;
import dev.lakemill.pipeline.WarmCompiler;
import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.PlanJson;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Begins, checks, shows and runs a project's pipelines. */
@Command(
        name = "pipeline",
        mixinStandardHelpOptions = true,
        description = "Begins, checks, shows and runs a project's pipelines.",
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "While the node runs, a changed file is checked and put in place within seconds;",
            "'refresh' does it now and tells what came of it."
        })
final class PipelineCommand {
    private static final String FIRST =
            """
            -- Rows come in by gRPC or REST.
            CREATE TABLE main.bronze.events (
              id STRING NOT NULL, kind STRING, amount DOUBLE, at TIMESTAMP);

            -- Each row once; a bad one is set aside in main.silver.events_quarantine.
            CREATE OR REFRESH STREAMING TABLE main.silver.events (
              CONSTRAINT once EXPECT UNIQUE (id) ON VIOLATION DROP ROW,
              CONSTRAINT sensible EXPECT (amount >= 0) ON VIOLATION QUARANTINE)
            AS SELECT * FROM STREAM(main.bronze.events);

            -- Always equal to its query.
            CREATE OR REFRESH MATERIALIZED VIEW main.gold.by_kind
            AS SELECT kind, count(*) AS events, sum(amount) AS amount
               FROM main.silver.events WHERE kind IS NOT NULL GROUP BY kind;

            -- A read-only copy in Postgres, at serving.by_kind.
            CREATE SYNCED TABLE main.serving.by_kind FROM main.gold.by_kind PRIMARY KEY (kind);
            """;

    @Spec private CommandSpec spec;

    @Command(
            name = "init",
            mixinStandardHelpOptions = true,
            description = "Makes a project with one small pipeline.")
    int init(
            @Option(names = "--project", paramLabel = "DIR", defaultValue = ".") Path project,
            @Parameters(paramLabel = "NAME", defaultValue = "main") String name) {
        var folder = project.resolve("pipelines").resolve(name);
        var settings = project.resolve(Config.FILE);
        try {
            if (Files.exists(settings) || Files.exists(folder)) {
                throw new LakemillException(
                        ErrorCode.ALREADY_EXISTS,
                        "there is a project in " + project.toAbsolutePath().normalize(),
                        "name a pipeline's folder in its %s yourself".formatted(Config.FILE));
            }
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("01_first.sql"), FIRST);
            Files.writeString(
                    settings,
                    "pipelines:\n  - name: %1$s\n    folder: pipelines/%1$s\n".formatted(name));
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "cannot write in " + project,
                    "check its permissions",
                    e);
        }
        var out = spec.commandLine().getOut();
        out.printf("made %s and %s%n", settings, folder.resolve("01_first.sql"));
        out.println("next: ./lakemill pipeline validate, then ./lakemill up");
        out.flush();
        return 0;
    }

    @Command(
            name = "validate",
            mixinStandardHelpOptions = true,
            description = "Compiles every pipeline and shows each mistake with its place.")
    int validate(@Mixin PipelineProject project) {
        var config = project.config();
        var out = spec.commandLine().getOut();
        var err = spec.commandLine().getErr();
        var exitCode = 0;
        for (var one : compiled(config).entrySet()) {
            switch (one.getValue()) {
                case Compilation.Compiled(PipelinePlan plan) -> {
                    PipelineOutputs.of(plan);
                    out.printf(
                            "pipeline %s: %d datasets, %d synced tables, all well%n",
                            plan.name(), plan.datasets().size(), plan.syncedTables().size());
                }
                case Compilation.Rejected rejected -> {
                    print(config, one.getKey(), rejected, err);
                    exitCode = 1;
                }
                case Compilation.FilesUnknown unknown -> unknown.orThrow();
            }
        }
        out.flush();
        err.flush();
        return exitCode;
    }

    @Command(
            name = "plan",
            mixinStandardHelpOptions = true,
            description = {
                "Prints each pipeline's plan: what reads what, every table's columns with their",
                "types and where they come from, how each view is kept, and why so."
            })
    int plan(
            @Mixin PipelineProject project,
            @Option(names = "--json", description = "the whole plan as JSON") boolean json,
            @Option(names = "--sql", description = "the text that is compiled, jars' included")
                    boolean sql) {
        var config = project.config();
        var out = spec.commandLine().getOut();
        if (sql) {
            config.pipelines().stream()
                    .flatMap(entry -> PipelineTexts.read(config, entry).files().stream())
                    .forEach(f -> out.printf("-- %s%n%s%n", f.path(), f.text().strip()));
            out.flush();
            return 0;
        }
        for (var one : compiled(config).entrySet()) {
            var compilation = one.getValue();
            if (compilation instanceof Compilation.Rejected rejected) {
                print(config, one.getKey(), rejected, spec.commandLine().getErr());
                return 1;
            }
            if (json) {
                out.println(PlanJson.write(compilation.orThrow()));
            } else {
                PlanReport.print(compilation.orThrow(), out);
            }
        }
        out.flush();
        return 0;
    }

    @Command(
            name = "run",
            mixinStandardHelpOptions = true,
            description = {
                "Runs the project's pipelines over all that there is, and ends.",
                "While the node runs, they run there already: this puts their newest text in place."
            })
    int run(@Mixin PipelineProject project) throws InterruptedException {
        var config = project.config();
        if (RunFile.isThere(config.data())) {
            project.checkKnown();
            var node = NodeClient.local(RunFile.read(config.data()), config.data());
            config.pipelines().forEach(entry -> refresh(node, entry.name(), false));
            return 0;
        }
        var out = spec.commandLine().getOut();
        var failed = false;
        try (var node = Node.start(config)) {
            for (var host : node.pipelines().hosts()) {
                while (host.error().isEmpty() && !host.isIdle()) {
                    Thread.sleep(50);
                }
                out.printf(
                        "pipeline %s: %s%n",
                        host.name(), host.error().orElse("batch " + host.state().batch()));
                failed |= host.error().isPresent();
            }
        }
        out.flush();
        return failed ? 1 : 0;
    }

    @Command(
            name = "refresh",
            mixinStandardHelpOptions = true,
            description = "Puts the pipeline's newest text in place on the node that runs.")
    int refresh(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "NAME", description = "of the pipeline") String name,
            @Option(
                            names = "--full",
                            description = {
                                "compute all streaming tables from the first row of their",
                                "sources; the old ones can be read until the new ones are there"
                            })
                    boolean full) {
        refresh(target.client(), name, full);
        return 0;
    }

    private void refresh(NodeClient node, String name, boolean full) {
        var answer =
                node.post(
                        "/api/pipelines/%s/refresh".formatted(NodeClient.encoded(name)),
                        Map.of("full", full));
        spec.commandLine().getOut().println(answer.path("message").asText());
        spec.commandLine().getOut().flush();
    }

    @Command(
            name = "status",
            mixinStandardHelpOptions = true,
            description = "Shows how the node's pipelines do.")
    int status(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "NAME", arity = "0..1", description = "one pipeline only")
                    @Nullable String name) {
        var out = spec.commandLine().getOut();
        var exitCode = 0;
        var pipelines = target.client().get("/api/status").path("pipelines");
        requireKnown(name, pipelines);
        for (var pipeline : pipelines) {
            if (name == null || name.equals(pipeline.path("name").asText())) {
                print(pipeline, out);
                exitCode = pipeline.path("error").isNull() ? exitCode : 1;
            }
        }
        out.flush();
        return exitCode;
    }

    private static void requireKnown(@Nullable String name, JsonNode pipelines) {
        var names = new ArrayList<String>();
        pipelines.forEach(pipeline -> names.add(pipeline.path("name").asText()));
        if (name != null && !names.contains(name)) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "the node has no pipeline '%s'".formatted(name),
                    "its pipelines are %s; %s lists them".formatted(names, Config.FILE));
        }
    }

    @Command(
            name = "events",
            mixinStandardHelpOptions = true,
            description = {
                "Shows the newest events of the pipelines, the oldest of them first.",
                "The whole log is the table system.pipelines.event_log."
            })
    int events(
            @Mixin SqlTarget target,
            @Parameters(paramLabel = "NAME", arity = "0..1", description = "one pipeline only")
                    @Nullable String name,
            @Option(names = "--limit", description = "how many (default: 50)", defaultValue = "50")
                    int limit) {
        var ofOne =
                name == null
                        ? ""
                        : " WHERE get_json_object(origin, '$.pipeline_name') = "
                                + new SqlParameters.Parameter("name", name, Primitive.STRING)
                                        .literal();
        var newest =
                "SELECT timestamp, level, event_type, message FROM system.pipelines.event_log%s"
                                .formatted(ofOne)
                        + " ORDER BY timestamp DESC LIMIT "
                        + limit;
        var answer = target.client().run("SELECT * FROM (" + newest + ") ORDER BY timestamp");
        var out = spec.commandLine().getOut();
        answer.rows().forEach(row -> out.println("%s  %-7s %-19s %s".formatted(row.toArray())));
        out.flush();
        return 0;
    }

    private static void print(JsonNode pipeline, PrintWriter out) {
        out.printf(
                "pipeline %s: %s, batch %d took %.0f ms%n",
                pipeline.path("name").asText(),
                pipeline.path("state").asText().toLowerCase(Locale.ROOT),
                pipeline.path("batch").asLong(),
                pipeline.path("batch_ms").asDouble());
        if (!pipeline.path("error").isNull()) {
            out.println("  " + pipeline.path("error").asText());
        }
        var rebuild = pipeline.path("rebuild");
        if (rebuild.isObject()) {
            out.printf(
                    "  computing %s anew: %.0f %%%s%n",
                    rebuild.path("tables"),
                    100 * rebuild.path("done").asDouble(),
                    rebuild.path("left_seconds").isNull()
                            ? ""
                            : ", %.0f s left".formatted(rebuild.path("left_seconds").asDouble()));
        }
        for (var folder : pipeline.path("files")) {
            out.printf(
                    "  %-44s %,12d files read %,6d set aside%n",
                    folder.path("path").asText(),
                    folder.path("files").asLong(),
                    folder.path("bad_files").asLong());
            folder.path("newest_bad").forEach(bad -> out.println("    " + bad.asText()));
        }
        for (var output : pipeline.path("outputs")) {
            out.printf(
                    "  %-44s %,12d in %,12d kept %,10d quarantined %,10d dropped%n",
                    output.path("table").asText(),
                    output.path("in").asLong(),
                    output.path("kept").asLong(),
                    output.path("quarantined").asLong(),
                    output.path("dropped").asLong());
        }
    }

    private static Map<Config.PipelineEntry, Compilation> compiled(Config config) {
        var compilations = new LinkedHashMap<Config.PipelineEntry, Compilation>();
        try (var compiler = new WarmCompiler(Duration.ofMinutes(1))) {
            for (var entry : config.pipelines()) {
                compilations.put(
                        entry,
                        PipelineTexts.compile(
                                compiler,
                                config,
                                entry,
                                ProjectModels.of(config),
                                false,
                                List.of()));
            }
        }
        return compilations;
    }

    private static void print(
            Config config,
            Config.PipelineEntry entry,
            Compilation.Rejected rejected,
            PrintWriter err) {
        var texts = PipelineTexts.read(config, entry).files();
        for (var error : rejected.errors()) {
            err.println(error);
            texts.stream()
                    .filter(text -> text.path().equals(error.position().file()))
                    .findFirst()
                    .ifPresent(text -> err.println(error.caret(text).indent(4).stripTrailing()));
        }
        err.flush();
    }
}
