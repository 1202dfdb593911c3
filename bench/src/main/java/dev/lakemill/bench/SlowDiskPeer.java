package dev.lakemill.bench;

import dev.lakemill.api.Endpoint;
import dev.lakemill.ingest.LandingConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A {@link SlowDiskServer} in a process of its own, with as much memory as a node has. */
final class SlowDiskPeer implements IngestPeer {
    private final ChildServer server;
    private final LakemillClient client;

    private SlowDiskPeer(ChildServer server) {
        this.server = server;
        this.client =
                new LakemillClient(
                        Endpoint.plaintext("127.0.0.1", server.port()),
                        () -> "token",
                        FaultyNode.TABLE);
    }

    static SlowDiskPeer start(Path folder) throws IOException {
        Files.createDirectories(folder.resolve("log"));
        var options = List.of("@" + Root.folder().resolve("node.flags"));
        var arguments = List.of(folder.toString());
        return new SlowDiskPeer(ChildServer.start(SlowDiskServer.class, options, arguments));
    }

    @Override
    public String name() {
        return "lakemill_slow_disk";
    }

    @Override
    public Producer open(BenchRows rows) {
        return client.open(rows);
    }

    /** Until what it took stands in Delta, which is brought there once a second. */
    @Override
    public void settle() throws InterruptedException {
        Thread.sleep(LandingConfig.DEFAULT.commitInterval().multipliedBy(2));
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }
}
