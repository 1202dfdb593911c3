package dev.lakemill.bench;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The peers of a run of the ingest bench, each server in a process of its own. */
final class IngestPeers implements AutoCloseable {
    private static final Duration DISTANCE = Duration.ofMillis(5);

    private final List<IngestPeer> compared = new ArrayList<>();
    private final Deque<Closeable> parts = new ArrayDeque<>();
    private final Path folder;
    private final LakemillPeer lakemill;
    private final KafkaBroker kafka;

    /** A raw gRPC echo, Lakemill, and durable Kafka. */
    IngestPeers(Path folder) throws Exception {
        this.folder = folder;
        boolean started = false;
        try {
            compare(EchoPeer.start());
            lakemill = compare(LakemillPeer.start(folder.resolve("lakemill")));
            kafka = KafkaBroker.start(folder.resolve("kafka"));
            parts.push(kafka::close);
            var durable = compare(KafkaPeer.durable(kafka));
            compare(durable.sharing());
            started = true;
        } finally {
            if (!started) {
                close();
            }
        }
    }

    /** Adds Kafka as it comes, and Postgres. */
    void addOthers() throws Exception {
        var byDefault = compare(KafkaPeer.byDefault(kafka));
        compare(byDefault.sharing());
        var postgres = PostgresPeer.start(folder.resolve("postgres"));
        parts.push(postgres::close);
        compare(PostgresPeer.copying(postgres));
        compare(PostgresPeer.inserting(postgres));
    }

    private <T extends IngestPeer> T compare(T peer) {
        compared.add(peer);
        return owned(peer);
    }

    private <T extends IngestPeer> T owned(T peer) {
        parts.push(peer::close);
        return peer;
    }

    /** Those that get every load. */
    List<IngestPeer> compared() {
        return compared;
    }

    LakemillPeer lakemill() {
        return lakemill;
    }

    /** What a durable acknowledgement takes at least. */
    EchoPeer durableEcho() throws IOException {
        return owned(EchoPeer.durable(folder.resolve("echo")));
    }

    /** The same Lakemill, 10 ms of round trip away. */
    LakemillPeer distant() throws IOException {
        var relay = new Relay(lakemill.port(), DISTANCE);
        parts.push(relay::close);
        return owned(lakemill.behind(relay, "lakemill_10ms_rtt"));
    }

    /** Lakemill's ingest with a log on a slow disk. */
    SlowDiskPeer onSlowDisk() throws IOException {
        return owned(SlowDiskPeer.start(folder.resolve("slow-disk")));
    }

    @Override
    public void close() throws IOException {
        while (!parts.isEmpty()) {
            parts.pop().close();
        }
    }
}
