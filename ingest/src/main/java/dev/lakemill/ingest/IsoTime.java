package dev.lakemill.ingest;

import java.time.DateTimeException;
import java.time.LocalDate;

/**
 * Reads ISO 8601 dates and times without making objects for the usual case.
 *
 * <p>{@code 2026-11-22}; {@code 2026-11-22T10:15}, {@code 2026-11-22T10:15:30.123456Z}, {@code
 * 2026-11-22 10:15:30+01:00}. Digits beyond microseconds are cut off. Not thread-safe.
 */
final class IsoTime {
    /** 0001-01-01 to 9999-12-31, the range of dates in SQL. */
    static final long DAYS_MIN = LocalDate.of(1, 1, 1).toEpochDay();

    static final long DAYS_MAX = LocalDate.of(9999, 12, 31).toEpochDay();
    static final long MICROS_PER_DAY = 86_400_000_000L;
    static final long MICROS_MIN = DAYS_MIN * MICROS_PER_DAY;
    static final long MICROS_MAX = (DAYS_MAX + 1) * MICROS_PER_DAY - 1;

    private char[] text = new char[0];
    private int at;
    private int end;

    /** What a text that is no date or time is answered with. */
    static final class NotATime extends Exception {
        private static final long serialVersionUID = 1L;

        NotATime() {
            super(null, null, false, false);
        }
    }

    private IsoTime on(char[] characters, int from, int length) {
        text = characters;
        at = from;
        end = from + length;
        return this;
    }

    /** Days since 1970-01-01. */
    int days(char[] characters, int from, int length) throws NotATime {
        on(characters, from, length);
        long days = date();
        ended();
        return (int) days;
    }

    /**
     * Microseconds since 1970-01-01.
     *
     * @param zoned whether an offset from UTC may follow; without one it is UTC
     */
    long micros(char[] characters, int from, int length, boolean zoned) throws NotATime {
        on(characters, from, length);
        long days = date();
        if (at < end && (text[at] == 'T' || text[at] == 't' || text[at] == ' ')) {
            at++;
        } else {
            throw new NotATime();
        }
        long micros = days * MICROS_PER_DAY + time();
        if (zoned && at < end) {
            micros -= offsetMinutes() * 60_000_000L;
        }
        ended();
        return micros;
    }

    private long date() throws NotATime {
        int year = digits(4);
        expect('-');
        int month = digits(2);
        expect('-');
        int day = digits(2);
        try {
            return LocalDate.of(year, month, day).toEpochDay();
        } catch (DateTimeException e) {
            throw new NotATime();
        }
    }

    private long time() throws NotATime {
        int hour = digits(2);
        expect(':');
        int minute = digits(2);
        int second = accept(':') ? digits(2) : 0;
        if (hour > 23 || minute > 59 || second > 59) {
            throw new NotATime();
        }
        return (hour * 3600L + minute * 60L + second) * 1_000_000 + (accept('.') ? fraction() : 0);
    }

    private long fraction() throws NotATime {
        long micros = 0;
        int digits = 0;
        while (at < end && isDigit(text[at])) {
            if (digits < 6) {
                micros = micros * 10 + (text[at] - '0');
            }
            digits++;
            at++;
        }
        if (digits == 0 || digits > 9) {
            throw new NotATime();
        }
        for (int i = digits; i < 6; i++) {
            micros *= 10;
        }
        return micros;
    }

    private long offsetMinutes() throws NotATime {
        if (accept('Z') || accept('z')) {
            return 0;
        }
        int sign = accept('-') ? -1 : 1;
        if (sign > 0) {
            expect('+');
        }
        int hours = digits(2);
        accept(':');
        int minutes = at < end ? digits(2) : 0;
        if (hours > 18 || minutes > 59) {
            throw new NotATime();
        }
        return sign * (hours * 60L + minutes);
    }

    private int digits(int count) throws NotATime {
        int value = 0;
        for (int i = 0; i < count; i++) {
            if (at >= end || !isDigit(text[at])) {
                throw new NotATime();
            }
            value = value * 10 + (text[at++] - '0');
        }
        return value;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private boolean accept(char c) {
        if (at < end && text[at] == c) {
            at++;
            return true;
        }
        return false;
    }

    private void expect(char c) throws NotATime {
        if (!accept(c)) {
            throw new NotATime();
        }
    }

    private void ended() throws NotATime {
        if (at < end) {
            throw new NotATime();
        }
    }
}
