package dev.lakemill.wal;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;

/**
 * The log's parts in one thread, a step at a time, so that a seed decides everything: recovery,
 * segments and writer are those of {@link Log}, without its threads and its queue. For simulations.
 * One thread uses it.
 */
public final class SteppedLog implements AutoCloseable {
    private static final int STALLS_MAX = 100;

    private final SegmentPool pool;
    private final Runnable stalled;
    private final Consumer<List<Durable>> durable;
    private final LogWriter writer;
    private long durableLsn;

    private SteppedLog(
            SegmentPool pool, Recovery recovery, Consumer<List<Durable>> durable, Runnable stalled)
            throws IOException {
        this.pool = pool;
        this.durable = durable;
        this.stalled = stalled;
        this.durableLsn = recovery.newestLsn();
        this.writer =
                LogWriter.open(pool, recovery, this::spare, (group, _, _) -> delivered(group));
    }

    /** Whom the log tells what. */
    public record Told(
            Consumer<Durable> replay, Consumer<List<Durable>> durable, Runnable stalled) {}

    /**
     * Opens and recovers.
     *
     * @param told of what is replayed, of what becomes durable, and that more has to be released
     *     before more can be written
     * @throws IOException when the disk fails
     * @throws LakemillException DATA_LOSS
     */
    public static SteppedLog open(
            Path folder, LogConfig config, Disk disk, Random random, Told told) throws IOException {
        var surroundings = new Surroundings(disk, random::nextLong, 1_000, 1);
        var recovery = new Recovery(folder, disk);
        recovery.run();
        var pool = SegmentPool.open(folder, config, surroundings, recovery);
        recovery.replay(told.replay());
        return new SteppedLog(pool, recovery, told.durable(), told.stalled());
    }

    private void delivered(List<Durable> group) {
        durableLsn = group.getLast().lsn();
        durable.accept(group);
    }

    /** Writes frames, syncs, and tells that they are durable. */
    public void commit(List<Frame> frames) throws IOException, InterruptedException {
        writer.commit(frames);
    }

    /** What the log does when nothing comes. */
    public void mark() throws IOException {
        writer.mark();
    }

    /** A piece of work on the segments; false when there is none. */
    public boolean step() {
        return pool.step();
    }

    /** As {@link Log#release}. */
    public void release(long lsn) {
        pool.release(Math.min(lsn, durableLsn));
    }

    /** As {@link Log#durableLsn}. */
    public long durableLsn() {
        return durableLsn;
    }

    private Path spare() throws IOException {
        for (int i = 0; i < STALLS_MAX; i++) {
            var found = made();
            if (found.isPresent()) {
                return found.get();
            }
            stalled.run();
        }
        throw new LakemillException(
                ErrorCode.UNAVAILABLE, "no segment, though what can be released is", "");
    }

    private Optional<Path> made() {
        while (pool.step()) {}
        return pool.poll();
    }

    @Override
    public void close() throws IOException {
        writer.close();
    }
}
