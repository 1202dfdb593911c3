package dev.lakemill.bench;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The peers of a run of the ingest bench, each server in a process of its own. */
final class IngestPeers implements AutoCloseable {
    private final List<IngestPeer> compared = new ArrayList<>();
    private final Deque<Closeable> parts = new ArrayDeque<>();
    private final LakemillPeer lakemill;

    /** A raw gRPC echo, Lakemill, and durable Kafka. */
    IngestPeers(Path folder) throws Exception {
        boolean started = false;
        try {
            compare(EchoPeer.start());
            lakemill = compare(LakemillPeer.start(folder.resolve("lakemill")));
            var kafka = KafkaBroker.start(folder.resolve("kafka"));
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

    private <T extends IngestPeer> T compare(T peer) {
        compared.add(peer);
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

    @Override
    public void close() throws IOException {
        while (!parts.isEmpty()) {
            parts.pop().close();
        }
    }
}
