package dev.lakemill.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Kafka with one partition and flush.messages=1: an acknowledged row is on the disk, as it is with
 * us. The producers are idempotent and wait for nothing (linger.ms=0).
 *
 * <p>Either each producer has a client of its own, like independent applications; or all share one,
 * which then sends rows of several producers in one batch.
 */
final class KafkaPeer implements IngestPeer {
    private static final String TOPIC = "readings";
    private static final int BATCH_BYTES = 32 << 10;
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final KafkaBroker broker;
    private final List<byte[]> rows;
    private final @Nullable KafkaProducer<byte[], byte[]> shared;

    private KafkaPeer(KafkaBroker broker, List<byte[]> rows, boolean share) {
        this.broker = broker;
        this.rows = rows;
        this.shared = share ? client(broker) : null;
    }

    /** Starts a broker; the peer owns it. */
    static KafkaPeer start(Path folder, List<byte[]> rows) throws Exception {
        var broker = KafkaBroker.start(folder);
        try {
            createTopic(broker);
            return new KafkaPeer(broker, rows, false);
        } catch (Exception e) {
            broker.close();
            throw e;
        }
    }

    /** The same broker, all producers sharing one client. */
    IngestPeer sharing() {
        return new KafkaPeer(broker, rows, true);
    }

    private static void createTopic(KafkaBroker broker) throws Exception {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        var topic =
                new NewTopic(TOPIC, Optional.of(1), Optional.empty())
                        .configs(Map.of("flush.messages", "1"));
        try (var admin = Admin.create(Map.of("bootstrap.servers", broker.address()))) {
            while (true) {
                try {
                    admin.createTopics(List.of(topic)).all().get();
                    return;
                } catch (ExecutionException e) {
                    if (!broker.alive() || System.nanoTime() > deadline) {
                        throw e;
                    }
                    Thread.sleep(200);
                }
            }
        }
    }

    private static KafkaProducer<byte[], byte[]> client(KafkaBroker broker) {
        return new KafkaProducer<>(
                Map.of(
                        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        broker.address(),
                        ProducerConfig.ACKS_CONFIG,
                        "all",
                        ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG,
                        true,
                        ProducerConfig.LINGER_MS_CONFIG,
                        0,
                        ProducerConfig.BATCH_SIZE_CONFIG,
                        BATCH_BYTES),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    @Override
    public String name() {
        return shared == null ? "kafka" : "kafka_shared";
    }

    @Override
    public Producer open() {
        var client = shared;
        var producer =
                client == null
                        ? new RowProducer(client(broker), true)
                        : new RowProducer(client, false);
        producer.client.partitionsFor(TOPIC);
        return producer;
    }

    @Override
    public void settle() {}

    @Override
    public void close() {
        var client = shared;
        if (client == null) {
            broker.close();
        } else {
            client.close(Duration.ofSeconds(5));
        }
    }

    private final class RowProducer implements Producer {
        private final KafkaProducer<byte[], byte[]> client;
        private final boolean owned;
        private int next;

        RowProducer(KafkaProducer<byte[], byte[]> client, boolean owned) {
            this.client = client;
            this.owned = owned;
        }

        @Override
        public CompletableFuture<Void> sendRow() {
            var acknowledged = new CompletableFuture<Void>();
            var row = rows.get(next++ % rows.size());
            client.send(
                    new ProducerRecord<>(TOPIC, row),
                    (_, error) -> {
                        if (error == null) {
                            acknowledged.complete(null);
                        } else {
                            acknowledged.completeExceptionally(error);
                        }
                    });
            return acknowledged;
        }

        /** The client batches by itself; a partition's acknowledgements come in order. */
        @Override
        public CompletableFuture<Void> sendBatch() {
            var last = CompletableFuture.<Void>completedFuture(null);
            for (int i = 0; i < IngestLoad.BATCH_ROWS; i++) {
                last = sendRow();
            }
            return last;
        }

        @Override
        public void close() {
            if (owned) {
                client.close(Duration.ofSeconds(5));
            }
        }
    }
}
