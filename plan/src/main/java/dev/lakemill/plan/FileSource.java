package dev.lakemill.plan;

import dev.lakemill.types.Column;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The files that {@code STREAM read_files(…)} reads.
 *
 * @param path a folder, a file or a pattern; relative to the project's folder, or in a bucket as
 *     {@link BucketPath} has it
 * @param options of the format, by their names in lower case
 * @param evolution what a column means that the schema does not have
 * @param rescued the column that takes what does not fit the others, as JSON; empty for none
 * @param declared the columns as the text gives them; empty where they are inferred
 * @param hints columns whose types the text gives though the others are inferred
 * @param inferTypes false where inferred columns of JSON and CSV are STRING
 */
public record FileSource(
        String path,
        Format format,
        Map<String, String> options,
        Evolution evolution,
        String rescued,
        List<Column> declared,
        List<Column> hints,
        boolean inferTypes) {
    /** The option of {@link Format#DELTA} for commits that update or delete rows. */
    public static final String SKIP_CHANGES = "skipchangecommits";

    public FileSource {
        options = new TreeMap<>(options);
        declared = List.copyOf(declared);
        hints = List.copyOf(hints);
    }

    /** How files are written; each also compressed with gzip, as the name {@code *.gz} tells. */
    public enum Format {
        JSON,
        CSV,
        PARQUET,
        /** The data files of a Delta table that others write, as its commits add them. */
        DELTA
    }

    /** What becomes of columns that the schema does not have. */
    public enum Evolution {
        /** They come into the schema, at its end. */
        ADD_NEW_COLUMNS,
        /** Their values go into the rescued column. */
        RESCUE,
        /** No file is read until the schema has them, or the file is gone. */
        FAIL_ON_NEW_COLUMNS,
        /** They are left out; into the rescued column, if there is one. */
        NONE
    }
}
