package dev.lakemill.agents.gateway;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Writes what comes at once in one transaction. A thread of its own takes all that waits, in the
 * order of its coming, so that a group grows while the one before it is written; whoever submits
 * waits for the commit. Safe to use from any thread.
 */
final class GroupCommit<T, R> implements AutoCloseable {
    static final int GROUP_MAX = 256;
    private static final int WAITING_MAX = 4_096;

    /** One transaction. */
    interface Writing<T, R> {
        /**
         * @return what became of each, in the same order
         */
        List<R> write(List<T> group);
    }

    /** Without an entry it ends the thread. */
    private record Waiting<T, R>(Optional<T> entry, CompletableFuture<R> result) {}

    private final Writing<T, R> writing;
    private final BlockingQueue<Waiting<T, R>> queue = new ArrayBlockingQueue<>(WAITING_MAX);
    private volatile boolean closed;
    private volatile boolean ended;

    GroupCommit(String name, Writing<T, R> writing) {
        this.writing = writing;
        Thread.ofVirtual().name(name).start(this::run);
    }

    /**
     * @throws LakemillException UNAVAILABLE when too many wait, or after {@link #close}; what the
     *     transaction threw
     */
    R submit(T entry) {
        var waiting = new Waiting<T, R>(Optional.of(entry), new CompletableFuture<>());
        if (closed || !queue.offer(waiting)) {
            throw unavailable(
                    closed ? "the account is closed" : WAITING_MAX + " calls wait for the account");
        }
        if (ended) {
            waiting.result().completeExceptionally(unavailable("the account is closed"));
        }
        try {
            return waiting.result().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    /** How many wait for the group after the one that is being written. */
    int waiting() {
        return queue.size();
    }

    /** What waits is still written. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            queue.put(new Waiting<>(Optional.empty(), new CompletableFuture<>()));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            var isLast = false;
            while (!isLast) {
                var group = new ArrayList<Waiting<T, R>>();
                group.add(queue.take());
                queue.drainTo(group, GROUP_MAX - 1);
                isLast = group.removeIf(waiting -> waiting.entry().isEmpty());
                write(group);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            closed = true;
            ended = true;
            var failure = unavailable("the account is closed");
            queue.forEach(waiting -> waiting.result().completeExceptionally(failure));
        }
    }

    private void write(List<Waiting<T, R>> group) {
        if (group.isEmpty()) {
            return;
        }
        try {
            var results = writing.write(group.stream().map(w -> w.entry().orElseThrow()).toList());
            for (int i = 0; i < group.size(); i++) {
                group.get(i).result().complete(results.get(i));
            }
        } catch (RuntimeException | Error e) {
            if (group.size() > 1 && !isAway(e)) {
                // What one of them brought must not fail the others.
                group.forEach(one -> write(List.of(one)));
            } else {
                group.forEach(waiting -> waiting.result().completeExceptionally(e));
            }
        }
    }

    private static boolean isAway(Throwable failure) {
        return failure instanceof LakemillException e && e.code() == ErrorCode.UNAVAILABLE;
    }

    private static LakemillException unavailable(String problem) {
        return new LakemillException(
                ErrorCode.UNAVAILABLE, problem, "ask again; see that Postgres keeps up");
    }
}
