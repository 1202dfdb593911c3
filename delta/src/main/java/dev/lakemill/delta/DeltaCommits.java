package dev.lakemill.delta;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.delta.kernel.TableManager;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.arrow.memory.BufferAllocator;

/**
 * What the commits of a table did to its rows, for whoever follows a table that others write.
 * Nothing is written to it. One thread uses it.
 */
public final class DeltaCommits {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern COMMIT = Pattern.compile("(\\d{20})\\.json");

    /** A data file. */
    public record File(Path path, long sizeBytes, long modifiedMillis) {}

    /**
     * A commit.
     *
     * @param added files with rows that are new
     * @param changes whether rows went or were changed
     */
    public record Commit(long version, List<File> added, boolean changes) {}

    private final TableContext table;

    public DeltaCommits(Path location, BufferAllocator allocator) {
        this.table =
                TableContext.of(
                        location,
                        DeltaConfig.DEFAULT,
                        allocator,
                        Clock.systemUTC(),
                        new LocalDisk());
    }

    /**
     * The newest version.
     *
     * @throws LakemillException NOT_FOUND when there is no table
     */
    public long newest() {
        try (var files = Files.newDirectoryStream(table.logFolder(), "*.json")) {
            long newest = -1;
            for (var file : files) {
                var name = COMMIT.matcher(String.valueOf(file.getFileName()));
                newest = name.matches() ? Math.max(newest, Long.parseLong(name.group(1))) : newest;
            }
            if (newest >= 0) {
                return newest;
            }
        } catch (NoSuchFileException _) {
            throw gone();
        } catch (IOException e) {
            throw Failures.reading(table.logFolder(), e);
        }
        throw gone();
    }

    private LakemillException gone() {
        return new LakemillException(
                ErrorCode.NOT_FOUND,
                "there is no Delta table at %s".formatted(table.location()),
                "take it out of the pipeline, or make it again");
    }

    /**
     * The files whose rows are the table's at a version, in commit order.
     *
     * @throws LakemillException UNIMPLEMENTED for files that do not hold all that their rows are
     */
    public List<File> live(long version) {
        try {
            var snapshot =
                    TableManager.loadSnapshot(table.name())
                            .atVersion(version)
                            .build(table.engine());
            TableProperties.checkSupported(snapshot);
            var files = KernelActions.files(snapshot, table.engine());
            if (!snapshot.getPartitionColumnNames().isEmpty()
                    && !files.stream().allMatch(DataFile::ours)) {
                throw refused("is partitioned, so that its files lack columns");
            }
            return files.stream()
                    .map(
                            file ->
                                    new File(
                                            file.in(table.location()),
                                            file.sizeBytes(),
                                            file.modifiedMillis()))
                    .toList();
        } catch (IOException e) {
            throw Failures.of("reading the log", table.location(), e);
        } catch (LakemillException e) {
            throw e;
        } catch (RuntimeException e) {
            throw Failures.of("reading the log", table.location(), e);
        }
    }

    /** What a commit did; empty when its log file is gone or not there yet. */
    public Optional<Commit> commit(long version) {
        var file = table.logFolder().resolve("%020d.json".formatted(version));
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        var added = new ArrayList<File>();
        var changes = false;
        try {
            for (var line : Files.readAllLines(file)) {
                var action = JSON.readTree(line);
                changes |= action.path("remove").path("dataChange").asBoolean();
                var add = action.path("add");
                if (add.path("dataChange").asBoolean()) {
                    added.add(file(add));
                }
            }
        } catch (JsonProcessingException e) {
            throw Failures.reading(file, new IOException(e));
        } catch (IOException e) {
            throw Failures.reading(file, e);
        }
        return Optional.of(new Commit(version, List.copyOf(added), changes));
    }

    private File file(JsonNode add) {
        if (add.path("deletionVector").isObject()) {
            throw refused("has files with deletion vectors");
        }
        if (!add.path("partitionValues").isEmpty() && !DataFile.ours(add.path("tags"))) {
            throw refused("is partitioned, so that its files lack columns");
        }
        var path = URI.create(add.path("path").asText());
        return new File(
                path.isAbsolute()
                        ? Path.of(path)
                        : table.location().resolve(String.valueOf(path.getPath())),
                add.path("size").asLong(),
                add.path("modificationTime").asLong());
    }

    private LakemillException refused(String what) {
        return new LakemillException(
                ErrorCode.UNIMPLEMENTED,
                "the Delta table %s %s".formatted(table.location(), what),
                "copy it into a table without");
    }
}
