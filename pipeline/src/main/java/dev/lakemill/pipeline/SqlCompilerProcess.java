package dev.lakemill.pipeline;

import dev.lakemill.plan.PlanJson;
import dev.lakemill.plan.SqlCompilation;
import dev.lakemill.plan.SqlRequest;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Compiles single queries and function bodies in a JVM of its own, which starts when it is asked
 * and ends when nobody has asked for a while: a first answer takes seconds, the next ones
 * milliseconds. One text at a time; safe to use from any thread.
 */
public final class SqlCompilerProcess implements AutoCloseable {
    private static final int TIMEOUT_SECONDS = 60;

    private final Duration idle;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Child child;
    private long uses;
    private boolean closed;

    /**
     * @param idle how long the process is kept unasked
     */
    public SqlCompilerProcess(Duration idle) {
        this.idle = idle;
    }

    /**
     * @throws LakemillException UNAVAILABLE when the compiler does not run or answer
     */
    public SqlCompilation compile(SqlRequest request) {
        lock.lock();
        try {
            var use = ++uses;
            var answer = ask(PlanJson.writeSqlRequest(request));
            CompletableFuture.delayedExecutor(idle.toMillis(), TimeUnit.MILLISECONDS)
                    .execute(() -> endUnused(use));
            return PlanJson.readSqlCompilation(answer);
        } catch (IOException e) {
            end();
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the compiler of queries does not run (%s)".formatted(e),
                    "check the free memory and the space of the folder for temporary files",
                    e);
        } catch (LakemillException e) {
            end();
            throw e;
        } finally {
            lock.unlock();
        }
    }

    /** Whether the process runs. */
    boolean isWarm() {
        lock.lock();
        try {
            return child != null;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            end();
        } finally {
            lock.unlock();
        }
    }

    private String ask(String request) throws IOException {
        if (closed) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE, "the node is ending", "ask again when it runs");
        }
        var running = child;
        if (running == null || !running.process.isAlive()) {
            end();
            running = Child.start();
            child = running;
        }
        return running.ask(request);
    }

    private void endUnused(long use) {
        lock.lock();
        try {
            if (use == uses) {
                end();
            }
        } finally {
            lock.unlock();
        }
    }

    private void end() {
        var running = child;
        child = null;
        if (running != null) {
            running.end();
        }
    }

    /** The process; who holds the lock uses it. */
    private record Child(Process process, BufferedWriter in, BufferedReader out, Path errors) {
        static Child start() throws IOException {
            var errors = Files.createTempFile("lakemill-compiler", ".err");
            var process =
                    new ProcessBuilder(CompilerProcess.command("serve"))
                            .redirectError(errors.toFile())
                            .start();
            return new Child(
                    process,
                    process.outputWriter(StandardCharsets.UTF_8),
                    process.inputReader(StandardCharsets.UTF_8),
                    errors);
        }

        String ask(String request) throws IOException {
            var answered = new CompletableFuture<Void>();
            answered.orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                    .exceptionally(
                            _ -> {
                                process.destroyForcibly();
                                return null;
                            });
            try {
                in.write(request + "\n");
                in.flush();
                var answer = out.readLine();
                if (answer == null) {
                    throw CompilerProcess.failed("ended without an answer", errors);
                }
                return answer;
            } finally {
                answered.complete(null);
            }
        }

        void end() {
            process.destroyForcibly();
            try {
                in.close();
                out.close();
                Files.deleteIfExists(errors);
            } catch (IOException _) {
                // The process is gone, and a file for temporary errors may stay.
            }
        }
    }
}
