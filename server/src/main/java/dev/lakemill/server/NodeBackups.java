package dev.lakemill.server;

import dev.lakemill.server.backup.Backups;
import java.time.Duration;
import java.util.Optional;

/** A node's backups, where {@code backup.folder} says that there are to be some. */
final class NodeBackups {
    private NodeBackups() {}

    static Optional<Backups> start(Node node) {
        var config = node.config();
        var folder = config.path(Setting.BACKUP_FOLDER);
        if (folder == null) {
            return Optional.empty();
        }
        var seconds = Math.max(1, config.number(Setting.BACKUP_INTERVAL_S));
        var waitingMax = (long) config.number(Setting.BACKUP_WAITING_MB) << 20;
        return Optional.of(
                Backups.start(
                        new Backups.Source(
                                config.data(),
                                node.postgres(),
                                node.ingest()::durableLsn,
                                node.tables()::ingestedFolders),
                        new Backups.Settings(folder, Duration.ofSeconds(seconds), waitingMax)));
    }

    static void measure(Backups backups, Metrics metrics) {
        metrics.gauge(
                "lakemill_backup_mark_age_seconds",
                "since the newest moment that can be restored in full, or the start",
                backups::markAgeSeconds);
    }
}
