package dev.lakemill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.plan.FileSource;
import dev.lakemill.plan.FileSource.Evolution;
import dev.lakemill.plan.FileSource.Format;
import dev.lakemill.types.LakemillException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which objects a path in a bucket means, and how they are asked for. */
@Timeout(300)
final class BucketListingTest {
    private static final List<String> KEYS =
            List.of(
                    "a.json",
                    "in/a.json",
                    "in/b.csv",
                    "in/_b.json",
                    "in/.c.json",
                    "in/2026-01.json",
                    "in/x/2026-01.json",
                    "in/x/2026-02.json",
                    "in/x/y/2026-03.json",
                    "in/_hidden/2026-04.json",
                    "in/x/.hidden/2026-05.json",
                    "in/a name, with 'é' & +%20.json",
                    "inner/a.json");

    private static TestBuckets buckets;

    @TempDir Path folder;

    @BeforeAll
    static void start() throws Exception {
        buckets = new TestBuckets();
    }

    @AfterAll
    static void stop() {
        buckets.close();
    }

    @BeforeEach
    void empty() {
        buckets.unmake();
        buckets.make();
    }

    @Test
    void aPathMeansTheFilesThatItWouldMeanInAFolder() throws Exception {
        for (var key : KEYS) {
            buckets.put(key, key);
            var file = folder.resolve("lake").resolve(key);
            Files.createDirectories(file.getParent());
            Files.writeString(file, key);
        }
        var paths =
                List.of(
                        "in",
                        "in/",
                        "in/a.json",
                        "in/x",
                        "in/*.json",
                        "in/2026-*",
                        "in/*/2026-*.json",
                        "in/**/2026-*.json",
                        "in/{x,none}/2026-0[12].json",
                        "in/x*/?026-01.json",
                        "in/_hidden",
                        "in/_hidden/*",
                        "none",
                        "none/*");
        var found = 0;
        for (var path : paths) {
            for (var options :
                    List.of(
                            Map.<String, String>of(),
                            Map.of("pathglobfilter", "*.json"),
                            Map.of("pathglobfilter", "2026-0?.*", "recursivefilelookup", "true"),
                            Map.of("recursivefilelookup", "false"))) {
                var inFolder =
                        names(
                                new FileListing(folder, source("lake/" + path, options), List.of()),
                                folder + "/");
                assertThat(names(listing("s3://lake/" + path, options), "s3://"))
                        .as("%s with %s", path, options)
                        .isEqualTo(inFolder);
                found += inFolder.size();
            }
        }
        assertThat(found).isGreaterThan(50);
    }

    @Test
    void aNameThatBeginsAnotherIsNotTheOther() {
        KEYS.forEach(key -> buckets.put(key, key));
        assertThat(names(listing("s3://lake/in", Map.of()), "s3://"))
                .noneMatch(n -> n.contains("inn"));
        assertThat(names(listing("s3://lake/inn", Map.of()), "s3://")).isEmpty();
        assertThat(names(listing("s3a://lake/a.json", Map.of()), "s3://"))
                .containsExactly("lake/a.json");
        assertThat(names(listing("s3://lake", Map.of()), "s3://"))
                .contains("lake/a.json", "lake/in/x/2026-01.json", "lake/inner/a.json");
        buckets.put("empty/", "");
        assertThat(names(listing("s3://lake/empty", Map.of()), "s3://")).isEmpty();
    }

    @Test
    void moreObjectsThanAPageAreFoundWithOneRequestAPage() {
        for (int i = 0; i < 2_100; i++) {
            buckets.put("in/%04d.json".formatted(i), "{}");
        }
        buckets.pages.set(0);
        assertThat(listing("s3://lake/in", Map.of()).list()).size().isEqualTo(2_100);
        assertThat(buckets.pages.get()).isEqualTo(3);
        buckets.pages.set(0);
        assertThat(listing("s3://lake/in/00*.json", Map.of()).list()).size().isEqualTo(100);
        assertThat(buckets.pages.get()).isEqualTo(1);
        assertThat(listing("s3://lake/in/00*.json", Map.of()).pause())
                .isEqualTo(buckets.config().listPause());
    }

    @Test
    void theOldestIsFirst() throws Exception {
        for (var key : List.of("in/c", "in/a", "in/b")) {
            buckets.put(key, key);
            Thread.sleep(1_100); // a store may keep whole seconds
        }
        assertThat(listing("s3://lake/in", Map.of()).list())
                .extracting(ObjectStore::key)
                .containsExactly("in/c", "in/a", "in/b");
    }

    @Test
    void aCopyIsOfTheObjectThatWasFound() throws Exception {
        buckets.put("in/a.json.gz", TestBuckets.gzip("{}"));
        var copies = folder.resolve("copies");
        Files.createDirectories(copies);
        Files.writeString(copies.resolve("object.csv"), "left by a kill");
        try (var listing = listing("s3://lake/in", Map.of())) {
            assertThat(copies).isEmptyDirectory();
            var found = listing.list().getFirst();
            try (var copy = listing.open(found).orElseThrow()) {
                assertThat(copy.path()).hasBinaryContent(TestBuckets.gzip("{}"));
                assertThat(copy.path().toString()).endsWith(".gz");
            }
            assertThat(copies).isEmptyDirectory();
            buckets.put("in/a.json.gz", TestBuckets.gzip("[]"));
            assertThat(listing.open(found)).isEmpty();
            buckets.remove("in/a.json.gz");
            assertThat(listing.open(found)).isEmpty();
            assertThat(copies).isEmptyDirectory();
        }
    }

    @Test
    void aPathWithoutABucketIsRefused() {
        for (var path : List.of("s3://", "s3:///in", "s3://*/in", "s3://A_b/in")) {
            assertThatThrownBy(() -> listing(path, Map.of()))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("names no bucket");
        }
    }

    private Listing listing(String path, Map<String, String> options) {
        return new BucketListing(source(path, options), buckets.config(), folder.resolve("copies"));
    }

    /** From the bucket's name on. */
    private static List<String> names(Listing listing, String before) {
        return listing.list().stream()
                .map(Listing.Found::name)
                .map(name -> name.substring(before.length()))
                .sorted()
                .toList();
    }

    private static FileSource source(String path, Map<String, String> options) {
        return new FileSource(
                path, Format.JSON, options, Evolution.NONE, "", List.of(), List.of(), true);
    }
}
