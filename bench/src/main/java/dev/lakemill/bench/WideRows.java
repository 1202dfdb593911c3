package dev.lakemill.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.UnknownFieldSet;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/** Rows of ten columns: what a controller of a farm reports, as protobuf and as JSON. */
final class WideRows {
    static final TableName NAME = TableName.parse("bench.bronze.wide");

    static final TableSchema SCHEMA =
            TableSchema.of(
                    required("event_id", Primitive.LONG),
                    required("device", Primitive.STRING),
                    nullable("site", Primitive.STRING),
                    nullable("line", Primitive.INTEGER),
                    nullable("grams", Primitive.LONG),
                    nullable("celsius", Primitive.DOUBLE),
                    nullable("humidity", Primitive.FLOAT),
                    nullable("open", Primitive.BOOLEAN),
                    nullable("day", Primitive.DATE),
                    required("taken_at", Primitive.TIMESTAMP));

    private static final long EPOCH_MICROS = 1_795_000_000_000_000L;
    private static final int EPOCH_DAYS = 20_775;

    private record Values(
            long id,
            String device,
            String site,
            int line,
            long grams,
            double celsius,
            float humidity,
            boolean open,
            int day,
            long takenMicros) {}

    private WideRows() {}

    private static Column required(String name, Primitive type) {
        return new Column(name, type, false, "");
    }

    private static Column nullable(String name, Primitive type) {
        return new Column(name, type, true, "");
    }

    static DescriptorProto type() {
        var type = DescriptorProto.newBuilder().setName("Wide");
        for (int i = 0; i < SCHEMA.size(); i++) {
            var column = SCHEMA.column(i);
            type.addField(
                    FieldDescriptorProto.newBuilder()
                            .setName(column.name())
                            .setNumber(i + 1)
                            .setType(type((Primitive) column.type()))
                            .setLabel(
                                    column.nullable()
                                            ? FieldDescriptorProto.Label.LABEL_OPTIONAL
                                            : FieldDescriptorProto.Label.LABEL_REQUIRED));
        }
        return type.build();
    }

    private static FieldDescriptorProto.Type type(Primitive type) {
        return switch (type) {
            case BOOLEAN -> FieldDescriptorProto.Type.TYPE_BOOL;
            case BYTE, SHORT, INTEGER, DATE -> FieldDescriptorProto.Type.TYPE_INT32;
            case LONG, TIMESTAMP, TIMESTAMP_NTZ -> FieldDescriptorProto.Type.TYPE_INT64;
            case FLOAT -> FieldDescriptorProto.Type.TYPE_FLOAT;
            case DOUBLE -> FieldDescriptorProto.Type.TYPE_DOUBLE;
            case STRING -> FieldDescriptorProto.Type.TYPE_STRING;
            case BINARY -> FieldDescriptorProto.Type.TYPE_BYTES;
        };
    }

    /** Different rows, the same in every run. */
    private static List<Values> values(int count) {
        var random = new Random(11);
        var rows = new ArrayList<Values>(count);
        for (int i = 0; i < count; i++) {
            rows.add(
                    new Values(
                            1_000_000_000L + random.nextInt(1 << 30),
                            "device-%05d".formatted(random.nextInt(100_000)),
                            "site-%02d".formatted(random.nextInt(20)),
                            random.nextInt(40),
                            random.nextInt(2_000_000),
                            Math.round(random.nextGaussian(21, 2) * 100) / 100.0,
                            Math.round(random.nextFloat() * 1000) / 10.0f,
                            random.nextBoolean(),
                            EPOCH_DAYS + random.nextInt(30),
                            EPOCH_MICROS + random.nextInt(1_000_000_000)));
        }
        return rows;
    }

    static List<ByteString> messages(int count) {
        return values(count).stream().map(WideRows::message).toList();
    }

    private static ByteString message(Values row) {
        return UnknownFieldSet.newBuilder()
                .addField(1, BenchRows.number(row.id()))
                .addField(2, BenchRows.text(row.device()))
                .addField(3, BenchRows.text(row.site()))
                .addField(4, BenchRows.number(row.line()))
                .addField(5, BenchRows.number(row.grams()))
                .addField(6, BenchRows.fixed(Double.doubleToLongBits(row.celsius())))
                .addField(
                        7,
                        UnknownFieldSet.Field.newBuilder()
                                .addFixed32(Float.floatToIntBits(row.humidity()))
                                .build())
                .addField(8, BenchRows.number(row.open() ? 1 : 0))
                .addField(9, BenchRows.number(row.day()))
                .addField(10, BenchRows.number(row.takenMicros()))
                .build()
                .toByteString();
    }

    static List<ByteString> objects(int count) {
        return values(count).stream().map(WideRows::object).toList();
    }

    private static ByteString object(Values row) {
        return ByteString.copyFromUtf8(
                String.format(
                        Locale.ROOT,
                        "{\"event_id\":%d,\"device\":\"%s\",\"site\":\"%s\",\"line\":%d,"
                                + "\"grams\":%d,\"celsius\":%s,\"humidity\":%s,\"open\":%s,"
                                + "\"day\":%d,\"taken_at\":%d}",
                        row.id(),
                        row.device(),
                        row.site(),
                        row.line(),
                        row.grams(),
                        row.celsius(),
                        row.humidity(),
                        row.open(),
                        row.day(),
                        row.takenMicros()));
    }
}
