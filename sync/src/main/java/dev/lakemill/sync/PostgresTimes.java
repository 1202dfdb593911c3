package dev.lakemill.sync;

/** The epoch of Postgres's dates and timestamps, 2000-01-01, and their range. */
final class PostgresTimes {
    /** Days from 1970-01-01 to Postgres's epoch. */
    static final long EPOCH_DAYS = 10_957;

    /** Microseconds from 1970-01-01 to Postgres's epoch. */
    static final long EPOCH_MICROS = EPOCH_DAYS * 86_400_000_000L;

    /** 4714-11-24 BC (Julian day 0) to 5874897-12-31, in days from Postgres's epoch. */
    private static final long DAYS_MIN = -2_451_545;

    private static final long DAYS_MAX = 2_147_483_493L - 2_451_545L;

    /** 4714-11-24 BC, in microseconds from 1970. The last one is beyond what 64 bits hold. */
    private static final long MICROS_MIN = -211_813_488_000_000_000L + EPOCH_MICROS;

    private PostgresTimes() {}

    /** Days from Postgres's epoch. */
    static boolean isDate(long days) {
        return days >= DAYS_MIN && days <= DAYS_MAX;
    }

    /** Microseconds from 1970. */
    static boolean isTimestamp(long micros) {
        return micros >= MICROS_MIN;
    }
}
