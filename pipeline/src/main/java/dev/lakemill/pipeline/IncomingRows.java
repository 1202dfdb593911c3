package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckExpressions.text;
import static dev.lakemill.pipeline.DuckPrinter.quoted;

import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.stream.Collectors;

/**
 * The rows of the file that is being read. Where they go into the table in more than one part, a
 * copy of them on disk lets a process that is killed in between go on, whatever becomes of the
 * file. One thread uses it.
 */
final class IncomingRows {
    private static final String TABLE = "\"rows of a file\"";

    private final DuckSession duck;
    private final Path folder;
    private final Path copy;

    /**
     * @param folder for the copy
     */
    IncomingRows(DuckSession duck, Path folder) {
        this.duck = duck;
        this.folder = folder;
        this.copy = folder.resolve("reading.parquet");
    }

    /** Takes in the rows that SQL gives, instead of those before. */
    void fill(String sql) {
        duck.execute("CREATE OR REPLACE TEMP TABLE %s AS %s".formatted(TABLE, sql));
    }

    long count() {
        return duck.numbers("SELECT count(*) FROM " + TABLE)[0];
    }

    DuckSession.Batches read(TableSchema schema) {
        return duck.read("SELECT * FROM " + TABLE, schema);
    }

    /**
     * Copies the rows, if they are more than one part; durable on return.
     *
     * @throws UncheckedIOException when the disk refuses
     */
    void keep(long rows) {
        if (rows <= DuckSession.READ_ROWS) {
            return;
        }
        var fresh = folder.resolve("reading.new");
        duck.execute("COPY %s TO %s (FORMAT parquet)".formatted(TABLE, text(fresh.toString())));
        try {
            try (var channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            LocalDisk.put(fresh, copy, folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean isKept() {
        return Files.exists(copy);
    }

    /** Takes the copy in; columns that the table has got since are NULL. */
    void restore(TableSchema schema) {
        var from = "read_parquet(%s)".formatted(text(copy.toString()));
        var there = new HashSet<String>();
        duck.columns("SELECT * FROM %s LIMIT 0".formatted(from))
                .forEach(f -> there.add(f.getName()));
        var columns =
                schema.columns().stream()
                        .map(
                                column ->
                                        "CAST(%s AS %s) AS %s"
                                                .formatted(
                                                        there.contains(column.name())
                                                                ? quoted(column.name())
                                                                : "NULL",
                                                        DuckTypes.name(column.type()),
                                                        quoted(column.name())))
                        .collect(Collectors.joining(", "));
        fill("SELECT %s FROM %s".formatted(columns, from));
    }

    /** All rows are in the table. */
    void forget() {
        duck.execute("DROP TABLE IF EXISTS " + TABLE);
        try {
            Files.deleteIfExists(copy);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
