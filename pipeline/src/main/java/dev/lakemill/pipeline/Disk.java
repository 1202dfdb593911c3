package dev.lakemill.pipeline;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Where a pipeline keeps its small files. A test's disk fails or crashes here. */
interface Disk {
    /** The file's bytes; none when there is no file. */
    byte[] read(Path file) throws IOException;

    /** Cuts the file at the offset and appends; durable on return. */
    void append(Path file, long offset, byte[] bytes) throws IOException;

    /** Makes or replaces the file as a whole; durable on return. */
    void replace(Path file, byte[] bytes) throws IOException;

    /** Nothing happens when there is no file. */
    void delete(Path file) throws IOException;

    /** The folder's files; none when there is no folder. */
    List<Path> list(Path folder) throws IOException;
}
