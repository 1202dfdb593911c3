package dev.lakemill.bench;

import io.debezium.embedded.Connect;
import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import java.io.IOException;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * Debezium's embedded engine on the tables of a load, tuned for speed: it polls each millisecond,
 * keeps its offsets in memory and hands records over as they are. They are counted, not written.
 */
final class DebeziumPeer implements CaptureLoad.Follower, AutoCloseable {
    private static final String PREFIX = "peer";
    private static final long START_SECONDS_MAX = 60;

    private final Map<String, AtomicLong> counts = new ConcurrentHashMap<>();
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final DebeziumEngine<ChangeEvent<SourceRecord, SourceRecord>> engine;

    private DebeziumPeer(Properties settings) {
        engine =
                DebeziumEngine.create(Connect.class)
                        .using(settings)
                        .notifying(this::handle)
                        .build();
        thread.execute(engine);
    }

    static DebeziumPeer start(CaptureLoad load)
            throws IOException, SQLException, InterruptedException {
        var settings = new Properties();
        settings.putAll(
                Map.of(
                        "name", PREFIX,
                        "connector.class", "io.debezium.connector.postgresql.PostgresConnector",
                        "offset.storage",
                                "org.apache.kafka.connect.storage.MemoryOffsetBackingStore",
                        "topic.prefix", PREFIX,
                        "plugin.name", "pgoutput",
                        "slot.name", PREFIX,
                        "snapshot.mode", "no_data",
                        "schema.include.list", "app",
                        "poll.interval.ms", "1"));
        settings.putAll(
                Map.of(
                        "database.hostname", "127.0.0.1",
                        "database.port", String.valueOf(load.postgres().port()),
                        "database.dbname", load.postgres().database(),
                        "database.user", "lakemill",
                        "database.password", load.ownerPassword(),
                        "advanced.metrics.enable", "false",
                        "statistics.metrics.enabled", "false",
                        "max.batch.size", "8192",
                        "max.queue.size", "32768"));
        var peer = new DebeziumPeer(settings);
        var active =
                "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '%s' AND active"
                        .formatted(PREFIX);
        var end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS_MAX);
        while (!load.ask(active).equals("1")) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("Debezium does not start");
            }
            Thread.sleep(20);
        }
        return peer;
    }

    private void handle(
            List<ChangeEvent<SourceRecord, SourceRecord>> events,
            DebeziumEngine.RecordCommitter<ChangeEvent<SourceRecord, SourceRecord>> committer)
            throws InterruptedException {
        for (var event : events) {
            counts.computeIfAbsent(event.value().topic(), _ -> new AtomicLong()).incrementAndGet();
            committer.markProcessed(event);
        }
        committer.markBatchFinished();
    }

    @Override
    public long rows(String table) {
        var count = counts.get("%s.app.%s".formatted(PREFIX, table));
        return count == null ? 0 : count.get();
    }

    /** What is handed over is all that it does. */
    @Override
    public boolean isPast(long lsn) {
        return true;
    }

    @Override
    public void close() throws IOException {
        engine.close();
        thread.shutdownNow();
    }
}
