package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.ingest.RowPolicy.Evolution;
import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Disk;
import io.grpc.Status;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tables that get columns, and wider types, from the schemas of Arrow streams. */
@Timeout(120)
@ExtendWith(QuietLogs.class)
final class ArrowEvolutionTest {
    private static final String TABLE = RawClient.TABLE;
    private static final TableSchema OLDER =
            TableSchema.of(
                    Column.required("event_id", Primitive.STRING),
                    Column.nullable("trays", Primitive.INTEGER),
                    Column.nullable("heat", Primitive.FLOAT));
    private static final TableSchema NEWER =
            TableSchema.of(
                    Column.nullable("place", DataType.parse("STRUCT<hall:INT,tags:ARRAY<STRING>>")),
                    Column.required("event_id", Primitive.STRING),
                    Column.nullable("heat", Primitive.DOUBLE),
                    Column.nullable("sizes", DataType.parse("MAP<STRING,BIGINT>")),
                    Column.nullable("Trays", Primitive.LONG));

    @TempDir private Path folder;
    private final BufferAllocator allocator = new RootAllocator();
    private final FailingBronze bronze = new FailingBronze(false);
    private Node node = new Node(Path.of("none"));

    private void open(Evolution evolution) {
        var policy = new RowPolicy(Optional.empty(), Optional.empty(), Set.of(), evolution);
        node =
                new Node(folder)
                        .table(TABLE, OLDER)
                        .with(_ -> policy)
                        .with(Disk.real(), bronze)
                        .open()
                        .listen();
    }

    @AfterEach
    void close() {
        node.close();
        allocator.close();
    }

    private FlightPut put(TableSchema known) {
        return new FlightPut(node.port(), TABLE, known, allocator);
    }

    private FlightPut put(Column... more) {
        var columns = new ArrayList<>(OLDER.columns());
        columns.addAll(List.of(more));
        return put(new TableSchema(columns)).schema();
    }

    private String columns() {
        return node.table(TABLE).delta().schema().columns().stream()
                .map(c -> c.name() + " " + c.type().sql())
                .toList()
                .toString();
    }

    private long evolutions() {
        return node.access().told().stream().filter(t -> t.startsWith("evolved")).count();
    }

    /** Batches of both forms stand in the log when the node is killed. */
    @Test
    void aNewerSchemaBringsColumnsAndAnOlderOneGoesOn() throws Exception {
        open(Evolution.ADD_NEW_COLUMNS_WITH_TYPE_WIDENING);
        try (var before = put(OLDER).schema();
                var after = put(NEWER);
                var again = put(OLDER)) {
            before.batch(0, "{\"event_id\":\"a\",\"trays\":-1,\"heat\":0.5}").awaitAck(0);
            after.schema().awaitAck(-1);
            bronze.full.set(true);
            after.batch(
                            0,
                            """
                            {"event_id":"b","Trays":1099511627776,"heat":0.1,"sizes":{"s":7},
                             "place":{"hall":3,"tags":["x",null]}}
                            """,
                            "{\"event_id\":\"c\"}")
                    .awaitAck(0);
            before.batch(1, "{\"event_id\":\"d\",\"trays\":4,\"heat\":1.5}").awaitAck(1);
            again.schema().batch(0, "{\"event_id\":\"e\",\"trays\":5}").awaitAck(0);
        }
        assertThat(evolutions()).isEqualTo(1);
        node.kill();
        bronze.full.set(false);
        node.open().listen();
        Node.await("rows in Delta", () -> node.rows(TABLE).size() == 5);
        var place = new @Nullable Object[] {3L, Arrays.asList("x", null)};
        VectorValues.assertSame(
                List.of(
                        new @Nullable Object[] {"a", -1L, 0.5, null, null},
                        new @Nullable Object[] {
                            "b", 1L << 40, 0.1, place, new LinkedHashMap<>(Map.of("s", 7L))
                        },
                        new @Nullable Object[] {"c", null, null, null, null},
                        new @Nullable Object[] {"d", 4L, 1.5, null, null},
                        new @Nullable Object[] {"e", 5L, null, null, null}),
                node.rows(TABLE));
        assertThat(columns())
                .isEqualTo(
                        "[event_id STRING, trays BIGINT, heat DOUBLE,"
                                + " place STRUCT<hall:INT,tags:ARRAY<STRING>>,"
                                + " sizes MAP<STRING,BIGINT>]");
    }

    @Test
    void withoutThePolicyNothingChanges() throws Exception {
        open(Evolution.NONE);
        try (var more = put(Column.nullable("more", Primitive.STRING));
                var wider = put(NEWER).schema()) {
            assertThat(more.end())
                    .hasMessageContaining(
                            "farm.bronze.demand: the schema's field \"more\" is not a column;"
                                    + " hint: add the column to the table, or leave the field out");
            assertThat(more.errorInfo().getMetadataMap())
                    .containsEntry("causes", "FIELD_NOT_IN_TABLE");
            assertThat(wider.errorInfo().getMetadataMap()).containsKey("causes");
        }
        assertThat(evolutions()).isZero();
    }

    @Test
    void aSchemaThatDoesNotFitEvenThenBringsNoColumns() throws Exception {
        open(Evolution.ADD_NEW_COLUMNS);
        var more = Column.nullable("more", Primitive.STRING);
        try (var wider = put(NEWER).schema()) {
            assertThat(wider.errorInfo().getMetadataMap())
                    .containsEntry("causes", "TYPE_INCOMPATIBLE");
        }
        assertRefused("FIELD_NOT_IN_TABLE", more, Column.nullable("_position", Primitive.LONG));
        assertRefused("FIELD_NOT_IN_TABLE", more, Column.nullable("b d", Primitive.LONG));
        assertRefused("FIELD_NOT_IN_TABLE", more, Column.required("must", Primitive.LONG));
        var odd = new DataType.Struct(List.of(Column.nullable("b d", Primitive.LONG)));
        assertRefused("FIELD_NOT_IN_TABLE", more, Column.nullable("odd", odd));
        var many =
                IntStream.range(0, JsonGrowth.COLUMNS_MAX)
                        .mapToObj(i -> Column.nullable("c" + i, Primitive.LONG))
                        .toArray(Column[]::new);
        assertRefused("FIELD_NOT_IN_TABLE", many);
        try (var twice = put(OLDER)) {
            var fields =
                    List.of(
                            ArrowTypes.field(OLDER.column(0)),
                            Field.nullable("more", ArrowType.Utf8.INSTANCE),
                            Field.nullable("MORE", ArrowType.Utf8.INSTANCE));
            twice.schema(ArrowMessages.schema(new Schema(fields)));
            assertThat(twice.errorInfo().getMetadataMap())
                    .containsEntry("causes", "FIELD_COUNT_MISMATCH");
        }
        node.access().refuse(TABLE);
        try (var stranger = put(more)) {
            assertThat(Status.fromThrowable(stranger.end()).getCode())
                    .isEqualTo(Status.Code.PERMISSION_DENIED);
        }
        assertThat(evolutions()).isZero();
    }

    private void assertRefused(String cause, Column... more) throws Exception {
        try (var put = put(more)) {
            assertThat(put.errorInfo().getMetadataMap()).containsEntry("causes", cause);
        }
    }

    /** The catalog has the columns, and Delta has them not. */
    @Test
    void whatACrashLeftBetweenCatalogAndDeltaIsFinishedAtTheStart() throws Exception {
        open(Evolution.ADD_NEW_COLUMNS_WITH_TYPE_WIDENING);
        bronze.full.set(true);
        try (var before = put(OLDER).schema();
                var after = put(NEWER).schema()) {
            before.batch(0, "{\"event_id\":\"a\",\"trays\":1}").awaitAck(0);
            assertThat(Status.fromThrowable(after.end()).getCode())
                    .isEqualTo(Status.Code.UNAVAILABLE);
            before.batch(1, "{\"event_id\":\"b\",\"trays\":2}").awaitAck(1);
        }
        node.kill();
        bronze.full.set(false);
        node.open().listen();
        try (var after = put(NEWER).schema()) {
            after.batch(0, "{\"event_id\":\"c\",\"Trays\":1099511627776}").awaitAck(0);
        }
        Node.await("rows in Delta", () -> node.rows(TABLE).size() == 3);
        assertThat(node.rows(TABLE).stream().map(row -> row[1]).toList())
                .containsExactly(1L, 2L, 1L << 40);
        assertThat(evolutions()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "BOOLEAN",
                "TINYINT",
                "SMALLINT",
                "INT",
                "BIGINT",
                "FLOAT",
                "DOUBLE",
                "STRING",
                "BINARY",
                "DATE",
                "TIMESTAMP",
                "TIMESTAMP_NTZ",
                "DECIMAL(38,10)",
                "ARRAY<ARRAY<DECIMAL(3,1)>>",
                "MAP<DATE,STRUCT<a:INT,b:MAP<STRING,BINARY>>>"
            })
    void eachTypeThatAColumnMayHaveIsFound(String sql) {
        var type = DataType.parse(sql);
        var field = ArrowTypes.field(Column.nullable("c", type));
        assertThat(ArrowGrowth.type(field)).contains(type);
    }

    @Test
    void whatNoColumnHoldsAsksForNone() {
        var text = FieldType.nullable(ArrowType.Utf8.INSTANCE);
        var coded = new DictionaryEncoding(1, false, null);
        var deep = new Field("c", text, null);
        for (int i = 0; i < 20; i++) {
            deep = list(deep);
        }
        assertThat(
                        List.of(
                                Field.nullable("c", new ArrowType.Int(32, false)),
                                Field.nullable(
                                        "c",
                                        new ArrowType.FloatingPoint(FloatingPointPrecision.HALF)),
                                Field.nullable("c", new ArrowType.Date(DateUnit.MILLISECOND)),
                                Field.nullable(
                                        "c", new ArrowType.Timestamp(TimeUnit.NANOSECOND, "UTC")),
                                Field.nullable("c", new ArrowType.Decimal(40, 2, 256)),
                                Field.nullable("c", new ArrowType.Decimal(9, -2, 128)),
                                Field.nullable("c", ArrowType.List.INSTANCE),
                                Field.nullable("c", new ArrowType.Map(false)),
                                Field.nullable("c", ArrowType.Struct.INSTANCE),
                                new Field(
                                        "c",
                                        new FieldType(true, ArrowType.Utf8.INSTANCE, coded),
                                        null),
                                deep))
                .allSatisfy(field -> assertThat(ArrowGrowth.type(field)).isEmpty());
    }

    private static Field list(Field element) {
        return new Field("c", FieldType.nullable(ArrowType.List.INSTANCE), List.of(element));
    }
}
