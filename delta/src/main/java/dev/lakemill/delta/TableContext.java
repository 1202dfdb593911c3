package dev.lakemill.delta;

import io.delta.kernel.engine.Engine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import org.apache.arrow.memory.BufferAllocator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What every part of one table works with. */
record TableContext(
        Path location,
        Disk disk,
        Engine engine,
        DeltaConfig config,
        BufferAllocator allocator,
        Clock clock) {
    private static final Logger LOG = LoggerFactory.getLogger(TableContext.class);

    /** The physical column of positions, which is in no table's schema. */
    static final String POSITION = "_position";

    static TableContext of(
            Path location, DeltaConfig config, BufferAllocator allocator, Clock clock, Disk disk) {
        return new TableContext(
                location.toAbsolutePath().normalize(),
                disk,
                new KernelEngine(disk, allocator),
                config,
                allocator,
                clock);
    }

    /** Deletes a file that nobody names; one that stays is vacuum's. */
    void deleteQuietly(Path file) {
        try {
            disk.delete(file);
        } catch (IOException e) {
            LOG.warn("{} stays until the next vacuum: {}", file, e.toString());
        }
    }

    /** The location as the kernel takes it. */
    String name() {
        return location.toString();
    }
}
