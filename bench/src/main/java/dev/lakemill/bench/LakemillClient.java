package dev.lakemill.bench;

import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.ProducerStream;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import dev.lakemill.types.TableName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** The client of {@code api} as a peer uses it: one connection, and a stream for each producer. */
final class LakemillClient implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final ProducerClient client;
    private final TableName table;

    LakemillClient(Endpoint endpoint, Supplier<String> token, TableName table) {
        this.client = ProducerClient.connect(endpoint, token);
        this.table = table;
    }

    /** A producer whose stream is open. */
    IngestPeer.Producer open(BenchRows rows) {
        var stream =
                client.open(
                        table,
                        new RecordFormat.Proto(BenchRows.type()),
                        StreamOptions.DEFAULT,
                        ProducerObserver.NONE);
        stream.awaitOpen(PATIENCE);
        return new StreamProducer(stream, rows);
    }

    @Override
    public void close() {
        client.close();
    }

    private static final class StreamProducer implements IngestPeer.Producer {
        private final ProducerStream stream;
        private final BenchRows rows;
        private int next;

        StreamProducer(ProducerStream stream, BenchRows rows) {
            this.stream = stream;
            this.rows = rows;
        }

        @Override
        public CompletableFuture<Void> sendRow() {
            return stream.acked(stream.ingestProto(message()));
        }

        @Override
        public CompletableFuture<Void> sendBatch() {
            var batch = new ArrayList<byte[]>(IngestLoad.BATCH_ROWS);
            for (int i = 0; i < IngestLoad.BATCH_ROWS; i++) {
                batch.add(message());
            }
            return stream.acked(stream.ingestProtoBatch(batch));
        }

        private byte[] message() {
            return rows.messages().get(next++ % rows.count());
        }

        @Override
        public void close() {
            stream.close();
        }
    }
}
