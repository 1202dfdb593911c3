package dev.lakemill.bench;

import dev.lakemill.api.Endpoint;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * A whole Lakemill server, as users start it, with one table: every row is synced to the log before
 * its acknowledgement, and lands in Delta meanwhile. The client is the one of {@code api}, here or
 * behind a relay.
 */
final class LakemillPeer implements IngestPeer {
    static final TableName TABLE = TableName.parse("bench.bronze.readings");
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final ServerProcess server;
    private final String name;
    private final boolean owned;
    private final LakemillClient client;

    private LakemillPeer(ServerProcess server, String name, boolean owned, Endpoint endpoint) {
        this.server = server;
        this.name = name;
        this.owned = owned;
        this.client = new LakemillClient(endpoint, server::token, TABLE);
    }

    private static Endpoint endpoint(ServerProcess server) {
        return Endpoint.parse("http://" + server.addresses().get("grpc").asText());
    }

    /** Starts a server; the peer owns it. */
    static LakemillPeer start(Path folder) throws IOException, InterruptedException {
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
            return new LakemillPeer(server, "lakemill", true, endpoint(server));
        } catch (RuntimeException e) {
            server.close();
            throw e;
        }
    }

    ServerProcess server() {
        return server;
    }

    int port() {
        return endpoint(server).port();
    }

    /** The same server and table by a relay to {@link #port}. */
    LakemillPeer behind(Relay relay, String newName) {
        var endpoint = Endpoint.plaintext("127.0.0.1", relay.port());
        return new LakemillPeer(server, newName, false, endpoint);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Producer open(BenchRows rows) {
        return client.open(rows);
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
        if (owned) {
            server.close();
        }
    }
}
