package dev.lakemill.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.UnknownFieldSet;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * The rows that every peer gets, each in the form that its client takes: as protobuf messages, all
 * of one size, as lines of COPY, and as values. The lists are parallel.
 *
 * @param size of a message
 */
record BenchRows(Size size, List<byte[]> messages, List<byte[]> copyLines, List<Row> values) {
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

    static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.nullable("device", Primitive.STRING),
                    Column.nullable("reading", Primitive.LONG),
                    Column.nullable("measure", Primitive.DOUBLE),
                    Column.nullable("taken_at", Primitive.TIMESTAMP),
                    Column.nullable("note", Primitive.STRING));

    private static final int COUNT = 4096;
    private static final long EPOCH_MICROS = 1_795_000_000_000_000L;

    /** How large a row's message is. */
    enum Size {
        SMALL(200, ""),
        LARGE(1024, "_1kb");

        private final int bytes;
        private final String label;

        Size(int bytes, String label) {
            this.bytes = bytes;
            this.label = label;
        }

        int bytes() {
            return bytes;
        }

        /** Its part of a figure's name. */
        String label() {
            return label;
        }
    }

    /** What a row holds. */
    record Row(String device, long reading, double measure, OffsetDateTime takenAt, String note) {}

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
    static BenchRows make(Size size) {
        var random = new Random(7);
        var rows = new BenchRows(size, new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (int i = 0; i < COUNT; i++) {
            rows.add(random);
        }
        return rows;
    }

    private void add(Random random) {
        var device = "device-%05d".formatted(random.nextInt(100_000));
        var taken = EPOCH_MICROS + random.nextInt(1_000_000_000);
        var reading = random.nextInt(1 << 20, 1 << 21);
        var measure = random.nextGaussian();
        var message =
                UnknownFieldSet.newBuilder()
                        .addField(1, text(device))
                        .addField(2, number(reading))
                        .addField(3, fixed(Double.doubleToLongBits(measure)))
                        .addField(4, number(taken));
        var note = letters(random, size.bytes() - message.build().getSerializedSize() - 3);
        messages.add(message.addField(5, text(note)).build().toByteArray());
        var takenAt = Instant.EPOCH.plus(taken, ChronoUnit.MICROS).atOffset(ZoneOffset.UTC);
        values.add(new Row(device, reading, measure, takenAt, note));
        copyLines.add(
                "%s\t%s\t%s\t%s\t%s\n"
                        .formatted(device, reading, measure, takenAt, note)
                        .getBytes(StandardCharsets.UTF_8));
    }

    int count() {
        return values.size();
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
