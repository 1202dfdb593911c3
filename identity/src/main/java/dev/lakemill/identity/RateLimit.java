package dev.lakemill.identity;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * How often one may be wrong: each name and each address has a budget of failures that fills again
 * with time.
 *
 * <p>A try takes from the budget before the secret is looked at and gets it back when it was right,
 * so that tries side by side do not get more. Names count whether they exist or not. The names and
 * addresses that were seen last are kept, the others are forgotten.
 */
final class RateLimit {
    private static final int KEYS_MAX = 20_000;

    /** The budget that is left, at a time. */
    private record Budget(double left, Instant at) {}

    private final int failuresMax;
    private final Duration refill;
    private final Clock clock;

    /** Guarded by itself; the one used last is last. */
    private final Map<String, Budget> budgets =
            new LinkedHashMap<>(16, 0.75f, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Budget> eldest) {
                    return size() > KEYS_MAX;
                }
            };

    /**
     * @param failuresMax in a row
     * @param refill after which one more is granted
     */
    RateLimit(int failuresMax, Duration refill, Clock clock) {
        this.failuresMax = failuresMax;
        this.refill = refill;
        this.clock = clock;
    }

    /** RESOURCE_EXHAUSTED when the key's budget is used up. */
    void take(String key) {
        if (!tryTake(key)) {
            throw new LakemillException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "too many failed logins",
                    "wait %d s, then try again".formatted(Math.max(1, refill.toSeconds())));
        }
    }

    boolean tryTake(String key) {
        var now = clock.instant();
        synchronized (budgets) {
            var left = left(key(key), now);
            if (left < 1) {
                return false;
            }
            budgets.put(key(key), new Budget(left - 1, now));
            return true;
        }
    }

    /** The try was right. */
    void giveBack(String key) {
        var now = clock.instant();
        synchronized (budgets) {
            budgets.put(key(key), new Budget(Math.min(failuresMax, left(key(key), now) + 1), now));
        }
    }

    private double left(String key, Instant now) {
        var budget = budgets.get(key);
        if (budget == null) {
            return failuresMax;
        }
        var gained = Duration.between(budget.at(), now).toMillis() / (double) refill.toMillis();
        return Math.min(failuresMax, budget.left() + Math.max(0, gained));
    }

    private static String key(String text) {
        var lower = text.toLowerCase(Locale.ROOT);
        return lower.length() <= 128 ? lower : lower.substring(0, 128);
    }
}
