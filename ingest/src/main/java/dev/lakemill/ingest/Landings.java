package dev.lakemill.ingest;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.wal.Durable;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The landings of all tables, and how far the log can be released.
 *
 * <p>Invariant: {@code dispatched} is read before the landings are asked for their oldest position,
 * and written after their frames were added; so a frame at or below it is seen by its landing, and
 * the lower of the two is safe to release.
 */
final class Landings {
    private static final Logger LOG = LoggerFactory.getLogger(Landings.class);

    /** Commits at a time, as each keeps a core busy while it goes well. */
    private static final int COMMIT_THREADS = 2;

    /** With those that take long; more tables than that at once make the others wait. */
    private static final int COMMIT_THREADS_MAX = 32;

    /** A commit that takes longer counts as one that waits for its store. */
    private static final long COMMIT_LONG_NANOS = TimeUnit.SECONDS.toNanos(3);

    /** The same of a compaction or vacuum, of which one runs at a time while they go well. */
    private static final long MAINTENANCE_LONG_NANOS = TimeUnit.MINUTES.toNanos(1);

    private static final int MAINTENANCE_THREADS_MAX = 8;

    private static final long TAIL_LOOK_NANOS = 500_000;

    private final Map<UUID, Landing> byId = new ConcurrentHashMap<>();
    private final Map<TableName, Landing> byName = new ConcurrentHashMap<>();
    private final Map<UUID, Long> unknownFrames = new TreeMap<>();
    private final Clock clock;
    private final String application;
    private final LandingConfig config;
    private final LandingSurroundings surroundings;
    private final ScheduledThreadPoolExecutor committers = threads(COMMIT_THREADS, "landing");
    private final ScheduledThreadPoolExecutor maintainers = threads(1, "maintenance");
    private volatile @Nullable LogEnd log;
    private volatile long dispatched;

    Landings(String application, LandingConfig config, Ingest.Surroundings given) {
        this.clock = given.clock();
        this.application = application;
        this.config = config;
        this.surroundings =
                new LandingSurroundings(
                        application,
                        config,
                        committers,
                        maintainers,
                        given.history(),
                        given.allocator(),
                        given.clock());
    }

    private static ScheduledThreadPoolExecutor threads(int count, String what) {
        var name = "lakemill-%s-".formatted(what);
        return new ScheduledThreadPoolExecutor(
                count, Thread.ofPlatform().daemon().name(name, 0).factory());
    }

    /** Adds a table; it takes replayed frames, and durable ones once it is started. */
    Landing add(IngestTable table, Bronze bronze) {
        var landing = new Landing(table.table(), bronze, table.feed(), surroundings, this::release);
        if (byName.putIfAbsent(table.table().name(), landing) != null) {
            throw new LakemillException(
                    ErrorCode.ALREADY_EXISTS,
                    "%s takes rows already".formatted(table.table().name()),
                    "");
        }
        byId.put(table.table().id(), landing);
        return landing;
    }

    /** Adds a table while the log runs. */
    void addStarted(IngestTable table, Bronze bronze) {
        var opened = log;
        if (opened != null) {
            checkAge(table.table().name(), bronze.transaction(application), opened);
        }
        add(table, bronze).start();
    }

    void remove(TableName name) {
        var landing = byName.remove(name);
        if (landing != null) {
            byId.remove(landing.table().id());
            landing.abandon(deadline());
        }
        release();
    }

    Optional<Landing> find(TableName name) {
        return Optional.ofNullable(byName.get(name));
    }

    List<TableName> names() {
        return byName.keySet().stream().sorted().toList();
    }

    /** Takes a frame that the log held at the start. */
    void replay(Durable frame) {
        var landing = byId.get(frame.frame().table());
        if (landing == null) {
            unknownFrames.merge(frame.frame().table(), 1L, Long::sum);
        } else {
            landing.replay(frame, micros(clock.instant()));
        }
    }

    /**
     * The log is open and everything was replayed: starts all landings.
     *
     * @throws LakemillException FAILED_PRECONDITION when the log does not belong to these tables
     */
    void start(LogEnd opened) {
        attach(opened);
        byId.values().forEach(Landing::start);
        release();
    }

    /**
     * The same without the landings' own threads.
     *
     * @throws LakemillException FAILED_PRECONDITION when the log does not belong to these tables
     */
    void attach(LogEnd opened) {
        checkUnknown();
        for (var landing : byId.values()) {
            var committed = OptionalLong.of(landing.committedPosition());
            checkAge(landing.table().name(), committed, opened);
        }
        dispatched = opened.durableLsn();
        log = opened;
        release();
    }

    /** Takes what became durable; one thread at a time. */
    void durable(List<Durable> group) {
        var receivedMicros = micros(clock.instant());
        for (var frame : group) {
            var landing = byId.get(frame.frame().table());
            if (landing != null) {
                landing.add(frame, receivedMicros);
            }
        }
        dispatched = group.getLast().lsn();
    }

    /**
     * The rows of a table that are not known to stand in Delta, when all that was acknowledged
     * before the call can be read. Blocks for about as long as rows linger.
     *
     * @throws LakemillException UNAVAILABLE when it takes longer than {@code wait}
     */
    LogTail tail(Landing landing, Duration wait) {
        var opened = log;
        long durable = opened == null ? 0 : opened.durableLsn();
        long until = System.nanoTime() + wait.toNanos();
        await(landing, until, () -> dispatched >= durable);
        long arrived = landing.arrivedPosition();
        await(landing, until, () -> landing.isPublished(arrived));
        return landing.tail();
    }

    private static void await(Landing landing, long untilNanos, BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - untilNanos > 0 || Thread.interrupted()) {
                throw new LakemillException(
                        ErrorCode.UNAVAILABLE,
                        "the newest rows of %s cannot be read yet"
                                .formatted(landing.table().name()),
                        "ask again; ./lakemill status says what hinders the table");
            }
            LockSupport.parkNanos(TAIL_LOOK_NANOS);
        }
    }

    /**
     * Lends a thread for each commit, compaction and vacuum that takes long, so that a store that
     * does not answer for some tables keeps none of the others from Delta. Called again and again.
     */
    void lendThreads() {
        long now = System.nanoTime();
        var tables = byId.values();
        long slow = tables.stream().filter(t -> t.commitsSince(now - COMMIT_LONG_NANOS)).count();
        committers.setCorePoolSize((int) Math.min(COMMIT_THREADS + slow, COMMIT_THREADS_MAX));
        long rewriting =
                tables.stream().filter(t -> t.maintainsSince(now - MAINTENANCE_LONG_NANOS)).count();
        maintainers.setCorePoolSize((int) Math.min(1 + rewriting, MAINTENANCE_THREADS_MAX));
    }

    /** Gives back to the log what all tables have in Delta. */
    private void release() {
        var opened = log;
        if (opened != null) {
            long floor = dispatched;
            for (var landing : byId.values()) {
                floor = Math.min(floor, landing.oldestPosition() - 1);
            }
            opened.release(floor);
        }
    }

    List<TableStatus> status() {
        return names().stream().flatMap(name -> find(name).stream()).map(Landing::status).toList();
    }

    /**
     * Publishes and commits what is here, as long as the close may take; frees all memory.
     *
     * @return the tables of which rows stay in the log
     */
    List<TableName> close() {
        var deadlineNanos = deadline();
        var delivered = awaitDelivery(deadlineNanos);
        var landings = new ArrayList<>(byId.values());
        landings.forEach(Landing::end);
        var left = new ArrayList<TableName>();
        for (var landing : landings) {
            if (!landing.finish(deadlineNanos) || !delivered) {
                left.add(landing.table().name());
            }
        }
        committers.shutdown();
        maintainers.shutdown();
        return left.stream().sorted(Comparator.comparing(TableName::toString)).toList();
    }

    /** Producers hear of durable frames a moment before the landings do. */
    private boolean awaitDelivery(long deadlineNanos) {
        var opened = log;
        while (opened != null && dispatched < opened.durableLsn()) {
            if (System.nanoTime() - deadlineNanos >= 0) {
                return false;
            }
            LockSupport.parkNanos(TAIL_LOOK_NANOS);
        }
        return true;
    }

    /** Lets everything go after an open that failed. */
    void abandon() {
        var deadlineNanos = deadline();
        byId.values().forEach(landing -> landing.abandon(deadlineNanos));
        committers.shutdownNow();
        maintainers.shutdownNow();
    }

    private long deadline() {
        return System.nanoTime() + config.closeTimeout().toNanos();
    }

    private void checkUnknown() {
        if (unknownFrames.isEmpty()) {
            return;
        }
        var what =
                unknownFrames.entrySet().stream()
                        .map(e -> "%d requests for table %s".formatted(e.getValue(), e.getKey()))
                        .collect(Collectors.joining(", "));
        if (!config.discardUnknownTables()) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the log holds rows of tables that are not in the catalog: " + what,
                    "restore the catalog that belongs to this log, or allow these rows to be"
                            + " discarded");
        }
        LOG.warn("Discarded from the log: {}", what);
    }

    private static void checkAge(TableName table, OptionalLong committed, LogEnd log) {
        if (committed.orElse(0) > log.durableLsn()) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "%s has rows up to log position %d, but the log ends at %d"
                            .formatted(table, committed.orElse(0), log.durableLsn()),
                    "this is not the log of these tables: restore its folder, or give the node a"
                            + " new data folder");
        }
    }

    static long micros(Instant instant) {
        return instant.getEpochSecond() * 1_000_000 + instant.getNano() / 1_000;
    }
}
