package dev.lakemill.server;

import dev.lakemill.catalog.Migrations;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.ingest.IngestHistory;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the history of streams and landings in Postgres, for a year and up to a number of rows.
 *
 * <p>A thread of its own writes once a second what has happened. When Postgres is slow, events
 * beyond a number are dropped, and counted in the log: ingest never waits for its history.
 */
final class IngestHistoryLog implements IngestHistory, AutoCloseable {
    static final int KEPT_ROWS_MAX = 1_000_000;

    private static final Logger log = LoggerFactory.getLogger(IngestHistoryLog.class);
    private static final Migrations MIGRATIONS =
            new Migrations(
                    "ingest_history", IngestHistoryLog.class, List.of("0001-ingest-history.sql"));
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration PRUNED_EVERY = Duration.ofHours(1);
    private static final Duration END_WAIT_MAX = Duration.ofSeconds(5);
    private static final int QUEUED_MAX = 20_000;
    private static final String KEPT = "365 days";

    private final DataSource database;
    private final LinkedBlockingQueue<StreamEvent> streams = new LinkedBlockingQueue<>(QUEUED_MAX);
    private final LinkedBlockingQueue<LandedEvent> landed = new LinkedBlockingQueue<>(QUEUED_MAX);
    private final AtomicLong dropped = new AtomicLong();
    private final PeriodicWork work;
    private Instant pruned = Instant.EPOCH;

    private IngestHistoryLog(DataSource database) {
        this.database = database;
        this.work = PeriodicWork.start("ingest-history", PAUSE, END_WAIT_MAX, this::write);
    }

    /** Makes its tables in the schema {@code lakemill} and begins to write. */
    static IngestHistoryLog start(DataSource database) {
        MIGRATIONS.apply(database);
        return new IngestHistoryLog(database);
    }

    @Override
    public void stream(StreamEvent event) {
        if (!streams.offer(event)) {
            dropped.incrementAndGet();
        }
    }

    @Override
    public void landed(LandedEvent event) {
        if (!landed.offer(event)) {
            dropped.incrementAndGet();
        }
    }

    private void write() {
        var lost = dropped.getAndSet(0);
        if (lost > 0) {
            log.warn("{} events of ingest's history were dropped: Postgres is slow", lost);
        }
        var streamEvents = new ArrayList<StreamEvent>();
        var landedEvents = new ArrayList<LandedEvent>();
        streams.drainTo(streamEvents);
        landed.drainTo(landedEvents);
        var prune = Instant.now().isAfter(pruned.plus(PRUNED_EVERY));
        if (streamEvents.isEmpty() && landedEvents.isEmpty() && !prune) {
            return;
        }
        try {
            Transactions.run(
                    database,
                    connection -> {
                        writeStreams(connection, streamEvents);
                        writeLanded(connection, landedEvents);
                        if (prune) {
                            prune(connection, "zerobus_stream");
                            prune(connection, "zerobus_ingest");
                        }
                        return streamEvents.size();
                    });
            pruned = prune ? Instant.now() : pruned;
        } catch (LakemillException e) {
            log.warn("ingest's history cannot be written now: {}", e.getMessage());
        }
    }

    private static void writeStreams(Connection connection, List<StreamEvent> events)
            throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.zerobus_stream (stream_id, event_time, producer_id,
                    opened_time, closed_time, table_id, table_name, protocol, data_format, error)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """;
        try (var insert = connection.prepareStatement(sql)) {
            for (var event : events) {
                var stream = event.stream();
                insert.setString(1, stream.id().toString());
                insert.setTimestamp(2, Timestamp.from(event.at()));
                insert.setString(3, stream.producer());
                insert.setTimestamp(4, Timestamp.from(stream.opened()));
                insert.setTimestamp(5, event.closed().map(Timestamp::from).orElse(null));
                insert.setString(6, stream.table().id().toString());
                insert.setString(7, stream.table().name().toString());
                insert.setString(8, stream.protocol().name());
                insert.setString(9, stream.format().name());
                insert.setString(10, event.error().orElse(null));
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    private static void writeLanded(Connection connection, List<LandedEvent> events)
            throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.zerobus_ingest (commit_time, table_id, table_name,
                    commit_version, committed_records, committed_bytes)
                VALUES (?, ?, ?, ?, ?, ?)
                """;
        try (var insert = connection.prepareStatement(sql)) {
            for (var event : events) {
                insert.setTimestamp(1, Timestamp.from(event.at()));
                insert.setString(2, event.table().id().toString());
                insert.setString(3, event.table().name().toString());
                insert.setLong(4, event.version());
                insert.setLong(5, event.rows());
                insert.setLong(6, event.bytes());
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    private static void prune(Connection connection, String table) throws SQLException {
        try (var delete = connection.createStatement()) {
            delete.executeUpdate(
                    """
                    DELETE FROM lakemill.%1$s WHERE kept_since < now() - interval '%2$s'
                        OR id <= (SELECT coalesce(max(id), 0) FROM lakemill.%1$s) - %3$d
                    """
                            .formatted(table, KEPT, KEPT_ROWS_MAX));
        }
    }

    /** Writes what has happened by now. */
    @Override
    public void close() {
        work.close();
    }
}
