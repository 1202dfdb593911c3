package dev.lakemill.wal;

import java.util.Random;
import java.util.stream.LongStream;

/** Runs a test over many random seeds, or over the one of -Dlakemill.seed; a failure names its. */
final class Seeds {
    /** A test that a seed decides. */
    interface Seeded {
        void run(long seed) throws Exception;
    }

    private Seeds() {}

    static void check(int tries, Seeded test) {
        var given = Long.getLong("lakemill.seed");
        var seeds = given == null ? new Random().longs(tries) : LongStream.of(given);
        seeds.forEach(seed -> check(seed, test));
    }

    private static void check(long seed, Seeded test) {
        try {
            test.run(seed);
        } catch (Exception | AssertionError e) {
            throw new AssertionError("with -Dlakemill.seed=" + seed, e);
        }
    }
}
