package dev.lakemill.delta;

import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.apache.arrow.memory.BufferAllocator;

/**
 * The machine's files behind a bad network, as an object store in trouble shows itself: of the
 * operations that change something, some are refused, some take long, and some are done though
 * their caller hears of a timeout. What it does is decided by its random numbers. For tests and
 * benches; safe from any thread.
 */
public final class UnreliableStore implements Disk {
    private static final int OUTCOMES = 3;

    private final Disk disk = new LocalDisk();
    private final Random random;
    private double share;
    private long timeoutNanos;
    private long failures;

    /**
     * @param random decides what goes wrong
     */
    public UnreliableStore(Random random) {
        this.random = random;
    }

    /** A table whose changes go through the store; made where there is none. */
    public DeltaTable table(Path location, TableSchema schema, BufferAllocator allocator) {
        var clock = Clock.systemUTC();
        var context = TableContext.of(location, DeltaConfig.DEFAULT, allocator, clock, this);
        return DeltaTable.exists(location)
                ? DeltaTable.open(context)
                : DeltaTable.create(context, schema);
    }

    /**
     * From now on this share of operations goes wrong; 0 for none.
     *
     * @param timeoutMillis what those that time out take
     */
    public synchronized void trouble(double newShare, long timeoutMillis) {
        share = newShare;
        timeoutNanos = timeoutMillis * 1_000_000;
    }

    /** How many operations went wrong. */
    public synchronized long failures() {
        return failures;
    }

    /** How an operation goes. */
    private enum Outcome {
        DONE,
        REFUSED,
        SLOW,
        DONE_BUT_TIMED_OUT
    }

    private synchronized Outcome next() {
        if (share == 0 || random.nextDouble() >= share) {
            return Outcome.DONE;
        }
        failures++;
        return Outcome.values()[1 + random.nextInt(OUTCOMES)];
    }

    private synchronized long timeoutNanos() {
        return timeoutNanos;
    }

    private interface Operation<T> {
        T run() throws IOException;
    }

    private <T> T attempt(Operation<T> operation) throws IOException {
        return switch (next()) {
            case DONE -> operation.run();
            case REFUSED -> throw new IOException("503 Service Unavailable: slow down");
            case SLOW -> {
                LockSupport.parkNanos(timeoutNanos());
                yield operation.run();
            }
            case DONE_BUT_TIMED_OUT -> {
                operation.run();
                LockSupport.parkNanos(timeoutNanos());
                throw new IOException("the answer did not come in time");
            }
        };
    }

    private void change(Change change) throws IOException {
        attempt(
                () -> {
                    change.run();
                    return true;
                });
    }

    private interface Change {
        void run() throws IOException;
    }

    @Override
    public Output create(Path file) throws IOException {
        var output = attempt(() -> disk.create(file));
        return new Output() {
            @Override
            public void write(int b) throws IOException {
                output.write(b);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                output.write(bytes, offset, length);
            }

            @Override
            long position() {
                return output.position();
            }

            @Override
            void sync() throws IOException {
                change(output::sync);
            }

            @Override
            public void close() throws IOException {
                output.close();
            }
        };
    }

    @Override
    public void link(Path file, Path name) throws IOException {
        change(() -> disk.link(file, name));
    }

    @Override
    public void rename(Path file, Path name) throws IOException {
        change(() -> disk.rename(file, name));
    }

    @Override
    public boolean delete(Path file) throws IOException {
        return attempt(() -> disk.delete(file));
    }

    @Override
    public void createFolder(Path folder) throws IOException {
        change(() -> disk.createFolder(folder));
    }

    @Override
    public void syncFolder(Path folder) throws IOException {
        change(() -> disk.syncFolder(folder));
    }
}
