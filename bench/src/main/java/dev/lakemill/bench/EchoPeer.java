package dev.lakemill.bench;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;

/** An {@link EchoServer} in a process of its own, and a client with nothing but gRPC in it. */
final class EchoPeer implements IngestPeer {
    private final String name;
    private final ChildServer server;
    private final ManagedChannel channel;

    private EchoPeer(String name, ChildServer server) {
        this.name = name;
        this.server = server;
        this.channel =
                NettyChannelBuilder.forAddress("127.0.0.1", server.port())
                        .usePlaintext()
                        .directExecutor()
                        .build();
    }

    static EchoPeer start() throws IOException {
        return start("echo", List.of());
    }

    /** One that makes each message last in a file, before it answers. */
    static EchoPeer durable(Path file) throws IOException {
        return start("durable_echo", List.of(file.toString()));
    }

    private static EchoPeer start(String name, List<String> arguments) throws IOException {
        var options = List.of("-Xmx256m");
        return new EchoPeer(name, ChildServer.start(EchoServer.class, options, arguments));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Producer open(BenchRows rows) {
        return new EchoProducer(rows);
    }

    @Override
    public void settle() {}

    @Override
    public void close() {
        channel.shutdownNow();
        server.close();
    }

    private final class EchoProducer extends ClientCall.Listener<byte[]> implements Producer {
        private final ConcurrentLinkedQueue<CompletableFuture<Void>> unanswered =
                new ConcurrentLinkedQueue<>();
        private final ClientCall<byte[], byte[]> call =
                channel.newCall(EchoServer.METHOD, CallOptions.DEFAULT);
        private final BenchRows rows;
        private final byte[] batch;
        private int next;

        EchoProducer(BenchRows rows) {
            this.rows = rows;
            this.batch = new byte[IngestLoad.BATCH_ROWS * rows.size().bytes()];
            call.start(this, new Metadata());
            call.request(Integer.MAX_VALUE);
        }

        @Override
        public CompletableFuture<Void> sendRow() {
            return send(rows.messages().get(next++ % rows.count()));
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
