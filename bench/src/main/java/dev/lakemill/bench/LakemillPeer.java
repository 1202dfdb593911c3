package dev.lakemill.bench;

import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.ProducerStream;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * A whole Lakemill server, as users start it, with one table: every row is synced to the log before
 * its acknowledgement, and lands in Delta meanwhile. The client is the one of {@code api}.
 */
final class LakemillPeer implements IngestPeer {
    private static final TableName TABLE = TableName.parse("bench.bronze.readings");
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final ServerProcess server;
    private final ProducerClient client;
    private final List<byte[]> rows;

    private LakemillPeer(ServerProcess server, List<byte[]> rows) {
        this.server = server;
        this.rows = rows;
        var address = "http://" + server.addresses().get("grpc").asText();
        this.client = ProducerClient.connect(Endpoint.parse(address), server::token);
    }

    static LakemillPeer start(Path folder, List<byte[]> rows)
            throws IOException, InterruptedException {
        var project = Files.createDirectories(folder.resolve("project"));
        var texts = Files.createDirectories(project.resolve("pipelines"));
        Files.writeString(
                project.resolve("lakemill.yml"),
                "pipelines:\n  - name: bench\n    folder: pipelines\n");
        Files.writeString(texts.resolve("bronze.sql"), BenchRows.TABLE);
        var server =
                ServerProcess.start(
                        project,
                        folder.resolve("data"),
                        Map.of(
                                "LAKEMILL_GRPC_PORT", "0",
                                "LAKEMILL_HTTP_PORT", "0",
                                "LAKEMILL_POSTGRES_PORT", "0"));
        try {
            server.awaitReady(PATIENCE);
            return new LakemillPeer(server, rows);
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
    }

    @Override
    public String name() {
        return "lakemill";
    }

    @Override
    public Producer open() {
        var stream =
                client.open(
                        TABLE,
                        new RecordFormat.Proto(BenchRows.type()),
                        StreamOptions.DEFAULT,
                        ProducerObserver.NONE);
        stream.awaitOpen(PATIENCE);
        return new LakemillProducer(stream);
    }

    /** Until everything in the log stands in Delta. */
    @Override
    public void settle() throws InterruptedException {
        server.await(PATIENCE, "done with landing", () -> server.metric("lakemill_log_bytes") == 0);
    }

    /** Rows that stand in the table. */
    long bronzeRows() throws IOException {
        for (var table : server.get("/api/status").path("tables")) {
            if (table.path("name").asText().equals(TABLE.toString())) {
                return table.path("rows").asLong();
            }
        }
        return -1;
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }

    private final class LakemillProducer implements Producer {
        private final ProducerStream stream;
        private int next;

        LakemillProducer(ProducerStream stream) {
            this.stream = stream;
        }

        @Override
        public CompletableFuture<Void> sendRow() {
            return stream.acked(stream.ingestProto(row()));
        }

        @Override
        public CompletableFuture<Void> sendBatch() {
            var batch = new ArrayList<byte[]>(IngestLoad.BATCH_ROWS);
            for (int i = 0; i < IngestLoad.BATCH_ROWS; i++) {
                batch.add(row());
            }
            return stream.acked(stream.ingestProtoBatch(batch));
        }

        private byte[] row() {
            return rows.get(next++ % rows.size());
        }

        @Override
        public void close() {
            stream.close();
        }
    }
}
