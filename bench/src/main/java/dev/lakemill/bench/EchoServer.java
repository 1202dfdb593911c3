package dev.lakemill.bench;

import dev.lakemill.wal.Disk;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyServerBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The floor of any gRPC ingest: each message is answered by its first bytes, as short as an
 * acknowledgement, on the network thread, and nothing else is done. Told a file, it is the floor of
 * any durable one: each message lasts before it is answered, written as the log writes. Prints its
 * port; ends when its input does.
 */
final class EchoServer {
    static final int ANSWER_BYTES = 8;
    private static final int FILE_BYTES = 64 << 20;

    static final MethodDescriptor<byte[], byte[]> METHOD =
            MethodDescriptor.<byte[], byte[]>newBuilder()
                    .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
                    .setFullMethodName("lakemill.bench.Echo/Echo")
                    .setRequestMarshaller(new Bytes())
                    .setResponseMarshaller(new Bytes())
                    .build();

    private EchoServer() {}

    private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    public static void main(String[] arguments) throws IOException {
        var echo = arguments.length == 0 ? new Echo(_ -> {}) : new Echo(file(arguments[0]));
        var server =
                NettyServerBuilder.forAddress(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                        .directExecutor()
                        .addService(
                                ServerServiceDefinition.builder("lakemill.bench.Echo")
                                        .addMethod(METHOD, echo)
                                        .build())
                        .build()
                        .start();
        System.out.println(server.getPort());
        System.in.transferTo(java.io.OutputStream.nullOutputStream());
        server.shutdownNow();
    }

    /** Makes a message last, in a file that stands whole on the disk; begins anew at its end. */
    private static Consumer<byte[]> file(String name) throws IOException {
        var path = Path.of(name);
        try (var made = Disk.real().create(path)) {
            made.write(ByteBuffer.allocate(FILE_BYTES), 0);
            made.sync();
        }
        var file = Disk.real().openAppending(path);
        var position = new AtomicLong();
        return message -> {
            try {
                int at = (int) (position.getAndAdd(message.length) % (FILE_BYTES - message.length));
                file.write(ByteBuffer.wrap(message), at);
                file.sync();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }

    private record Echo(Consumer<byte[]> before) implements ServerCallHandler<byte[], byte[]> {
        @Override
        public ServerCall.Listener<byte[]> startCall(
                ServerCall<byte[], byte[]> call, Metadata headers) {
            call.sendHeaders(new Metadata());
            call.request(Integer.MAX_VALUE);
            return new ServerCall.Listener<>() {
                @Override
                public void onMessage(byte[] message) {
                    before.accept(message);
                    call.sendMessage(Arrays.copyOf(message, ANSWER_BYTES));
                }

                @Override
                public void onHalfClose() {
                    call.close(io.grpc.Status.OK, new Metadata());
                }
            };
        }
    }
}
