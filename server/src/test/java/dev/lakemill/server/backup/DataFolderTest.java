package dev.lakemill.server.backup;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What of the data folder is copied. */
final class DataFolderTest {
    @TempDir Path folder;

    @Test
    void whatPipelinesPutAsideForAMomentStaysOut() throws IOException {
        put("pipelines/p/journal");
        put("pipelines/p/temporary/c.s.t__files_1.objects/object.gz");
        put("pipelines/p/rebuild/temporary/duckdb_temp_storage-0.tmp");
        put("pipelines/temporary/journal");
        Files.createDirectories(folder.resolve("postgres"));
        assertThat(DataFolder.of(folder).files())
                .extracting(file -> folder.relativize(file).toString())
                .containsExactlyInAnyOrderElementsOf(
                        List.of("pipelines/p/journal", "pipelines/temporary/journal"));
    }

    private void put(String path) throws IOException {
        Files.createDirectories(folder.resolve(path).getParent());
        Files.writeString(folder.resolve(path), path);
    }
}
