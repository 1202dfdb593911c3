package dev.lakemill.postgres;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server process, and the one thread that starts it, watches it and starts it again.
 *
 * <p>That thread lives as long as the process does: the kernel stops Postgres when the thread that
 * started it ends, which is how a kill -9 of this JVM leaves no orphan. A server that dies is
 * started again after a pause that doubles from 100 ms to 5 s and starts over once the server has
 * run for 5 s. Only a failure of the first start is an error to the caller.
 */
final class Postmaster implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Postmaster.class);
    private static final Duration READY_MAX = Duration.ofMinutes(5);
    private static final Duration RECOVERED_MAX = Duration.ofDays(2);
    private static final Duration FAST_MAX = Duration.ofSeconds(10);
    private static final Duration IMMEDIATE_MAX = Duration.ofSeconds(5);
    private static final long READY_POLL_MILLIS = 5;
    private static final long PAUSE_MILLIS_MIN = 100;
    private static final long PAUSE_MILLIS_MAX = 5_000;
    private static final int TAIL_BYTES = 8192;

    /** Of the server itself: between process id and severity, sessions name user and database. */
    private static final Pattern GRAVE = Pattern.compile("(\\] |postgres: )(LOG|FATAL|PANIC): ");

    private static final int GRAVE_LINES_MAX = 4;
    private static final long STEADY_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final Cluster cluster;
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Thread supervisor;
    private volatile @Nullable Process process;

    private Postmaster(Cluster cluster) {
        this.cluster = cluster;
        this.supervisor = Thread.ofPlatform().daemon().name("postgres").unstarted(this::supervise);
    }

    /** Starts the server and waits until it accepts connections. */
    static Postmaster start(Cluster cluster) {
        var postmaster = new Postmaster(cluster);
        postmaster.supervisor.start();
        try {
            postmaster.ready.join();
            return postmaster;
        } catch (CompletionException e) {
            postmaster.close();
            throw e.getCause() instanceof LakemillException known ? known : e;
        }
    }

    /** The process id of the server; none while it is down. */
    OptionalLong pid() {
        var current = process;
        return current != null && current.isAlive()
                ? OptionalLong.of(current.pid())
                : OptionalLong.empty();
    }

    @Override
    public void close() {
        Process current;
        synchronized (this) {
            stop.countDown();
            current = process;
        }
        if (current != null) {
            Signal.end(current.toHandle(), FAST_MAX, IMMEDIATE_MAX);
        }
        try {
            supervisor.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void supervise() {
        var pauseMillis = PAUSE_MILLIS_MIN;
        try {
            while (stop.getCount() > 0) {
                var startedNanos = System.nanoTime();
                runOnce();
                if (System.nanoTime() - startedNanos > STEADY_NANOS) {
                    pauseMillis = PAUSE_MILLIS_MIN;
                }
                if (stop.await(pauseMillis, TimeUnit.MILLISECONDS) || !ready.isDone()) {
                    return;
                }
                pauseMillis = Math.min(2 * pauseMillis, PAUSE_MILLIS_MAX);
            }
        } catch (InterruptedException e) {
            LOG.warn("the thread that watches Postgres was interrupted and ends");
        } finally {
            ready.completeExceptionally(new IllegalStateException("Postgres was not started"));
        }
    }

    /** One life of the server. Returns when it is dead. */
    private void runOnce() throws InterruptedException {
        try {
            var server = launch();
            if (server != null) {
                awaitReady(server);
                ready.complete(null);
                var code = server.waitFor();
                if (stop.getCount() > 0) {
                    LOG.error(
                            "Postgres {} ended by itself, code {}; restarting", server.pid(), code);
                }
            }
        } catch (IOException | LakemillException e) {
            if (!ready.completeExceptionally(e)) {
                LOG.error("Postgres did not restart; trying again", e);
            } else {
                stop.countDown();
            }
        }
    }

    private synchronized @Nullable Process launch() throws IOException {
        if (stop.getCount() == 0) {
            return null;
        }
        var launched = cluster.startServer();
        process = launched;
        return launched;
    }

    private void awaitReady(Process server) throws IOException, InterruptedException {
        var waitMax = cluster.isRecovering() ? RECOVERED_MAX : READY_MAX;
        var deadline = System.nanoTime() + waitMax.toNanos();
        while (!isReady(server)) {
            if (server.waitFor(READY_POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                if (stop.getCount() == 0) {
                    return;
                }
                throw failed("Postgres ended while starting");
            }
            if (System.nanoTime() > deadline) {
                server.destroyForcibly();
                throw failed("Postgres was not ready after " + waitMax);
            }
        }
    }

    /** The server writes its process id first and its state into the eighth line. */
    private boolean isReady(Process server) throws IOException {
        try {
            var lines = Files.readAllLines(cluster.files().postmasterPid());
            return lines.size() >= 8
                    && lines.get(0).strip().equals(Long.toString(server.pid()))
                    && lines.get(7).strip().equals("ready");
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private LakemillException failed(String what) throws IOException {
        var said = new ArrayList<>(complaints(cluster.files().startupLog()));
        try (var logs = Files.list(cluster.files().log())) {
            for (var log : logs.toList()) {
                said.addAll(complaints(log));
            }
        }
        return new LakemillException(
                ErrorCode.UNAVAILABLE,
                what + ": " + (said.isEmpty() ? "it left no message" : String.join("; ", said)),
                "its log is in " + cluster.files().log());
    }

    /** The last grave lines of a log that was written to in the last minute. */
    private static List<String> complaints(Path log) throws IOException {
        var age = Files.getLastModifiedTime(log).toInstant().until(Instant.now());
        if (age.compareTo(Duration.ofMinutes(1)) > 0) {
            return List.of();
        }
        var grave = tail(log).lines().filter(line -> GRAVE.matcher(line).find()).toList();
        return grave.subList(Math.max(0, grave.size() - GRAVE_LINES_MAX), grave.size());
    }

    private static String tail(Path log) throws IOException {
        try (var channel = FileChannel.open(log)) {
            var from = Math.max(0, channel.size() - TAIL_BYTES);
            var bytes = ByteBuffer.allocate((int) (channel.size() - from));
            channel.read(bytes, from);
            return new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
        }
    }
}
