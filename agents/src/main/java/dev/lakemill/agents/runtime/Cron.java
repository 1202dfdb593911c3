package dev.lakemill.agents.runtime;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;

/**
 * A schedule in cron's five fields (minute, hour, day of month, month, day of week), in a time
 * zone. As in POSIX, a day counts when either of its fields says so, where both are given.
 *
 * <p>A time that a change to summer time leaves out comes right after the gap; one that a change
 * back repeats comes once, the first time.
 */
public final class Cron {
    private static final List<String> MONTHS =
            List.of(
                    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov",
                    "dec");
    private static final List<String> DAYS =
            List.of("sun", "mon", "tue", "wed", "thu", "fri", "sat");
    private static final int YEARS_MAX = 9;

    private final BitSet minutes;
    private final BitSet hours;
    private final BitSet days;
    private final BitSet months;
    private final BitSet weekdays;
    private final boolean anyDay;
    private final boolean anyWeekday;
    private final ZoneId zone;

    private Cron(String[] fields, ZoneId zone, String text) {
        this.minutes = field(fields[0], 0, 59, List.of(), text);
        this.hours = field(fields[1], 0, 23, List.of(), text);
        this.days = field(fields[2], 1, 31, List.of(), text);
        this.months = field(fields[3], 1, 12, MONTHS, text);
        this.weekdays = field(fields[4], 0, 7, DAYS, text);
        this.anyDay = fields[2].startsWith("*");
        this.anyWeekday = fields[4].startsWith("*");
        this.zone = zone;
        if (weekdays.get(7)) {
            weekdays.set(0);
        }
    }

    /** INVALID_ARGUMENT when either is none, or no time ever fits. */
    public static Cron parse(String text, String zone) {
        var fields = text.strip().split("\\s+");
        if (fields.length != 5) {
            throw wrong(text, "has %d fields".formatted(fields.length));
        }
        try {
            var cron = new Cron(fields, ZoneId.of(zone), text);
            cron.next(Instant.EPOCH);
            return cron;
        } catch (java.time.DateTimeException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "'%s' is no time zone".formatted(zone),
                    "write one like Europe/Berlin or UTC",
                    e);
        }
    }

    /** The first time after another. */
    public Instant next(Instant after) {
        var from = after.atZone(zone);
        var time = from.toLocalDateTime().truncatedTo(ChronoUnit.MINUTES).plusMinutes(1);
        var end = time.plusYears(YEARS_MAX);
        while (time.isBefore(end)) {
            if (!months.get(time.getMonthValue())) {
                time = time.withDayOfMonth(1).truncatedTo(ChronoUnit.DAYS).plusMonths(1);
            } else if (!isDay(time)) {
                time = time.truncatedTo(ChronoUnit.DAYS).plusDays(1);
            } else if (!hours.get(time.getHour())) {
                time = time.truncatedTo(ChronoUnit.HOURS).plusHours(1);
            } else if (!minutes.get(time.getMinute())) {
                time = time.plusMinutes(1);
            } else {
                var found = ZonedDateTime.ofLocal(time, zone, null).toInstant();
                if (found.isAfter(after)) {
                    return found;
                }
                time = time.plusMinutes(1);
            }
        }
        throw new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "no time in %d years fits the schedule".formatted(YEARS_MAX),
                "look at its day and month");
    }

    private boolean isDay(LocalDateTime time) {
        var day = days.get(time.getDayOfMonth());
        var weekday = weekdays.get(number(time.getDayOfWeek()));
        return (anyDay || anyWeekday) ? (day && weekday) : (day || weekday);
    }

    private static int number(DayOfWeek day) {
        return day.getValue() % 7;
    }

    private static BitSet field(String text, int min, int max, List<String> names, String whole) {
        var values = new BitSet(max + 1);
        for (var part : text.split(",", -1)) {
            var stepped = part.split("/", 2);
            var step = stepped.length == 2 ? number(stepped[1], 1, max, List.of(), whole) : 1;
            var range = stepped[0].split("-", 2);
            var first = min;
            var last = max;
            if (!stepped[0].equals("*")) {
                first = number(range[0], min, max, names, whole);
                last =
                        range.length == 2
                                ? number(range[1], min, max, names, whole)
                                : stepped.length == 2 ? max : first;
            }
            if (first > last) {
                throw wrong(whole, "has the empty range " + part);
            }
            for (var value = first; value <= last; value += step) {
                values.set(value);
            }
        }
        return values;
    }

    private static int number(String text, int min, int max, List<String> names, String whole) {
        var named = names.indexOf(text.toLowerCase(Locale.ROOT));
        if (named >= 0) {
            return named + (min == 1 ? 1 : 0);
        }
        try {
            var number = Integer.parseInt(text);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException _) {
            // Told below, with the same words as a number out of range.
        }
        throw wrong(whole, "has '%s' where %d to %d may stand".formatted(text, min, max));
    }

    private static LakemillException wrong(String text, String problem) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "the schedule '%s' %s".formatted(text, problem),
                "write minute hour day month weekday, for example '30 6 * * mon-fri'");
    }
}
