package dev.lakemill.server;

import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs a node in the foreground until SIGTERM or Ctrl-C. */
@Command(
        name = "up",
        mixinStandardHelpOptions = true,
        description = {
            "Runs everything of a project in this process: ingest, pipelines, Postgres, pages.",
            "SIGTERM or Ctrl-C drains: what was acknowledged is committed before it ends."
        })
final class UpCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Option(
            names = "--project",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "folder with lakemill.yml (default: the current one)")
    private Path project;

    @Override
    public Integer call() throws InterruptedException {
        var out = spec.commandLine().getOut();
        var startedNanos = System.nanoTime();
        var config = Config.load(project, System.getenv());
        var stop = new CountDownLatch(1);
        var ended = new CountDownLatch(1);
        var hook = new Thread(() -> drain(stop, ended), "drain");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            var node = Node.start(config);
            try (node) {
                out.printf(
                        "lakemill %s is up after %.1f s%n", Version.NUMBER, seconds(startedNanos));
                node.banner().forEach(line -> out.println("  " + line));
                out.flush();
                stop.await();
                out.println("draining");
                out.flush();
            }
            var problem = problem(node.leftInLog(), node.unclosed());
            out.println(problem.orElse("stopped; everything acknowledged is in Delta"));
            out.flush();
            Runtime.getRuntime().halt(problem.isEmpty() ? 0 : 1);
        } finally {
            ended.countDown();
        }
        return 0;
    }

    /** Why not everything that was acknowledged is in Delta; empty when it is. */
    static Optional<String> problem(List<TableName> leftInLog, List<String> unclosed) {
        if (!leftInLog.isEmpty()) {
            return Optional.of(
                    "stopped; rows of %s stay in the log, since Delta did not take them in time;"
                                    .formatted(leftInLog)
                            + " the next start commits them");
        }
        return unclosed.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "stopped; %s did not close, the log above says why; the next start goes on"
                                .formatted(unclosed));
    }

    private static double seconds(long sinceNanos) {
        return (System.nanoTime() - sinceNanos) / 1e9;
    }

    /** Runs in the shutdown hook: wakes the main thread and lets it close the node. */
    private static void drain(CountDownLatch stop, CountDownLatch ended) {
        stop.countDown();
        try {
            ended.await();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
