package dev.lakemill.server.rest;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import java.nio.file.Files;
import org.apache.arrow.memory.BufferAllocator;

/** What Delta tables of others say of themselves. */
public final class DeltaFiles {
    private final BufferAllocator allocator;

    public DeltaFiles(BufferAllocator allocator) {
        this.allocator = allocator;
    }

    /** The columns of the table there; INVALID_ARGUMENT when there is none, or none we can read. */
    TableSchema schema(String location) {
        if (!Locations.isFile(location)) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the columns of %s cannot be read from here".formatted(location),
                    "send the columns with the request");
        }
        var folder = Locations.folder(location);
        try {
            return DeltaTable.read(folder, allocator).schema();
        } catch (LakemillException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "no Delta table can be read at %s: %s".formatted(location, e.problem()),
                    "write it first, or send its columns with the request",
                    e);
        }
    }

    /** Whether the log has a version 0. */
    static boolean isBegun(String location) {
        return Files.exists(
                Locations.folder(location)
                        .resolve("_delta_log")
                        .resolve("00000000000000000000.json"));
    }
}
