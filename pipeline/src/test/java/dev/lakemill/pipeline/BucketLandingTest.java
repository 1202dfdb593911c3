package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.FileLandingTest.await;
import static dev.lakemill.pipeline.FileLandingTest.rows;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.FileSource;
import dev.lakemill.plan.FileSource.Evolution;
import dev.lakemill.plan.FileSource.Format;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Objects that come into a bucket, as rows. */
@Timeout(300)
final class BucketLandingTest {
    private static final TableName NAME = TableName.parse("c.s.t__files_1");
    private static final String PLACE = "s3://lake/in";
    private static final List<Column> COLUMNS =
            List.of(
                    Column.nullable("id", Primitive.LONG),
                    Column.nullable("name", Primitive.STRING),
                    Column.nullable("_rescued_data", Primitive.STRING));

    @TempDir Path folder;
    private final RootAllocator allocator = new RootAllocator();
    private final AtomicInteger grown = new AtomicInteger();
    private TestBuckets buckets;

    @BeforeEach
    void start() throws Exception {
        buckets = new TestBuckets();
    }

    @AfterEach
    void stop() {
        buckets.close();
        allocator.close();
    }

    @Test
    void eachObjectIsReadOnceAndBadOnesAreSetAside() throws Exception {
        buckets.put("in/a.json", "{\"id\":1,\"name\":\"a\"}\n{\"id\":\"x\"}");
        buckets.put("in/x/b.json.gz", TestBuckets.gzip("[{\"id\":2}]"));
        buckets.put("in/_c.json", "{\"id\":100}");
        buckets.put("in/_d/e.json", "{\"id\":100}");
        buckets.put("in/bad.json", "{\"id\":1}\n{\"id\":");
        buckets.put("in/empty.json", "");
        try (var landing = start(source(Evolution.RESCUE))) {
            await(() -> landing.status().files() == 3 && landing.status().badFiles() == 1);
            assertThat(rows(landing))
                    .containsExactlyInAnyOrder(
                            "1|a|null",
                            "null|null|{\"id\":\"x\",\"_file_path\":\"%s/a.json\"}"
                                    .formatted(PLACE),
                            "2|null|null");
            assertThat(landing.status().newestBad().getFirst())
                    .startsWith(PLACE + "/bad.json: ")
                    .contains("Malformed JSON")
                    .doesNotContain(folder.toString());
            buckets.put("in/bad.json", "{\"id\":9}");
            await(() -> landing.status().badFiles() == 0);
            buckets.put("in/a.json", "{\"id\":100}");
            buckets.put("in/new.json", "{\"id\":10}");
            await(() -> landing.status().files() == 5);
            assertThat(rows(landing)).hasSize(5).endsWith("9|null|null", "10|null|null");
        }
        try (var again = start(source(Evolution.RESCUE))) {
            buckets.put("in/newer.json", "{\"id\":11}");
            await(() -> again.status().files() == 6);
            assertThat(rows(again)).hasSize(6).last().isEqualTo("11|null|null");
        }
        assertThat(buckets.read)
                .containsExactlyInAnyOrder(
                        "in/a.json",
                        "in/x/b.json.gz",
                        "in/bad.json",
                        "in/bad.json",
                        "in/empty.json",
                        "in/new.json",
                        "in/newer.json");
        assertThat(copies()).isEmptyDirectory();
    }

    @Test
    void parquetAndCsvAreReadToo() throws Exception {
        var file = folder.resolve("a.parquet");
        try (var duck = DriverManager.getConnection("jdbc:duckdb:");
                var statement = duck.createStatement()) {
            statement.execute(
                    "COPY (SELECT 1::INTEGER AS id, 'a' AS name) TO '%s'".formatted(file));
        }
        buckets.put("in/a.parquet", Files.readAllBytes(file));
        try (var landing = start(source(Format.PARQUET, Evolution.NONE, Map.of()))) {
            await(() -> landing.feed().position() > 0);
            assertThat(rows(landing)).containsExactly("1|a|null");
        }
        buckets.put("in/b.csv.gz", TestBuckets.gzip("id,name\n2,b\n"));
        var options = Map.of("header", "true", "pathglobfilter", "*.csv.gz");
        try (var landing = start(source(Format.CSV, Evolution.NONE, options))) {
            await(() -> landing.status().files() == 2);
            assertThat(rows(landing)).containsExactly("1|a|null", "2|b|null");
        }
    }

    @Test
    void columnsAreFoundAndNewOnesAreAdded() throws Exception {
        var adding = source(Evolution.ADD_NEW_COLUMNS);
        try (var landing = start(adding)) {
            await(landing::isIdle);
            buckets.put("in/a.json", "{\"id\":1,\"more\":{\"x\":1.5}}");
            await(() -> grown.get() == 1);
            assertThat(landing.isIdle()).as("its rows are still to be read").isFalse();
        }
        var found = schemas(buckets.config()).find(NAME, adding);
        assertThat(found.columns())
                .extracting(column -> column.name() + " " + column.type().sql())
                .containsExactly("id BIGINT", "more STRUCT<x:DOUBLE>");
        assertThatThrownBy(() -> schemas(buckets.config(1)).find(NAME, adding))
                .hasMessageContaining("no file of s3://lake/in says which columns");
        buckets.unmake();
        assertThatThrownBy(() -> schemas(buckets.config()).find(NAME, adding))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("NoSuchBucket")
                .hasMessageContaining("then run './lakemill pipeline refresh'");
    }

    @Test
    void anObjectAboveTheLimitIsLeftThereAndOthersAreRead() throws Exception {
        buckets.put("in/a.json", "{\"name\":\"%s\"}".formatted("x".repeat(3 << 20)));
        buckets.put("in/b.json", "{\"id\":2}");
        try (var landing = start(source(Evolution.NONE), buckets.config(2 << 20))) {
            await(() -> landing.status().files() == 1 && !landing.status().error().isEmpty());
            assertThat(landing.status().error())
                    .contains("s3://lake/in/a.json has 3 MB, above the limit of 2 MB")
                    .contains("raise s3.object_mb");
            assertThat(landing.status().badFiles()).isZero();
            assertThat(rows(landing)).containsExactly("2|null|null");
            assertThat(buckets.read).containsExactly("in/b.json");
        }
        try (var landing = start(source(Evolution.NONE), buckets.config(4 << 20))) {
            await(() -> landing.status().files() == 2);
            await(() -> landing.status().error().isEmpty());
        }
    }

    @Test
    void aBucketThatIsAwayOrRefusesIsReadAsSoonAsItAnswers() throws Exception {
        buckets.put("in/a.json", "{\"id\":1}");
        var impatient = buckets.config(1 << 20, Duration.ofSeconds(2));
        try (var landing = start(source(Evolution.NONE), impatient)) {
            await(() -> landing.status().files() == 1);
            buckets.isForbidden.set(true);
            await(() -> landing.status().error().contains("answers 403"));
            assertThat(landing.status().error())
                    .startsWith("s3://lake/in/ cannot be listed: " + buckets.endpoint())
                    .contains("give the node's credentials s3:ListBucket and s3:GetObject");
            buckets.isForbidden.set(false);
            await(() -> landing.status().error().isEmpty());
            buckets.leave();
            await(() -> landing.status().error().contains("Connection refused"));
            try (var _ = buckets.silent()) {
                await(() -> landing.status().error().contains("Read timed out"));
            }
            buckets.comeBack();
            buckets.put("in/b.json", "{\"id\":2}");
            await(() -> landing.status().files() == 2 && landing.status().error().isEmpty());
            buckets.unmake();
            await(() -> landing.status().error().contains("answers 404 NoSuchBucket"));
            assertThat(landing.status().error()).contains("mend the bucket's name");
            buckets.make();
            buckets.put("in/a.json", "{\"id\":1}");
            buckets.put("in/c.json", "{\"id\":3}");
            await(() -> landing.status().files() == 3 && landing.status().error().isEmpty());
            assertThat(rows(landing)).containsExactly("1|null|null", "2|null|null", "3|null|null");
            assertThat(landing.status().badFiles()).isZero();
        }
    }

    @Test
    void aSilentBucketDoesNotHoldUpTheEnd() throws Exception {
        buckets.leave();
        var patient = buckets.config(1, Duration.ofMinutes(2));
        try (var silent = buckets.silent()) {
            var landing = start(source(Evolution.NONE), patient);
            silent.accept().close();
            try (var _ = silent.accept()) {
                Thread.sleep(500);
                var began = System.nanoTime();
                landing.close();
                assertThat(Duration.ofNanos(System.nanoTime() - began))
                        .isLessThan(Duration.ofSeconds(20));
                assertThat(landing.status().error()).isEmpty();
            }
        } finally {
            buckets.comeBack();
        }
    }

    @Test
    void anObjectThatACrashLeftHalfReadIsReadToItsEndWhereItIsTheSame() throws Exception {
        var lines = new StringBuilder();
        for (int i = 0; i < 150_000; i++) {
            lines.append("{\"id\":%06d}\n".formatted(100_000 + i));
        }
        buckets.put("in/a.json", lines.toString());
        try (var landing = start(source(Evolution.NONE), buckets.config(1))) {
            await(() -> !landing.status().error().isEmpty());
        }
        var config = buckets.config(10 << 20);
        var first = take(0);
        try (var landing = start(source(Evolution.NONE), config)) {
            // Part of the rows, then the end of the process.
            await(() -> landing.feed().position() > 0);
        }
        try (var landing = start(source(Evolution.NONE), config)) {
            await(() -> landing.feed().position() == first.sizeBytes());
            assertThat(rows(landing).stream().distinct()).hasSize(150_000);
            assertThat(rows(landing)).hasSize(150_000);
        }
        buckets.remove("in/a.json");
        buckets.put("in/b.json", "{\"id\":1}");
        take(first.sizeBytes());
        buckets.put("in/b.json", "{\"id\":2}");
        try (var landing = start(source(Evolution.NONE), config)) {
            await(() -> landing.feed().position() > first.sizeBytes());
            assertThat(rows(landing)).hasSize(150_001).last().isEqualTo("2|null|null");
        }
    }

    /** Notes the one object as taken, and leaves as a crash would before its rows are written. */
    private Listing.Found take(long position) {
        var config = buckets.config(10 << 20);
        try (var listing = new BucketListing(source(Evolution.NONE), config, folder.resolve("x"))) {
            var found = listing.list().getFirst();
            assertThat(found.tag()).isNotEmpty();
            var journal = folder.resolve("pipeline/files").resolve(NAME + "/journal");
            new FileJournal(journal, new LocalDisk())
                    .append(FileJournal.Entry.of(found, position, position + found.sizeBytes()));
            return found;
        }
    }

    private SourceSchemas schemas(BucketConfig config) {
        return new SourceSchemas(
                new FilePlaces(folder, config, List.of()),
                folder.resolve("pipeline"),
                false,
                List.of());
    }

    private Path copies() throws IOException {
        return folder.resolve("pipeline/temporary").resolve(NAME + ".objects");
    }

    private FileLanding start(FileSource source) {
        return start(source, buckets.config());
    }

    private FileLanding start(FileSource source, BucketConfig config) {
        return FileLanding.start(
                new Dataset.FileTable(
                        NAME, new TableSchema(COLUMNS), new SourcePosition("t.sql", 1, 1), source),
                new FileLanding.Wiring(
                        new FilePlaces(folder, config, List.of()),
                        folder.resolve("pipeline"),
                        allocator,
                        Clock.systemUTC(),
                        grown::incrementAndGet));
    }

    private static FileSource source(Evolution evolution) {
        return source(Format.JSON, evolution, Map.of());
    }

    private static FileSource source(
            Format format, Evolution evolution, Map<String, String> options) {
        return new FileSource(
                PLACE, format, options, evolution, "_rescued_data", List.of(), List.of(), true);
    }
}
