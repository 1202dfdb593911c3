package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.DynamicMessage;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Few bytes that are decoded to many values: refused at the door, and never decoded together. */
@Timeout(300)
final class CellsTest {
    private static final TableName TABLE = TableName.parse("farm.bronze.wide");
    private static final List<Column> COLUMNS =
            IntStream.range(0, 100)
                    .mapToObj(i -> Column.nullable("c" + i, Primitive.DOUBLE))
                    .toList();
    private static final TableSchema WIDE = new TableSchema(COLUMNS);
    private static final TableSchema NESTED =
            TableSchema.of(
                    Column.nullable("a", new DataType.Array(new DataType.Struct(COLUMNS), true)));

    /** So many times 100 values are one more than a request may have. */
    private static final int TOO_MANY = Cells.REQUEST_MAX / 100 + 1;

    @TempDir private Path folder;

    @Test
    void aRequestOfTooManyEmptyRowsIsRefused() {
        var type = new RowTexts(1).descriptor(COLUMNS).toProto().toByteArray();
        var empty = ByteString.EMPTY;
        var proto = RecordEncoder.proto(TABLE, WIDE, type);
        assertRefused(() -> proto.rows(Collections.nCopies(TOO_MANY, empty)));
        assertThat(proto.rows(Collections.nCopies(TOO_MANY - 1, empty))).hasSize(TOO_MANY - 1);
        var object = ByteString.copyFromUtf8("{}");
        var json = RecordEncoder.json(WIDE);
        assertRefused(() -> json.rows(Collections.nCopies(TOO_MANY, object)));
        assertThat(json.rows(Collections.nCopies(TOO_MANY - 1, object))).hasSize(TOO_MANY - 1);
    }

    @Test
    void aRequestOfTooManyEmptyElementsIsRefused() {
        var elements = String.join(",", Collections.nCopies(TOO_MANY / 2 + 1, "{}"));
        var row = ByteString.copyFromUtf8("{\"a\":[%s]}".formatted(elements));
        var json = RecordEncoder.json(NESTED);
        assertThat(json.rows(List.of(row))).isNotEmpty();
        assertRefused(() -> json.rows(List.of(row, row)));

        var type = new RowTexts(1).descriptor(NESTED.columns());
        var message = DynamicMessage.newBuilder(type);
        var field = type.findFieldByName("a");
        var element = DynamicMessage.getDefaultInstance(field.getMessageType());
        for (int i = 0; i < TOO_MANY / 2 + 1; i++) {
            message.addRepeatedField(field, element);
        }
        var half = message.build().toByteString();
        var proto = RecordEncoder.proto(TABLE, NESTED, type.toProto().toByteArray());
        assertThat(proto.rows(List.of(half))).isNotEmpty();
        assertRefused(() -> proto.rows(List.of(half, half)));
    }

    private static void assertRefused(ThrowingCallable rows) {
        assertThatThrownBy(rows)
                .isInstanceOf(LakemillException.class)
                .hasMessageContainingAll(
                        "values or more, NULLs included",
                        "the limit of " + Cells.REQUEST_MAX,
                        "send fewer rows in one request");
    }

    @Test
    void aBatchOfTooManyRowsIsRefused() {
        var schema =
                TableSchema.of(
                        Column.nullable("b", Primitive.BOOLEAN),
                        Column.nullable("absent", Primitive.BOOLEAN));
        try (BufferAllocator allocator = new RootAllocator();
                var bits = new BitVector("b", allocator)) {
            bits.allocateNew(Cells.REQUEST_MAX / 2 + 1);
            bits.setValueCount(Cells.REQUEST_MAX / 2 + 1);
            var root = VectorSchemaRoot.of(bits);
            var reader =
                    new ArrowSchema(
                            ArrowCodecTest.table(schema),
                            RowPolicy.REFUSE,
                            ArrowMessages.schema(root.getSchema()));
            var message = ArrowMessages.batch(root, ArrowMessages.Packing.PLAIN, allocator);
            assertThatThrownBy(() -> reader.payload(message.inbound(0)))
                    .isInstanceOf(Refusal.class)
                    .hasMessageContaining("the limit of " + Cells.REQUEST_MAX);
            bits.setValueCount(Cells.REQUEST_MAX / 2);
            root.setRowCount(Cells.REQUEST_MAX / 2);
            var taken = ArrowMessages.batch(root, ArrowMessages.Packing.PLAIN, allocator);
            assertThat(reader.payload(taken.inbound(0)).rows()).isEqualTo(Cells.REQUEST_MAX / 2);
        }
    }

    @Test
    void whatCameBeforeThereWasALimitIsDecodedByItself() {
        // A byte of 0 is a row without values.
        var large = new byte[2 * TOO_MANY];
        var small = new byte[TOO_MANY / 4];
        var rows = new int[] {large.length, small.length, small.length};
        assertThat(new RowDecoder(WIDE).together(List.of(large, small, small), rows)).isOne();
        rows = new int[] {small.length, small.length, large.length};
        assertThat(new RowDecoder(WIDE).together(List.of(small, small, large), rows)).isEqualTo(2);
    }

    @Test
    void elementsAreTakenForAsManyAsThereMayBe() {
        var row = new byte[TOO_MANY / 2];
        var rows = new int[] {1, 1, 1, 1, 1};
        var payloads = Collections.nCopies(rows.length, row);
        assertThat(new RowDecoder(NESTED).together(payloads, rows)).isEqualTo(4);
    }

    @Test
    void whatHasTooManyValuesTogetherIsDecodedOneAfterTheOther() {
        int rows = 100_000;
        var body = "{}".repeat(rows).getBytes(StandardCharsets.UTF_8);
        var node = new Node(folder).table(TABLE.toString(), WIDE);
        var landing =
                LandingConfig.DEFAULT
                        .with(Duration.ofHours(1), 1L << 30, 1L << 30)
                        .withWaits(Duration.ofSeconds(3), Duration.ofSeconds(1), Node.WAIT);
        try (node) {
            node.with(node.config().withLanding(landing)).open();
            for (int i = 0; i < 2; i++) {
                node.ingest()
                        .insert(new InsertRequest(TABLE.toString(), "Bearer token", "here", body));
            }
            try (var tail = node.ingest().tail(TABLE)) {
                assertThat(tail.batches())
                        .allSatisfy(batch -> assertThat(batch.rows().count()).isEqualTo(rows))
                        .hasSize(2);
            }
        }
    }
}
