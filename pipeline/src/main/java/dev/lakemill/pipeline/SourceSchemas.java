package dev.lakemill.pipeline;

import dev.lakemill.plan.FileSchema;
import dev.lakemill.plan.FileSource;
import dev.lakemill.plan.KnownTable;
import dev.lakemill.plan.PlanJson;
import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.RootAllocator;

/**
 * The columns of what a pipeline reads and does not declare. Those of files are found once, from
 * the oldest files, and kept in the pipeline's folder, where new columns are added as files bring
 * them.
 */
public final class SourceSchemas {
    private static final String FOLDER = "files";
    private static final String FILE = "schema.json";
    private static final int SAMPLE_FILES = 20;

    /** Of objects that are brought here for it. */
    private static final long SAMPLE_COPIES_BYTES_MAX = 256L << 20;

    private final FilePlaces places;
    private final Path folder;
    private final boolean keeps;
    private final List<KnownTable> tables;

    /**
     * @param folder the pipeline's own
     * @param keeps whether what is found is written there
     * @param tables of the catalog that others write
     */
    public SourceSchemas(FilePlaces places, Path folder, boolean keeps, List<KnownTable> tables) {
        this.places = places;
        this.folder = folder;
        this.keeps = keeps;
        this.tables = List.copyOf(tables);
    }

    /** The folder of a table of files. */
    static Path folder(Path pipeline, TableName table) {
        return pipeline.resolve(FOLDER).resolve(table.toString());
    }

    List<KnownTable> tables() {
        return tables;
    }

    /** What is kept of files. */
    List<FileSchema> known() {
        var all = folder.resolve(FOLDER);
        if (!Files.isDirectory(all)) {
            return List.of();
        }
        var known = new ArrayList<FileSchema>();
        try (var tables = Files.list(all)) {
            for (var table : tables.sorted().toList()) {
                if (Files.exists(table.resolve(FILE))) {
                    known.add(PlanJson.readFileSchema(Files.readString(table.resolve(FILE))));
                }
            }
            return List.copyOf(known);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Looks into the oldest files.
     *
     * @throws LakemillException FAILED_PRECONDITION when there is none that can be read; what a
     *     bucket refuses
     */
    FileSchema find(TableName table, FileSource source) {
        var columns = new ArrayList<Column>();
        String problem;
        try {
            problem = sample(source, columns);
        } catch (LakemillException e) {
            var hint = e.hint() + "; then run './lakemill pipeline refresh'";
            throw new LakemillException(e.code(), e.problem(), hint, e);
        }
        if (columns.isEmpty() && source.hints().isEmpty()) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    problem,
                    "put one there and run './lakemill pipeline refresh', or give the columns with"
                            + " schema => 'name TYPE, …'");
        }
        var found = new FileSchema(table, columns);
        if (keeps) {
            keep(folder, found);
        }
        return found;
    }

    /** Adds the columns of the oldest files; says why, where there are none. */
    private String sample(FileSource source, List<Column> columns) {
        var temporary = folder.resolve("temporary");
        try (var listing = places.listing(source, temporary.resolve("schema.objects"));
                var allocator = new RootAllocator();
                var duck =
                        DuckSession.open(
                                PipelineConfig.Duck.DEFAULT,
                                temporary.resolve("schema"),
                                allocator)) {
            var reader = new FileColumns(duck, source);
            var bad = "";
            long copiedBytes = 0;
            for (var found : oldest(listing)) {
                if (copiedBytes > SAMPLE_COPIES_BYTES_MAX) {
                    break;
                }
                var opened = listing.open(found);
                if (opened.isEmpty()) {
                    continue;
                }
                try (var file = opened.get()) {
                    copiedBytes += file.isCopy() ? found.sizeBytes() : 0;
                    var merged = FileColumns.merged(columns, reader.of(file));
                    columns.clear();
                    columns.addAll(merged);
                } catch (DuckException e) {
                    bad = "; the last that cannot be read: %s".formatted(e.problem());
                }
            }
            return "no file of %s says which columns there are%s".formatted(listing, bad);
        }
    }

    private static List<Listing.Found> oldest(Listing listing) {
        return listing.list().stream()
                .filter(file -> listing.refusal(file).isEmpty())
                .limit(SAMPLE_FILES)
                .toList();
    }

    /** Puts the columns in the place of those before. */
    static void keep(Path pipeline, FileSchema schema) {
        try {
            new LocalDisk()
                    .replace(
                            folder(pipeline, schema.table()).resolve(FILE),
                            PlanJson.writeFileSchema(schema).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
