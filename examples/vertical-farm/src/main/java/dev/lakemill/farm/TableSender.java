package dev.lakemill.farm;

import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.ProducerStream;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import dev.lakemill.api.StreamOptions.WhenFull;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Sends the rows of one table on a stream of its own and keeps the truth about them. One thread
 * sends; the stream's own threads tell what became of it.
 */
final class TableSender {
    private static final int IN_FLIGHT_ROWS_MAX = 20_000;
    private static final long IN_FLIGHT_BYTES_MAX = 16L << 20;
    private static final StreamOptions OPTIONS =
            StreamOptions.DEFAULT
                    .withInFlight(IN_FLIGHT_ROWS_MAX, IN_FLIGHT_BYTES_MAX, WhenFull.BLOCK)
                    .withTimeouts(
                            Duration.ofSeconds(15), Duration.ofSeconds(60), Duration.ofSeconds(1));

    private final RowSource source;
    private final StreamTruth truth;
    private final ProducerStream stream;
    private final @Nullable AckSamples samples;
    private long requests;

    TableSender(
            ProducerClient client,
            RowSource source,
            StreamTruth truth,
            @Nullable AckSamples samples,
            PrintStream log) {
        this.source = source;
        this.truth = truth;
        this.samples = samples;
        var table = source.table();
        var format =
                table.proto()
                        ? new RecordFormat.Proto(RowEncoding.descriptor(table))
                        : RecordFormat.JSON;
        this.stream = client.open(table.tableName(), format, OPTIONS, new Hearing(log));
    }

    FarmTable table() {
        return source.table();
    }

    StreamTruth truth() {
        return truth;
    }

    /**
     * Whether so many rows can be sent without waiting.
     *
     * @throws LakemillException when the server refused the stream for good
     */
    boolean hasRoom(int rows) {
        stream.failure()
                .ifPresent(
                        failure -> {
                            throw failure;
                        });
        return stream.inFlightRows() + rows <= IN_FLIGHT_ROWS_MAX;
    }

    /**
     * Sends the next rows as one request.
     *
     * @param atMicros when the k-th row of the request happens
     * @param delayMicros how long after that each is sent
     * @throws LakemillException when the server refused the stream for good
     */
    void send(int count, LongUnaryOperator atMicros, long delayMicros) {
        var events = new ArrayList<Event>(count);
        for (int k = 0; k < count; k++) {
            events.add(source.next(atMicros.applyAsLong(k), delayMicros));
        }
        truth.sending(events);
        sample(events);
        requests++;
        ingest(events);
    }

    /** Waits until all is acknowledged; false when that does not come about in time. */
    boolean flush(Duration timeout) {
        try {
            stream.flush(timeout);
            return true;
        } catch (LakemillException e) {
            if (e.code() == ErrorCode.UNAVAILABLE && stream.failure().isEmpty()) {
                return false;
            }
            throw e;
        }
    }

    /** Ends the stream; what is not acknowledged by now stays so. */
    void close() {
        try {
            stream.close();
        } catch (LakemillException _) {
            // The truth lists what was not acknowledged.
        }
    }

    private void ingest(List<Event> events) {
        if (table().proto()) {
            stream.ingestProtoBatch(events.stream().map(e -> RowEncoding.proto(e.row())).toList());
        } else if (events.size() == 1) {
            stream.ingestJson(RowEncoding.json(events.getFirst().row()));
        } else {
            stream.ingestJsonBatch(events.stream().map(e -> RowEncoding.json(e.row())).toList());
        }
    }

    private void sample(List<Event> events) {
        if (samples != null) {
            for (var event : events) {
                if (event.fault().isEmpty()) {
                    samples.sending(requests, event.row());
                }
            }
        }
    }

    /** Hears what becomes of the stream. */
    private final class Hearing implements ProducerObserver {
        private final PrintStream log;

        Hearing(PrintStream log) {
            this.log = log;
        }

        @Override
        public void acked(long first, long last, long atMicros) {
            truth.acked(first, last);
            if (samples != null) {
                samples.acked(first, last, atMicros);
            }
        }

        @Override
        public void resent(long first, long last, long rows) {
            truth.resent(first, last);
            log.printf("%s: %d rows sent again%n", table().sqlName(), rows);
        }

        @Override
        public void reconnecting(int attempt, Duration wait, String cause) {
            log.printf(
                    "%s: connection lost (%s), attempt %d in %d ms%n",
                    table().sqlName(), cause, attempt, wait.toMillis());
        }
    }
}
