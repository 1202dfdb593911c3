package dev.lakemill.capture;

import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;

/** Dates and times in Postgres's ISO style: {@code 2026-03-01 10:00:00.5+00}. */
final class TextTimes {
    private static final long FIRST_DAY = LocalDate.of(1, 1, 1).toEpochDay();
    private static final long LAST_DAY = LocalDate.of(9999, 12, 31).toEpochDay();
    private static final long DAY_MICROS = 86_400_000_000L;

    private TextTimes() {}

    /** Days since 1970. */
    static long day(String text) {
        if (text.equals("infinity")) {
            return LAST_DAY;
        }
        if (text.equals("-infinity")) {
            return FIRST_DAY;
        }
        var beforeChrist = text.endsWith(" BC");
        var date = beforeChrist ? text.substring(0, text.length() - 3) : text;
        var dayAt = date.lastIndexOf('-');
        var monthAt = date.lastIndexOf('-', dayAt - 1);
        var year = Integer.parseInt(date, 0, monthAt, 10);
        var month = Integer.parseInt(date, monthAt + 1, dayAt, 10);
        var day = Integer.parseInt(date, dayAt + 1, date.length(), 10);
        return days(beforeChrist ? 1 - year : year, month, day);
    }

    private static long days(int year, int month, int day) {
        try {
            return LocalDate.of(year, month, day).toEpochDay();
        } catch (java.time.DateTimeException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** Microseconds since 1970, UTC where the text has a zone. */
    static long micros(String text) {
        if (text.equals("infinity")) {
            return (LAST_DAY + 1) * DAY_MICROS - 1;
        }
        if (text.equals("-infinity")) {
            return FIRST_DAY * DAY_MICROS;
        }
        var era = text.endsWith(" BC") ? " BC" : "";
        var space = text.indexOf(' ');
        if (space < 0) {
            return day(text) * DAY_MICROS;
        }
        var date = day(text.substring(0, space) + era);
        var time = text.substring(space + 1, text.length() - era.length());
        var zone = Math.max(time.indexOf('+'), time.indexOf('-'));
        var offset = zone < 0 ? 0 : clock(time.substring(zone + 1));
        var local = clock(zone < 0 ? time : time.substring(0, zone));
        var east = zone >= 0 && time.charAt(zone) == '+';
        return date * DAY_MICROS + local + (east ? -offset : offset);
    }

    /** Microseconds of hours, minutes and seconds, as far as they are there. */
    private static long clock(String text) {
        var parts = text.split(":", -1);
        long micros = Long.parseLong(parts[0]) * 3_600_000_000L;
        if (parts.length > 1) {
            micros += Long.parseLong(parts[1]) * 60_000_000L;
        }
        if (parts.length > 2) {
            var point = parts[2].indexOf('.');
            var whole = point < 0 ? parts[2] : parts[2].substring(0, point);
            micros += Long.parseLong(whole) * 1_000_000L;
            if (point >= 0) {
                var digits = (parts[2].substring(point + 1) + "000000").substring(0, 6);
                micros += Long.parseLong(digits);
            }
        }
        return micros;
    }

    /** A date as text. */
    static String day(int day) {
        var date = LocalDate.ofEpochDay(day);
        return date.getYear() > 0
                ? "%04d-%02d-%02d"
                        .formatted(date.getYear(), date.getMonthValue(), date.getDayOfMonth())
                : "%04d-%02d-%02d BC"
                        .formatted(1 - date.getYear(), date.getMonthValue(), date.getDayOfMonth());
    }

    /** A time as text, with six digits behind the point. */
    static String micros(long micros) {
        var instant = Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
        var time = LocalDateTime.ofInstant(instant, ZoneOffset.UTC);
        var day = day(Math.toIntExact(time.toLocalDate().toEpochDay()));
        var era = day.endsWith(" BC") ? " BC" : "";
        return "%s %02d:%02d:%02d.%06d%s"
                .formatted(
                        day.substring(0, day.length() - era.length()),
                        time.getHour(),
                        time.getMinute(),
                        time.getSecond(),
                        time.getNano() / 1000,
                        era);
    }
}
