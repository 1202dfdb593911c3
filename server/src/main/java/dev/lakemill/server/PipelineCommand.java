package dev.lakemill.server;

import dev.lakemill.pipeline.CompilerProcess;
import dev.lakemill.pipeline.PipelineOutputs;
import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.PlanJson;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.PrintWriter;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Looks at a project's pipelines without running them. */
@Command(
        name = "pipeline",
        mixinStandardHelpOptions = true,
        description = "Checks and shows a project's pipelines.",
        synopsisSubcommandLabel = "COMMAND")
final class PipelineCommand {
    @Spec private CommandSpec spec;

    @Command(
            name = "validate",
            mixinStandardHelpOptions = true,
            description = "Compiles every pipeline and shows each mistake with its place.")
    int validate(
            @Option(names = "--project", paramLabel = "DIR", defaultValue = ".") Path project) {
        var config = config(project);
        var out = spec.commandLine().getOut();
        var err = spec.commandLine().getErr();
        var exitCode = 0;
        for (var entry : config.pipelines()) {
            switch (compile(config, entry)) {
                case Compilation.Compiled(PipelinePlan plan) -> {
                    PipelineOutputs.of(plan);
                    out.printf(
                            "pipeline %s: %d datasets, %d synced tables, all well%n",
                            plan.name(), plan.datasets().size(), plan.syncedTables().size());
                }
                case Compilation.Rejected rejected -> {
                    print(config, entry, rejected, err);
                    exitCode = 1;
                }
            }
        }
        out.flush();
        err.flush();
        return exitCode;
    }

    @Command(
            name = "plan",
            mixinStandardHelpOptions = true,
            description = "Prints each pipeline's plan: what it reads, what it writes, its types.")
    int plan(
            @Option(names = "--project", paramLabel = "DIR", defaultValue = ".") Path project,
            @Option(names = "--json", description = "the whole plan as JSON") boolean json) {
        var config = config(project);
        var out = spec.commandLine().getOut();
        for (var entry : config.pipelines()) {
            var plan = compile(config, entry).orThrow();
            if (json) {
                out.println(PlanJson.write(plan));
            } else {
                print(plan, out);
            }
        }
        out.flush();
        return 0;
    }

    private static void print(PipelinePlan plan, PrintWriter out) {
        out.println("pipeline " + plan.name());
        for (var output : PipelineOutputs.of(plan)) {
            out.printf("  %-44s %s%n", output.name(), output.kind());
            for (var column : output.schema().columns()) {
                out.printf(
                        "      %-32s %s%s%n",
                        column.name(), column.type().sql(), column.nullable() ? "" : " NOT NULL");
            }
        }
        for (var synced : plan.syncedTables()) {
            out.printf(
                    "  %-44s SYNCED from %s, key %s%n",
                    synced.name(), synced.source(), synced.primaryKey());
        }
    }

    private static void print(
            Config config,
            Config.PipelineEntry entry,
            Compilation.Rejected rejected,
            PrintWriter err) {
        var texts = PipelineTexts.read(config, entry);
        for (var error : rejected.errors()) {
            err.println(error);
            texts.stream()
                    .filter(text -> text.path().equals(error.position().file()))
                    .findFirst()
                    .ifPresent(text -> err.println(error.caret(text).indent(4).stripTrailing()));
        }
    }

    private static Config config(Path project) {
        var config = Config.load(project, System.getenv());
        if (config.pipelines().isEmpty()) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "the project %s has no pipeline".formatted(config.folder()),
                    "list it in %s under 'pipelines', or name the project with --project"
                            .formatted(Config.FILE));
        }
        return config;
    }

    private static Compilation compile(Config config, Config.PipelineEntry entry) {
        return CompilerProcess.compile(
                entry.name(),
                PipelineTexts.read(config, entry),
                config.data().resolve("pipelines/plans"));
    }
}
