package dev.lakemill.ingest;

import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.types.Column;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.types.TypeWidening;
import dev.lakemill.wal.Disk;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.apache.arrow.memory.AllocationListener;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;

/** A node with real log, tables and feeds in a folder, which can be closed and opened again. */
final class Node implements AutoCloseable {
    static final Duration WAIT = Duration.ofMinutes(2);

    private final Path folder;
    private final Map<TableName, TableSchema> schemas = new LinkedHashMap<>();
    private final List<IngestTable> tables = new ArrayList<>();
    private final BufferAllocator allocator =
            new RootAllocator(
                    new AllocationListener() {
                        @Override
                        public void onPreAllocation(long size) {
                            beforeAllocation.run();
                        }
                    },
                    Long.MAX_VALUE);
    private IngestConfig config =
            IngestConfig.of("node-1")
                    .withGrpc(
                            GrpcConfig.DEFAULT
                                    .withAddress("127.0.0.1", 0)
                                    .withLimits(10, Duration.ofSeconds(30), Duration.ofMillis(500)))
                    .withLanding(
                            LandingConfig.DEFAULT.with(
                                    Duration.ofMillis(50), 16L << 20, 64L << 20));
    private final TestAccess access = new TestAccess(this::evolve);
    private final List<IngestHistory.StreamEvent> streamEvents = new CopyOnWriteArrayList<>();
    private final List<IngestHistory.LandedEvent> landedEvents = new CopyOnWriteArrayList<>();
    private final IngestHistory history =
            new IngestHistory() {
                @Override
                public void stream(StreamEvent event) {
                    streamEvents.add(event);
                }

                @Override
                public void landed(LandedEvent event) {
                    landedEvents.add(event);
                }
            };
    private RowPolicies policies = _ -> RowPolicy.REFUSE;
    private Disk disk = Disk.real();
    private Bronzes bronzes = Bronze::of;
    private volatile Runnable beforeAllocation = () -> {};
    private @Nullable Ingest ingest;
    private int port;

    /** How a node sees its Delta tables. */
    interface Bronzes {
        Bronze of(DeltaTable table);
    }

    Node(Path folder) {
        this.folder = folder;
    }

    Node with(IngestConfig newConfig) {
        config = newConfig;
        return this;
    }

    Node with(Disk newDisk, Bronzes newBronzes) {
        disk = newDisk;
        bronzes = newBronzes;
        return this;
    }

    Node with(RowPolicies newPolicies) {
        policies = newPolicies;
        return this;
    }

    /** What happens when memory is asked for, on the thread that asks. */
    void beforeAllocation(Runnable action) {
        beforeAllocation = action;
    }

    /** What was told of streams. */
    List<IngestHistory.StreamEvent> streamEvents() {
        return streamEvents;
    }

    List<IngestHistory.LandedEvent> landedEvents() {
        return landedEvents;
    }

    IngestConfig config() {
        return config;
    }

    Path folder() {
        return folder;
    }

    Node table(String name, TableSchema schema) {
        schemas.put(TableName.parse(name), schema);
        return this;
    }

    Node open() {
        schemas.forEach((name, schema) -> tables.add(openTable(name, schema)));
        var outside =
                new Ingest.Outside(
                        folder.resolve("log"),
                        disk,
                        new Ingest.Surroundings(
                                access, policies, history, allocator, Clock.systemUTC()),
                        table -> bronzes.of(table.delta()));
        try {
            ingest = Ingest.open(config, tables, outside);
        } catch (RuntimeException e) {
            closeTables();
            throw e;
        }
        return this;
    }

    Node listen() {
        port = ingest().listen();
        return this;
    }

    private CatalogTable evolve(TableName name, List<Column> columns) {
        var schema =
                schemas.compute(
                        name,
                        (_, before) -> TypeWidening.grown(Objects.requireNonNull(before), columns));
        return catalogTable(name, Objects.requireNonNull(schema));
    }

    IngestTable openTable(TableName name, TableSchema schema) {
        var at = folder.resolve(name.table());
        var clock = Clock.systemUTC();
        var delta =
                DeltaTable.exists(at)
                        ? DeltaTable.open(at, DeltaConfig.DEFAULT, allocator, clock)
                        : DeltaTable.create(at, schema, DeltaConfig.DEFAULT, allocator, clock);
        return new IngestTable(
                catalogTable(name, schema),
                delta,
                new TableFeed(name, delta, config.application(), 16L << 20));
    }

    private CatalogTable catalogTable(TableName name, TableSchema schema) {
        return new CatalogTable(
                UUID.nameUUIDFromBytes(name.toString().getBytes(StandardCharsets.UTF_8)),
                name,
                TableKind.INGESTED,
                schema,
                folder.resolve(name.table()).toUri().toString(),
                "",
                Map.of(),
                Instant.EPOCH);
    }

    TestAccess access() {
        return access;
    }

    Ingest ingest() {
        if (ingest == null) {
            throw new IllegalStateException("not open");
        }
        return ingest;
    }

    int port() {
        return port;
    }

    IngestTable table(String name) {
        return tables.stream()
                .filter(t -> t.table().name().toString().equals(name))
                .findFirst()
                .orElseThrow();
    }

    ProducerClient client() {
        return ProducerClient.connect(Endpoint.plaintext("127.0.0.1", port), () -> "token");
    }

    RawClient raw() {
        return new RawClient(port);
    }

    /** All rows that stand in Delta, in commit order. */
    List<@Nullable Object[]> rows(String name) {
        var rows = new ArrayList<@Nullable Object[]>();
        try (var reader = table(name).delta().snapshot().read(List.of())) {
            for (var batch = reader.next(); batch != null; batch = reader.next()) {
                rows.addAll(VectorValues.rows(batch));
                batch.close();
            }
        }
        return rows;
    }

    /** The first column of all rows that stand in Delta, as text. */
    List<String> firsts(String name) {
        return rows(name).stream().map(row -> String.valueOf(row[0])).toList();
    }

    /** The first column of all rows that the feed has, in order, as text. */
    List<String> fed(String name) {
        var rows = new ArrayList<String>();
        try (var reader = table(name).feed().reader(0)) {
            for (var batch = reader.poll(Long.MAX_VALUE, 1000);
                    batch != null;
                    batch = reader.poll(Long.MAX_VALUE, 1000)) {
                VectorValues.rows(batch.rows()).forEach(r -> rows.add(String.valueOf(r[0])));
                batch.close();
            }
        }
        return rows;
    }

    TableStatus status(String name) {
        return ingest().tables().stream()
                .filter(t -> t.table().toString().equals(name))
                .findFirst()
                .orElseThrow();
    }

    static void await(String what, BooleanSupplier condition) {
        var until = System.nanoTime() + WAIT.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - until > 0) {
                throw new AssertionError("not within " + WAIT + ": " + what);
            }
            try {
                Thread.sleep(2);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Override
    public void close() {
        var opened = ingest;
        ingest = null;
        if (opened != null) {
            opened.close();
        }
        closeTables();
    }

    /** Ends as kill -9 does: what Delta does not have is in the log alone. */
    void kill() {
        var opened = ingest;
        ingest = null;
        if (opened != null) {
            opened.abandon();
        }
        closeTables();
    }

    private void closeTables() {
        tables.forEach(table -> table.feed().close());
        tables.forEach(table -> table.delta().close());
        tables.clear();
        if (allocator.getAllocatedMemory() != 0) {
            throw new AssertionError(allocator.toVerboseString());
        }
    }
}
