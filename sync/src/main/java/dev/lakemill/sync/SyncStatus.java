package dev.lakemill.sync;

import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How one synced table stands.
 *
 * @param rows in Postgres
 * @param batch that it shows; 0 before the first
 * @param batchesBehind how many newer ones the pipeline has published
 * @param appliedAt when it came to show that batch; null before the first
 * @param skipped rows of the source set aside, by reason
 * @param refused why it does not change at present; empty when it does
 * @param progress of a load that is being done now; null while none is
 */
public record SyncStatus(
        TableName name,
        TableName source,
        long rows,
        long batch,
        long batchesBehind,
        @Nullable Instant appliedAt,
        Map<String, Long> skipped,
        String refused,
        SourceStatus.@Nullable Progress progress) {
    public SyncStatus {
        skipped = Map.copyOf(skipped);
    }
}
