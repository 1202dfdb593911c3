package dev.lakemill.delta;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.delta.kernel.Snapshot;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** The Delta properties of our tables, and what of other tables we refuse. */
final class TableProperties {
    private static final String COLUMN_MAPPING = "delta.columnMapping.mode";

    private TableProperties() {}

    /**
     * Of a new table. Row tracking gives every row an id in commit order, which orders our files
     * and cannot be added later; in-commit timestamps keep versions in order of time when files are
     * copied. Both concern writers only. Deletion vectors stay off: they would lock out readers
     * that do not know them.
     */
    static Map<String, String> ofNewTable(DeltaConfig config) {
        var properties = new HashMap<>(of(config));
        properties.put("delta.enableInCommitTimestamps", "true");
        properties.put("delta.enableRowTracking", "true");
        properties.put("delta.parquet.compression.codec", "zstd");
        return properties;
    }

    /** Those that follow our configuration. */
    static Map<String, String> of(DeltaConfig config) {
        return Map.of(
                "delta.checkpointInterval", Integer.toString(config.checkpointEvery()),
                "delta.logRetentionDuration", interval(config.logRetention()),
                "delta.deletedFileRetentionDuration", interval(config.fileRetention()));
    }

    private static String interval(Duration duration) {
        return "interval %d milliseconds".formatted(duration.toMillis());
    }

    private static LakemillException refused(Snapshot snapshot, String problem) {
        return new LakemillException(
                ErrorCode.UNIMPLEMENTED,
                "Delta table %s %s".formatted(snapshot.getPath(), problem),
                "copy it into a table made by Lakemill");
    }

    /** UNIMPLEMENTED for a table of another writer whose files we would read or write wrongly. */
    static void checkSupported(Snapshot snapshot) {
        var mapping = snapshot.getTableProperties().getOrDefault(COLUMN_MAPPING, "none");
        if (!mapping.equals("none")) {
            throw refused(snapshot, "has column mapping " + mapping);
        }
        var schema = KernelTypes.schema(snapshot.getSchema());
        for (var name : snapshot.getPartitionColumnNames()) {
            var type = schema.column(schema.indexOf(name).orElseThrow()).type();
            if (!PartitionValues.has(type)) {
                throw refused(snapshot, "is partitioned by %s %s".formatted(name, type.sql()));
            }
        }
    }
}
