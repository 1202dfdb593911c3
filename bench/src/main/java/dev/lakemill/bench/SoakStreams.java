package dev.lakemill.bench;

import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.ProducerStream;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Many streams over a few connections, each with a row every two seconds. The server's memory is
 * the most that it had since its start.
 */
final class SoakStreams {
    private static final int CONNECTIONS = 4;
    private static final int SECONDS_BETWEEN_ROWS = 2;
    private static final Duration OPEN_TIMEOUT = Duration.ofMinutes(2);
    private static final long ACK_SECONDS_MAX = 60;

    private final SoakOptions options;
    private final Latencies acks = new Latencies();

    private SoakStreams(SoakOptions options) {
        this.options = options;
    }

    static void run(SoakNode node, SoakOptions options, Report.Builder report)
            throws InterruptedException {
        var server = node.peer().server();
        var endpoint = Endpoint.parse("http://" + server.addresses().get("grpc").asText());
        var clients = new ArrayList<ProducerClient>();
        try {
            for (int i = 0; i < CONNECTIONS; i++) {
                clients.add(ProducerClient.connect(endpoint, server::token));
            }
            new SoakStreams(options).run(server, clients, report);
        } finally {
            clients.forEach(ProducerClient::close);
        }
    }

    private void run(ServerProcess server, List<ProducerClient> clients, Report.Builder report)
            throws InterruptedException {
        var streams = open(clients);
        System.err.printf("streams: %,d are open%n", streams.size());
        var acknowledged = areDone(send(streams));
        var open = server.metric("lakemill_streams_open");
        var peakMb = ProcessMemory.peakResidentMb(server.pid());
        var p99 = Freshness.percentile(acks.takeSortedMs(), 0.99);
        System.err.printf("streams: acks p99 %,.1f ms, at most %,.0f MB%n", p99, peakMb);
        report.check("every_stream_was_acknowledged", acknowledged);
        report.figure("streams_open", open);
        report.figure("streams_ack_ms_p99", p99);
        report.figure("streams_server_rss_mb", peakMb);
        if (acknowledged) {
            streams.forEach(ProducerStream::close);
        }
    }

    private List<ProducerStream> open(List<ProducerClient> clients) {
        var format = new RecordFormat.Proto(BenchRows.type());
        var streams = new ArrayList<ProducerStream>();
        for (int i = 0; i < options.streams(); i++) {
            var client = clients.get(i % clients.size());
            streams.add(
                    client.open(
                            LakemillPeer.TABLE,
                            format,
                            StreamOptions.DEFAULT,
                            ProducerObserver.NONE));
        }
        streams.forEach(stream -> stream.awaitOpen(OPEN_TIMEOUT));
        return streams;
    }

    /** Each stream in turn, at least once. Returns the acknowledgement of each one's last row. */
    private List<CompletableFuture<Void>> send(List<ProducerStream> streams)
            throws InterruptedException {
        var rows = SoakNode.ROWS.messages();
        var last = new ArrayList<CompletableFuture<Void>>();
        var pace = new Pace((double) streams.size() / SECONDS_BETWEEN_ROWS);
        var turns = Math.max(1, options.seconds() / SECONDS_BETWEEN_ROWS);
        for (int turn = 0; turn < turns; turn++) {
            last.clear();
            for (var stream : streams) {
                var due = pace.awaitNext();
                var offset = stream.ingestProto(rows.get(last.size() % rows.size()));
                last.add(stream.acked(offset).thenRun(() -> acks.add(System.nanoTime() - due)));
            }
        }
        return last;
    }

    private static boolean areDone(List<CompletableFuture<Void>> acks) throws InterruptedException {
        try {
            CompletableFuture.allOf(acks.toArray(CompletableFuture[]::new))
                    .get(ACK_SECONDS_MAX, TimeUnit.SECONDS);
            return true;
        } catch (ExecutionException | TimeoutException e) {
            System.err.println("streams: " + e);
            return false;
        }
    }
}
