package dev.lakemill.ingest;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import dev.lakemill.api.zerobus.CreateIngestStreamRequest;
import dev.lakemill.api.zerobus.IngestRecordBatchRequest;
import dev.lakemill.api.zerobus.IngestRecordRequest;
import dev.lakemill.api.zerobus.ResumeIngestStreamRequest;
import io.grpc.MethodDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;

/**
 * What came in a message of a stream. A message that cannot be read is a value too: thrown in the
 * middle of gRPC, it would reach the producer as an unknown error.
 */
sealed interface Inbound {
    record Create(CreateIngestStreamRequest request) implements Inbound {}

    /** Of a persistent stream. */
    record Resume(ResumeIngestStreamRequest request) implements Inbound {}

    /** Of Arrow Flight: opens the stream. */
    record ArrowSchema(ByteString header) implements Inbound {}

    /** Rows, numbered by their producer. */
    sealed interface Numbered extends Inbound {
        boolean hasOffset();

        long offset();
    }

    record Single(IngestRecordRequest request) implements Numbered {
        @Override
        public boolean hasOffset() {
            return request.hasOffsetId();
        }

        @Override
        public long offset() {
            return request.getOffsetId();
        }
    }

    record Batch(IngestRecordBatchRequest request) implements Numbered {
        @Override
        public boolean hasOffset() {
            return request.hasOffsetId();
        }

        @Override
        public long offset() {
            return request.getOffsetId();
        }
    }

    /** Of Arrow Flight: the IPC message of a record batch, and its body. */
    record ArrowBatch(boolean hasOffset, long offset, ByteString header, ByteString body)
            implements Numbered {}

    /** A request without a payload. */
    record Empty() implements Inbound {}

    record TooLarge(long bytes, int bytesMax) implements Inbound {}

    record Malformed(String problem) implements Inbound {}

    /** Reads requests; their records are slices of one array that is the request's own. */
    final class Marshaller implements MethodDescriptor.Marshaller<Inbound> {
        private final int bytesMax;
        private final Messages<?> messages;

        Marshaller(int bytesMax, Messages<?> messages) {
            this.bytesMax = bytesMax;
            this.messages = messages;
        }

        @Override
        public Inbound parse(InputStream stream) {
            try (stream) {
                var bytes = bytes(stream);
                return bytes.length > bytesMax
                        ? new TooLarge((long) bytes.length + stream.available(), bytesMax)
                        : read(bytes);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /**
         * One byte more than allowed tells a request that is too large from one that fits. What is
         * available is all of a request, unless it is compressed.
         */
        private byte[] bytes(InputStream stream) throws IOException {
            var bytes = new byte[Math.min(stream.available(), bytesMax + 1)];
            int count = stream.readNBytes(bytes, 0, bytes.length);
            int next = count > bytesMax ? -1 : stream.read();
            if (next < 0) {
                return count == bytes.length ? bytes : Arrays.copyOf(bytes, count);
            }
            var rest = stream.readNBytes(bytesMax - count);
            var all = Arrays.copyOf(bytes, count + 1 + rest.length);
            all[count] = (byte) next;
            System.arraycopy(rest, 0, all, count + 1, rest.length);
            return all;
        }

        private Inbound read(byte[] bytes) {
            try {
                var in = UnsafeByteOperations.unsafeWrap(bytes).newCodedInput();
                in.enableAliasing(true);
                return messages.read(in);
            } catch (InvalidProtocolBufferException e) {
                return new Malformed(String.valueOf(e.getMessage()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public InputStream stream(Inbound value) {
            throw new IllegalStateException("only producers write requests");
        }
    }
}
