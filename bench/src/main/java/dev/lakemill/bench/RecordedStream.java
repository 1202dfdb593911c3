package dev.lakemill.bench;

import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.ProducerStream;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A producer and what it remembers: requests of one to five rows, numbered through, which requests
 * it sent again, and how far it was acknowledged.
 */
final class RecordedStream implements AutoCloseable {
    private static final StreamOptions OPTIONS =
            StreamOptions.DEFAULT.withReconnects(
                    StreamOptions.RECONNECT_FOR_EVER, Duration.ofMillis(5), Duration.ofMillis(60));

    private final int number;
    private final boolean exactlyOnce;
    private final Random random;
    private final ProducerStream stream;
    private final Set<Long> resent = ConcurrentHashMap.newKeySet();

    /** Per request, its last row. */
    private final List<Long> lastRows = new ArrayList<>();

    private long nextRow;

    RecordedStream(ProducerClient client, int number, boolean exactlyOnce, long seed) {
        this.number = number;
        this.exactlyOnce = exactlyOnce;
        this.random = new Random(seed);
        var observer =
                new ProducerObserver() {
                    @Override
                    public void resent(long first, long last, long rows) {
                        for (long offset = first; offset <= last; offset++) {
                            resent.add(offset);
                        }
                    }
                };
        this.stream =
                exactlyOnce
                        ? client.openPersistent(
                                FaultyNode.TABLE, RecordFormat.JSON, OPTIONS, observer)
                        : client.open(FaultyNode.TABLE, RecordFormat.JSON, OPTIONS, observer);
    }

    int number() {
        return number;
    }

    /** Sends some requests; waits where too many are on their way. */
    void send(int requests) {
        for (int i = 0; i < requests; i++) {
            var records = new ArrayList<String>();
            var filler = "x".repeat(random.nextInt(200));
            for (int row = random.nextInt(5); row >= 0; row--) {
                records.add(
                        "{\"stream\":%d,\"n\":%d,\"filler\":\"%s\"}"
                                .formatted(number, nextRow++, filler));
            }
            lastRows.add(nextRow - 1);
            stream.ingestJsonBatch(records);
        }
    }

    boolean isIdle() {
        return stream.inFlightRows() == 0;
    }

    long unacknowledgedRows() {
        return stream.inFlightRows();
    }

    void flush(Duration timeout) {
        stream.flush(timeout);
    }

    /** How many rows were acknowledged: those numbered below. */
    long acknowledgedRows() {
        long offset = stream.ackedOffset();
        return offset < 0 ? 0 : lastRows.get((int) offset) + 1;
    }

    long sentRows() {
        return nextRow;
    }

    /** Whether a row may stand in the table more than once. */
    boolean mayBeDoubled(long row) {
        return !exactlyOnce && resent.contains((long) request(row));
    }

    private int request(long row) {
        int low = 0;
        int high = lastRows.size() - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (lastRows.get(middle) < row) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    @Override
    public void close() {
        stream.close();
    }
}
