package dev.lakemill.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaReader;
import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.RandomValues;
import dev.lakemill.delta.RowsBuilder;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Spark with Delta reads every kind of table that we write, and what Spark writes into our tables
 * is read by us. It is this test that allows the module delta to use the kernel's internal classes.
 */
class SparkContractTest {
    private static final Duration HOUR = Duration.ofHours(1);
    private static final DeltaConfig CONFIG = new DeltaConfig(64L << 20, 5, HOUR, HOUR);
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("id", Primitive.LONG),
                    Column.nullable("name", Primitive.STRING));
    private static final TableSchema EVERY_TYPE = everyType();
    private static final String APPLICATION = "contract";

    private static final BufferAllocator ALLOCATOR = new RootAllocator();
    private static final List<List<@Nullable Object>> VALUES = values();

    @TempDir static Path folder;

    private static JsonNode results = new ObjectMapper().createObjectNode();

    private static TableSchema everyType() {
        var columns = new ArrayList<Column>();
        columns.add(Column.required("k", Primitive.LONG));
        columns.addAll(RandomValues.EVERY_TYPE.columns());
        return new TableSchema(columns);
    }

    private static List<List<@Nullable Object>> values() {
        var values = new RandomValues(42).rows(EVERY_TYPE, 400);
        for (int i = 0; i < values.size(); i++) {
            values.get(i).set(0, (long) i);
        }
        return values;
    }

    @BeforeAll
    static void writeTablesAndRunSpark() throws IOException, InterruptedException {
        writePlain();
        writeReplaced();
        writeCompacted();
        writeCleaned();
        writeVacuumed();
        writeTypes();
        writeWidened();
        results = spark().run(folder);
    }

    @AfterAll
    static void nothingIsLeftAllocated() {
        ALLOCATOR.close();
    }

    private static DeltaTable create(String name, TableSchema schema) {
        return DeltaTable.create(
                folder.resolve(name), schema, CONFIG, ALLOCATOR, Clock.systemUTC());
    }

    private static DeltaTable open(String name, Clock clock) {
        return DeltaTable.open(folder.resolve(name), CONFIG, ALLOCATOR, clock);
    }

    private static DeltaTable open(String name) {
        return open(name, Clock.systemUTC());
    }

    private static Rows ids(long from, long to) {
        return RowsBuilder.rows(
                SCHEMA,
                ALLOCATOR,
                LongStream.rangeClosed(from, to)
                        .mapToObj(id -> List.<Object>of(id, "name " + id))
                        .toList());
    }

    private static void append(DeltaTable table, long from, long to) {
        try (var rows = ids(from, to)) {
            var positions = LongStream.rangeClosed(from, to).toArray();
            table.append(List.of(rows), positions, new Txn(APPLICATION, to));
        }
    }

    private static void writePlain() {
        for (var name : List.of("plain", "shared with \u00fc % & space")) {
            try (var table = create(name, SCHEMA)) {
                append(table, 1, 100);
                append(table, 101, 200);
                append(table, 201, 300);
            }
        }
    }

    private static void writeReplaced() {
        try (var table = create("replaced", SCHEMA)) {
            for (int i = 0; i < 3; i++) {
                table.replace(
                        List.of(ids(i * 100L + 1, i * 100L + 100)).iterator(),
                        new Txn(APPLICATION, i));
            }
        }
    }

    private static void writeCompacted() {
        try (var table = create("compacted", SCHEMA)) {
            for (int i = 0; i < 12; i++) {
                append(table, i * 10L + 1, i * 10L + 10);
            }
            assertThat(table.compact().filesAfter()).isEqualTo(1);
            append(table, 121, 130);
            append(table, 131, 140);
            assertThat(table.compact().filesAfter()).isEqualTo(1);
        }
    }

    /** Only the checkpoint is left of the first versions. */
    private static void writeCleaned() {
        try (var table = create("cleaned", SCHEMA)) {
            for (int i = 1; i <= 12; i++) {
                append(table, i, i);
            }
            table.checkpoint();
        }
        try (var table = open("cleaned", Clock.offset(Clock.systemUTC(), HOUR.plusMinutes(1)))) {
            append(table, 13, 13);
            table.checkpoint();
            append(table, 14, 14);
        }
        assertThat(folder.resolve("cleaned/_delta_log/00000000000000000005.json")).doesNotExist();
    }

    private static void writeVacuumed() {
        try (var table = create("vacuumed", SCHEMA)) {
            append(table, 1, 100);
            table.replace(List.of(ids(101, 150)).iterator(), new Txn(APPLICATION, 1000));
            assertThat(table.vacuum(Duration.ZERO).filesAfter()).isEqualTo(1);
        }
    }

    /** Columns and wider types came between commits, before and behind a checkpoint. */
    private static void writeWidened() {
        var narrow =
                TableSchema.of(
                        Column.required("id", Primitive.LONG),
                        Column.nullable("whole", Primitive.INTEGER),
                        Column.nullable("real", Primitive.FLOAT));
        var wide =
                TableSchema.of(
                        Column.required("id", Primitive.LONG),
                        Column.nullable("whole", Primitive.LONG),
                        Column.nullable("real", Primitive.DOUBLE),
                        Column.nullable("note", Primitive.STRING));
        try (var table = create("widened", narrow)) {
            append(table, narrow, 1, List.of(1L, 7, 0.5f));
            table.widen(wide);
            append(table, wide, 2, List.of(2L, 1L << 40, 1e300, "x"));
            table.checkpoint();
            append(table, wide, 3, List.of(3L, 8L, 0.25, "y"));
        }
    }

    private static void append(DeltaTable table, TableSchema schema, long id, List<Object> row) {
        try (var rows = RowsBuilder.rows(schema, ALLOCATOR, List.of(row))) {
            table.append(List.of(rows), new long[] {id}, new Txn(APPLICATION, id));
        }
    }

    private static void writeTypes() {
        try (var table = create("types", EVERY_TYPE)) {
            for (int from = 0; from < VALUES.size(); from += 100) {
                var slice = VALUES.subList(from, from + 100);
                try (var rows = RowsBuilder.rows(EVERY_TYPE, ALLOCATOR, slice)) {
                    table.append(List.of(rows), new long[0], new Txn(APPLICATION, from));
                }
            }
            table.compact();
        }
        create("types_by_spark", EVERY_TYPE).close();
        create("types_by_old_spark", EVERY_TYPE).close();
    }

    private static SparkProcess spark() {
        var spark = new SparkProcess();
        for (var name : List.of("plain", "replaced", "compacted", "cleaned", "vacuumed")) {
            spark.statement(
                    name,
                    "SELECT count(*) AS rows, count(DISTINCT id) AS ids, min(id) AS first,"
                            + " max(id) AS last, count_if(name = concat('name ', id)) AS names"
                            + " FROM "
                            + table(name));
            spark.statement(name + ".one", "SELECT * FROM %s LIMIT 1".formatted(table(name)));
        }
        spark.statement(
                "plain.skipping",
                "SELECT id FROM %s WHERE name = 'name 150'".formatted(table("plain")));
        spark.statement(
                "plain.old",
                "SELECT count(*) AS rows FROM %s VERSION AS OF 2".formatted(table("plain")));
        spark.statement("plain.history", "DESCRIBE HISTORY " + table("plain"));
        spark.statement("plain.detail", "DESCRIBE DETAIL " + table("plain"));
        spark.statement(
                "compacted.tracking",
                "SELECT id, _metadata.row_id AS row, _metadata.row_commit_version AS version"
                        + " FROM %s ORDER BY id".formatted(table("compacted")));
        spark.statement(
                "types",
                "SELECT to_json(struct(*), %s) AS json FROM %s ORDER BY k"
                        .formatted(SparkJson.OPTIONS, table("types")));
        spark.statement(
                "widened",
                "SELECT id, whole, real, note FROM %s ORDER BY id".formatted(table("widened")));
        return writing(spark);
    }

    private static SparkProcess writing(SparkProcess spark) {
        var shared = table("shared with \u00fc % & space");
        return spark.statement(
                        "insert",
                        "INSERT INTO %s SELECT * FROM %s ORDER BY k"
                                .formatted(table("types_by_spark"), table("types")))
                .statement("set", "SET spark.sql.parquet.outputTimestampType = INT96")
                .statement(
                        "insert.old",
                        "INSERT INTO %s SELECT * FROM %s ORDER BY k"
                                .formatted(table("types_by_old_spark"), table("types")))
                .statement("optimize", "OPTIMIZE " + shared)
                .statement("delete", "DELETE FROM %s WHERE id > 250".formatted(shared))
                .statement(
                        "update", "UPDATE %s SET name = 'changed' WHERE id = 7".formatted(shared))
                .statement("append", "INSERT INTO %s VALUES (251, 'name 251')".formatted(shared));
    }

    private static String table(String name) {
        return "delta.`" + folder.resolve(name) + "`";
    }

    @Test
    void sparkReadsTheSameRowsOfEveryKindOfTable() {
        check("plain", 1, 300);
        check("replaced", 201, 300);
        check("compacted", 1, 140);
        check("cleaned", 1, 14);
        check("vacuumed", 101, 150);
    }

    private static void check(String name, long first, long last) {
        var row = results.get(name).get(0);
        long rows = last - first + 1;
        assertThat(row.get("rows").asLong()).as(name).isEqualTo(rows);
        assertThat(row.get("ids").asLong()).as(name).isEqualTo(rows);
        assertThat(row.get("first").asLong()).as(name).isEqualTo(first);
        assertThat(row.get("last").asLong()).as(name).isEqualTo(last);
        assertThat(row.get("names").asLong()).as(name).isEqualTo(rows);
    }

    @Test
    void sparkReadsTablesThatGotColumnsAndWiderTypes() {
        assertThat(results.get("widened").toString())
                .isEqualTo(
                        "[{\"id\":1,\"whole\":7,\"real\":0.5,\"note\":null},"
                                + "{\"id\":2,\"whole\":1099511627776,\"real\":1.0E300,"
                                + "\"note\":\"x\"},"
                                + "{\"id\":3,\"whole\":8,\"real\":0.25,\"note\":\"y\"}]");
    }

    @Test
    void positionsAreNoColumn() {
        for (var name : List.of("plain", "compacted")) {
            assertThat(results.get(name + ".one").get(0).fieldNames())
                    .toIterable()
                    .containsExactly("id", "name");
        }
    }

    @Test
    void sparkSkipsFilesByOurStatisticsAndTravelsInTime() {
        assertThat(results.get("plain.skipping").toString()).isEqualTo("[{\"id\":150}]");
        assertThat(results.get("plain.old").get(0).get("rows").asLong()).isEqualTo(200);
        assertThat(results.get("plain.history")).hasSize(4);
        assertThat(results.get("plain.detail").get(0).get("numFiles").asInt()).isEqualTo(3);
    }

    @Test
    void compactionKeepsTheIdAndTheVersionOfEveryRow() {
        var rows = results.get("compacted.tracking");
        assertThat(rows).hasSize(140);
        for (var row : rows) {
            long id = row.get("id").asLong();
            assertThat(row.get("row").asLong()).isEqualTo(id - 1);
            long append = (id - 1) / 10 + 1;
            assertThat(row.get("version").asLong()).isEqualTo(append <= 12 ? append : append + 1);
        }
    }

    @Test
    void sparkReadsEveryValueOfEveryType() throws IOException {
        var rows = results.get("types");
        assertThat(rows).hasSize(VALUES.size());
        var type = new DataType.Struct(EVERY_TYPE.columns());
        for (int i = 0; i < VALUES.size(); i++) {
            var json = SparkJson.parse(rows.get(i).get("json").asText());
            for (int column = 0; column < EVERY_TYPE.size(); column++) {
                var field = type.fields().get(column);
                assertThat(
                                SparkJson.equal(
                                        field.type(),
                                        VALUES.get(i).get(column),
                                        json.get(field.name())))
                        .as("row %d, %s: %s", i, field, json.get(field.name()))
                        .isTrue();
            }
        }
    }

    @Test
    void weReadEveryValueOfEveryTypeThatSparkWrote() {
        for (var name : List.of("types_by_spark", "types_by_old_spark")) {
            try (var table = open(name)) {
                assertThat(read(table.snapshot().read(List.of())))
                        .as(name)
                        .containsExactlyInAnyOrderElementsOf(comparable());
            }
        }
    }

    private static List<List<@Nullable Object>> comparable() {
        var rows = new ArrayList<List<@Nullable Object>>();
        VALUES.forEach(row -> rows.add(RandomValues.comparable(row)));
        return rows;
    }

    @Test
    void weGoOnWithATableThatSparkChanged() throws IOException {
        try (var table = open("shared with \u00fc % & space")) {
            var snapshot = table.snapshot();
            assertThat(ids(snapshot)).containsExactlyInAnyOrderElementsOf(range(1, 251));
            assertThat(snapshot.rowCount()).isEqualTo(251);
            assertThat(read(snapshot.read(List.of()))).contains(List.of(7L, "changed"));
            assertThat(table.transaction(APPLICATION)).hasValue(300);
            assertThatThrownBy(() -> snapshot.readPositions(0, 300))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("no positions");
            append(table, 301, 310);
            table.compact();
            table.checkpoint();
            assertThat(ids(table.snapshot().readPositions(300, 400))).isEqualTo(range(301, 310));
            assertThat(ids(table.snapshot())).hasSize(261);
        }
        assertThat(Files.exists(folder.resolve("shared with \u00fc % & space/_delta_log")))
                .isTrue();
    }

    private static List<Object> range(long from, long to) {
        return LongStream.rangeClosed(from, to).<Object>mapToObj(id -> id).toList();
    }

    private static List<@Nullable Object> ids(DeltaSnapshot snapshot) {
        return ids(snapshot.read(List.of()));
    }

    private static List<@Nullable Object> ids(DeltaReader reader) {
        var ids = new ArrayList<@Nullable Object>();
        read(reader).forEach(row -> ids.add(row.getFirst()));
        return ids;
    }

    private static List<List<@Nullable Object>> read(DeltaReader reader) {
        try (reader) {
            var values = new ArrayList<List<@Nullable Object>>();
            for (var rows = reader.next(); rows != null; rows = reader.next()) {
                values.addAll(RowsBuilder.values(rows));
            }
            return values;
        }
    }
}
