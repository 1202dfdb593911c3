package dev.lakemill.bench;

import java.io.IOException;
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
 * Kafka with one partition. With flush.messages=1 an acknowledged row is on the disk, as it is with
 * us; by default Kafka leaves that to the system. The producers are idempotent and wait for nothing
 * (linger.ms=0).
 *
 * <p>Either each producer has a client of its own, like independent applications; or all share one,
 * which then sends rows of several producers in one batch.
 */
final class KafkaPeer implements IngestPeer {
    private static final int BATCH_BYTES = 32 << 10;
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final KafkaBroker broker;
    private final String topic;
    private final @Nullable KafkaProducer<byte[], byte[]> shared;

    private KafkaPeer(KafkaBroker broker, String topic, boolean share) {
        this.broker = broker;
        this.topic = topic;
        this.shared = share ? client(broker) : null;
    }

    /** Every message is synced before it is acknowledged. */
    static KafkaPeer durable(KafkaBroker broker) throws Exception {
        return create(broker, "kafka", Map.of("flush.messages", "1"));
    }

    /** As Kafka comes. */
    static KafkaPeer byDefault(KafkaBroker broker) throws Exception {
        return create(broker, "kafka_default", Map.of());
    }

    /** The same topic, all producers sharing one client. */
    KafkaPeer sharing() {
        return new KafkaPeer(broker, topic, true);
    }

    private static KafkaPeer create(KafkaBroker broker, String name, Map<String, String> settings)
            throws Exception {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        var topic = new NewTopic(name, Optional.of(1), Optional.empty()).configs(settings);
        try (var admin = Admin.create(Map.of("bootstrap.servers", broker.address()))) {
            while (true) {
                try {
                    admin.createTopics(List.of(topic)).all().get();
                    return new KafkaPeer(broker, name, false);
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
        return shared == null ? topic : topic + "_shared";
    }

    @Override
    public Producer open(BenchRows rows) {
        var client = shared;
        var producer =
                client == null
                        ? new RowProducer(client(broker), true, rows)
                        : new RowProducer(client, false, rows);
        producer.client.partitionsFor(topic);
        return producer;
    }

    @Override
    public void settle() throws IOException {
        broker.sync(topic);
    }

    @Override
    public void close() {
        var client = shared;
        if (client != null) {
            client.close(Duration.ofSeconds(5));
        }
    }

    private final class RowProducer implements Producer {
        private final KafkaProducer<byte[], byte[]> client;
        private final boolean owned;
        private final BenchRows rows;
        private int next;

        RowProducer(KafkaProducer<byte[], byte[]> client, boolean owned, BenchRows rows) {
            this.client = client;
            this.owned = owned;
            this.rows = rows;
        }

        @Override
        public CompletableFuture<Void> sendRow() {
            var acknowledged = new CompletableFuture<Void>();
            var row = rows.messages().get(next++ % rows.count());
            client.send(
                    new ProducerRecord<>(topic, row),
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
