package dev.lakemill.feed;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one ingested table, in order of position: the newest in memory, all others in Delta.
 *
 * <p>Invariant: memory holds every row handed on whose position is above {@code floor}, and nothing
 * else. Readers at or above the floor are served from memory; readers below it read Delta up to
 * what Delta has, and so climb back. Rows that memory let go but Delta does not have yet are simply
 * not there for a moment: the reader is told "none now". Safe from any thread.
 */
public final class TableFeed implements AutoCloseable {
    private final TableName table;
    private final DeltaTable delta;
    private final String application;
    private final long bufferedBytesMax;
    private final CopyOnWriteArrayList<Runnable> wakes = new CopyOnWriteArrayList<>();

    /** By last position; guarded by {@code this}, as are the fields below. */
    private final NavigableMap<Long, TableBatch> memory = new TreeMap<>();

    private long bufferedBytes;
    private long floor;
    private long position;
    private long receivedMicros;

    /**
     * @param application whose Delta transaction version says up to which position Delta has rows
     * @param bufferedBytesMax what memory keeps; the newest batch is always kept
     */
    public TableFeed(TableName table, DeltaTable delta, String application, long bufferedBytesMax) {
        this.table = table;
        this.delta = delta;
        this.application = application;
        this.bufferedBytesMax = bufferedBytesMax;
        this.floor = delta.transaction(application).orElse(0);
        this.position = floor;
    }

    public TableName table() {
        return table;
    }

    /** Hands rows on to all readers and keeps a reference of its own. Positions must ascend. */
    public void publish(TableBatch batch) {
        synchronized (this) {
            if (batch.firstPosition() <= position) {
                throw new IllegalArgumentException(
                        "position %d of %s is not above %d"
                                .formatted(batch.firstPosition(), table, position));
            }
            batch.rows().retain();
            memory.put(batch.lastPosition(), batch);
            bufferedBytes += batch.rows().sizeBytes();
            position = batch.lastPosition();
            receivedMicros = Math.max(receivedMicros, batch.receivedMicros());
            while (bufferedBytes > bufferedBytesMax && memory.size() > 1) {
                letGo(memory.pollFirstEntry());
            }
        }
        wakes.forEach(Runnable::run);
    }

    /** The position of the newest row handed on, or found in Delta at the start. */
    public synchronized long position() {
        return position;
    }

    /** When the newest row became durable, microseconds since 1970 UTC; 0 before the first. */
    public synchronized long receivedMicros() {
        return receivedMicros;
    }

    public synchronized long bufferedBytes() {
        return bufferedBytes;
    }

    /** A reader of all rows whose position is above {@code after}. */
    public TableReader reader(long after) {
        return new FeedReader(this, after);
    }

    /** Runs {@code wake} whenever rows were published, on the publisher's thread: be quick. */
    public void onPublish(Runnable wake) {
        wakes.add(wake);
    }

    /** Ends what {@link #onPublish} began. */
    public void offPublish(Runnable wake) {
        wakes.remove(wake);
    }

    @Override
    public synchronized void close() {
        memory.values().forEach(TableBatch::close);
        memory.clear();
        bufferedBytes = 0;
        floor = position;
    }

    /**
     * The rows of memory behind {@code after}, cut at {@code to} and {@code rowsMax}, or null when
     * there are none.
     *
     * @throws BehindMemory when the rows behind {@code after} stand only in Delta
     */
    synchronized @Nullable TableBatch fromMemory(long after, long to, int rowsMax)
            throws BehindMemory {
        if (after < floor) {
            throw new BehindMemory();
        }
        var entry = memory.higherEntry(after);
        return entry == null ? null : cut(entry.getValue(), after, to, rowsMax);
    }

    DeltaTable delta() {
        return delta;
    }

    String application() {
        return application;
    }

    /** Rows of the batch in {@code (after, to]}, whole positions only; null for none. */
    static @Nullable TableBatch cut(TableBatch batch, long after, long to, int rowsMax) {
        var positions = batch.positions();
        int from = 0;
        while (from < positions.length && positions[from] <= after) {
            from++;
        }
        int end = from;
        while (end < positions.length && positions[end] <= to) {
            int next = end + 1;
            while (next < positions.length && positions[next] == positions[end]) {
                next++;
            }
            if (end > from && next - from > rowsMax) {
                break;
            }
            end = next;
        }
        if (end == from) {
            return null;
        }
        if (from == 0 && end == positions.length) {
            batch.rows().retain();
            return batch;
        }
        Rows rows = batch.rows().slice(from, end - from);
        var kept = new long[end - from];
        System.arraycopy(positions, from, kept, 0, kept.length);
        return new TableBatch(rows, kept, batch.receivedMicros());
    }

    private void letGo(Map.@Nullable Entry<Long, TableBatch> oldest) {
        if (oldest != null) {
            floor = oldest.getKey();
            bufferedBytes -= oldest.getValue().rows().sizeBytes();
            oldest.getValue().close();
        }
    }

    /** The rows asked for are no longer in memory. */
    static final class BehindMemory extends Exception {
        private static final long serialVersionUID = 1L;
    }
}
