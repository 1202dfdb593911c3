package dev.lakemill.bench;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs the vertical farm, for people to look at or for a report. */
@Command(
        name = "demo",
        subcommands = RetrainCommand.class,
        mixinStandardHelpOptions = true,
        description = {
            "Runs the vertical farm: the server, four simulated feeds, the pipeline, Postgres and a"
                    + " live page.",
            "Without --seconds it runs until Ctrl-C; with it, it ends by itself with a report, and"
                    + " exits with 0 only if every check holds."
        })
final class DemoCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "0",
            description = "live seconds, then a report (default: until Ctrl-C)")
    private int seconds;

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "2000",
            description = "rows a second over all feeds (default: ${DEFAULT-VALUE})")
    private int rate;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "42",
            description = "of the simulated world (default: ${DEFAULT-VALUE})")
    private long seed;

    @Option(
            names = "--history-hours",
            paramLabel = "N",
            defaultValue = "24",
            description = "of history sent on a first start (default: ${DEFAULT-VALUE})")
    private int historyHours;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description =
                    "where the data is kept (default: .lakemill beside the farm's lakemill.yml)")
    private @Nullable Path data;

    @Option(names = "--fresh", description = "start from an empty data folder")
    private boolean fresh;

    @Option(names = "--json", description = "print the report as one JSON object, and nothing else")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        var err = spec.commandLine().getErr();
        var project = Root.folder().resolve("examples/vertical-farm");
        var folder = data == null ? project.resolve(".lakemill") : data.toAbsolutePath();
        var options = new Demo.Options(project, folder, seconds, rate, seed, historyHours, fresh);
        try (var demo = new Demo(options, err)) {
            var report = demo.run();
            var out = spec.commandLine().getOut();
            if (json) {
                out.println(report.json());
            } else {
                out.println(report.ok() ? "All checks hold." : "SOME CHECKS FAIL:");
                out.print(report.text());
            }
            out.flush();
            return report.ok() ? 0 : 1;
        }
    }
}
