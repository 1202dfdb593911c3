package dev.lakemill.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.lakemill.api.flight.FlightData;
import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.TableSchema;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BitVectorHelper;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.VectorUnloader;
import org.apache.arrow.vector.ipc.WriteChannel;
import org.apache.arrow.vector.ipc.message.MessageSerializer;

/** Messages of Arrow Flight's DoPut, as a client sends them. */
final class FlightRows {
    /** Behind the marker and the length that stand before each message in a stream. */
    private static final int PREFIX_BYTES = 8;

    private static final int ROWS = 3;

    private FlightRows() {}

    private static void fill(FieldVector vector) {
        for (int i = 0; i < ROWS; i++) {
            if (vector instanceof VarCharVector texts) {
                texts.setSafe(i, ("text " + i).getBytes(StandardCharsets.UTF_8));
            } else {
                BitVectorHelper.setBit(vector.getValidityBuffer(), i);
            }
        }
        if (!(vector instanceof VarCharVector)) {
            vector.getDataBuffer().setZero(0, vector.getDataBuffer().capacity());
        }
    }

    static byte[] schema(TableSchema schema) {
        var out = new ByteArrayOutputStream();
        try {
            MessageSerializer.serialize(
                    new WriteChannel(Channels.newChannel(out)), ArrowTypes.schema(schema));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        var bytes = out.toByteArray();
        return FlightData.newBuilder()
                .setDataHeader(
                        ByteString.copyFrom(bytes, PREFIX_BYTES, bytes.length - PREFIX_BYTES))
                .build()
                .toByteArray();
    }

    /** A batch of the schema with three rows of zeros and short texts. */
    static byte[] batch(TableSchema schema) {
        var out = new ByteArrayOutputStream();
        try (var allocator = new RootAllocator();
                var root = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator)) {
            root.allocateNew();
            root.getFieldVectors().forEach(FlightRows::fill);
            root.setRowCount(ROWS);
            try (var batch = new VectorUnloader(root).getRecordBatch()) {
                MessageSerializer.serialize(new WriteChannel(Channels.newChannel(out)), batch);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        var bytes = out.toByteArray();
        int header =
                java.nio.ByteBuffer.wrap(bytes)
                        .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                        .getInt(Integer.BYTES);
        int body = PREFIX_BYTES + header;
        return FlightData.newBuilder()
                .setDataHeader(ByteString.copyFrom(bytes, PREFIX_BYTES, header))
                .setAppMetadata(ByteString.copyFromUtf8("{\"offset_id\":0}"))
                .setDataBody(UnsafeByteOperations.unsafeWrap(bytes, body, bytes.length - body))
                .build()
                .toByteArray();
    }
}
