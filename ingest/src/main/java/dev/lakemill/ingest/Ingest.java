package dev.lakemill.ingest;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.wal.Disk;
import dev.lakemill.wal.Durable;
import dev.lakemill.wal.Log;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Takes rows from producers, makes them durable in the log, acknowledges them, hands them to the
 * tables' feeds and lands them in Bronze, exactly once per request.
 *
 * <p>Safe for use by many threads; open, listen and close come from one.
 */
public final class Ingest implements AutoCloseable {
    /** The largest request, of a stream or without one. */
    public static final int REQUEST_BYTES_MAX = GrpcConfig.DEFAULT.messageBytesMax();

    private static final Duration TAIL_WAIT_MAX = Duration.ofSeconds(10);

    private final IngestConfig config;
    private final Landings landings;
    private final Streams streams;
    private final Log log;
    private final Function<IngestTable, Bronze> bronze;
    private final Clock clock;
    private final ScheduledExecutorService watch =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("lakemill-ingest-watch").factory());
    private @Nullable IngestServer server;
    private final AutoCloseable changes;
    private boolean closed;
    private volatile List<TableName> leftInLog = List.of();

    private Ingest(
            IngestConfig config, Landings landings, Streams streams, Log log, Outside outside) {
        this.config = config;
        this.landings = landings;
        this.streams = streams;
        this.log = log;
        this.bronze = outside.bronze();
        this.clock = outside.surroundings().clock();
        this.changes = streams.access().onChange(streams::recheck);
        watch.scheduleWithFixedDelay(this::watch, 1, 1, TimeUnit.SECONDS);
    }

    /**
     * Opens the log and brings the tables up to it: rows that are durable, but not yet in Delta, go
     * to the feeds and on to Delta. Producers are not listened to yet.
     *
     * @param tables every table that has ever taken rows and still exists
     * @param surroundings who may produce, what becomes of bad rows, memory and time
     * @throws LakemillException FAILED_PRECONDITION when the log holds rows of another table, is in
     *     use, or is older than a table; DATA_LOSS when it is damaged
     */
    public static Ingest open(
            Path logFolder,
            IngestConfig config,
            List<IngestTable> tables,
            Surroundings surroundings) {
        return open(logFolder, config, tables, surroundings, Disk.real());
    }

    /** The same with the log on another disk. */
    public static Ingest open(
            Path logFolder,
            IngestConfig config,
            List<IngestTable> tables,
            Surroundings surroundings,
            Disk disk) {
        var outside = new Outside(logFolder, disk, surroundings, IngestTable::bronze);
        return open(config, tables, outside);
    }

    /** What ingest asks of the process that it is part of. */
    public record Surroundings(
            ProducerAccess access,
            RowPolicies policies,
            IngestHistory history,
            BufferAllocator allocator,
            Clock clock) {}

    /** What tests replace. */
    record Outside(
            Path logFolder,
            Disk disk,
            Surroundings surroundings,
            Function<IngestTable, Bronze> bronze) {}

    static Ingest open(IngestConfig config, List<IngestTable> tables, Outside outside) {
        var landings = new Landings(config.application(), config.landing(), outside.surroundings());
        boolean opened = false;
        Log log = null;
        try {
            tables.forEach(table -> landings.add(table, outside.bronze().apply(table)));
            var streams = new Streams(landings, config.grpc(), outside.surroundings());
            var listener = new Delivery(streams, landings);
            log =
                    Log.open(
                            outside.logFolder(),
                            config.log(),
                            outside.disk(),
                            frame -> {
                                streams.persistent().replayed(frame);
                                landings.replay(frame);
                            },
                            listener);
            landings.start(LogEnd.of(log));
            streams.offers().start(log);
            opened = true;
            return new Ingest(config, landings, streams, log, outside);
        } finally {
            if (!opened) {
                landings.abandon();
                if (log != null) {
                    log.close();
                }
            }
        }
    }

    /** Brings the log's word to the streams first, since producers wait for it, then lands. */
    private record Delivery(Streams streams, Landings landings) implements Log.Listener {
        @Override
        public void durable(List<Durable> group) {
            streams.durable(group);
            landings.durable(group);
        }

        @Override
        public void failed(Throwable cause) {
            streams.failed(
                    cause instanceof LakemillException known
                            ? known
                            : new LakemillException(
                                    ErrorCode.UNAVAILABLE,
                                    String.valueOf(cause.getMessage()),
                                    "restart the server",
                                    cause));
        }
    }

    /**
     * Starts to listen. Returns the port.
     *
     * @throws LakemillException FAILED_PRECONDITION when the port is taken or TLS files are bad
     */
    public int listen() {
        var started = IngestServer.start(config.grpc(), streams);
        server = started;
        return started.port();
    }

    private void unsubscribe() {
        try {
            changes.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void watch() {
        streams.endStalled();
        streams.endUnopened();
        streams.expire(clock.instant());
        streams.inserts().endIdle();
        landings.lendThreads();
    }

    /**
     * Adds a table, which takes rows from now on.
     *
     * @throws LakemillException ALREADY_EXISTS when it is there
     */
    public void register(IngestTable table) {
        landings.addStarted(table, bronze.apply(table));
    }

    /** Ends a table's streams and forgets its rows that are not in Delta. */
    public void unregister(TableName table) {
        landings.find(table).ifPresent(streams::endOf);
        landings.remove(table);
    }

    /**
     * Takes rows that come without a stream. Returns when they are durable; blocks.
     *
     * @return how many they are
     * @throws LakemillException RESOURCE_EXHAUSTED when there is no room now; INVALID_ARGUMENT for
     *     rows that do not fit, none of which is taken then; NOT_FOUND for a table that takes no
     *     rows; UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE
     */
    public int insert(InsertRequest request) {
        return streams.inserts().insert(request);
    }

    /**
     * The rows of a table that Delta may not have yet, among them all that were acknowledged before
     * the call; empty for a table that takes no rows. Take the snapshot of Delta after it. Blocks.
     *
     * @throws LakemillException UNAVAILABLE when the rows cannot be read in time
     */
    public LogTail tail(TableName table) {
        return landings.find(table)
                .map(landing -> landings.tail(landing, TAIL_WAIT_MAX))
                .orElseGet(() -> new LogTail(config.application(), List.of()));
    }

    /** The log's position up to which every row is on the disk. */
    public long durableLsn() {
        return log.durableLsn();
    }

    /** Every table, by name. */
    public List<TableStatus> tables() {
        return landings.status();
    }

    public IngestTotals totals() {
        return streams.totals();
    }

    /** Why no rows are taken any more; empty while they are. */
    public Optional<LakemillException> failure() {
        return streams.failure();
    }

    /**
     * Ends at once, as a crash would: connections are cut, and what is durable but not in Delta
     * stays in the log for the next start.
     */
    public void abandon() {
        if (closed) {
            return;
        }
        closed = true;
        if (server != null) {
            server.abort();
        }
        end();
        landings.abandon();
        log.close();
    }

    /**
     * Stops listening, lets producers end their streams, and commits what is durable to Delta. What
     * cannot be committed in time stays in the log for the next start.
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (server != null) {
            server.close();
        }
        end();
        leftInLog = landings.close();
        log.close();
    }

    /** After {@link #close}: tables of which acknowledged rows are in the log alone, by name. */
    public List<TableName> leftInLog() {
        return leftInLog;
    }

    private void end() {
        watch.shutdownNow();
        streams.rates().close();
        unsubscribe();
        streams.inserts().close();
    }
}
