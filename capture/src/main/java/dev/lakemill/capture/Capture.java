package dev.lakemill.capture;

import dev.lakemill.capture.CaptureStatus.State;
import dev.lakemill.capture.ChangeStream.Round;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.arrow.memory.BufferAllocator;
import org.postgresql.PGConnection;
import org.postgresql.replication.fluent.logical.ChainedLogicalCreateSlotBuilder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Committed changes of the tables of some Postgres schemas, read by logical decoding, as Delta
 * tables: a history of all changes, and the current state of tables with a key.
 *
 * <p>One thread does it: it reads the rows of tables that are new to it at a place of the log, then
 * the log itself, and begins again after any failure. Each change is in the lake once, whatever
 * fails and whenever: see {@link CapturedTable}.
 */
public final class Capture implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Capture.class);
    private static final long RETRY_MILLIS_MIN = 100;
    private static final long RETRY_MILLIS_MAX = 5_000;
    private static final Duration LOOK_EVERY = Duration.ofSeconds(2);
    private static final Duration END_WAIT_MAX = Duration.ofSeconds(20);

    private final CaptureConfig config;
    private final Postgres postgres;
    private final CaptureStore store;
    private final Lake lake;
    private final BufferAllocator allocator;
    private final Clock clock;
    private final Consumer<Step> steps;
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Map<Long, CapturedTable> tables = new ConcurrentHashMap<>();
    private final Thread thread;
    private final TableCare care;
    private volatile CaptureStatus status;
    private boolean installed;
    private long retryMillis = RETRY_MILLIS_MIN;
    private long lookedNanos;

    private Capture(
            CaptureConfig config,
            Postgres postgres,
            Lake lake,
            BufferAllocator allocator,
            Clock clock,
            Consumer<Step> steps) {
        this.config = config;
        this.steps = steps;
        this.postgres = postgres;
        this.store = new CaptureStore(postgres.owner(), config);
        this.lake = lake;
        this.allocator = allocator;
        this.clock = clock;
        this.status = new CaptureStatus(State.STARTING, config.slot(), 0, List.of(), 0, 0, "");
        this.thread = Thread.ofPlatform().name("capture").daemon().start(this::run);
        this.care = new TableCare(tables);
    }

    /** Begins, and goes on until it is closed. What fails is told by {@link #status}. */
    public static Capture start(
            CaptureConfig config,
            Postgres postgres,
            Lake lake,
            BufferAllocator allocator,
            Clock clock) {
        return new Capture(config, postgres, lake, allocator, clock, _ -> {});
    }

    /** The same, for tests that let it fail behind some steps. */
    static Capture start(
            CaptureConfig config,
            Postgres postgres,
            Lake lake,
            BufferAllocator allocator,
            Consumer<Step> steps) {
        return new Capture(config, postgres, lake, allocator, Clock.systemUTC(), steps);
    }

    /**
     * Takes away the slot and publications of a node that captures no longer, so that Postgres
     * keeps no log for it. What is in the lake stays.
     */
    public static void end(CaptureConfig config, Postgres postgres) {
        try {
            new CaptureStore(postgres.owner(), config).uninstall();
        } catch (SQLException | LakemillException e) {
            LOG.warn("the replication slot {} stays: {}", config.slot(), e.getMessage());
        }
    }

    public CaptureStatus status() {
        return status;
    }

    /** Bytes of its log that Postgres keeps for the slot; empty when it does not say. */
    public OptionalLong lagBytes() {
        try {
            return store.lagBytes();
        } catch (SQLException _) {
            return OptionalLong.empty();
        }
    }

    /** Commits what was read; the rest comes at the next start. */
    @Override
    public void close() {
        ending.countDown();
        try {
            thread.join(END_WAIT_MAX);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        care.close();
    }

    private boolean isEnding() {
        return ending.getCount() == 0;
    }

    private void run() {
        while (!isEnding()) {
            try {
                session();
            } catch (SQLException | RuntimeException | Error e) {
                // Memory that ran out for a moment must not end capture for good.
                fail(e);
            }
        }
    }

    private void fail(Throwable e) {
        if (isEnding()) {
            return;
        }
        var message = e.getMessage() == null ? e.toString() : e.getMessage();
        if (!message.equals(status.error())) {
            if (e instanceof SQLException || e instanceof LakemillException) {
                LOG.warn("capture waits: {}", message);
            } else {
                LOG.error("capture waits", e);
            }
        }
        status = withState(State.WAITING, message);
        try {
            if (ending.await(retryMillis, TimeUnit.MILLISECONDS)) {
                LOG.debug("capture ends after a failure");
            }
            retryMillis = Math.min(RETRY_MILLIS_MAX, 2 * retryMillis);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /** From what stands to the next thing that asks for a new start. */
    private void session() throws SQLException {
        if (!installed) {
            store.install();
            installed = true;
        }
        store.publish();
        prepareSlot();
        var parts = parts(store.generation());
        tables.clear();
        for (var relation : store.unknown()) {
            store.want(relation);
        }
        if (store.follow()) {
            LOG.debug("tables left the captured schemas, or came back");
        }
        var known = store.known();
        while (known.stream().anyMatch(CaptureStore.Known::snapshot) && !isEnding()) {
            status = withState(State.SNAPSHOT, "");
            snapshot(parts, known);
            known = store.known();
        }
        for (var table : known) {
            if (!table.snapshot()) {
                tables.put(table.shape().oid(), new CapturedTable(parts, table));
            }
        }
        stream(parts);
    }

    private void stream(CapturedTable.Parts parts) throws SQLException {
        var work = new ChangeStream.Work(config, store, parts, new Progress(), clock);
        try (var stream = new ChangeStream(work, postgres, tables)) {
            status = withState(State.STREAMING, "");
            lookedNanos = System.nanoTime();
            stream.run(() -> isEnding() || hasNews());
        }
    }

    /** Whether schemas or tables are there now that were not. */
    private boolean hasNews() {
        if (System.nanoTime() - lookedNanos < LOOK_EVERY.toNanos()) {
            return false;
        }
        lookedNanos = System.nanoTime();
        try {
            return store.publish() || store.follow() || !store.unknown().isEmpty();
        } catch (SQLException e) {
            LOG.debug("new tables are looked for later", e);
            return false;
        }
    }

    private CapturedTable.Parts parts(String generation) {
        return new CapturedTable.Parts(
                lake,
                "lakemill-capture/" + config.slot() + "/" + generation,
                CaptureStore.isBehindLake(generation),
                allocator,
                steps);
    }

    private void prepareSlot() throws SQLException {
        var slot = store.slot();
        var generation = store.generation();
        var known = known(generation);
        var isSetBack = isSetBack(known);
        if (slot.isPresent() && !slot.get().lost() && !isSetBack) {
            return;
        }
        if (isSetBack) {
            LOG.warn(
                    "Postgres stands at an earlier place of its log than the lake, as after a"
                            + " restore: all captured tables are compared, and their histories get"
                            + " the differences");
        } else if (slot.isPresent()) {
            LOG.warn(
                    "Postgres no longer has all changes for the replication slot {}, which was too"
                            + " far behind: all captured tables are compared, and their histories"
                            + " get the differences",
                    config.slot());
        }
        settle(known);
        store.dropSlot();
        steps.accept(Step.SLOT_DROPPED);
        store.createSlot();
        store.begin(isSetBack || CaptureStore.isBehindLake(generation));
        LOG.info(
                "the replication slot {} is new, as {}: all captured tables are read or compared"
                        + " (generation {} after {})",
                config.slot(),
                isSetBack
                        ? "Postgres was set back"
                        : slot.isPresent() ? "the old one was too far behind" : "there was none",
                store.generation(),
                generation);
    }

    /** Whether the lake has changes that this Postgres never made, or has forgotten. */
    private boolean isSetBack(List<CapturedTable> known) throws SQLException {
        var end = store.endOfLog();
        return known.stream().anyMatch(table -> table.history().position() > end);
    }

    /**
     * Brings current states to where their histories are: what a later comparison finds is then not
     * in the histories. The slot that told the changes between the two is gone.
     */
    private static void settle(List<CapturedTable> known) {
        known.forEach(SnapshotReader::settle);
    }

    private List<CapturedTable> known(String generation) throws SQLException {
        var parts = parts(generation);
        return store.known().stream().map(table -> new CapturedTable(parts, table)).toList();
    }

    /** Reads the rows of all tables that want it, at one place of the log. */
    private void snapshot(CapturedTable.Parts parts, List<CaptureStore.Known> known)
            throws SQLException {
        try (var replication = postgres.replication(ChangeStream.SESSION)) {
            ChainedLogicalCreateSlotBuilder builder =
                    replication
                            .unwrap(PGConnection.class)
                            .getReplicationAPI()
                            .createReplicationSlot()
                            .logical()
                            .withSlotName(config.slot() + "_rows")
                            .withOutputPlugin("pgoutput")
                            .withTemporaryOption();
            var slot = builder.make();
            var lsn = slot.getConsistentPoint().asLong();
            try (var reading = postgres.ownerUnpooled().getConnection()) {
                begin(reading, String.valueOf(slot.getSnapshotName()));
                steps.accept(Step.SNAPSHOT_TAKEN);
                for (var table : known) {
                    if (table.snapshot()) {
                        snapshot(parts, table, new At(reading, lsn));
                    }
                }
                reading.rollback();
            }
        }
    }

    /** A snapshot and its place in the log. */
    private record At(Connection reading, long lsn) {}

    private static void begin(Connection reading, String snapshot) throws SQLException {
        for (var setting : ChangeStream.SESSION.substring("-c ".length()).split(" -c ")) {
            var parts = setting.split("=", 2);
            CaptureStore.execute(reading, "SET %s = '%s'".formatted(parts[0], parts[1]));
        }
        reading.setAutoCommit(false);
        reading.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        reading.setReadOnly(true);
        CaptureStore.execute(reading, "SET TRANSACTION SNAPSHOT '%s'".formatted(snapshot));
    }

    private void snapshot(CapturedTable.Parts parts, CaptureStore.Known known, At at)
            throws SQLException {
        var oid = known.shape().oid();
        var shape = store.shape(at.reading(), oid);
        if (shape.isEmpty()) {
            store.forget(oid);
            return;
        }
        if (!TableSnapshot.isWhole(at.reading(), shape.get())) {
            LOG.info("{} was emptied or rewritten meanwhile, and is read again", known.lakeTable());
            return;
        }
        var table = new CapturedTable(parts, known);
        SnapshotReader.catchUp(table);
        table.follow(List.of(shape.get()), at.lsn() - 1);
        // A crash behind this finds the lake's columns in what it knows of the table.
        store.saveShape(table);
        new SnapshotReader(at.reading(), at.lsn(), nowMicros()).read(table);
        store.save(table);
        LOG.info("{} is captured", shape.get().fullName());
    }

    private long nowMicros() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, clock.instant());
    }

    private CaptureStatus withState(State state, String error) {
        var names = new TreeMap<String, Boolean>();
        tables.values().forEach(table -> names.put(table.shape().fullName(), true));
        return new CaptureStatus(
                state,
                config.slot(),
                status.confirmedLsn(),
                List.copyOf(names.keySet()),
                status.changes(),
                status.commitToDeltaMillis(),
                error);
    }

    /** Tells the status. */
    private final class Progress implements ChangeStream.Listener {
        @Override
        public void committed(Round round) {
            var before = withState(State.STREAMING, "");
            status =
                    new CaptureStatus(
                            before.state(),
                            before.slot(),
                            before.confirmedLsn(),
                            before.tables(),
                            before.changes() + round.changes(),
                            round.commitToDeltaMillis(),
                            "");
        }

        @Override
        public void confirmed(long lsn) {
            retryMillis = RETRY_MILLIS_MIN;
            var before = withState(State.STREAMING, "");
            status =
                    new CaptureStatus(
                            before.state(),
                            before.slot(),
                            lsn,
                            before.tables(),
                            before.changes(),
                            before.commitToDeltaMillis(),
                            "");
        }
    }
}
