package dev.lakemill.delta;

import java.io.IOException;
import org.apache.arrow.vector.ValueVector;

/** Encodes the rows of one column of a row group. */
interface RowsEncoder {
    /** Takes the vector of the next batch. */
    void bind(ValueVector vector);

    /**
     * Encodes rows of the vector.
     *
     * @throws dev.lakemill.types.LakemillException INVALID_ARGUMENT for a null in a column that is
     *     NOT NULL
     */
    void writeRows(int from, int to) throws IOException;

    /** About how many bytes it holds of itself. */
    long bytes();

    /** Ends the row group: hands on what it holds of itself. */
    void flush() throws IOException;
}
