package dev.lakemill.ingest;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import dev.lakemill.api.zerobus.EphemeralStreamRequest;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * What came in a message of a stream. A message that cannot be read is a value too: thrown in the
 * middle of gRPC, it would reach the producer as an unknown error.
 */
sealed interface Inbound {
    record Request(EphemeralStreamRequest request) implements Inbound {}

    record TooLarge(long bytes, int bytesMax) implements Inbound {}

    record Malformed(String problem) implements Inbound {}

    /** Reads requests; their records are slices of one array that is the request's own. */
    final class Marshaller implements MethodDescriptor.Marshaller<Inbound> {
        private final int bytesMax;

        Marshaller(int bytesMax) {
            this.bytesMax = bytesMax;
        }

        @Override
        public Inbound parse(InputStream stream) {
            try (stream) {
                // One byte more than allowed tells a request that is too large from one that fits.
                int known = Math.min(stream.available(), bytesMax + 1);
                var bytes = stream.readNBytes(Math.max(known, 1));
                if (bytes.length <= bytesMax) {
                    var rest = stream.readNBytes(bytesMax + 1 - bytes.length);
                    bytes = rest.length == 0 ? bytes : joined(bytes, rest);
                }
                return bytes.length > bytesMax
                        ? new TooLarge((long) bytes.length + stream.available(), bytesMax)
                        : read(bytes);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static Inbound read(byte[] bytes) {
            try {
                var in = UnsafeByteOperations.unsafeWrap(bytes).newCodedInput();
                in.enableAliasing(true);
                return new Request(EphemeralStreamRequest.parseFrom(in));
            } catch (InvalidProtocolBufferException e) {
                return new Malformed(String.valueOf(e.getMessage()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static byte[] joined(byte[] first, byte[] rest) {
            var all = java.util.Arrays.copyOf(first, first.length + rest.length);
            System.arraycopy(rest, 0, all, first.length, rest.length);
            return all;
        }

        /** Only a producer writes requests; gRPC asks for it all the same. */
        @Override
        public InputStream stream(Inbound value) {
            return value instanceof Request message
                    ? message.request().toByteString().newInput()
                    : new ByteArrayInputStream(new byte[0]);
        }
    }
}
