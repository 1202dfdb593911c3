package dev.lakemill.server.apps;

import dev.lakemill.types.LakemillException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A version of an app that runs, and the one thread that starts it, watches it and starts it again.
 *
 * <p>Its processes are one session. They end with this one, however it ends: the first of them dies
 * with the thread that started it, and a second one reads a pipe whose other end is here, and kills
 * the group when that closes. An app that ends is started again after a pause that doubles; after
 * {@value #CRASHES_MAX} times without a steady minute between, it stays down.
 */
final class AppProcess implements AutoCloseable {
    enum State {
        STARTING,
        RUNNING,
        WAITING,
        CRASHED,
        STOPPED
    }

    /**
     * @param environment for a port
     * @param once whether a first start that fails is final, as in a deployment
     */
    record Setup(
            AppManifest manifest,
            AppUser user,
            Path folder,
            Path home,
            AppLog log,
            IntFunction<Map<String, String>> environment,
            boolean once) {}

    static final int CRASHES_MAX = 5;
    static final Duration DRAIN_MAX = Duration.ofSeconds(15);

    private static final String PORT = "$DATABRICKS_APP_PORT";
    private static final long PAUSE_MILLIS_MIN = 250;
    private static final long PAUSE_MILLIS_MAX = 30_000;
    private static final long STEADY_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long WATCHED_EVERY_MS = 1_000;
    private static final int HEALTH_EVERY_LOOKS = 10;
    private static final int SICK_MAX = 3;
    private static final Duration HEALTH_MAX = Duration.ofSeconds(5);

    /** Passes TERM on to no one (the group gets it), and outlives it until the app is gone. */
    private static final String SCRIPT =
            """
            exec 3<&0 </dev/null
            ( trap '' TERM INT HUP; cat <&3; kill -KILL 0 ) >/dev/null 2>&1 &
            trap : TERM
            "$@" 3<&- &
            app=$!
            while :; do wait $app; code=$?; kill -0 $app 2>/dev/null || break; done
            exit $code
            """;

    private final Setup setup;

    /** Tells its processes from those of another version of the same app. */
    private final String run = UUID.randomUUID().toString();

    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final CountDownLatch stop = new CountDownLatch(1);
    private final AtomicInteger restarts = new AtomicInteger();
    private final Thread supervisor;
    private final HttpClient http =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(HEALTH_MAX)
                    .build();
    private volatile State state = State.STARTING;
    private volatile String message = "starting";
    private volatile int port;
    private volatile long residentBytes;
    private volatile @Nullable Process process;

    private AppProcess(Setup setup, String name) {
        this.setup = setup;
        this.supervisor =
                Thread.ofPlatform().daemon().name("app-" + name).unstarted(this::supervise);
    }

    static AppProcess start(Setup setup, String name) {
        var started = new AppProcess(setup, name);
        started.supervisor.start();
        return started;
    }

    State state() {
        var now = state;
        return now == State.RUNNING && pid() == 0 ? State.WAITING : now;
    }

    /** Why it is in its state. */
    String message() {
        return message;
    }

    /** How often it was started again because it had ended. */
    int restarts() {
        return restarts.get();
    }

    /** Of all its processes together, a second ago; 0 when there are none. */
    long residentBytes() {
        return residentBytes;
    }

    /** Where it listens, while it is RUNNING. */
    int port() {
        return port;
    }

    /** Of the first process; 0 when there is none. */
    long pid() {
        var current = process;
        return current != null && current.isAlive() ? current.pid() : 0;
    }

    /** Waits until it can work. FAILED_PRECONDITION with its last words when it cannot. */
    void awaitReady() {
        try {
            ready.join();
        } catch (java.util.concurrent.CompletionException e) {
            throw e.getCause() instanceof LakemillException known ? known : e;
        }
    }

    /** TERM to all of it, {@link #DRAIN_MAX} for what it has begun, then KILL. */
    @Override
    public void close() {
        Process current;
        synchronized (this) {
            stop.countDown();
            current = process;
        }
        if (current != null && current.isAlive()) {
            AppProcesses.signal(current.pid(), "TERM");
            if (!ended(current, DRAIN_MAX)) {
                setup.log().system("did not end in %d s: killed".formatted(DRAIN_MAX.toSeconds()));
            }
            end(current);
        }
        try {
            supervisor.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean ended(Process process, Duration max) {
        try {
            return process.waitFor(max.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private void end(Process of) {
        AppProcesses.signal(of.pid(), "KILL");
        try {
            of.getOutputStream().close();
        } catch (IOException _) {
            // Its reader is gone, as it should be.
        }
        AppProcesses.killAll(AppProcesses.RUN_MARK, run);
    }

    private void supervise() {
        var crashes = 0;
        try {
            while (stop.getCount() > 0) {
                var startedNanos = System.nanoTime();
                var reason = life();
                if (stop.getCount() == 0) {
                    break;
                }
                setup.log().system(reason);
                crashes = System.nanoTime() - startedNanos > STEADY_NANOS ? 1 : crashes + 1;
                if ((setup.once() && !ready.isDone()) || crashes >= CRASHES_MAX) {
                    crashed(reason, crashes);
                    return;
                }
                var pause = Math.min(PAUSE_MILLIS_MIN << (crashes - 1), PAUSE_MILLIS_MAX);
                message = reason + "; it starts again";
                state = State.WAITING;
                if (stop.await(pause, TimeUnit.MILLISECONDS)) {
                    break;
                }
                restarts.incrementAndGet();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            crashed("a defect: " + e, crashes);
            return;
        }
        message = "stopped";
        state = State.STOPPED;
        ready.completeExceptionally(Problems.precondition("the app was stopped", "start it"));
    }

    private void crashed(String reason, int crashes) {
        message = crashes > 1 ? "%s, %d times in a row".formatted(reason, crashes) : reason;
        state = State.CRASHED;
        setup.log().system("stays down: " + message);
        var said = String.join("\n", setup.log().tail(20));
        ready.completeExceptionally(
                Problems.precondition(
                        message + "; its last lines:\n" + said,
                        "'./lakemill app logs NAME' shows more"));
    }

    /** From its start to its end; why it ended. */
    private String life() throws InterruptedException {
        message = "starting";
        state = State.STARTING;
        Process current;
        try {
            var at = freePort();
            var started = launch(at);
            if (started == null) {
                return "stopped";
            }
            current = started;
            port = at;
        } catch (IOException e) {
            return "cannot be started: " + e.getMessage();
        }
        var output = Thread.startVirtualThread(() -> pump(current.getInputStream()));
        try {
            var problem = untilReady(current);
            return problem == null ? watch(current) : problem;
        } finally {
            end(current);
            current.waitFor();
            residentBytes = 0;
            output.join(Duration.ofSeconds(5));
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private synchronized @Nullable Process launch(int at) throws IOException {
        if (stop.getCount() == 0) {
            return null;
        }
        var program = new ArrayList<>(List.of("sh", "-c", SCRIPT, "lakemill-app"));
        for (var part : setup.manifest().command()) {
            program.add(part.replace(PORT, Integer.toString(at)));
        }
        var builder =
                new ProcessBuilder(setup.user().command(setup.manifest().limits(), program))
                        .directory(setup.folder().toFile())
                        .redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().putAll(setup.environment().apply(at));
        builder.environment().put(AppProcesses.RUN_MARK, run);
        var launched = builder.start();
        process = launched;
        return launched;
    }

    private void pump(InputStream output) {
        try (var lines =
                new BufferedReader(new InputStreamReader(output, StandardCharsets.UTF_8))) {
            var line = new StringBuilder();
            for (int c = lines.read(); c >= 0; c = lines.read()) {
                if (c == '\n' || line.length() >= AppLog.LINE_BYTES_MAX) {
                    setup.log().app(line.toString());
                    line.setLength(0);
                }
                if (c != '\n') {
                    line.append((char) c);
                }
            }
            if (!line.isEmpty()) {
                setup.log().app(line.toString());
            }
        } catch (IOException _) {
            // The pipe broke with the process.
        }
    }

    /** Null when it can work; why it cannot otherwise. */
    private @Nullable String untilReady(Process current) throws InterruptedException {
        var limits = setup.manifest().limits();
        var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(limits.startSecondsMax());
        while (!current.waitFor(50, TimeUnit.MILLISECONDS)) {
            if (AppProcesses.listens(port, setup.user().number()) && isHealthy()) {
                message = "running";
                state = State.RUNNING;
                setup.log().system("runs");
                ready.complete(null);
                return null;
            }
            if (System.nanoTime() > deadline) {
                return "it does not listen on DATABRICKS_APP_PORT%s after %d s"
                        .formatted(
                                limits.healthPath().isEmpty()
                                        ? ""
                                        : ", or is not healthy at " + limits.healthPath(),
                                limits.startSecondsMax());
            }
        }
        return "ended with code %d while starting".formatted(current.exitValue());
    }

    private String watch(Process current) throws InterruptedException {
        var limits = setup.manifest().limits();
        var bytesMax = (long) limits.memoryMbMax() << 20;
        var sick = 0;
        for (int look = 1; !current.waitFor(WATCHED_EVERY_MS, TimeUnit.MILLISECONDS); look++) {
            var bytes = AppProcesses.residentBytes(current.pid());
            residentBytes = bytes;
            if (bytes > bytesMax) {
                return "killed: it used %d MB of memory, and may use %d MB (memory_mb_max)"
                        .formatted(bytes >> 20, limits.memoryMbMax());
            }
            if (look % HEALTH_EVERY_LOOKS == 0) {
                sick = isHealthy() ? 0 : sick + 1;
                if (sick == SICK_MAX) {
                    return "killed: %s failed %d times".formatted(limits.healthPath(), SICK_MAX);
                }
            }
        }
        return "ended with code " + current.exitValue();
    }

    private boolean isHealthy() throws InterruptedException {
        var path = setup.manifest().limits().healthPath();
        if (path.isEmpty()) {
            return true;
        }
        try {
            var uri = URI.create("http://127.0.0.1:%d%s".formatted(port, path));
            var request = HttpRequest.newBuilder(uri).timeout(HEALTH_MAX).GET().build();
            return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() < 400;
        } catch (IOException e) {
            return false;
        }
    }
}
