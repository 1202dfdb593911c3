package dev.lakemill.delta;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import io.delta.kernel.engine.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.arrow.memory.BufferAllocator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What every part of one table works with.
 *
 * @param unfinished data files that are being written or whose commit is under way
 * @param held data files that somebody reads, and how often; see {@link HeldFiles}
 */
record TableContext(
        Path location,
        Disk disk,
        Engine engine,
        DeltaConfig config,
        BufferAllocator allocator,
        Clock clock,
        Set<Path> unfinished,
        Map<Path, Integer> held) {
    private static final Logger LOG = LoggerFactory.getLogger(TableContext.class);

    /** The physical column of positions, which is in no table's schema. */
    static final String POSITION = "_position";

    static final Column POSITION_COLUMN = Column.required(POSITION, DataType.Primitive.LONG);

    static TableContext of(
            Path location, DeltaConfig config, BufferAllocator allocator, Clock clock, Disk disk) {
        return new TableContext(
                location.toAbsolutePath().normalize(),
                disk,
                new KernelEngine(disk, allocator),
                config,
                allocator,
                clock,
                ConcurrentHashMap.newKeySet(),
                new ConcurrentHashMap<>());
    }

    boolean isHeld(Path file) {
        return held.containsKey(file);
    }

    /** Deletes a file that nobody names; one that stays is vacuum's. */
    void deleteQuietly(Path file) {
        try {
            disk.delete(file);
        } catch (IOException e) {
            LOG.warn("{} stays until the next vacuum: {}", file, e.toString());
        }
    }

    /**
     * Dates a file that a commit is about to remove. The log forgets when that was: the kernel's
     * checkpoints keep what was removed since the last one, not for as long as the file retention.
     */
    void date(DataFile removed, long millis) {
        var file = removed.in(location);
        try {
            Files.setLastModifiedTime(file, FileTime.fromMillis(millis));
        } catch (NoSuchFileException _) {
            // Somebody deleted it: there is nothing to keep.
        } catch (IOException e) {
            LOG.warn("{} may go with the next vacuum: {}", file, e.toString());
        }
    }

    Path logFolder() {
        return location.resolve("_delta_log");
    }

    /** The location as the kernel takes it. */
    String name() {
        return location.toString();
    }
}
