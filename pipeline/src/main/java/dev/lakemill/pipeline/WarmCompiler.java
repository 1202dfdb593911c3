package dev.lakemill.pipeline;

import dev.lakemill.plan.CompileRequest;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The compiler in a JVM of its own, which starts when it is asked and ends when nobody has asked
 * for a while: a first answer takes seconds, the next ones milliseconds. Spark's classes never
 * stand in this process. One text at a time; safe to use from any thread.
 */
public final class WarmCompiler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WarmCompiler.class);
    private static final int TIMEOUT_SECONDS = 120;
    private static final int END_WAIT_SECONDS = 5;

    private final Duration idle;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Child child;
    private long uses;
    private boolean closed;

    /**
     * @param idle how long the process is kept unasked
     */
    public WarmCompiler(Duration idle) {
        this.idle = idle;
    }

    /**
     * Compiles a query or the body of a function.
     *
     * @throws LakemillException UNAVAILABLE when the compiler does not run or answer
     */
    public SqlCompilation compile(SqlRequest request) {
        return PlanJson.readSqlCompilation(answer("sql " + PlanJson.writeSqlRequest(request)));
    }

    /** The compilation of a pipeline, as JSON. */
    String compile(CompileRequest request) {
        return answer("pipeline " + PlanJson.writeRequest(request));
    }

    private String answer(String request) {
        lock.lock();
        try {
            var use = ++uses;
            var answer = ask(request);
            CompletableFuture.delayedExecutor(idle.toMillis(), TimeUnit.MILLISECONDS)
                    .execute(() -> endUnused(use));
            return answer;
        } catch (IOException e) {
            end();
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the compiler does not run (%s)".formatted(e),
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
                    new ProcessBuilder(CompilerProcess.command())
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
                tell(request);
                var answer = out.readLine();
                if (answer == null) {
                    throw CompilerProcess.failed(end(process), errors);
                }
                return answer;
            } finally {
                answered.complete(null);
            }
        }

        /** One that has ended says why when it is asked for the answer. */
        private void tell(String request) {
            try {
                in.write(request + "\n");
                in.flush();
            } catch (IOException e) {
                LOG.debug("the compiler does not listen", e);
            }
        }

        private static String end(Process process) {
            try {
                return process.waitFor(END_WAIT_SECONDS, TimeUnit.SECONDS)
                        ? "ended with exit code " + process.exitValue()
                        : "closed its output";
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return "gave no answer";
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
