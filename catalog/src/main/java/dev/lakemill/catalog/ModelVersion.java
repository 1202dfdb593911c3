package dev.lakemill.catalog;

import dev.lakemill.types.Securable;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * A version of a registered model.
 *
 * @param version from 1 up; a number is not used again
 * @param source where it was trained, as MLflow says it
 * @param location where its files lie, as a URI: a folder of its own
 * @param aliases names that stand for this version, at most one version each
 */
public record ModelVersion(
        UUID id,
        Securable model,
        int version,
        String source,
        String runId,
        String comment,
        Status status,
        String location,
        Instant createdAt,
        String createdBy,
        Instant updatedAt,
        String updatedBy,
        Map<String, String> tags,
        List<String> aliases) {
    /** Whether its files are all there. */
    public enum Status {
        PENDING_REGISTRATION,
        FAILED_REGISTRATION,
        READY
    }

    public ModelVersion {
        tags = Map.copyOf(tags);
        aliases = List.copyOf(aliases);
    }
}
