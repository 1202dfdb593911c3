package dev.lakemill.sync;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * One COPY in binary form (PostgreSQL documentation, COPY, "Binary Format"), sent in pieces. Closed
 * before {@link #finish}, it copies nothing.
 */
final class CopyTuples implements Tuples, AutoCloseable {
    private static final byte[] SIGNATURE =
            "PGCOPY\n\u00ff\r\n\0".getBytes(StandardCharsets.ISO_8859_1);
    private static final int PIECE_BYTES = 256 << 10;
    private static final int TRAILER = -1;

    private final CopyIn copy;
    private final int fieldCount;
    private final ByteArray buffer = new ByteArray();

    CopyTuples(Connection connection, String table, int fieldCount) throws SQLException {
        this.fieldCount = fieldCount;
        this.copy =
                connection
                        .unwrap(PGConnection.class)
                        .getCopyAPI()
                        .copyIn("COPY %s FROM STDIN (FORMAT binary)".formatted(table));
        buffer.putBytes(SIGNATURE, 0, SIGNATURE.length);
        buffer.putInt(0); // no flags
        buffer.putInt(0); // no header extension
    }

    @Override
    public void put(byte[] fields) throws SQLException {
        put(fields, fields.length);
    }

    void put(byte[] fields, int length) throws SQLException {
        buffer.putShort(fieldCount);
        buffer.putBytes(fields, 0, length);
        if (buffer.length() >= PIECE_BYTES) {
            send();
        }
    }

    /** Sends what is left and returns the number of tuples that Postgres took. */
    long finish() throws SQLException {
        buffer.putShort(TRAILER);
        send();
        return copy.endCopy();
    }

    private void send() throws SQLException {
        copy.writeToCopy(buffer.array(), 0, buffer.length());
        buffer.truncate(0);
    }

    @Override
    public void close() throws SQLException {
        if (copy.isActive()) {
            copy.cancelCopy();
        }
    }
}
