package dev.lakemill.postgres;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/**
 * How far an archived write-ahead log is replayed. Its files stand in {@code wal-in} of the
 * Postgres folder.
 *
 * @param target the last moment whose commits are in; null replays all there is
 * @param timeline of that moment: Postgres counts them up at every recovery
 */
public record PointInTime(@Nullable Instant target, long timeline) {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSSSSS'+00'").withZone(ZoneOffset.UTC);

    /** Nobody is let in before the end: what is seen would not be what was asked for. */
    String settings() {
        var moment =
                target == null
                        ? ""
                        : "recovery_target_time = '%s'\n".formatted(TIME.format(target));
        return moment
                + """
                hot_standby = off
                recovery_target_action = 'promote'
                recovery_target_timeline = '%d'
                """
                        .formatted(timeline);
    }
}
