package dev.lakemill.capture;

import dev.lakemill.capture.Change.Kind;
import dev.lakemill.capture.Change.Origin;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.ByteArrayOutputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/** The rows of a table as a connection's snapshot sees them, as inserts. One thread uses it. */
final class TableSnapshot implements Iterator<Change>, AutoCloseable {
    private final TableShape shape;
    private final int[] numbers;
    private final Origin origin;
    private final CopyOut copy;
    private byte @Nullable [] line;
    private boolean ended;
    private int place;

    TableSnapshot(Connection connection, TableShape shape, Origin origin) throws SQLException {
        this.shape = shape;
        this.origin = origin;
        this.numbers = shape.columns().stream().mapToInt(c -> c.number()).toArray();
        var columns =
                shape.columns().stream()
                        .map(c -> TableShape.quoted(c.name()))
                        .collect(Collectors.joining(", "));
        this.copy =
                connection
                        .unwrap(PGConnection.class)
                        .getCopyAPI()
                        .copyOut(
                                "COPY (SELECT %s FROM %s) TO STDOUT"
                                        .formatted(columns, shape.quoted()));
    }

    /**
     * Whether the connection's snapshot has the table's rows, and goes on having them. A table that
     * was truncated or rewritten since the snapshot was taken looks empty to it; from here to the
     * transaction's end nobody can do that.
     */
    @SuppressWarnings("InlineFormatString") // SQL is read better by itself.
    static boolean isWhole(Connection connection, TableShape shape) throws SQLException {
        // What the catalog's tables say is of the snapshot, what its functions say is of now.
        var sql =
                """
                SELECT to_regclass('%2$s') = %1$d AND NOT EXISTS (
                    SELECT FROM (SELECT %1$d::oid UNION SELECT relid FROM pg_partition_tree(%1$d)) t (oid)
                    JOIN pg_class c USING (oid)
                    WHERE c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(oid))
                """;
        try (var statement = connection.createStatement()) {
            statement.execute("LOCK TABLE %s IN ACCESS SHARE MODE".formatted(shape.quoted()));
            try (var rows =
                    statement.executeQuery(
                            sql.formatted(shape.oid(), shape.quoted().replace("'", "''")))) {
                return rows.next() && rows.getBoolean(1);
            }
        }
    }

    @Override
    public boolean hasNext() {
        if (line == null && !ended) {
            try {
                line = copy.readFromCopy();
                ended = line == null;
            } catch (SQLException e) {
                throw new LakemillException(
                        ErrorCode.UNAVAILABLE,
                        "reading %s failed: %s".formatted(shape.fullName(), e.getMessage()),
                        "it is read again when Postgres answers",
                        e);
            }
        }
        return line != null;
    }

    @Override
    public Change next() {
        if (!hasNext() || line == null) {
            throw new NoSuchElementException();
        }
        var values = values(line, numbers.length);
        line = null;
        place++;
        return Change.of(Kind.INSERT, numbers, values, origin, place);
    }

    /** A line of COPY's text form. */
    static byte[][] values(byte[] line, int count) {
        var values = new byte[count][];
        var value = new ByteArrayOutputStream();
        int column = 0;
        boolean isNull = false;
        for (int i = 0; i < line.length && column < count; i++) {
            byte b = line[i];
            if (b == '\t' || (b == '\n' && i == line.length - 1)) {
                if (!isNull) {
                    values[column] = value.toByteArray();
                }
                column++;
                value.reset();
                isNull = false;
            } else if (b == '\\') {
                i++;
                if (line[i] == 'N') {
                    isNull = true;
                } else {
                    value.write(unescaped(line[i]));
                }
            } else {
                value.write(b);
            }
        }
        return values;
    }

    private static int unescaped(byte b) {
        return switch (b) {
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'v' -> 0x0b;
            default -> b;
        };
    }

    /** Gives up what is not read. */
    @Override
    public void close() throws SQLException {
        if (copy.isActive()) {
            copy.cancelCopy();
        }
    }
}
