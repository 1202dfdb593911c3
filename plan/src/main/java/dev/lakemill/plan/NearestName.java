package dev.lakemill.plan;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds what a user may have meant. */
public final class NearestName {
    private NearestName() {}

    /**
     * The candidate with the fewest changed letters, or one that holds the name or is held by it;
     * empty if all are far away.
     */
    public static Optional<String> of(String name, Collection<String> candidates) {
        var wanted = name.toLowerCase(Locale.ROOT);
        return candidates.stream()
                .filter(c -> distance(wanted, c.toLowerCase(Locale.ROOT)) <= limit(wanted, c))
                .min(
                        Comparator.comparingInt(
                                        (String c) -> distance(wanted, c.toLowerCase(Locale.ROOT)))
                                .thenComparing(Comparator.naturalOrder()));
    }

    /** {@code did you mean x?}, or nothing. */
    public static String hint(String name, Collection<String> candidates) {
        return of(name, candidates).map("did you mean %s?"::formatted).orElse("");
    }

    private static int limit(String wanted, String candidate) {
        var other = candidate.toLowerCase(Locale.ROOT);
        var shorter = Math.min(wanted.length(), other.length());
        return shorter >= 4 && (wanted.contains(other) || other.contains(wanted))
                ? Integer.MAX_VALUE
                : wanted.length() < 2 ? 0 : Math.max(1, wanted.length() / 3);
    }

    /** The least number of letters put in, left out or changed (Levenshtein). */
    private static int distance(String a, String b) {
        var row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            var diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                var change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(change, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
