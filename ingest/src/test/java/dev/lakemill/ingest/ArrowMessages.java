package dev.lakemill.ingest;

import com.github.luben.zstd.Zstd;
import com.google.protobuf.ByteString;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.arrow.flatbuf.BodyCompressionMethod;
import org.apache.arrow.flatbuf.CompressionType;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.compression.NoCompressionCodec;
import org.apache.arrow.vector.ipc.message.ArrowBodyCompression;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.ipc.message.IpcOption;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.commons.compress.compressors.lz4.FramedLZ4CompressorOutputStream;

/** Arrow's IPC messages as a producer sends them, by Arrow's own library. */
final class ArrowMessages {
    /** How a producer packs the buffers of its batches. */
    enum Packing {
        PLAIN,
        LZ4,
        ZSTD;

        private ArrowBodyCompression told() {
            return switch (this) {
                case PLAIN -> NoCompressionCodec.DEFAULT_BODY_COMPRESSION;
                case LZ4 ->
                        new ArrowBodyCompression(
                                CompressionType.LZ4_FRAME, BodyCompressionMethod.BUFFER);
                case ZSTD ->
                        new ArrowBodyCompression(
                                CompressionType.ZSTD, BodyCompressionMethod.BUFFER);
            };
        }

        private byte[] packed(byte[] plain) {
            if (this == PLAIN || plain.length == 0) {
                return plain;
            }
            var content = this == ZSTD ? Zstd.compress(plain) : lz4(plain);
            // Some buffers are left as they are, which the format allows.
            var kept = plain.length % 3 == 0;
            var bytes = kept ? plain : content;
            return ByteBuffer.allocate(Long.BYTES + bytes.length)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(kept ? -1 : plain.length)
                    .put(bytes)
                    .array();
        }

        private static byte[] lz4(byte[] plain) {
            var bytes = new ByteArrayOutputStream();
            try (var out = new FramedLZ4CompressorOutputStream(bytes)) {
                out.write(plain);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return bytes.toByteArray();
        }
    }

    record Batch(byte[] header, byte[] body) {
        Inbound.ArrowBatch inbound(long offset) {
            return new Inbound.ArrowBatch(
                    true, offset, ByteString.copyFrom(header), ByteString.copyFrom(body));
        }
    }

    private ArrowMessages() {}

    static ByteString schema(Schema schema) {
        return ByteString.copyFrom(MessageSerializer.serializeMetadata(schema, IpcOption.DEFAULT));
    }

    static Batch batch(VectorSchemaRoot root, Packing packing, BufferAllocator allocator) {
        try (var plain = new VectorUnloader(root).getRecordBatch()) {
            var packed = new ArrayList<ArrowBuf>();
            for (var buffer : plain.getBuffers()) {
                var bytes = new byte[(int) buffer.readableBytes()];
                buffer.getBytes(0, bytes);
                var content = packing.packed(bytes);
                var copy = allocator.buffer(content.length);
                copy.writeBytes(content);
                packed.add(copy);
            }
            try (var batch =
                    new ArrowRecordBatch(
                            plain.getLength(), plain.getNodes(), packed, packing.told())) {
                packed.forEach(ArrowBuf::close);
                return new Batch(
                        bytes(MessageSerializer.serializeMetadata(batch, IpcOption.DEFAULT)),
                        body(batch));
            }
        }
    }

    private static byte[] body(ArrowRecordBatch batch) {
        var body = new byte[(int) batch.computeBodyLength()];
        var layout = batch.getBuffersLayout();
        for (int i = 0; i < layout.size(); i++) {
            var buffer = batch.getBuffers().get(i);
            buffer.getBytes(0, body, (int) layout.get(i).getOffset(), (int) buffer.readableBytes());
        }
        return body;
    }

    private static byte[] bytes(ByteBuffer buffer) {
        var bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    /** Rows of the schema, from JSON objects. */
    static Rows rows(TableSchema schema, List<String> records, BufferAllocator allocator) {
        var payload = payload(schema, records);
        return new RowDecoder(schema).decode(List.of(payload), records.size(), allocator);
    }

    /** The same in the log's row form. */
    static byte[] payload(TableSchema schema, List<String> records) {
        var encoder =
                new RecordEncoder(
                        new JsonEncoder(schema),
                        new TimeUnits(schema, Set.of()),
                        BadRows.refused());
        var bytes =
                records.stream().map(r -> ByteString.copyFrom(r, StandardCharsets.UTF_8)).toList();
        return encoder.payload(bytes, 0).bytes();
    }
}
