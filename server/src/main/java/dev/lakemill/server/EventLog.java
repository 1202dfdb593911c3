package dev.lakemill.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaReader;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.TimeStampMicroTZVector;
import org.apache.arrow.vector.VarCharVector;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens to pipelines, as the Delta table {@code system.pipelines.event_log} with the columns
 * of Lakeflow's event log.
 *
 * <p>Events wait in memory, {@value #WAITING_EVENTS_MAX} at most (the oldest go), and are appended
 * every few seconds, each once: the commit's transaction is the last sequence in it. The table
 * keeps the newest events, at least {@value #KEPT_EVENTS_MIN} and at most twice as many. Safe from
 * any thread.
 */
final class EventLog implements AutoCloseable {
    static final TableName TABLE = new TableName("system", "pipelines", "event_log");
    static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("id", Primitive.STRING),
                    Column.required("sequence", Primitive.STRING),
                    Column.required("origin", Primitive.STRING),
                    Column.required("timestamp", Primitive.TIMESTAMP),
                    Column.required("message", Primitive.STRING),
                    Column.required("level", Primitive.STRING),
                    Column.required("maturity_level", Primitive.STRING),
                    Column.nullable("error", Primitive.STRING),
                    Column.required("details", Primitive.STRING),
                    Column.required("event_type", Primitive.STRING));

    private static final Logger log = LoggerFactory.getLogger(EventLog.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String APPLICATION = "lakemill-events";
    private static final int WAITING_EVENTS_MAX = 10_000;
    private static final int KEPT_EVENTS_MIN = 100_000;
    private static final int COMMITS_TO_COMPACT = 50;
    private static final Duration PAUSE = Duration.ofSeconds(3);
    private static final Duration END_WAIT_MAX = Duration.ofSeconds(10);

    /** How much an event matters. */
    enum Level {
        INFO,
        WARN,
        ERROR,
        METRICS
    }

    /**
     * Something that happened.
     *
     * @param type for example flow_progress; details have one member of that name
     * @param origin what it happened to: pipeline_name, dataset_name, flow_name …
     * @param error null for none
     */
    record Event(
            String type,
            Level level,
            String message,
            Map<String, String> origin,
            Map<String, ?> details,
            @Nullable String error) {}

    private record Numbered(long sequence, Instant at, Event event) {}

    private final DeltaTable table;
    private final BufferAllocator allocator;
    private final InstantSource clock;
    private final Deque<Numbered> waiting = new ArrayDeque<>();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Thread thread;
    private final Runnable sample;
    private long sequence;
    private int commits;

    private EventLog(
            DeltaTable table, BufferAllocator allocator, InstantSource clock, Runnable sample) {
        this.table = table;
        this.allocator = allocator;
        this.clock = clock;
        this.sample = sample;
        this.sequence = table.transaction(APPLICATION).orElse(0);
        this.thread = Thread.ofVirtual().name("event-log").unstarted(this::run);
    }

    /**
     * Makes the table {@link #TABLE} if it is not there, and starts.
     *
     * @param sample adds what is measured now; called every few seconds
     */
    static EventLog open(Tables tables, BufferAllocator allocator, Runnable sample) {
        tables.ensure(
                TABLE,
                TableKind.STREAMING_TABLE,
                SCHEMA,
                "What happened to pipelines, with the metrics of their flows",
                Map.of());
        return start(tables.delta(TABLE), allocator, Clock.systemUTC(), sample);
    }

    /**
     * @param table of {@link #SCHEMA}; it stays the caller's to close
     * @param sample adds what is measured now; called every few seconds
     */
    static EventLog start(
            DeltaTable table, BufferAllocator allocator, InstantSource clock, Runnable sample) {
        var started = new EventLog(table, allocator, clock, sample);
        started.thread.start();
        return started;
    }

    void add(Event event) {
        synchronized (waiting) {
            waiting.addLast(new Numbered(++sequence, clock.instant(), event));
            if (waiting.size() > WAITING_EVENTS_MAX) {
                waiting.removeFirst();
            }
        }
    }

    /** Lands what there is. */
    @Override
    public void close() {
        ending.countDown();
        try {
            thread.join(END_WAIT_MAX);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (!ending.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS)) {
                land();
            }
            land();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void land() {
        try {
            sample.run();
            append();
            if (commits >= COMMITS_TO_COMPACT) {
                commits = 0;
                cut(table, KEPT_EVENTS_MIN);
                table.compact();
                table.vacuum(Tables.OUTPUT.fileRetention());
            }
        } catch (LakemillException e) {
            log.warn("events do not land in {} now: {}", TABLE, e.getMessage());
        }
    }

    private void append() {
        List<Numbered> due;
        synchronized (waiting) {
            due = List.copyOf(waiting);
        }
        if (due.isEmpty()) {
            return;
        }
        try (var rows = rows(due)) {
            table.append(
                    List.of(rows), new long[0], new Txn(APPLICATION, due.getLast().sequence()));
        }
        commits++;
        synchronized (waiting) {
            waiting.removeIf(event -> event.sequence() <= due.getLast().sequence());
        }
    }

    /** Lets the oldest events go, once there are twice as many as are kept. */
    static void cut(DeltaTable table, int keptMin) {
        var snapshot = table.snapshot();
        if (snapshot.rowCount() < 2L * keptMin) {
            return;
        }
        var last = snapshot.transaction(APPLICATION).orElse(0);
        try (var reader = snapshot.read(List.of())) {
            table.replace(
                    new Newest(reader, snapshot.rowCount() - keptMin),
                    new Txn("lakemill-events-cut", last));
        }
    }

    private Rows rows(List<Numbered> events) {
        var rows = Rows.empty(SCHEMA, allocator);
        for (int row = 0; row < events.size(); row++) {
            var numbered = events.get(row);
            var event = numbered.event();
            var error = event.error();
            text(rows, row, "id", UUID.randomUUID().toString());
            text(rows, row, "sequence", json(Map.of("sequence", numbered.sequence())));
            text(rows, row, "origin", json(event.origin()));
            text(rows, row, "message", event.message());
            text(rows, row, "level", event.level().name());
            text(rows, row, "maturity_level", "EVOLVING");
            if (error != null) {
                text(rows, row, "error", json(Map.of("message", error)));
            }
            text(rows, row, "details", json(Map.of(event.type(), event.details())));
            text(rows, row, "event_type", event.type());
            ((TimeStampMicroTZVector) rows.vector(SCHEMA.indexOf("timestamp").orElseThrow()))
                    .setSafe(row, ChronoUnit.MICROS.between(Instant.EPOCH, numbered.at()));
        }
        rows.root().setRowCount(events.size());
        return rows;
    }

    private static void text(Rows rows, int row, String column, String value) {
        ((VarCharVector) rows.vector(SCHEMA.indexOf(column).orElseThrow()))
                .setSafe(row, value.getBytes(StandardCharsets.UTF_8));
    }

    private static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The rows of a reader behind the first ones. */
    private static final class Newest implements Iterator<Rows> {
        private final DeltaReader reader;
        private final Deque<Rows> next = new ArrayDeque<>();
        private long skip;

        Newest(DeltaReader reader, long skip) {
            this.reader = reader;
            this.skip = skip;
        }

        @Override
        public boolean hasNext() {
            while (next.isEmpty()) {
                var rows = reader.next();
                if (rows == null) {
                    return false;
                }
                var gone = (int) Math.min(skip, rows.count());
                skip -= gone;
                if (gone == 0) {
                    next.add(rows);
                } else {
                    if (gone < rows.count()) {
                        next.add(rows.slice(gone, rows.count() - gone));
                    }
                    rows.close();
                }
            }
            return true;
        }

        @Override
        public Rows next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            return next.removeFirst();
        }
    }
}
