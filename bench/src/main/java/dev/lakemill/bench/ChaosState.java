package dev.lakemill.bench;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Applications that change state tables while the node is killed. Each transaction takes the next
 * number, which it holds until it is committed, and writes what it did into a ledger beside the
 * tables: what Postgres says that it committed, in the order in which it did.
 */
final class ChaosState {
    /** The tables: two with a key, and one without. */
    static final List<String> TABLES = List.of("orders", "notes", "events");

    private static final int WRITERS = 2;
    private static final int IDS = 400;
    private static final long PAUSE_MILLIS = 12;

    private static final String TABLES_SQL =
            """
            CREATE TABLE IF NOT EXISTS app.orders (id bigint PRIMARY KEY, ver bigint, note text);
            CREATE TABLE IF NOT EXISTS app.notes (id bigint PRIMARY KEY, ver bigint, note text);
            CREATE TABLE IF NOT EXISTS app.events (id bigint, ver bigint, note text)
            """;

    private static final String LEDGER_SQL =
            """
            CREATE SCHEMA IF NOT EXISTS proof;
            CREATE TABLE IF NOT EXISTS proof.counter (n bigint);
            CREATE TABLE IF NOT EXISTS proof.ledger (seq bigserial PRIMARY KEY, tx bigint,
                xid bigint, name text, op text, id bigint, ver bigint);
            CREATE SCHEMA IF NOT EXISTS stage;
            INSERT INTO proof.counter SELECT 0 WHERE NOT EXISTS (SELECT FROM proof.counter)
            """;

    private final ChaosNode node;
    private final List<Thread> writers = new ArrayList<>();
    private final Set<Long> acknowledged = ConcurrentHashMap.newKeySet();
    private volatile boolean ending;
    private volatile boolean resting = true;

    ChaosState(ChaosNode node, long seed) {
        this.node = node;
        for (int i = 0; i < WRITERS; i++) {
            var random = new Random(seed + i);
            writers.add(Thread.ofVirtual().start(() -> write(random)));
        }
    }

    /** Makes tables and ledger where they are missing. */
    static void install(ChaosNode node) throws SQLException {
        try (var connection = node.superuser()) {
            execute(connection, LEDGER_SQL);
            execute(connection, "SET SESSION AUTHORIZATION chaos_app");
            for (var table : TABLES_SQL.split(";")) {
                execute(connection, table);
            }
        }
    }

    void rest(boolean value) {
        resting = value;
    }

    /** Numbers of the transactions whose commit was acknowledged. */
    Set<Long> acknowledged() {
        return new HashSet<>(acknowledged);
    }

    private void write(Random random) {
        while (!ending) {
            try (var connection = node.superuser()) {
                connection.setAutoCommit(false);
                while (!ending) {
                    if (resting) {
                        Thread.sleep(PAUSE_MILLIS);
                        continue;
                    }
                    transaction(connection, random);
                    Thread.sleep(random.nextLong(2 * PAUSE_MILLIS));
                }
            } catch (SQLException e) {
                pause();
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(50);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void transaction(Connection connection, Random random) throws SQLException {
        long number = next(connection);
        var what = random.nextInt(8) == 0 ? 12 : 1 + random.nextInt(3);
        for (int i = 0; i < what; i++) {
            change(connection, TABLES.get(random.nextInt(TABLES.size())), number, random);
        }
        execute(
                connection,
                "INSERT INTO proof.ledger (tx, name, op) VALUES (%d, '', 'end')".formatted(number));
        if (random.nextInt(20) == 0) {
            connection.rollback();
            return;
        }
        connection.commit();
        acknowledged.add(number);
    }

    private static long next(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var row =
                        statement.executeQuery("UPDATE proof.counter SET n = n + 1 RETURNING n")) {
            row.next();
            return row.getLong(1);
        }
    }

    private static void change(Connection connection, String table, long number, Random random)
            throws SQLException {
        int id = random.nextInt(IDS);
        int dice = random.nextInt(100);
        if (dice == 0) {
            execute(connection, "TRUNCATE app." + table);
            execute(
                    connection,
                    "INSERT INTO proof.ledger (tx, xid, name, op) VALUES (%d, %s, '%s', 'truncate')"
                            .formatted(number, XID, table));
        } else if (dice < 12) {
            var sql = "DELETE FROM app.%s WHERE id %% 20 = %d".formatted(table, id % 20);
            ledger(connection, table, "delete", "NULL", sql, number);
        } else if (dice < 22) {
            var note = "repeat(md5('%d'), %d)".formatted(number, random.nextInt(300));
            var sql =
                    "UPDATE app.%s SET ver = %d, note = %s WHERE id %% 10 = %d"
                            .formatted(table, number, note, id % 10);
            ledger(connection, table, "update_postimage", "ver", sql, number);
        } else if (dice < 55) {
            var sql =
                    "UPDATE app.%s SET ver = %d WHERE id BETWEEN %d AND %d"
                            .formatted(table, number, id, id + 8);
            ledger(connection, table, "update_postimage", "ver", sql, number);
        } else {
            var sql =
                    """
                    INSERT INTO app.%1$s (id, ver, note) SELECT g, %2$d, 'note ' || g
                    FROM generate_series(%3$d, %4$d) g
                    WHERE NOT EXISTS (SELECT FROM app.%1$s t WHERE t.id = g)
                    """
                            .formatted(table, number, id, id + random.nextInt(12));
            ledger(connection, table, "insert", "ver", sql, number);
        }
    }

    private static final String XID = "(pg_current_xact_id()::text::bigint & 4294967295)";

    private static void ledger(
            Connection connection, String table, String op, String version, String sql, long number)
            throws SQLException {
        execute(
                connection,
                """
                WITH changed AS (%s RETURNING id, ver)
                INSERT INTO proof.ledger (tx, xid, name, op, id, ver)
                SELECT %d, %s, '%s', '%s', id, %s FROM changed
                """
                        .formatted(sql, number, XID, table, op, version));
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    void end() throws InterruptedException {
        ending = true;
        for (var writer : writers) {
            writer.join();
        }
    }
}
