package dev.lakemill.farm.app;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The tables that pages show, kept new: one thread looks, for all of them.
 *
 * <p>Synced tables are read after each batch, all in one snapshot with the batch that they show.
 * What people and agents write is looked at five times a second, by one value for each table, and
 * read when that has changed. Listeners are given whole contents, so that one who is slow may miss
 * some, and never the newest.
 */
final class Live implements AutoCloseable {
    static final int LISTENERS_MAX = 64;

    private static final int LOOK_MS = 15;
    private static final long STATE_EVERY_MS = 200;
    private static final long CHART_EVERY_MS = 2_000;
    private static final int RETRY_MS = 500;

    private static final String BATCHES =
            """
            SELECT pipeline, batch, applied_at, (1000 * extract(epoch FROM lag))::bigint AS lag_ms
            FROM lakemill.sync_state WHERE pipeline = 'farm'""";

    /**
     * A table's content.
     *
     * @param json without its end, which is the batch
     * @param batch that it shows; of a state table, how often it has changed
     */
    private record Content(String json, long batch) {
        String event() {
            return "event: table\ndata: %s,\"batch\":%d}\n\n".formatted(json, batch);
        }
    }

    /** A batch that all synced tables show. */
    private record Batch(long number, String event) {}

    private final Database database;
    private final NodeRate rate;
    private final CopyOnWriteArrayList<LiveListener> listeners = new CopyOnWriteArrayList<>();

    /** Written by the reader alone, as is the next. */
    private final Map<LiveTable, Content> contents = new ConcurrentHashMap<>();

    private final Map<LiveTable, String> fingerprints = new HashMap<>();
    private volatile String batchEvent = "";
    private long batch = -1;
    private String told = "";
    private long stateAtMs;
    private long chartsAtMs;
    private final Thread reader;
    private volatile boolean closed;

    private Live(Database database, NodeRate rate) {
        this.database = database;
        this.rate = rate;
        this.reader = Thread.ofPlatform().daemon().name("live").unstarted(this::read);
    }

    static Live start(Database database, NodeRate rate) {
        var live = new Live(database, rate);
        live.reader.start();
        return live;
    }

    /** RESOURCE_EXHAUSTED when too many listen. */
    void add(LiveListener listener) {
        synchronized (listeners) {
            if (closed || listeners.size() >= LISTENERS_MAX) {
                throw new LakemillException(
                        ErrorCode.RESOURCE_EXHAUSTED,
                        "%d pages are listening already".formatted(LISTENERS_MAX),
                        "close some");
            }
            listeners.add(listener);
        }
        for (var table : listener.tables()) {
            var content = contents.get(table);
            if (content != null) {
                listener.offer(table.name(), content.event());
            }
        }
        if (!batchEvent.isEmpty()) {
            listener.offer("", batchEvent);
        }
    }

    void remove(LiveListener listener) {
        listeners.remove(listener);
    }

    int listenerCount() {
        return listeners.size();
    }

    @Override
    public void close() {
        synchronized (listeners) {
            closed = true;
        }
        listeners.forEach(LiveListener::end);
        reader.interrupt();
        try {
            reader.join(2_000);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void read() {
        while (!closed) {
            try (var connection = database.open()) {
                follow(connection);
            } catch (SQLException | LakemillException e) {
                var problem = String.valueOf(e.getMessage());
                if (!closed && !told.equals(problem)) {
                    told = problem;
                    System.err.println("the tables stand still: " + problem);
                }
                pause(RETRY_MS);
            }
        }
    }

    private void follow(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        while (!closed) {
            if (!listeners.isEmpty()) {
                look(connection);
                told = "";
            }
            pause(LOOK_MS);
        }
    }

    private void look(Connection connection) throws SQLException {
        var wanted = wanted();
        contents.keySet().retainAll(wanted);
        fingerprints.keySet().retainAll(wanted);
        var now = batch(connection);
        if (now.number() != batch) {
            for (var table : wanted) {
                if (table.kind() == LiveTable.Kind.SYNCED) {
                    synced(connection, table, now);
                }
            }
            charts(connection, wanted, now);
            batch = now.number();
            batchEvent = now.event();
            listeners.forEach(listener -> listener.offer("", batchEvent));
        } else {
            for (var table : wanted) {
                if (isSynced(table) && !contents.containsKey(table)) {
                    synced(connection, table, now);
                }
            }
        }
        connection.commit();
        states(connection, wanted);
    }

    private static boolean isSynced(LiveTable table) {
        return table.kind() == LiveTable.Kind.SYNCED || table.kind() == LiveTable.Kind.CHART;
    }

    private Set<LiveTable> wanted() {
        var wanted = new LinkedHashSet<LiveTable>();
        listeners.forEach(listener -> wanted.addAll(listener.tables()));
        wanted.removeIf(table -> table.kind() == LiveTable.Kind.INBOX);
        return wanted;
    }

    /** The number is 0 before the pipeline has run. */
    private Batch batch(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(BATCHES)) {
            if (!rows.next()) {
                return new Batch(0, "");
            }
            return new Batch(rows.getLong("batch"), describe(rows));
        }
    }

    private String describe(ResultSet rows) throws SQLException {
        return """
        event: sync
        data: {"pipeline":"%s","batch":%d,"applied_at":"%s","freshness_ms":%d,"rows_per_second":%s}

        """
                .formatted(
                        rows.getString("pipeline"),
                        rows.getLong("batch"),
                        rows.getTimestamp("applied_at").toInstant(),
                        Math.max(0, rows.getLong("lag_ms")),
                        rate.json());
    }

    private void charts(Connection connection, Set<LiveTable> wanted, Batch now)
            throws SQLException {
        var isDue = System.currentTimeMillis() - chartsAtMs >= CHART_EVERY_MS;
        for (var table : wanted) {
            if (table.kind() == LiveTable.Kind.CHART && (isDue || !contents.containsKey(table))) {
                synced(connection, table, now);
            }
        }
        if (isDue) {
            chartsAtMs = System.currentTimeMillis();
        }
    }

    private void synced(Connection connection, LiveTable table, Batch now) throws SQLException {
        show(table, new Content(content(connection, table), now.number()));
    }

    private void states(Connection connection, Set<LiveTable> wanted) throws SQLException {
        var now = System.currentTimeMillis();
        if (now - stateAtMs < STATE_EVERY_MS) {
            return;
        }
        stateAtMs = now;
        for (var table : wanted) {
            if (table.kind() == LiveTable.Kind.STATE) {
                state(connection, table);
            }
        }
        connection.commit();
    }

    private void state(Connection connection, LiveTable table) throws SQLException {
        String fingerprint;
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(table.fingerprint())) {
            rows.next();
            fingerprint = rows.getString(1);
        }
        if (!fingerprint.equals(fingerprints.put(table, fingerprint))) {
            var before = contents.get(table);
            var changes = before == null ? 1 : before.batch() + 1;
            show(table, new Content(content(connection, table), changes));
        }
    }

    static String content(Connection connection, LiveTable table) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(table.query())) {
            return TableJson.open(table.name(), rows);
        }
    }

    private void show(LiveTable table, Content content) {
        var before = contents.put(table, content);
        if (before != null && before.json().equals(content.json())) {
            return;
        }
        var event = content.event();
        for (var listener : List.copyOf(listeners)) {
            if (listener.tables().contains(table)) {
                listener.offer(table.name(), event);
            }
        }
    }

    private static void pause(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
