package dev.lakemill.server.apps;

import java.time.Instant;
import java.util.UUID;

/** A version of an app, and how its deployment went. */
record AppVersion(
        int number,
        UUID deployment,
        Status status,
        String message,
        AppArchive.Unpacked content,
        String createdBy,
        Instant createdAt,
        Instant updatedAt) {
    enum Status {
        IN_PROGRESS,
        SUCCEEDED,
        FAILED
    }
}
