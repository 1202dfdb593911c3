package dev.lakemill.wal;

import java.security.SecureRandom;
import java.util.function.LongSupplier;

/**
 * What the log gets from outside, so that a test can replace it.
 *
 * @param disk where the folder is
 * @param salts numbers that nobody can guess
 * @param idleMillis after so long without frames a mark is written
 * @param retryMillis between attempts to make a segment when the disk has no space
 */
record Surroundings(Disk disk, LongSupplier salts, long idleMillis, long retryMillis) {
    static Surroundings of(Disk disk) {
        return new Surroundings(disk, new SecureRandom()::nextLong, 1_000, 500);
    }
}
