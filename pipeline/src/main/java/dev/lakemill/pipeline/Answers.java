package dev.lakemill.pipeline;

import dev.lakemill.pipeline.AskedModels.Asked;
import dev.lakemill.pipeline.AskedModels.Kept;
import dev.lakemill.pipeline.AskedModels.Reply;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.DelayQueue;
import java.util.concurrent.Delayed;
import java.util.concurrent.TimeUnit;
import org.duckdb.DuckDBColumnType;
import org.duckdb.DuckDBDataChunkReader;
import org.duckdb.DuckDBFunctions;
import org.duckdb.DuckDBWritableVector;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a pipeline's {@code ai_query} has been answered, and the asking for what it has not.
 *
 * <p>A batch never waits for a model. It sees the answers that were kept before it began, stamped
 * with a time that is not after its now(): so a batch that is repeated after a crash sees what it
 * saw. What it lacks is asked for beside the batches, by at most {@value #ASKED_AT_ONCE_MAX} calls
 * at a time, and {@link #takeIn} gives what has come to the batch that is about to begin.
 *
 * <p>At most {@value #WAITING_MAX} questions wait and {@value #KEPT_MAX} answers or {@value
 * #KEPT_CHARS_MAX} characters are kept; of answers that no view shows any more, the oldest go
 * first. Of the rest of a large table's questions, some more are found with every batch that has
 * got answers.
 *
 * <p>The owner thread of the pipeline has it; DuckDB's and the asking threads come in where it is
 * said.
 */
final class Answers implements AutoCloseable {
    /** The first letter of what the function gives; the answer or the reason stands behind it. */
    static final String ANSWER = "a";

    static final String ERROR = "e";

    /** Of a row without a prompt. */
    static final String NOTHING = "n";

    private static final Logger LOG = LoggerFactory.getLogger(Answers.class);
    private static final String FUNCTION = "ai_query";
    private static final int ASKED_AT_ONCE_MAX = 8;
    private static final int WAITING_MAX = 1_000;
    private static final int KEPT_MAX = 100_000;
    private static final int KEPT_CHARS_MAX = 64 << 20;
    private static final Duration TAKEN_IN_EVERY = Duration.ofMillis(500);
    private static final Duration AWAY = Duration.ofSeconds(10);
    private static final Duration DEFECT = Duration.ofMinutes(1);

    private final AskedModels models;

    /** By key, the newest first; read by DuckDB's threads, as are the next four. */
    private final Map<String, List<Kept>> known = new ConcurrentHashMap<>();

    private final Map<String, String> versions = new ConcurrentHashMap<>();
    private final Map<String, Asked> missing = new ConcurrentHashMap<>();
    private volatile Set<String> used = ConcurrentHashMap.newKeySet();
    private volatile Instant asOf = Instant.EPOCH;

    /** Filled by the asking threads. */
    private final ConcurrentLinkedQueue<Kept> arrived = new ConcurrentLinkedQueue<>();

    private final DelayQueue<Waiting> waiting = new DelayQueue<>();
    private volatile Runnable bell = () -> {};
    private volatile boolean closed;
    private volatile boolean isStoreAway;

    private final Map<String, Asked> inFlight = new HashMap<>();
    private final Map<TableName, Set<String>> usedBy = new HashMap<>();

    /** Answers that no view shows any more, with the batch that was the first without them. */
    private final Map<String, Long> left = new LinkedHashMap<>();

    private final List<Thread> threads = new ArrayList<>();
    private long takenInNanos = System.nanoTime() - TAKEN_IN_EVERY.toNanos();
    private long keptChars;
    private @Nullable Thread keeper;
    private boolean isSwept;
    private boolean due;

    Answers(AskedModels models) {
        this.models = models;
    }

    private record Waiting(Asked asked, String key, long atNanos) implements Delayed {
        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(atNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.signum(
                    getDelay(TimeUnit.NANOSECONDS) - other.getDelay(TimeUnit.NANOSECONDS));
        }
    }

    /** Makes the function that queries call. */
    void register(Connection connection) {
        try (var builder = DuckDBFunctions.scalarFunction()) {
            builder.withName(FUNCTION)
                    .withParameters(
                            DuckDBColumnType.VARCHAR,
                            DuckDBColumnType.VARCHAR,
                            DuckDBColumnType.VARCHAR,
                            DuckDBColumnType.BOOLEAN,
                            DuckDBColumnType.VARCHAR)
                    .withReturnType(DuckDBColumnType.VARCHAR)
                    .withVolatile()
                    .withVectorizedFunction(this::look)
                    .register(connection);
        } catch (SQLException e) {
            throw new DuckException(e);
        }
    }

    /** For DuckDB's threads. */
    private void look(DuckDBDataChunkReader in, DuckDBWritableVector out) {
        for (long row = 0; row < in.rowCount(); row++) {
            var prompt = in.vector(4).getString(row);
            if (prompt == null) {
                out.setString(row, NOTHING);
                continue;
            }
            var asked = new Asked(in.vector(1).getString(row), in.vector(2).getString(row), prompt);
            var found = look(in.vector(0).getString(row), asked, in.vector(3).getBoolean(row));
            if (found == null) {
                out.setNull(row);
            } else {
                out.setString(row, found);
            }
        }
    }

    private @Nullable String look(String place, Asked asked, boolean failOnError) {
        var key = asked.key();
        used.add(key);
        Kept seen = null;
        for (var kept : known.getOrDefault(key, List.of())) {
            if (!kept.since().isAfter(asOf)) {
                seen = kept;
                break;
            }
        }
        var stale = seen == null || !seen.version().equals(version(asked.endpoint()));
        if (stale && missing.size() < WAITING_MAX) {
            missing.putIfAbsent(key, asked);
        }
        if (seen == null) {
            return null;
        }
        models.reused();
        if (seen.error() == null) {
            return ANSWER + seen.text();
        }
        if (!failOnError) {
            return ERROR + seen.error();
        }
        if (stale) {
            return null;
        }
        throw new IllegalArgumentException(
                "%s: '%s' refuses a prompt: %s; with failOnError => false that is a value"
                        .formatted(place, asked.endpoint(), seen.error()));
    }

    private String version(String endpoint) {
        return versions.computeIfAbsent(endpoint, models::version);
    }

    /**
     * Reads what was kept; from then on the views that ask are due.
     *
     * @param await called before what cannot be read now is tried again
     */
    void load(Runnable await) {
        while (!due) {
            try {
                models.load().forEach(this::add);
                due = true;
            } catch (LakemillException e) {
                models.tell("answers cannot be read: " + e.problem());
                await.run();
            }
        }
    }

    /**
     * Whether the views that ask have to be looked at though nothing else has changed. True for all
     * batches that are repeated after a crash, too: which of them had answers is not journaled, and
     * to look again does no harm.
     */
    boolean areDue() {
        return due;
    }

    /** A batch stands that has looked at all answers that are there. */
    void seen(long batch) {
        due = false;
        ask(batch);
    }

    private void add(Kept answer) {
        keptChars += length(answer);
        known.merge(
                answer.key(),
                List.of(answer),
                (before, newer) -> {
                    var both = new ArrayList<>(before);
                    both.addAll(newer);
                    both.sort((a, b) -> b.since().compareTo(a.since()));
                    return List.copyOf(both.subList(0, Math.min(2, both.size())));
                });
    }

    private static int length(Kept answer) {
        var told = answer.text() == null ? answer.error() : answer.text();
        return told == null ? 0 : told.length();
    }

    /** Rings when answers have come. */
    void onArrival(Runnable action) {
        bell = action;
    }

    /** The now() of the queries that follow. */
    void asOf(Instant now) {
        asOf = now;
    }

    /** A view's query is about to run. */
    void begin() {
        used = ConcurrentHashMap.newKeySet();
    }

    /** A view's query has run, in a batch. */
    void end(TableName view, long batch) {
        var now = used;
        var before = usedBy.put(view, now);
        if (before != null) {
            before.stream()
                    .filter(key -> !now.contains(key) && known.containsKey(key))
                    .forEach(key -> left.put(key, batch));
        }
    }

    private boolean hasArrived() {
        if (arrived.isEmpty() || isStoreAway) {
            return false;
        }
        return System.nanoTime() - takenInNanos >= TAKEN_IN_EVERY.toNanos()
                || arrived.size() >= inFlight.size();
    }

    /**
     * Keeps what has come, for the batch that is about to begin and all after it; what cannot be
     * kept now, with a later one.
     *
     * @param last now() of the last batch, which saw none of this
     * @return the batch's now()
     */
    Instant takeIn(Instant now, Instant last) {
        if (!hasArrived()) {
            return now;
        }
        var from = now.isAfter(last) ? now : last.plus(1, ChronoUnit.MICROS);
        due |= keep(from);
        return from;
    }

    private boolean keep(Instant now) {
        var came = new ArrayList<Kept>();
        for (var next = arrived.poll(); next != null; next = arrived.poll()) {
            came.add(next);
        }
        var stamped =
                came.stream()
                        .map(
                                k ->
                                        new Kept(
                                                k.key(),
                                                now,
                                                k.endpoint(),
                                                k.version(),
                                                k.text(),
                                                k.error()))
                        .toList();
        try {
            models.keep(stamped);
        } catch (LakemillException e) {
            arrived.addAll(came);
            isStoreAway = true;
            models.tell("answers wait to be kept: " + e.problem());
            keeper = Thread.ofVirtual().name("ai-query-keeper").start(this::awaitStore);
            return false;
        }
        takenInNanos = System.nanoTime();
        for (var answer : stamped) {
            add(answer);
            inFlight.remove(answer.key());
        }
        return !stamped.isEmpty();
    }

    /** Beside the batches, so that they are not held up again. */
    private void awaitStore() {
        try {
            while (isStoreAway && !closed) {
                Thread.sleep(AWAY);
                try {
                    models.keep(List.of());
                    isStoreAway = false;
                    bell.run();
                } catch (LakemillException e) {
                    models.tell("answers wait to be kept: " + e.problem());
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isFull() {
        return known.size() + inFlight.size() >= KEPT_MAX || keptChars >= KEPT_CHARS_MAX;
    }

    /** Has what the last batch lacked asked for. */
    private void ask(long batch) {
        sweep(batch);
        withdraw();
        for (var lacking : missing.entrySet()) {
            if (inFlight.size() >= WAITING_MAX) {
                break;
            }
            if (isFull() && !known.containsKey(lacking.getKey())) {
                models.tell(
                        "%d answers are kept, and no more are asked for".formatted(known.size()));
                break;
            }
            if (inFlight.putIfAbsent(lacking.getKey(), lacking.getValue()) == null) {
                waiting.add(new Waiting(lacking.getValue(), lacking.getKey(), System.nanoTime()));
            }
        }
        missing.clear();
        while (threads.size() < Math.min(ASKED_AT_ONCE_MAX, inFlight.size())) {
            threads.add(
                    Thread.ofVirtual().name("ai-query-" + threads.size()).start(this::askOthers));
        }
    }

    /** What no view shows any more is not asked, unless it is being asked just now. */
    private void withdraw() {
        for (var one : waiting) {
            if (!isUsed(one.key()) && waiting.remove(one)) {
                inFlight.remove(one.key());
            }
        }
    }

    /** What was loaded and no view has looked for in its first query may go. */
    private void sweep(long batch) {
        if (!isSwept) {
            isSwept = true;
            known.keySet().stream()
                    .filter(key -> !isUsed(key))
                    .forEach(key -> left.putIfAbsent(key, batch));
        }
    }

    private boolean isUsed(String key) {
        return usedBy.values().stream().anyMatch(keys -> keys.contains(key));
    }

    /** No batch before this one is repeated any more. */
    void forgetBefore(long batch) {
        if (!isFull()) {
            return;
        }
        var gone = known.keySet().stream().filter(key -> mayGo(key, batch)).toList();
        try {
            models.forget(gone);
            for (var key : gone) {
                var answers = known.remove(key);
                keptChars -= answers == null ? 0 : answers.stream().mapToInt(Answers::length).sum();
            }
            left.keySet().removeAll(gone);
        } catch (LakemillException e) {
            models.tell("answers wait to be forgotten: " + e.problem());
        }
    }

    /** An answer that came when no view showed its question any more was never seen by a batch. */
    private boolean mayGo(String key, long batch) {
        var since = left.get(key);
        return (since == null ? isSwept : since < batch) && !isUsed(key);
    }

    /** The life of an asking thread. */
    private void askOthers() {
        try {
            while (!closed) {
                var next = waiting.take();
                var version = version(next.asked().endpoint());
                switch (reply(next.asked())) {
                    case Reply.Answered(var text) -> arrive(next, version, text, null);
                    case Reply.Refused(var reason) -> arrive(next, version, null, reason);
                    case Reply.Away(var reason, var pause) -> {
                        models.tell(reason);
                        var at = System.nanoTime() + pause.toNanos();
                        waiting.add(new Waiting(next.asked(), next.key(), at));
                    }
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private Reply reply(Asked asked) throws InterruptedException {
        try {
            return models.ask(asked);
        } catch (RuntimeException e) {
            LOG.error("asking {} met a defect", asked.endpoint(), e);
            return new Reply.Away("a defect: " + e, DEFECT);
        }
    }

    private void arrive(
            Waiting answered, String version, @Nullable String text, @Nullable String error) {
        arrived.add(
                new Kept(
                        answered.key(),
                        Instant.EPOCH,
                        answered.asked().endpoint(),
                        version,
                        text,
                        error));
        bell.run();
    }

    @Override
    public void close() {
        closed = true;
        threads.forEach(Thread::interrupt);
        if (keeper != null) {
            keeper.interrupt();
        }
    }
}
