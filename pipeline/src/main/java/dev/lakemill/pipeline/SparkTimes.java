package dev.lakemill.pipeline;

import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads texts as timestamps, as Spark casts them in a session that runs in UTC.
 *
 * <p>What it cannot tell as Spark would is refused: a time of day without a date is one of today,
 * and the zone of a place changes with the tables of the Java that runs.
 */
final class SparkTimes {
    private static final String TIME =
            "(\\d{1,2})(?::(\\d{1,2})(?::(\\d{1,2})(?:\\.(\\d*))?(\\D.*)?)?)?";
    private static final Pattern TIMESTAMP =
            Pattern.compile(
                    "([+-]?\\d{4,6})(?:-(\\d{1,2})(?:-(\\d{1,2})(?:[ T]" + TIME + ")?)?)?",
                    Pattern.DOTALL);
    private static final Pattern TIME_ALONE =
            Pattern.compile("(?:T|(?=\\d{1,2}:))" + TIME, Pattern.DOTALL);

    private static final LocalDateTime EPOCH = LocalDateTime.of(1970, 1, 1, 0, 0);

    private SparkTimes() {}

    /**
     * Microseconds since 1970, or null for what is no timestamp.
     *
     * @param isZoned false for a wall clock, of which a zone in the text changes nothing
     * @throws IllegalArgumentException saying what cannot be told
     */
    static @Nullable Long micros(String untrimmed, boolean isZoned) {
        var text = trimmed(untrimmed);
        try {
            var parts = TIMESTAMP.matcher(text);
            if (parts.matches()) {
                var day =
                        LocalDate.of(number(parts, 1, 0), number(parts, 2, 1), number(parts, 3, 1));
                var time = time(parts, 4);
                var offset = offset(parts.group(8), isZoned);
                return micros(LocalDateTime.of(day, time), offset);
            }
            var alone = TIME_ALONE.matcher(text);
            if (isZoned && alone.matches()) {
                time(alone, 1);
                offset(alone.group(5), true);
                throw new IllegalArgumentException("it has no date");
            }
            return null;
        } catch (DateTimeException | ArithmeticException _) {
            return null;
        }
    }

    private static String trimmed(String text) {
        var start = 0;
        var end = text.length();
        while (start < end && isBlank(text.charAt(start))) {
            start++;
        }
        while (end > start && isBlank(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(start, end);
    }

    private static boolean isBlank(char c) {
        return c <= ' ' || c == 0x7f;
    }

    private static int number(Matcher parts, int group, int otherwise) {
        var digits = parts.group(group);
        return digits == null ? otherwise : Integer.parseInt(digits);
    }

    /** Hour, minute, second and fraction, of which six digits count, are four groups. */
    private static LocalTime time(Matcher parts, int group) {
        var fraction = parts.group(group + 3);
        var micros = fraction == null ? 0 : Integer.parseInt((fraction + "000000").substring(0, 6));
        return LocalTime.of(
                number(parts, group, 0),
                number(parts, group + 1, 0),
                number(parts, group + 2, 0),
                micros * 1_000);
    }

    private static ZoneOffset offset(@Nullable String zone, boolean isZoned) {
        if (zone == null) {
            return ZoneOffset.UTC;
        }
        // Java wants two digits of each.
        var id =
                zone.trim()
                        .replaceFirst("([+-])(\\d):", "$10$2:")
                        .replaceFirst("([+-])(\\d\\d):(\\d)$", "$1$2:0$3");
        var found = ZoneId.of(id, ZoneId.SHORT_IDS);
        if (!isZoned) {
            return ZoneOffset.UTC;
        }
        if (found.normalized() instanceof ZoneOffset offset) {
            return offset;
        }
        throw new IllegalArgumentException("'" + found + "' is the zone of a place");
    }

    private static long micros(LocalDateTime time, ZoneOffset offset) {
        return ChronoUnit.MICROS.between(EPOCH, time.minusSeconds(offset.getTotalSeconds()));
    }
}
