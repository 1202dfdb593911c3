package dev.lakemill.postgres.imports;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import org.postgresql.PGConnection;

/** Rows of a table from one Postgres to another, by COPY on both sides, and their checksum. */
final class RowCopy {
    private static final int ROWS_BETWEEN_WORDS = 10_000;

    /** How many rows, and the sum of their hashes. */
    record Content(long rows, String checksum) {}

    private final Connection source;
    private final Connection target;
    private final String hash;
    private final ImportListener listener;
    private final long rowsExpected;
    private long rows;
    private long bytes;

    RowCopy(Connection source, Connection target, ImportListener listener, long rowsExpected)
            throws SQLException {
        this.source = source;
        this.target = target;
        this.listener = listener;
        this.rowsExpected = rowsExpected;
        // The same bytes on both sides: hashes of texts are of bytes in the server's encoding.
        this.hash =
                "UTF8".equals(ImportSource.encoding(source))
                        ? "hashtextextended(r::text, 0)"
                        : "('x' || left(md5(convert_to(r::text, 'UTF8')), 16))::bit(64)::bigint";
    }

    long rows() {
        return rows;
    }

    /** Replaces what the table here holds; the transaction is the caller's. */
    void copy(Blueprint.Table table) throws SQLException {
        try (var statement = target.createStatement()) {
            statement.execute("TRUNCATE ONLY " + table.sql());
        }
        var columns = String.join(", ", table.columns());
        var format = table.isBinary() ? "binary" : "text";
        var in =
                target.unwrap(PGConnection.class)
                        .getCopyAPI()
                        .copyIn(
                                "COPY %s (%s) FROM STDIN WITH (FORMAT %s, FREEZE true)"
                                        .formatted(table.sql(), columns, format));
        try {
            var out =
                    source.unwrap(PGConnection.class)
                            .getCopyAPI()
                            .copyOut(
                                    "COPY %s (%s) TO STDOUT WITH (FORMAT %s)"
                                            .formatted(table.sql(), columns, format));
            try {
                for (var next = out.readFromCopy(); next != null; next = out.readFromCopy()) {
                    in.writeToCopy(next, 0, next.length);
                    rows++;
                    bytes += next.length;
                    if (rows % ROWS_BETWEEN_WORDS == 0) {
                        listener.copied(rows, bytes, rowsExpected);
                    }
                }
            } finally {
                if (out.isActive()) {
                    out.cancelCopy();
                }
            }
            // The binary format ends with a message that is no row.
            rows += in.endCopy() - out.getHandledRowCount();
            rows -= table.isBinary() ? 1 : 0;
            listener.copied(rows, bytes, rowsExpected);
        } finally {
            if (in.isActive()) {
                in.cancelCopy();
            }
        }
    }

    Content inSource(Blueprint.Table table) throws SQLException {
        return content(source, table);
    }

    Content inTarget(Blueprint.Table table) throws SQLException {
        return content(target, table);
    }

    private Content content(Connection connection, Blueprint.Table table) throws SQLException {
        var sql =
                """
                SELECT count(*), coalesce(sum(%s::numeric), 0)::text
                FROM (SELECT ROW(%s) AS r FROM ONLY %s) t
                """
                        .formatted(hash, String.join(", ", table.columns()), table.sql());
        try (var statement = connection.createStatement();
                var result = statement.executeQuery(sql)) {
            result.next();
            return new Content(result.getLong(1), result.getString(2));
        }
    }

    /**
     * @throws LakemillException DATA_LOSS when both are not the same
     */
    static void requireEqual(Blueprint.Table table, Content there, Content here) {
        if (!there.equals(here)) {
            throw new LakemillException(
                    ErrorCode.DATA_LOSS,
                    "%s has %,d rows (checksum %s) in the source and %,d (%s) here"
                            .formatted(
                                    table,
                                    there.rows(),
                                    there.checksum(),
                                    here.rows(),
                                    here.checksum()),
                    "run the import again: it copies the table anew");
        }
    }
}
