package dev.lakemill.ingest;

import dev.lakemill.types.TableName;
import java.util.ArrayList;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Who has sent how much lately. Safe for use by many threads. */
final class Rates implements AutoCloseable {
    private final RateLimits limits;
    private final Map<TableName, RateMeter> tables = new ConcurrentHashMap<>();
    private final Map<String, RateMeter> principals = new ConcurrentHashMap<>();
    private final ScheduledExecutorService later =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("lakemill-ingest-rates").factory());

    Rates(RateLimits limits) {
        this.limits = limits;
    }

    /** The pace of a new stream. */
    Pace pace(TableName table, String principal) {
        var meters = new ArrayList<RateMeter>();
        if (!limits.stream().isNone()) {
            meters.add(new RateMeter("a stream", limits.stream()));
        }
        if (!limits.table().isNone()) {
            meters.add(
                    tables.computeIfAbsent(
                            table, t -> meter("all streams to " + t, limits.table())));
        }
        if (!limits.principal().isNone()) {
            meters.add(
                    principals.computeIfAbsent(
                            principal, p -> meter("principal " + p, limits.principal())));
        }
        return meters.isEmpty() ? Pace.FREE : new Pace(meters);
    }

    private static RateMeter meter(String what, RateLimits.Rate rate) {
        return new RateMeter(what, rate);
    }

    /** Runs the action on another thread; never after {@link #close}. It must not block. */
    void after(long waitNanos, Runnable action) {
        try {
            later.schedule(action, waitNanos, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            // The server stops: nobody reads any more.
        }
    }

    @Override
    public void close() {
        later.shutdownNow();
    }
}
