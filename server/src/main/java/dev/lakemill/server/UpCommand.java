package dev.lakemill.server;

import dev.lakemill.types.TableName;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
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
        var stop = stopSignal();
        var node = Node.start(config);
        try (node) {
            out.printf("lakemill %s is up after %.1f s%n", Version.NUMBER, seconds(startedNanos));
            node.banner().forEach(line -> out.println("  " + line));
            out.flush();
            stop.await();
            out.println("draining");
            out.flush();
        }
        var problem = problem(node.leftInLog(), node.unclosed());
        out.println(problem.orElse("stopped; everything acknowledged is in Delta"));
        out.flush();
        ClassArchive.keep();
        return problem.isEmpty() ? 0 : 1;
    }

    /**
     * Counted down when the node is to end. Not by a hook of the JVM's end: those of libraries
     * would run beside it, and ONNX's takes the models away while batches still score. The compiler
     * warns of every use of the JDK's class for signals, so it is used by its name.
     */
    private static CountDownLatch stopSignal() {
        var stop = new CountDownLatch(1);
        try {
            var signal = Class.forName("sun.misc.Signal");
            var handler = Class.forName("sun.misc.SignalHandler");
            InvocationHandler stops =
                    (_, _, _) -> {
                        stop.countDown();
                        return null;
                    };
            var proxy = Proxy.newProxyInstance(null, new Class<?>[] {handler}, stops);
            for (var name : List.of("TERM", "INT", "HUP")) {
                var named = signal.getConstructor(String.class).newInstance(name);
                signal.getMethod("handle", signal, handler).invoke(null, named, proxy);
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JVM has no signals", e);
        }
        return stop;
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
}
