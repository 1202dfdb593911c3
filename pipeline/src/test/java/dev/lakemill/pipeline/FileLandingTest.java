package dev.lakemill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.pipeline.Listing.Found;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.FileSource;
import dev.lakemill.plan.FileSource.Evolution;
import dev.lakemill.plan.FileSource.Format;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.DriverManager;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files that come into a folder, as rows. */
@Timeout(300)
final class FileLandingTest {
    private static final TableName NAME = TableName.parse("c.s.t__files_1");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<Column> COLUMNS =
            List.of(
                    Column.nullable("id", Primitive.LONG),
                    Column.nullable("name", Primitive.STRING),
                    Column.nullable("at", Primitive.TIMESTAMP));

    @TempDir Path folder;
    private final RootAllocator allocator = new RootAllocator();
    private final AtomicInteger grown = new AtomicInteger();
    private Clock clock = Clock.systemUTC();

    @BeforeEach
    void makeFolder() throws IOException {
        Files.createDirectories(folder.resolve("in"));
    }

    @AfterEach
    void everyBufferIsGivenBack() {
        allocator.close();
    }

    @Test
    void eachFormatGivesTheSameRowsOnceAndBadFilesAreSetAside() throws Exception {
        put("a.json", "{\"id\":1,\"name\":\"a\",\"at\":\"2026-01-02T03:04:05Z\"}\n{\"id\":\"x\"}");
        put("b.json.gz", "[{\"id\":2,\"extra\":{\"k\":[1]}},\n{\"id\":2.5,\"name\":7}]");
        put("bad.json", "{\"id\":1}\n{\"id\":");
        put("empty.json", "");
        put(".hidden.json", "{\"id\":100}");
        var path = folder.resolve("in").toString();
        try (var landing = start(source(Format.JSON, Evolution.RESCUE, Map.of()))) {
            await(() -> landing.status().files() == 3 && landing.status().badFiles() == 1);
            assertThat(rows(landing))
                    .containsExactly(
                            "1|a|1767323045000000|null",
                            "null|null|null|{\"id\":\"x\",\"_file_path\":\"%s/a.json\"}"
                                    .formatted(path),
                            ("2|null|null|{\"extra\":{\"k\":[1]},\"_file_path\":"
                                            + "\"%s/b.json.gz\"}")
                                    .formatted(path),
                            "null|7|null|{\"id\":2.5,\"_file_path\":\"%s/b.json.gz\"}"
                                    .formatted(path));
            assertThat(landing.status().newestBad().getFirst())
                    .startsWith(path + "/bad.json: ")
                    .contains("Malformed JSON");
            put("bad.json", "{\"id\":9}");
            await(() -> landing.status().badFiles() == 0);
            assertThat(rows(landing)).hasSize(5).last().isEqualTo("9|null|null|null");
        }
        try (var again = start(source(Format.JSON, Evolution.RESCUE, Map.of()))) {
            put("c.json", "{\"id\":10}");
            await(() -> again.status().files() == 5);
            assertThat(rows(again)).hasSize(6).last().isEqualTo("10|null|null|null");
        }
    }

    @Test
    void csvAndParquetFilesAreReadByTheirColumnsNames() throws Exception {
        put("a.csv", "name;id;more\n'x;y';1;\nz;1.5;m\n");
        put("bad.csv", "name;id\nx;1\ny;2;3;4\n");
        var options = Map.of("header", "true", "sep", ";", "quote", "'");
        try (var landing = start(source(Format.CSV, Evolution.RESCUE, options))) {
            await(() -> landing.status().files() == 1 && landing.status().badFiles() == 1);
            assertThat(rows(landing))
                    .containsExactly(
                            "1|x;y|null|null",
                            ("null|z|null|{\"id\":\"1.5\",\"more\":\"m\",\"_file_path\":"
                                            + "\"%s/in/a.csv\"}")
                                    .formatted(folder));
        }
        clear();
        parquet("a.parquet", "SELECT 1::INTEGER AS id, 'a' AS name, 2 AS other");
        parquet("b.parquet", "SELECT 2::BIGINT AS ID, TIMESTAMPTZ '2026-01-02 03:04:05+00' AS at");
        parquet("c.parquet", "SELECT 2.7::DOUBLE AS id UNION ALL SELECT 3");
        parquet("d.parquet", "SELECT '4.5' AS id UNION ALL SELECT '5'");
        put("bad.parquet", "no parquet");
        try (var landing = start(source(Format.PARQUET, Evolution.NONE, Map.of()))) {
            await(() -> landing.status().files() == 4 && landing.status().badFiles() == 1);
            assertThat(rows(landing))
                    .containsExactlyInAnyOrder(
                            "1|a|null|{\"other\":2,\"_file_path\":\"%s/in/a.parquet\"}"
                                    .formatted(folder),
                            "2|null|1767323045000000|null",
                            "null|null|null|{\"id\":2.7,\"_file_path\":\"%s/in/c.parquet\"}"
                                    .formatted(folder),
                            "3|null|null|null",
                            "null|null|null|{\"id\":\"4.5\",\"_file_path\":\"%s/in/d.parquet\"}"
                                    .formatted(folder),
                            "5|null|null|null");
        }
    }

    @Test
    void aColumnThatIsNewIsAddedOrRefusedAsTheModeSays() throws Exception {
        put("a.json", "{\"id\":1,\"more\":{\"x\":1.5}}");
        try (var landing = start(source(Format.JSON, Evolution.FAIL_ON_NEW_COLUMNS, Map.of()))) {
            await(() -> landing.status().error().contains("more"));
            assertThat(landing.status().files()).isZero();
        }
        var adding = source(Format.JSON, Evolution.ADD_NEW_COLUMNS, Map.of());
        try (var _ = start(adding)) {
            await(() -> grown.get() == 1);
        }
        var schemas = new SourceSchemas(places(), folder.resolve("pipeline"), true, List.of());
        var columns = new ArrayList<>(schemas.known().getFirst().columns());
        assertThat(columns).hasSize(4);
        assertThat(columns.getLast().type().sql()).isEqualTo("STRUCT<x:DOUBLE>");
        columns.add(Column.nullable("_rescued_data", Primitive.STRING));
        var table =
                new Dataset.FileTable(
                        NAME, new TableSchema(columns), new SourcePosition("t.sql", 1, 1), adding);
        assertThat(FileLanding.grows(table, folder.resolve("pipeline"), allocator)).isTrue();
        try (var landing = start(table)) {
            await(() -> landing.status().files() == 1);
            assertThat(rows(landing).getFirst()).startsWith("1|null|null|").contains("1.5");
        }
    }

    @Test
    void theColumnsOfFilesAreFoundAsSparkWould() throws Exception {
        put("a.json", "{\"n\":1,\"x\":1,\"d\":\"2026-01-01\",\"s\":{\"a\":[1]},\"m\":1}");
        put("b.json", "{\"n\":null,\"x\":1.5,\"s\":{\"a\":[2],\"b\":true},\"m\":\"text\"}");
        put("bad.json", "{");
        assertThat(found(source(Format.JSON, Evolution.NONE, Map.of())))
                .containsExactlyInAnyOrder(
                        "n BIGINT",
                        "x DOUBLE",
                        "d STRING",
                        "s STRUCT<a:ARRAY<BIGINT>,b:BOOLEAN>",
                        "m STRING");
        clear();
        put("a.csv", "1,1.5,true,2026-01-02,2026-01-02 03:04:05,text,\n2,2,FALSE,2026-1-3,,1,\n");
        assertThat(found(source(Format.CSV, Evolution.NONE, Map.of())))
                .containsExactly(
                        "_c0 BIGINT",
                        "_c1 DOUBLE",
                        "_c2 BOOLEAN",
                        "_c3 DATE",
                        "_c4 TIMESTAMP",
                        "_c5 STRING",
                        "_c6 STRING");
    }

    @Test
    void rowsOfAFileThatACrashLeftHalfWrittenAreWrittenOnce() throws Exception {
        var lines = new StringBuilder();
        for (int i = 0; i < 150_000; i++) {
            lines.append("{\"id\":").append(i).append("}\n");
        }
        var source = source(Format.JSON, Evolution.RESCUE, Map.of());
        try (var landing = start(source)) {
            assertThat(landing.status().files()).isZero();
        }
        put("a.json", lines.toString());
        var file = take("a.json");
        try (var landing = start(source)) {
            // Part of the rows, then the end of the process.
            await(() -> landing.feed().position() > 0);
        }
        try (var landing = start(source)) {
            await(() -> landing.feed().position() == file.sizeBytes());
            assertThat(rows(landing).stream().distinct()).hasSize(150_000);
            assertThat(rows(landing)).hasSize(150_000);
        }
    }

    @Test
    void aHalfReadFileIsReadToItsEndWhateverBecomesOfIt() throws Exception {
        var lines =
                IntStream.range(0, 400_000)
                        .mapToObj("{\"id\":%d}"::formatted)
                        .collect(Collectors.joining("\n"));
        var source = source(Format.JSON, Evolution.RESCUE, Map.of());
        put("a.json", lines);
        try (var landing = start(source)) {
            await(() -> landing.feed().position() > 0);
        }
        var file = folder.resolve("in/a.json");
        Files.delete(file);
        try (var landing = start(source)) {
            await(landing::isIdle);
            assertThat(rows(landing)).hasSize(400_000).doesNotHaveDuplicates();
            put("a.json", lines);
            put("b.json", "{\"id\":-1}");
            await(() -> landing.status().files() == 2 && landing.isIdle());
            assertThat(rows(landing)).hasSize(400_001).doesNotHaveDuplicates();
            assertThat(landing.status().badFiles()).isZero();
        }
        assertThat(journal().resolveSibling("reading.parquet")).doesNotExist();
    }

    @Test
    void aFileOfWhichNoRowWasReadIsNewWhenItIsBack() throws Exception {
        var source = source(Format.JSON, Evolution.RESCUE, Map.of());
        start(source).close();
        put("a.json", "{\"id\":1}");
        take("a.json");
        Files.move(folder.resolve("in"), folder.resolve("away"));
        try (var landing = start(source)) {
            await(() -> landing.status().badFiles() == 1);
            Files.move(folder.resolve("away"), folder.resolve("in"));
            await(() -> landing.status().files() == 1);
            assertThat(rows(landing)).containsExactly("1|null|null|null");
        }
    }

    @Test
    void linksAreFollowedButNotIntoTheNodesOwnFolders() throws Exception {
        var closed = Files.createDirectories(folder.resolve("closed"));
        Files.writeString(closed.resolve("secret.json"), "{\"id\":1}");
        var other = Files.createDirectories(folder.resolve("other"));
        Files.writeString(other.resolve("x.json"), "{\"id\":2}");
        Files.createSymbolicLink(folder.resolve("in/other"), other);
        Files.createSymbolicLink(folder.resolve("in/again.json"), other.resolve("x.json"));
        Files.createSymbolicLink(folder.resolve("in/closed"), closed);
        Files.createSymbolicLink(folder.resolve("in/secret.json"), closed.resolve("secret.json"));
        var source = source(Format.JSON, Evolution.RESCUE, Map.of());
        try (var landing = start(source)) {
            await(landing::isIdle);
            assertThat(rows(landing)).containsExactly("2|null|null|null", "2|null|null|null");
        }
        for (var path : List.of("closed", "in/closed", "file://" + folder + "/clos%65d/*.json")) {
            var own =
                    new FileSource(
                            path,
                            Format.JSON,
                            Map.of(),
                            Evolution.RESCUE,
                            "",
                            List.of(),
                            List.of(),
                            true);
            assertThatThrownBy(() -> places().check(own))
                    .hasMessageContaining("the node's own folder");
        }
    }

    @Test
    void aFileThatCannotBeReadJustNowIsTriedAgain() throws Exception {
        // Opens, and fails when it is read.
        var failing = Path.of("/proc/self/mem");
        assumeTrue(Files.exists(failing));
        Files.createSymbolicLink(folder.resolve("in/a.json"), failing);
        put("b.json", "{\"id\":2}");
        try (var landing = start(source(Format.JSON, Evolution.RESCUE, Map.of()))) {
            await(() -> landing.status().files() == 1);
            await(() -> landing.status().error().contains("a.json cannot be read"));
            assertThat(landing.isIdle()).isFalse();
            put("a.json", "{\"id\":1}");
            await(() -> landing.status().files() == 2);
            assertThat(rows(landing)).containsExactly("2|null|null|null", "1|null|null|null");
        }
    }

    @Test
    void aHalfReadFileThatIsGoneIsSetAsideOnce() throws Exception {
        var source = source(Format.JSON, Evolution.RESCUE, Map.of());
        try (var landing = start(source)) {
            assertThat(landing.status().files()).isZero();
        }
        put("a.json", "{\"id\":1}");
        var file = take("a.json");
        Files.delete(Path.of(file.name()));
        try (var landing = start(source)) {
            await(() -> landing.status().badFiles() == 1);
            // Several looks long.
            Thread.sleep(3_000);
            assertThat(landing.status().newestBad()).hasSize(1);
            assertThat(Files.readAllLines(journal())).hasSize(2);
            put("b.json", "{\"id\":2}");
            await(() -> landing.feed().position() > file.sizeBytes());
            assertThat(rows(landing)).containsExactly("2|null|null|null");
        }
        try (var again = start(source)) {
            assertThat(again.status().badFiles()).isEqualTo(1);
            assertThat(rows(again)).containsExactly("2|null|null|null");
        }
    }

    @Test
    void anErrorIsToldAndTheFileIsReadOnceMore() throws Exception {
        var ends = new AtomicBoolean();
        clock =
                new Clock() {
                    @Override
                    public Instant instant() {
                        if (ends.get()) {
                            throw new OutOfMemoryError("Java heap space");
                        }
                        return Instant.now();
                    }

                    @Override
                    public ZoneId getZone() {
                        return ZoneOffset.UTC;
                    }

                    @Override
                    public Clock withZone(ZoneId zone) {
                        return this;
                    }
                };
        try (var landing = start(source(Format.JSON, Evolution.RESCUE, Map.of()))) {
            ends.set(true);
            put("a.json", "{\"id\":1}");
            await(() -> landing.status().error().contains("a defect"));
            assertThat(landing.status().error()).contains("Java heap space");
            ends.set(false);
            await(() -> landing.feed().position() > 0 && landing.status().error().isEmpty());
            put("b.json", "{\"id\":2}");
            await(() -> landing.status().files() == 2 && landing.feed().position() > 9);
            assertThat(rows(landing)).containsExactly("1|null|null|null", "2|null|null|null");
        }
    }

    @Test
    void aTableThatOthersWriteIsFollowedUntilRowsOfItChange() throws Exception {
        var at = folder.resolve("other");
        var schema = new TableSchema(List.of(Column.nullable("id", Primitive.LONG)));
        try (var other =
                DeltaTable.create(at, schema, DeltaConfig.DEFAULT, allocator, Clock.systemUTC())) {
            append(other, schema, 1, 1);
            append(other, schema, 2, 2);
            try (var landing = start(followed(at, schema, false))) {
                await(() -> landing.feed().position() > 0 && rows(landing).size() == 2);
                append(other, schema, 3, 3);
                other.compact();
                await(() -> rows(landing).size() == 3);
            }
            append(other, schema, 4, 4);
            try (var landing = start(followed(at, schema, false))) {
                await(() -> rows(landing).size() == 4);
                assertThat(rows(landing)).containsExactly("1", "2", "3", "4");
                append(other, schema, 5, 5);
                other.replace(
                        List.of(TestRows.rows(allocator, schema, List.of(TestRows.row(9))))
                                .iterator(),
                        new Txn("test", 6));
                await(() -> landing.status().error().contains("updates or deletes rows"));
                assertThat(rows(landing)).containsExactly("1", "2", "3", "4", "5");
            }
            append(other, schema, 7, 7);
            try (var landing = start(followed(at, schema, true))) {
                await(() -> rows(landing).size() == 6);
                assertThat(rows(landing)).containsExactly("1", "2", "3", "4", "5", "7");
                assertThat(landing.status().error()).isEmpty();
            }
        }
    }

    @Test
    void aHalfReadFileOfATableIsKnownThoughItsWritersClockDiffers() throws Exception {
        var at = folder.resolve("other");
        var schema = new TableSchema(List.of(Column.nullable("id", Primitive.LONG)));
        try (var other =
                DeltaTable.create(at, schema, DeltaConfig.DEFAULT, allocator, Clock.systemUTC())) {
            append(other, schema, 1, 1);
            long position;
            try (var landing = start(followed(at, schema, false))) {
                await(() -> rows(landing).size() == 1);
                position = landing.feed().position();
            }
            append(other, schema, 2, 2);
            var commit = Files.readString(at.resolve("_delta_log/%020d.json".formatted(2)));
            var add =
                    JSON.readTree(commit.lines().filter(l -> l.contains("add")).toList().getLast());
            var path = at.resolve(add.at("/add/path").asText());
            var found =
                    new Found(
                            path.toString(),
                            add.at("/add/size").asLong(),
                            add.at("/add/modificationTime").asLong());
            assertThat(path.toFile().setLastModified(found.modifiedMillis() + 5)).isTrue();
            new FileJournal(journal(), new LocalDisk())
                    .append(FileJournal.Entry.of(found, position, position + found.sizeBytes()));
            try (var landing = start(followed(at, schema, false))) {
                await(() -> rows(landing).size() == 2);
                assertThat(rows(landing)).containsExactly("1", "2");
                assertThat(landing.status().badFiles()).isZero();
            }
        }
    }

    private static Dataset.FileTable followed(Path at, TableSchema schema, boolean skips) {
        var source =
                new FileSource(
                        at.toString(),
                        Format.DELTA,
                        Map.of(FileSource.SKIP_CHANGES, Boolean.toString(skips)),
                        Evolution.NONE,
                        "",
                        schema.columns(),
                        List.of(),
                        true);
        return new Dataset.FileTable(NAME, schema, new SourcePosition("t.sql", 1, 1), source);
    }

    private void append(DeltaTable table, TableSchema schema, long id, long txn) {
        try (var rows = TestRows.rows(allocator, schema, List.of(TestRows.row(id)))) {
            table.append(List.of(rows), new long[] {txn}, new Txn("test", txn));
        }
    }

    private List<String> found(FileSource source) {
        return new SourceSchemas(places(), folder.resolve("pipeline"), false, List.of())
                .find(NAME, source).columns().stream()
                        .map(column -> column.name() + " " + column.type().sql())
                        .toList();
    }

    private static FileSource source(
            Format format, Evolution evolution, Map<String, String> options) {
        return new FileSource(
                "in", format, options, evolution, "_rescued_data", List.of(), List.of(), true);
    }

    private FileLanding start(FileSource source) {
        var columns = new ArrayList<>(COLUMNS);
        columns.add(Column.nullable("_rescued_data", Primitive.STRING));
        return start(
                new Dataset.FileTable(
                        NAME, new TableSchema(columns), new SourcePosition("t.sql", 1, 1), source));
    }

    private FileLanding start(Dataset.FileTable table) {
        return FileLanding.start(
                table,
                new FileLanding.Wiring(
                        places(),
                        folder.resolve("pipeline"),
                        allocator,
                        clock,
                        grown::incrementAndGet));
    }

    /** As a careful writer does: whole, by its name. */
    private void put(String name, String text) throws IOException {
        var beside = folder.resolve(name + ".part");
        if (name.endsWith(".gz")) {
            try (var out =
                    new OutputStreamWriter(
                            new GZIPOutputStream(Files.newOutputStream(beside)),
                            StandardCharsets.UTF_8)) {
                out.write(text);
            }
        } else {
            Files.writeString(beside, text);
        }
        Files.move(beside, folder.resolve("in").resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }

    private void parquet(String name, String sql) throws Exception {
        try (var duck = DriverManager.getConnection("jdbc:duckdb:");
                var statement = duck.createStatement()) {
            statement.execute(
                    "COPY (%s) TO '%s' (FORMAT parquet)".formatted(sql, folder.resolve(name)));
        }
        Files.move(folder.resolve(name), folder.resolve("in").resolve(name));
    }

    /** Notes a file as taken, and leaves as a crash would before its rows are written. */
    private Found take(String name) throws IOException {
        var path = folder.resolve("in").resolve(name);
        var file = new Found(path.toString(), Files.size(path), path.toFile().lastModified());
        var journal = new FileJournal(journal(), new LocalDisk());
        journal.append(FileJournal.Entry.of(file, 0, file.sizeBytes()));
        return file;
    }

    private FilePlaces places() {
        return new FilePlaces(folder, BucketConfig.DEFAULT, List.of(folder.resolve("closed")));
    }

    private Path journal() {
        return folder.resolve("pipeline/files").resolve(NAME + "/journal");
    }

    /** Another folder of files and another pipeline. */
    private void clear() throws IOException {
        try (var files = Files.list(folder.resolve("in"))) {
            for (var file : files.toList()) {
                Files.delete(file);
            }
        }
        if (Files.exists(folder.resolve("pipeline"))) {
            Files.move(folder.resolve("pipeline"), folder.resolve("gone"));
        }
    }

    static List<String> rows(FileLanding landing) {
        var texts = new ArrayList<String>();
        try (var reader = landing.feed().reader(0)) {
            while (reader.position() < landing.feed().position()) {
                try (var batch = reader.poll(Long.MAX_VALUE, 1_000_000)) {
                    if (batch != null) {
                        texts.addAll(TestRows.texts(batch.rows()));
                    }
                }
            }
        }
        return texts;
    }

    static void await(BooleanSupplier condition) throws InterruptedException {
        var deadline = System.nanoTime() + 120_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waited two minutes").isLessThan(deadline);
            Thread.sleep(10);
        }
    }
}
