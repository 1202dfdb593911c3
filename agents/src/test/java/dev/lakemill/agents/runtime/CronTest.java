package dev.lakemill.agents.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CronTest {
    private static String next(String cron, String zone, String after) {
        return Cron.parse(cron, zone).next(Instant.parse(after)).toString();
    }

    @Test
    void timesAreThoseOfCron() {
        assertThat(next("30 6 * * mon-fri", "UTC", "2026-11-27T06:30:00Z"))
                .isEqualTo("2026-11-30T06:30:00Z");
        assertThat(next("*/15 * * * *", "UTC", "2026-11-29T00:14:59Z"))
                .isEqualTo("2026-11-29T00:15:00Z");
        assertThat(next("0 0 29 2 *", "UTC", "2026-11-29T00:00:00Z"))
                .isEqualTo("2028-02-29T00:00:00Z");
        assertThat(next("0 12 13 * 5", "UTC", "2026-11-29T00:00:00Z"))
                .as("either day where both are given")
                .isEqualTo("2026-12-04T12:00:00Z");
        assertThat(next("0 0 1 jan,jul *", "UTC", "2026-11-29T00:00:00Z"))
                .isEqualTo("2027-01-01T00:00:00Z");
        assertThat(next("5 4 * * 7", "UTC", "2026-11-28T00:00:00Z"))
                .isEqualTo("2026-11-29T04:05:00Z");
    }

    @Test
    void summerTimeNeitherLosesNorRepeatsATime() {
        assertThat(next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z"))
                .as("02:30 is left out, so 03:30")
                .isEqualTo("2026-03-29T01:30:00Z");
        assertThat(next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z"))
                .isEqualTo("2026-10-25T00:30:00Z");
        assertThat(next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z"))
                .as("not again an hour later")
                .isEqualTo("2026-10-26T01:30:00Z");
    }

    @Test
    void whatIsNoScheduleIsToldSo() {
        for (var wrong :
                List.of("* * * *", "60 * * * *", "* * * * mun", "5-1 * * * *", "0 0 31 2 *")) {
            assertThatThrownBy(() -> Cron.parse(wrong, "UTC"))
                    .as(wrong)
                    .hasMessageContaining("hint");
        }
        assertThatThrownBy(() -> Cron.parse("* * * * *", "Mars/Olympus"))
                .hasMessageContaining("is no time zone");
    }
}
