package dev.lakemill.server.backup;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.Map;

/**
 * Which of Postgres's timelines lead to one of them. Each recovery begins a new one and writes a
 * history file: a line for every timeline before, with the position where it was left.
 *
 * @param leftAt the segment in which each earlier timeline was left, by its name's first digits
 */
record Timelines(String newest, Map<String, String> leftAt) {
    Timelines {
        leftAt = Map.copyOf(leftAt);
    }

    static Timelines of(BackupFolder backups, String newest) throws IOException {
        var leftAt = new HashMap<String, String>();
        var file = backups.wal().resolve(newest + ".history.gz");
        if (Files.exists(file)) {
            try (var history = WalShipper.unpacked(file)) {
                var text = new String(history.readAllBytes(), StandardCharsets.UTF_8);
                for (var line : text.lines().toList()) {
                    var fields = line.strip().split("\\s+");
                    if (fields.length >= 2 && fields[0].matches("\\d+")) {
                        var position = fields[1].split("/");
                        leftAt.put(
                                "%08X".formatted(Long.parseLong(fields[0])),
                                "%08X%08X"
                                        .formatted(
                                                Long.parseLong(position[0], 16),
                                                Long.parseLong(position[1], 16) >> 24));
                    }
                }
            }
        }
        return new Timelines(newest, leftAt);
    }

    /** Whether a base backup was made on the way to the timeline, not on one that was given up. */
    boolean leadHere(Base base) {
        return leadHere(base.stopWal());
    }

    /** The same for a file of the log. That in which a timeline was left is the next one's. */
    boolean leadHere(String wal) {
        var timeline = wal.substring(0, 8);
        var left = leftAt.get(timeline);
        return timeline.equals(newest)
                || (left != null && Retention.segment(wal).compareTo(left) < 0);
    }
}
