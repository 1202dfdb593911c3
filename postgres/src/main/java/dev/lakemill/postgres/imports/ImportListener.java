package dev.lakemill.postgres.imports;

/** Hears how an import goes on, on its thread. */
public interface ImportListener {
    /** What is done now, for people. */
    void doing(String what);

    /** How many rows and bytes have been copied by this run, of about how many rows. */
    void copied(long rows, long bytes, long rowsExpected);
}
