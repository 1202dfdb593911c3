package dev.lakemill.bench;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.ingest.GrpcConfig;
import dev.lakemill.ingest.Ingest;
import dev.lakemill.ingest.IngestConfig;
import dev.lakemill.ingest.IngestHistory;
import dev.lakemill.ingest.IngestTable;
import dev.lakemill.ingest.LandingConfig;
import dev.lakemill.ingest.ProducerAccess;
import dev.lakemill.ingest.RowPolicy;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Disk;
import dev.lakemill.wal.LogConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;

/**
 * One life of an ingest node in this process: a real listener, a real Delta table, and a log on a
 * disk that may do anything. One thread opens and ends it.
 */
final class FaultyNode implements AutoCloseable {
    static final TableName TABLE = TableName.parse("bench.bronze.history");
    static final TableSchema SCHEMA =
            TableSchema.of(
                    new Column("stream", Primitive.INTEGER, false, ""),
                    new Column("n", Primitive.LONG, false, ""),
                    new Column("filler", Primitive.STRING, true, ""));

    private static final LogConfig LOG = new LogConfig(64 << 10, 512 << 10, 48 << 10, 16 << 10);

    private final BufferAllocator allocator = new RootAllocator();
    private final DeltaTable delta;
    private final TableFeed feed;
    private final Ingest ingest;

    /** Makes the node's table, or opens it. */
    interface Store {
        DeltaTable table(Path location, BufferAllocator allocator);
    }

    /**
     * @param store where the table stands
     * @param clock what the node takes for the time
     */
    FaultyNode(Path folder, IngestConfig config, Disk disk, Store store, InstantSource clock) {
        this.delta = store.table(folder.resolve("table"), allocator);
        this.feed = new TableFeed(TABLE, delta, config.application(), 1 << 20);
        this.ingest = open(folder, config, disk, clock.withZone(ZoneOffset.UTC));
    }

    private Ingest open(Path folder, IngestConfig config, Disk disk, Clock clock) {
        boolean opened = false;
        Ingest node = null;
        try {
            var table = new IngestTable(table(), delta, feed);
            var surroundings =
                    new Ingest.Surroundings(
                            new Anybody(),
                            _ -> RowPolicy.REFUSE,
                            new Forgotten(),
                            allocator,
                            clock);
            node = Ingest.open(folder.resolve("log"), config, List.of(table), surroundings, disk);
            node.listen();
            opened = true;
            return node;
        } finally {
            if (!opened) {
                if (node != null) {
                    node.abandon();
                }
                closeTable();
            }
        }
    }

    private CatalogTable table() {
        return new CatalogTable(
                UUID.nameUUIDFromBytes(TABLE.toString().getBytes(StandardCharsets.UTF_8)),
                TABLE,
                TableKind.INGESTED,
                delta.schema(),
                delta.location().toUri().toString(),
                "",
                Map.of(),
                Instant.EPOCH);
    }

    /** Limits so small that faults meet them. */
    static IngestConfig config(int port) {
        return IngestConfig.of("faults")
                .withLog(LOG)
                .withLanding(
                        LandingConfig.DEFAULT
                                .with(Duration.ofMillis(100), 64 << 10, 256 << 10)
                                .withWaits(
                                        Duration.ofMillis(2),
                                        Duration.ofMillis(50),
                                        Duration.ofSeconds(30)))
                .withGrpc(GrpcConfig.DEFAULT.withAddress("127.0.0.1", port));
    }

    boolean hasFailed() {
        return ingest.failure().isPresent();
    }

    /** As kill -9 would: what is in memory is gone. */
    void die() {
        ingest.abandon();
        closeTable();
    }

    /** Brings everything to Delta. */
    @Override
    public void close() {
        ingest.close();
        closeTable();
    }

    private void closeTable() {
        feed.close();
        delta.close();
        allocator.close();
    }

    /** Everybody may write. */
    private static final class Anybody implements ProducerAccess {
        @Override
        public Producer authenticate(
                String door, @Nullable String authorization, String address, UUID stream) {
            return new Producer() {
                @Override
                public String name() {
                    return "bench";
                }

                @Override
                public Instant expires() {
                    return Instant.MAX;
                }

                @Override
                public void require(TableName table) {}

                @Override
                public CatalogTable evolve(TableName table, List<Column> columns) {
                    throw new IllegalStateException("the table stays as it is");
                }

                @Override
                public void opened(TableName table) {}

                @Override
                public void closed(TableName table, long rows) {}
            };
        }

        @Override
        public AutoCloseable onChange(Runnable listener) {
            return () -> {};
        }
    }

    private static final class Forgotten implements IngestHistory {
        @Override
        public void stream(StreamEvent event) {}

        @Override
        public void landed(LandedEvent event) {}
    }
}
