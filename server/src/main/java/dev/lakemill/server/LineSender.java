package dev.lakemill.server;

import dev.lakemill.api.ProducerStream;
import dev.lakemill.types.LakemillException;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;

/**
 * Sends the lines of a text as rows. A line that the server refuses is told and left out; those
 * around it are sent again on a new stream. One thread's.
 */
final class LineSender {
    private static final int BATCH_CHARACTERS_MAX = 1 << 20;

    /** Hears what happens. */
    interface Listener {
        /** A line that does not fit the table. */
        void rejected(long line, String row, String why);

        /** From time to time: how many rows are on disk. */
        void progress(long rows);
    }

    /** Lines that go as one request. */
    private record Batch(List<Long> lines, List<String> rows) {
        Batch() {
            this(new ArrayList<>(), new ArrayList<>());
        }
    }

    private record Sent(long offset, Batch batch) {}

    private final Supplier<ProducerStream> opener;
    private final int batchRowsMax;
    private final Listener listener;
    private final Deque<Sent> inFlight = new ArrayDeque<>();
    private ProducerStream stream;
    private long durable;
    private long rejected;

    /**
     * @param opener opens a stream of JSON records
     */
    LineSender(Supplier<ProducerStream> opener, int batchRowsMax, Listener listener) {
        this.opener = opener;
        this.batchRowsMax = batchRowsMax;
        this.listener = listener;
        this.stream = opener.get();
    }

    /** Rows on disk. */
    long durable() {
        return durable;
    }

    long rejected() {
        return rejected;
    }

    /**
     * Returns when every line is on disk or rejected.
     *
     * @throws LakemillException when the server refuses the stream, not a row
     */
    void send(BufferedReader in) throws IOException {
        var batch = new Batch();
        long line = 0;
        int characters = 0;
        for (var text = in.readLine(); text != null; text = in.readLine()) {
            line++;
            if (text.isBlank()) {
                continue;
            }
            batch.lines().add(line);
            batch.rows().add(text);
            characters += text.length();
            if (batch.rows().size() >= batchRowsMax || characters >= BATCH_CHARACTERS_MAX) {
                submit(batch);
                batch = new Batch();
                characters = 0;
            }
        }
        submit(batch);
        finish();
    }

    private void submit(Batch batch) {
        if (batch.rows().isEmpty()) {
            return;
        }
        while (true) {
            try {
                var offset = stream.ingestJsonBatch(batch.rows());
                inFlight.add(new Sent(offset, batch));
                settle();
                return;
            } catch (LakemillException e) {
                recover(e);
            }
        }
    }

    private void finish() {
        while (true) {
            try {
                stream.flush();
                settle();
                stream.close();
                return;
            } catch (LakemillException e) {
                recover(e);
            }
        }
    }

    /** Counts what is acknowledged. */
    private void settle() {
        var acked = stream.ackedOffset();
        while (!inFlight.isEmpty() && inFlight.peek().offset() <= acked) {
            durable += inFlight.remove().batch().rows().size();
        }
        listener.progress(durable);
    }

    /** The stream has ended: goes on with another one when rows were the reason. */
    private void recover(LakemillException failure) {
        var rows = stream.rejectedRows().orElseThrow(() -> failure);
        settle();
        var again = new ArrayList<Batch>();
        for (var sent : inFlight) {
            if (sent.offset() == rows.offset()) {
                for (var row :
                        new java.util.TreeMap<>(rows.problems()).descendingMap().entrySet()) {
                    int place = row.getKey();
                    var line = sent.batch().lines().remove(place);
                    rejected++;
                    listener.rejected(line, sent.batch().rows().remove(place), row.getValue());
                }
            }
            again.add(sent.batch());
        }
        inFlight.clear();
        end();
        stream = opener.get();
        again.forEach(this::submit);
    }

    private void end() {
        try {
            stream.close();
        } catch (LakemillException e) {
            // It has failed already, which is why it ends.
        }
    }
}
