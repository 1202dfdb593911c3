package dev.lakemill.postgres;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * Settings that follow from the machine: its memory and cores, or those of the container. Postgres
 * shares them with this process and its engine, so that it takes an eighth where a machine of its
 * own would give it a quarter.
 */
record Tuning(long memoryBytes, int cores) {
    private static final long MB = 1L << 20;

    static Tuning ofMachine() {
        var machine =
                ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class)
                        .getTotalMemorySize();
        return new Tuning(machine, Runtime.getRuntime().availableProcessors());
    }

    String settings() {
        return """
        shared_buffers = %dMB
        effective_cache_size = %dMB
        work_mem = %dMB
        maintenance_work_mem = %dMB
        max_wal_size = %dMB
        min_wal_size = 80MB
        random_page_cost = 1.1
        max_worker_processes = %d
        max_parallel_workers = %d
        max_parallel_workers_per_gather = %d
        """
                .formatted(
                        megabytes(8, 96, 8192),
                        megabytes(2, 256, 1 << 20),
                        megabytes(512, 8, 64),
                        megabytes(64, 64, 1024),
                        megabytes(8, 512, 4096),
                        8 + cores,
                        cores,
                        Math.clamp(cores / 2, 1, 4));
    }

    /** A part of the memory, within limits. */
    private long megabytes(long part, long min, long max) {
        return Math.clamp(memoryBytes / part / MB, min, max);
    }
}
