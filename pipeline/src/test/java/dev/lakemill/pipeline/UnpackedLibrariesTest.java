package dev.lakemill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The files that native libraries are unpacked into. */
@EnabledOnOs(OS.LINUX)
final class UnpackedLibrariesTest {
    @TempDir Path folder;

    @Test
    void areGoneOnceTheLibrariesAreLoadedWhichWorkWithoutThem() throws IOException {
        for (int time = 0; time < 2; time++) {
            try (var allocator = new RootAllocator();
                    var duck =
                            DuckSession.open(
                                    PipelineConfig.Duck.DEFAULT,
                                    folder.resolve("tmp"),
                                    allocator)) {
                duck.execute("CREATE TABLE t AS SELECT to_json({'a': 1}) AS j");
            }
            var linear = LinearModel.write(folder.resolve("model" + time), 0.5f, 2);
            try (var model = OnnxModel.open(linear)) {
                assertThat(model.score(List.of(new double[] {1}))).containsExactly(2.5);
            }
            assertThat(mapped("libduckdb_java"))
                    .isNotEmpty()
                    .allMatch(UnpackedLibrariesTest::isGone);
            assertThat(mapped("onnxruntime-java"))
                    .isNotEmpty()
                    .allMatch(UnpackedLibrariesTest::isGone);
        }
    }

    private static boolean isGone(String path) {
        var file = Path.of(path.replace(" (deleted)", ""));
        var temporary = Path.of(System.getProperty("java.io.tmpdir"));
        var top = temporary.resolve(temporary.relativize(file).getName(0));
        return path.endsWith(" (deleted)") && !Files.exists(top);
    }

    /** What is mapped from the folder for temporary files under names that begin so. */
    private static List<String> mapped(String prefix) throws IOException {
        var start = Path.of(System.getProperty("java.io.tmpdir")).resolve(prefix).toString();
        return Files.readAllLines(Path.of("/proc/self/maps")).stream()
                .map(line -> line.substring(Math.max(0, line.indexOf('/'))))
                .filter(path -> path.startsWith(start))
                .toList();
    }
}
