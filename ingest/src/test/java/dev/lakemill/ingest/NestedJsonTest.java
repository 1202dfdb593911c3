package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Structs, arrays and maps of JSON, by every door that takes it, into Delta and back. */
@Timeout(120)
final class NestedJsonTest {
    private static final String TABLE = RawClient.TABLE;
    private static final String LETTERS = "farm.bronze.letters";
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("id", Primitive.STRING),
                    Column.nullable(
                            "address",
                            DataType.parse("STRUCT<zip:INT NOT NULL,geo:STRUCT<lat:DOUBLE>>")),
                    Column.nullable("tags", DataType.parse("ARRAY<STRING>")),
                    Column.nullable("orders", DataType.parse("ARRAY<STRUCT<n:INT,at:DATE>>")),
                    Column.nullable("sizes", DataType.parse("MAP<STRING,ARRAY<BIGINT>>")),
                    Column.nullable("days", DataType.parse("MAP<DATE,STRUCT<n:INT>>")),
                    Column.nullable("rescued", Primitive.STRING));
    private static final TableSchema LETTER_SCHEMA =
            TableSchema.of(
                    Column.required("payload", Primitive.STRING),
                    Column.required("error", Primitive.STRING));
    private static final String FULL =
            """
            {"id":"%s","address":{"geo":{"lat":0.5},"zip":8001},"tags":["x",null,"é"],
            "orders":[{"n":1,"at":"1970-01-02"},{"n":null},null],
            "sizes":{"a":[1,2],"b":[],"c":null},"days":{"1970-01-02":{"n":7}}}
            """
                    .replace("\n", "");

    @TempDir private Path folder;
    private Node node = new Node(Path.of("none"));

    private void open(RowPolicy policy) {
        node =
                new Node(folder)
                        .table(TABLE, SCHEMA)
                        .table(LETTERS, LETTER_SCHEMA)
                        .with(t -> t.name().toString().equals(TABLE) ? policy : RowPolicy.REFUSE)
                        .open()
                        .listen();
    }

    @AfterEach
    void close() {
        node.close();
    }

    private int insert(String body) {
        return node.ingest()
                .insert(
                        new InsertRequest(
                                TABLE,
                                "Bearer token",
                                "127.0.0.1",
                                body.getBytes(StandardCharsets.UTF_8)));
    }

    private static @Nullable Object[] full(String id) {
        var sizes = new LinkedHashMap<Object, @Nullable Object>();
        sizes.put("a", List.of(1L, 2L));
        sizes.put("b", List.of());
        sizes.put("c", null);
        var days = new LinkedHashMap<Object, Object>();
        days.put(1L, new Object[] {7L});
        return new @Nullable Object[] {
            id,
            new Object[] {8001L, new Object[] {0.5}},
            Arrays.asList("x", null, "é"),
            Arrays.asList(new Object[] {1L, 1L}, new @Nullable Object[] {null, null}, null),
            sizes,
            days,
            null
        };
    }

    @Test
    void rowsOfEveryDoorStandInDelta() {
        open(RowPolicy.REFUSE);
        try (var client = node.raw()) {
            var call = client.openJson().json(0, FULL.formatted("a"));
            call.jsonBatch(1, List.of(FULL.formatted("b"), FULL.formatted("c")));
            call.awaitAck(1);
            call.halfClose();
            assertThat(call.end()).isEqualTo(Status.OK);
        }
        assertThat(insert("[" + FULL.formatted("d") + ",\n" + FULL.formatted("e") + "]"))
                .isEqualTo(2);
        assertThat(insert(FULL.formatted("f") + "\n{\"id\":\"g\",\"address\":null}\n"))
                .isEqualTo(2);
        node.close();
        node.open();
        var expected = new ArrayList<@Nullable Object[]>();
        for (var id : List.of("a", "b", "c", "d", "e", "f")) {
            expected.add(full(id));
        }
        expected.add(new @Nullable Object[] {"g", null, null, null, null, null, null});
        VectorValues.assertSame(expected, node.rows(TABLE));
    }

    @Test
    void aBadValueIsToldByItsPath() {
        open(RowPolicy.REFUSE);
        assertTold("\"address\":{\"zip\":\"x\"}", "column 'address.zip' takes INT, found \"x\"");
        assertTold("\"address\":{\"geo\":null}", "column 'address.zip' is NOT NULL (INT)");
        assertTold("\"tags\":[\"a\",\"b\",\"c\",4]", "column 'tags[3]' takes STRING, found 4");
        assertTold("\"orders\":[{},{\"at\":true}]", "column 'orders[1].at' takes DATE, found true");
        assertTold("\"sizes\":{\"a\":[1,0.5]}", "column 'sizes[\"a\"][1]' takes BIGINT, found 0.5");
        assertTold("\"days\":{\"x\":{}}", "column 'days' takes DATE keys, found \"x\"");
        assertTold("\"address\":[]", "column 'address' takes an object, found an array");
    }

    private void assertTold(String field, String problem) {
        var row = "{\"id\":\"a\"," + field + "}";
        assertThatThrownBy(() -> insert("[{\"id\":\"b\"}," + row + "]"))
                .hasMessageContaining("row 1 of the request")
                .hasMessageContaining(problem);
        try (var client = node.raw()) {
            var call = client.openJson().json(0, row);
            assertThat(call.end().getDescription()).contains(problem);
        }
    }

    /** A column is rescued whole: half of it would be another value. */
    @Test
    void columnsThatDoNotFitAreRescuedWhole() {
        open(new RowPolicy(Optional.of("rescued"), Optional.empty(), Set.of()));
        insert("{\"id\":\"a\",\"tags\":[\"x\",1],\"address\":{\"zip\":1,\"new\":2},\"days\":{}}");
        node.close();
        node.open();
        VectorValues.assertSame(
                List.<@Nullable Object[]>of(
                        new @Nullable Object[] {
                            "a",
                            null,
                            null,
                            null,
                            null,
                            new LinkedHashMap<>(),
                            "{\"tags\":[\"x\",1],\"address\":{\"zip\":1,\"new\":2}}"
                        }),
                node.rows(TABLE));
    }

    @Test
    void rowsThatDoNotFitAreKeptAsDeadLetters() {
        open(new RowPolicy(Optional.empty(), Optional.of(TableName.parse(LETTERS)), Set.of()));
        var bad = "{\"id\":\"b\",\"orders\":[{\"n\":1},{\"n\":\"x\"}]}";
        try (var client = node.raw()) {
            var call = client.openJson();
            call.jsonBatch(0, List.of(FULL.formatted("a"), bad)).awaitAck(0);
        }
        node.close();
        node.open();
        assertThat(node.firsts(TABLE)).containsExactly("a");
        assertThat(node.rows(LETTERS)).hasSize(1);
        assertThat(node.rows(LETTERS).getFirst()[0]).isEqualTo(bad);
        assertThat(String.valueOf(node.rows(LETTERS).getFirst()[1]))
                .contains("column 'orders[1].n' takes INT, found \"x\"");
    }
}
