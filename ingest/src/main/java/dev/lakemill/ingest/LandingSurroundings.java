package dev.lakemill.ingest;

import java.time.Clock;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.arrow.memory.BufferAllocator;

/**
 * What all landings share.
 *
 * @param application of the Delta transactions
 * @param committers platform threads that write to Delta
 * @param maintainers platform threads that rewrite files and remove them, beside the committers
 * @param history hears of every commit
 */
record LandingSurroundings(
        String application,
        LandingConfig config,
        ScheduledExecutorService committers,
        Executor maintainers,
        IngestHistory history,
        BufferAllocator allocator,
        Clock clock) {}
