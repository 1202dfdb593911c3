package dev.lakemill.server;

import com.fasterxml.jackson.core.JsonFactory;
import dev.lakemill.catalog.Caller;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.TableName;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.io.StringWriter;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Synced tables as server-sent events: each listener gets the whole of each of its tables at first
 * and whenever it changed, as that listener's principal may see it.
 *
 * <p>One thread reads and sends, at most every {@link #PAUSE_MS}; a listener whose connection is
 * full misses a state, not the newest one, because every event is a whole state.
 */
final class LiveTables implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LiveTables.class);
    private static final int PAUSE_MS = 250;
    private static final int ROWS_MAX = 2_000;
    private static final int LISTENERS_MAX = 256;
    private static final int TABLES_MAX = 32;
    private static final long KEEP_ALIVE_MS = 15_000;

    /** One applied batch, as pages are told of it. */
    record Applied(String pipeline, long batch, Instant appliedAt, long freshnessMs) {}

    /** A connected page. Its map is used by the sender thread alone. */
    private record Listener(
            Principal principal,
            HttpServerResponse response,
            Set<TableName> tables,
            Map<TableName, String> sent) {
        boolean isOver() {
            return response.ended() || response.closed();
        }
    }

    private final LiveReads reads;
    private final Supplier<Double> rowsPerSecond;
    private final CopyOnWriteArrayList<Listener> listeners = new CopyOnWriteArrayList<>();
    private final Map<String, Applied> applied = new ConcurrentHashMap<>();
    private final JsonFactory json = new JsonFactory();
    private final Thread sender;
    private volatile boolean dirty = true;
    private volatile boolean closed;

    LiveTables(LiveReads reads, Supplier<Double> rowsPerSecond) {
        this.reads = reads;
        this.rowsPerSecond = rowsPerSecond;
        this.sender = Thread.ofVirtual().name("live-tables").start(this::send);
    }

    /** A batch became visible in Postgres. */
    void applied(Applied batch) {
        applied.put(batch.pipeline(), batch);
        dirty = true;
        LockSupport.unpark(sender);
    }

    int listenerCount() {
        return listeners.size();
    }

    /**
     * Answers with a stream of events until the page goes away or may not read its tables any more.
     *
     * @throws LakemillException PERMISSION_DENIED when the caller may not read one of them
     */
    void open(Caller caller, HttpServerResponse response, List<String> tables) {
        check(tables);
        var names = new TreeSet<TableName>();
        tables.forEach(table -> names.add(reads.find(table)));
        names.forEach(name -> reads.require(caller, name));
        response.setChunked(true)
                .putHeader("content-type", "text/event-stream")
                .putHeader("cache-control", "no-store")
                .putHeader("content-encoding", "identity");
        var listener = new Listener(caller.principal(), response, names, new HashMap<>());
        response.closeHandler(_ -> listeners.remove(listener));
        response.exceptionHandler(_ -> listeners.remove(listener));
        response.write("retry: 1000\n\n");
        listeners.add(listener);
        if (listener.isOver()) {
            listeners.remove(listener); // The page left before it was there to be removed.
        }
        dirty = true;
        LockSupport.unpark(sender);
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(sender);
        forEach(this::end);
    }

    private void end(Listener listener) {
        listeners.remove(listener);
        listener.response().end();
    }

    /** Others end responses too, at any moment; what fails for one page is not told to others. */
    private void forEach(Consumer<Listener> action) {
        for (var listener : listeners) {
            try {
                if (listener.isOver()) {
                    listeners.remove(listener);
                } else {
                    action.accept(listener);
                }
            } catch (RuntimeException | Error e) {
                drop(listener, e);
            }
        }
    }

    private void drop(Listener listener, Throwable failure) {
        listeners.remove(listener);
        if (listener.isOver()) {
            return;
        }
        log.error("the page of {} gets no more rows", listener.principal().name(), failure);
        try {
            listener.response().end(); // It comes again.
        } catch (IllegalStateException _) {
            // Somebody else ended it.
        }
    }

    private void check(List<String> tables) {
        if (tables.isEmpty() || tables.size() > TABLES_MAX) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "%d tables asked for".formatted(tables.size()),
                    "ask for 1 to %d: /api/live?table=schema.table&table=…".formatted(TABLES_MAX));
        }
        if (listeners.size() >= LISTENERS_MAX) {
            throw new LakemillException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "%d pages are listening already".formatted(LISTENERS_MAX),
                    "close some");
        }
    }

    private void send() {
        long keptAliveAt = System.currentTimeMillis();
        while (!closed) {
            LockSupport.parkNanos(this, PAUSE_MS * 1_000_000L);
            if (listeners.isEmpty()) {
                continue;
            }
            var now = System.currentTimeMillis();
            if (now - keptAliveAt > KEEP_ALIVE_MS) {
                keptAliveAt = now;
                forEach(listener -> listener.response().write(": keep-alive\n\n"));
            }
            if (dirty) {
                dirty = false;
                round();
                pause();
            }
        }
    }

    private void round() {
        var contents = new HashMap<LiveReads.View, Optional<String>>();
        var news = List.copyOf(applied.values());
        forEach(listener -> send(listener, contents, news));
    }

    private void send(
            Listener listener, Map<LiveReads.View, Optional<String>> contents, List<Applied> news) {
        if (listener.response().writeQueueFull()) {
            dirty = true;
            return;
        }
        if (!reads.mayRead(listener.principal(), listener.tables())) {
            end(listener);
            return;
        }
        for (var table : listener.tables()) {
            contents.computeIfAbsent(reads.view(listener.principal(), table), this::read)
                    .filter(content -> !content.equals(listener.sent().put(table, content)))
                    .ifPresent(content -> listener.response().write(event("table", content)));
        }
        news.forEach(batch -> listener.response().write(event("sync", describe(batch))));
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static String event(String name, String data) {
        return "event: " + name + "\ndata: " + data + "\n\n";
    }

    private String describe(Applied batch) {
        return ("{\"pipeline\":\"%s\",\"batch\":%d,\"applied_at\":\"%s\",\"freshness_ms\":%d,"
                        + "\"rows_per_second\":%.1f}")
                .formatted(
                        batch.pipeline(),
                        batch.batch(),
                        batch.appliedAt(),
                        batch.freshnessMs(),
                        rowsPerSecond.get());
    }

    /** The table as JSON; empty when Postgres cannot tell now, which the next round repeats. */
    private Optional<String> read(LiveReads.View view) {
        try (var connection = reads.connect(view);
                var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT * FROM %s LIMIT %d".formatted(view.sql(), ROWS_MAX))) {
            return Optional.of(content(view.table(), rows));
        } catch (SQLException | IOException e) {
            log.debug("cannot read {} for its pages", view.table(), e);
            dirty = true;
            return Optional.empty();
        }
    }

    private String content(TableName table, ResultSet rows) throws SQLException, IOException {
        var text = new StringWriter();
        var columns = rows.getMetaData().getColumnCount();
        try (var out = json.createGenerator(text)) {
            out.writeStartObject();
            out.writeStringField("table", table.schema() + "." + table.table());
            out.writeArrayFieldStart("columns");
            for (int i = 1; i <= columns; i++) {
                out.writeString(rows.getMetaData().getColumnName(i));
            }
            out.writeEndArray();
            out.writeArrayFieldStart("rows");
            while (rows.next()) {
                out.writeStartArray();
                for (int i = 1; i <= columns; i++) {
                    JsonValues.write(out, rows.getObject(i));
                }
                out.writeEndArray();
            }
            out.writeEndArray();
            out.writeEndObject();
        }
        return text.toString();
    }

    /** The names of the tables that somebody listens to. */
    List<String> tables() {
        var names = new TreeSet<TableName>();
        listeners.forEach(listener -> names.addAll(listener.tables()));
        return names.stream().map(TableName::toString).toList();
    }
}
