package dev.lakemill.ingest;

/** Turns the records of one stream into the log's row form. One stream owns it. */
interface RowEncoder {
    /** How many values a row has once it is decoded. */
    int cells();

    /**
     * Appends one row, without its length.
     *
     * @throws RefusedRow when the record does not fit the table
     */
    void encode(byte[] record, int from, int to, RowWriter out);
}
