package dev.lakemill.ingest;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.apache.arrow.flatbuf.BodyCompressionMethod;
import org.apache.arrow.flatbuf.CompressionType;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.commons.compress.compressors.lz4.FramedLZ4CompressorInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A record batch as it came, read in the order of its schema: nothing in it is believed. Not
 * thread-safe.
 *
 * <p>Format: <a href="https://arrow.apache.org/docs/format/Columnar.html">Arrow Columnar
 * Format</a>, IPC messages.
 */
final class ArrowBatch {
    private final RecordBatch batch;
    private final ByteBuffer body;
    private final boolean compressed;
    private long plainBytes;
    private int node;
    private int buffer;
    private long nulls;

    /**
     * @param header the IPC message's flatbuffer
     */
    ArrowBatch(ByteString header, ByteString body) {
        var message = Message.getRootAsMessage(header.asReadOnlyByteBuffer().slice());
        var found = (RecordBatch) message.header(new RecordBatch());
        if (found == null) {
            throw malformed("the message holds no record batch");
        }
        this.batch = found;
        this.body = body.asReadOnlyByteBuffer().slice();
        this.compressed = batch.compression() != null;
        if (compressed && batch.compression().method() != BodyCompressionMethod.BUFFER) {
            throw malformed("its compression is unknown");
        }
    }

    int rows() {
        if (batch.length() < 0 || batch.length() > Integer.MAX_VALUE) {
            throw malformed("it says that it has %d rows".formatted(batch.length()));
        }
        return (int) batch.length();
    }

    int nodes() {
        return batch.nodesLength();
    }

    int buffers() {
        return batch.buffersLength();
    }

    /** Goes on at a field's first node and buffer. */
    void seek(int firstNode, int firstBuffer) {
        node = firstNode;
        buffer = firstBuffer;
    }

    /** The length of the next field. */
    int nextNode() {
        nulls = batch.nodes(node).nullCount();
        return length(node++);
    }

    /** The length of a field. */
    int length(int ofNode) {
        long length = batch.nodes(ofNode).length();
        if (length < 0 || length > Integer.MAX_VALUE) {
            throw malformed("a field has %d values".formatted(length));
        }
        return (int) length;
    }

    /**
     * The validity bits of the field that {@link #nextNode} told of; null when all values are
     * there.
     */
    @Nullable ByteBuffer nextValidity(int length) {
        var bits = nextBuffer(0);
        if (nulls == 0) {
            return null;
        }
        if (bits.remaining() < (length + 7) / 8) {
            throw malformed("a buffer of validity bits is too short");
        }
        return bits;
    }

    /** The next buffer, plain, little-endian, read-only, of as many bytes or more. */
    ByteBuffer nextBuffer(long bytesMin) {
        var next = batch.buffers(buffer++);
        if (next.offset() < 0
                || next.length() < 0
                || next.offset() > body.remaining() - next.length()) {
            throw malformed("a buffer lies outside of the body");
        }
        var slice = body.slice((int) next.offset(), (int) next.length());
        var plain = compressed && slice.hasRemaining() ? decompressed(slice) : slice;
        if (plain.remaining() < bytesMin) {
            throw malformed(
                    "a buffer has %d bytes where %d are needed"
                            .formatted(plain.remaining(), bytesMin));
        }
        return plain.order(ByteOrder.LITTLE_ENDIAN);
    }

    private ByteBuffer decompressed(ByteBuffer slice) {
        if (slice.remaining() < Long.BYTES) {
            throw malformed("a compressed buffer has no length");
        }
        long length = slice.order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        var packed = slice.slice(Long.BYTES, slice.remaining() - Long.BYTES);
        if (length == -1) {
            return packed;
        }
        plainBytes += length;
        if (length < 0 || plainBytes > RecordEncoder.PAYLOAD_BYTES_MAX) {
            throw malformed(
                    "its buffers unpack to more than %d bytes"
                            .formatted(RecordEncoder.PAYLOAD_BYTES_MAX));
        }
        var bytes = new byte[packed.remaining()];
        packed.get(0, bytes);
        var plain = new byte[(int) length];
        return switch (batch.compression().codec()) {
            case CompressionType.ZSTD -> zstd(bytes, plain);
            case CompressionType.LZ4_FRAME -> lz4(bytes, plain);
            default -> throw malformed("its compression is unknown");
        };
    }

    private static ByteBuffer zstd(byte[] packed, byte[] plain) {
        try {
            if (Zstd.decompressByteArray(plain, 0, plain.length, packed, 0, packed.length)
                    == plain.length) {
                return ByteBuffer.wrap(plain);
            }
        } catch (ZstdException e) {
            // Told below, as a frame of another length is.
        }
        throw malformed("a buffer is not what its ZSTD frame says");
    }

    private static ByteBuffer lz4(byte[] packed, byte[] plain) {
        try (var in =
                new FramedLZ4CompressorInputStream(new java.io.ByteArrayInputStream(packed))) {
            if (in.readNBytes(plain, 0, plain.length) == plain.length) {
                return ByteBuffer.wrap(plain);
            }
        } catch (IOException e) {
            // Told below, as a frame that ends early is.
        }
        throw malformed("a buffer is not what its LZ4 frame says");
    }

    static Refusal malformed(String problem) {
        return Refusal.badRequest(
                "the batch is not a record batch of the stream's schema: " + problem,
                "send what an Arrow library wrote, plain or with LZ4_FRAME or ZSTD");
    }
}
