package dev.lakemill.bench;

import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Collections;
import java.util.concurrent.CompletableFuture;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/**
 * Postgres with fsync and synchronous_commit on, by COPY or by prepared INSERTs of one or many
 * rows: a connection for each producer, and a commit for each message. The table has no key.
 */
final class PostgresPeer implements IngestPeer {
    private static final int CONNECTIONS_MAX = 100;
    private static final int COLUMNS = 5;

    private final Postgres postgres;
    private final boolean copies;

    private PostgresPeer(Postgres postgres, boolean copies) {
        this.postgres = postgres;
        this.copies = copies;
    }

    /** Starts a Postgres with the table; who asks for it closes it. */
    static Postgres start(Path folder) throws SQLException {
        var postgres =
                Postgres.start(new PostgresConfig(null, folder, null, 0, "", CONNECTIONS_MAX));
        boolean made = false;
        try {
            execute(
                    postgres,
                    "CREATE TABLE readings (device text, reading bigint,"
                            + " measure double precision, taken_at timestamptz, note text)");
            made = true;
            return postgres;
        } finally {
            if (!made) {
                postgres.close();
            }
        }
    }

    static PostgresPeer copying(Postgres postgres) {
        return new PostgresPeer(postgres, true);
    }

    static PostgresPeer inserting(Postgres postgres) {
        return new PostgresPeer(postgres, false);
    }

    private static void execute(Postgres postgres, String sql) throws SQLException {
        try (var connection = postgres.owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Override
    public String name() {
        return copies ? "copy" : "insert";
    }

    @Override
    public Producer open(BenchRows rows) throws SQLException {
        var connection = postgres.ownerUnpooled().getConnection();
        boolean opened = false;
        try {
            Producer producer =
                    copies
                            ? new CopyProducer(connection, rows)
                            : new InsertProducer(connection, rows);
            opened = true;
            return producer;
        } finally {
            if (!opened) {
                connection.close();
            }
        }
    }

    @Override
    public void settle() throws SQLException {
        execute(postgres, "TRUNCATE readings");
        execute(postgres, "CHECKPOINT");
    }

    @Override
    public void close() {}

    /** A message that is committed when it returns. */
    private interface Message {
        void commit() throws SQLException;
    }

    private static CompletableFuture<Void> send(Message message) {
        try {
            message.commit();
            return CompletableFuture.completedFuture(null);
        } catch (SQLException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static void close(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new IllegalStateException("a connection does not close", e);
        }
    }

    private static final class CopyProducer implements Producer {
        private static final String COPY = "COPY readings FROM STDIN";

        private final Connection connection;
        private final CopyManager manager;
        private final BenchRows rows;
        private int next;

        CopyProducer(Connection connection, BenchRows rows) throws SQLException {
            this.connection = connection;
            this.manager = connection.unwrap(PGConnection.class).getCopyAPI();
            this.rows = rows;
        }

        @Override
        public CompletableFuture<Void> sendRow() {
            return send(() -> copy(1));
        }

        @Override
        public CompletableFuture<Void> sendBatch() {
            return send(() -> copy(IngestLoad.BATCH_ROWS));
        }

        private void copy(int count) throws SQLException {
            var copy = manager.copyIn(COPY);
            for (int i = 0; i < count; i++) {
                var line = rows.copyLines().get(next++ % rows.count());
                copy.writeToCopy(line, 0, line.length);
            }
            copy.endCopy();
        }

        @Override
        public void close() {
            PostgresPeer.close(connection);
        }
    }

    private static final class InsertProducer implements Producer {
        private final Connection connection;
        private final PreparedStatement one;
        private final PreparedStatement batch;
        private final BenchRows rows;
        private int next;

        InsertProducer(Connection connection, BenchRows rows) throws SQLException {
            this.connection = connection;
            this.one = prepare(connection, 1);
            this.batch = prepare(connection, IngestLoad.BATCH_ROWS);
            this.rows = rows;
        }

        private static PreparedStatement prepare(Connection connection, int count)
                throws SQLException {
            var tuples = String.join(", ", Collections.nCopies(count, "(?, ?, ?, ?, ?)"));
            return connection.prepareStatement("INSERT INTO readings VALUES " + tuples);
        }

        @Override
        public CompletableFuture<Void> sendRow() {
            return send(() -> insert(one, 1));
        }

        @Override
        public CompletableFuture<Void> sendBatch() {
            return send(() -> insert(batch, IngestLoad.BATCH_ROWS));
        }

        private void insert(PreparedStatement statement, int count) throws SQLException {
            for (int i = 0; i < count; i++) {
                var row = rows.values().get(next++ % rows.count());
                statement.setString(i * COLUMNS + 1, row.device());
                statement.setLong(i * COLUMNS + 2, row.reading());
                statement.setDouble(i * COLUMNS + 3, row.measure());
                statement.setObject(i * COLUMNS + 4, row.takenAt());
                statement.setString(i * COLUMNS + 5, row.note());
            }
            statement.executeUpdate();
        }

        @Override
        public void close() {
            PostgresPeer.close(connection);
        }
    }
}
