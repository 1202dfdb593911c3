package dev.lakemill.sync;

import java.sql.SQLException;

/** A way for rows into Postgres. */
interface Tuples {
    /** Adds a row by its fields: per field its length, -1 for NULL, and its value in binary. */
    void put(byte[] fields) throws SQLException;
}
