package dev.lakemill.bench;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;

/** An {@link EchoServer} in a process of its own, and a client with nothing but gRPC in it. */
final class EchoPeer implements IngestPeer {
    private final Process process;
    private final ManagedChannel channel;
    private final List<byte[]> rows;

    private EchoPeer(Process process, int port, List<byte[]> rows) {
        this.process = process;
        this.rows = rows;
        this.channel =
                NettyChannelBuilder.forAddress("127.0.0.1", port)
                        .usePlaintext()
                        .directExecutor()
                        .build();
    }

    static EchoPeer start(List<byte[]> rows) throws IOException {
        var command = Root.java("bench", EchoServer.class.getName(), List.of("-Xmx256m"));
        var process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        var output = new BufferedReader(process.inputReader(StandardCharsets.UTF_8));
        var port = output.readLine();
        if (port == null) {
            throw new IOException("the echo server did not start");
        }
        return new EchoPeer(process, Integer.parseInt(port), rows);
    }

    @Override
    public String name() {
        return "echo";
    }

    @Override
    public Producer open() {
        return new EchoProducer();
    }

    @Override
    public void settle() {}

    @Override
    public void close() {
        channel.shutdownNow();
        process.destroy();
        process.onExit().join();
    }

    private final class EchoProducer extends ClientCall.Listener<byte[]> implements Producer {
        private final ConcurrentLinkedQueue<CompletableFuture<Void>> unanswered =
                new ConcurrentLinkedQueue<>();
        private final ClientCall<byte[], byte[]> call =
                channel.newCall(EchoServer.METHOD, CallOptions.DEFAULT);
        private final byte[] batch = new byte[IngestLoad.BATCH_ROWS * IngestLoad.ROW_BYTES];
        private int next;

        EchoProducer() {
            call.start(this, new Metadata());
            call.request(Integer.MAX_VALUE);
        }

        @Override
        public CompletableFuture<Void> sendRow() {
            return send(rows.get(next++ % rows.size()));
        }

        @Override
        public CompletableFuture<Void> sendBatch() {
            return send(batch);
        }

        private CompletableFuture<Void> send(byte[] message) {
            var answered = new CompletableFuture<Void>();
            unanswered.add(answered);
            call.sendMessage(message);
            return answered;
        }

        @Override
        public void onMessage(byte[] answer) {
            var first = unanswered.poll();
            if (first != null) {
                first.complete(null);
            }
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            unanswered.forEach(future -> future.completeExceptionally(status.asException()));
        }

        @Override
        public void close() {
            call.halfClose();
        }
    }
}
