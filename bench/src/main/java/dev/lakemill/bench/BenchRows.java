package dev.lakemill.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.UnknownFieldSet;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** The rows that every peer gets: protobuf messages of {@link IngestLoad#ROW_BYTES} bytes. */
final class BenchRows {
    /** The table that fits them. */
    static final String TABLE =
            """
            CREATE TABLE IF NOT EXISTS bench.bronze.readings (
              device STRING,
              reading BIGINT,
              measure DOUBLE,
              taken_at TIMESTAMP,
              note STRING
            );
            """;

    private static final int COUNT = 4096;
    private static final long EPOCH_MICROS = 1_795_000_000_000_000L;

    private BenchRows() {}

    static DescriptorProto type() {
        return DescriptorProto.newBuilder()
                .setName("Reading")
                .addField(field("device", 1, FieldDescriptorProto.Type.TYPE_STRING))
                .addField(field("reading", 2, FieldDescriptorProto.Type.TYPE_INT64))
                .addField(field("measure", 3, FieldDescriptorProto.Type.TYPE_DOUBLE))
                .addField(field("taken_at", 4, FieldDescriptorProto.Type.TYPE_INT64))
                .addField(field("note", 5, FieldDescriptorProto.Type.TYPE_STRING))
                .build();
    }

    private static FieldDescriptorProto field(
            String name, int number, FieldDescriptorProto.Type type) {
        return FieldDescriptorProto.newBuilder()
                .setName(name)
                .setNumber(number)
                .setType(type)
                .setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL)
                .build();
    }

    /** Different rows, as many as a compressor cannot see through; the same in every run. */
    static List<byte[]> make() {
        var random = new Random(7);
        var rows = new ArrayList<byte[]>(COUNT);
        for (int i = 0; i < COUNT; i++) {
            rows.add(row(random));
        }
        return rows;
    }

    private static byte[] row(Random random) {
        var device = "device-%05d".formatted(random.nextInt(100_000));
        var taken = EPOCH_MICROS + random.nextInt(1_000_000_000);
        var row =
                UnknownFieldSet.newBuilder()
                        .addField(1, text(device))
                        .addField(2, number(random.nextInt(1 << 20, 1 << 21)))
                        .addField(3, fixed(Double.doubleToLongBits(random.nextGaussian())))
                        .addField(4, number(taken));
        var noteBytes = IngestLoad.ROW_BYTES - row.build().getSerializedSize() - 3;
        return row.addField(5, text(letters(random, noteBytes))).build().toByteArray();
    }

    private static String letters(Random random, int count) {
        var letters = new byte[count];
        for (int i = 0; i < count; i++) {
            letters[i] = (byte) ('a' + random.nextInt(26));
        }
        return new String(letters, StandardCharsets.US_ASCII);
    }

    static UnknownFieldSet.Field text(String value) {
        return UnknownFieldSet.Field.newBuilder()
                .addLengthDelimited(ByteString.copyFromUtf8(value))
                .build();
    }

    static UnknownFieldSet.Field number(long value) {
        return UnknownFieldSet.Field.newBuilder().addVarint(value).build();
    }

    static UnknownFieldSet.Field fixed(long bits) {
        return UnknownFieldSet.Field.newBuilder().addFixed64(bits).build();
    }
}
