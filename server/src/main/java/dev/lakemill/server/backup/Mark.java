package dev.lakemill.server.backup;

import dev.lakemill.wal.LogCopy;
import java.time.Instant;
import java.util.List;

/**
 * A moment at which the lake's side of a node was copied whole: what the tables, the log and the
 * pipelines held, each part consistent with the others as after a crash.
 *
 * @param id sorts as the time does
 * @param time of the database's clock; Postgres at this or a later moment knows all that is in here
 * @param wal the file of Postgres's write-ahead log up to which the moment is archived
 * @param timeline of Postgres, as names of its files have it. A restore begins another, on which
 *     versions of tables and positions of the log come again, with another content
 * @param data the data folder's path
 */
record Mark(
        String id,
        String time,
        String wal,
        String timeline,
        String data,
        List<Table> tables,
        List<SmallFile> files,
        List<LogCopy.Part> log) {
    /** A Delta table at a version; its path is from the data folder. */
    record Table(String path, String id, long version) {}

    /** Any other file; its path is from the data folder. */
    record SmallFile(String path, String sha256, long bytes, boolean executable) {}

    Mark {
        tables = List.copyOf(tables);
        files = List.copyOf(files);
        log = List.copyOf(log);
    }

    Instant at() {
        return Instant.parse(time);
    }
}
