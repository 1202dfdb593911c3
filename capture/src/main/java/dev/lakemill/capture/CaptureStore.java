package dev.lakemill.capture;

import dev.lakemill.catalog.Migrations;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** What capture keeps in Postgres: publications, event triggers, and what is captured. */
@SuppressWarnings("InlineFormatString") // SQL is read better by itself.
final class CaptureStore {
    private static final Migrations MIGRATIONS =
            new Migrations(
                    "capture",
                    CaptureStore.class,
                    List.of(
                            "0001-capture.sql",
                            "0002-slots.sql",
                            "0003-parts.sql",
                            "0004-followed.sql"));

    private static final String BEHIND_LAKE = "-set-back";

    private static final String PUBLISHED =
            """
            SELECT c.oid::bigint FROM pg_class c
            JOIN pg_publication_namespace p ON p.pnnspid = c.relnamespace
            JOIN pg_publication u ON u.oid = p.pnpubid AND u.pubname = '%s'
            WHERE lakemill.capture_shape(c.oid) IS NOT NULL
            """;

    /**
     * A slot as Postgres has it.
     *
     * @param lost whether Postgres threw away what it had to keep
     */
    record Slot(boolean lost, long confirmedLsn) {}

    /**
     * A captured table as it was written down.
     *
     * @param followed the place of the log up to which its commands are in the shape; -1 for none
     * @param snapshot whether its rows are to be read
     */
    record Known(
            String lakeSchema,
            String lakeTable,
            TableShape shape,
            long followed,
            boolean snapshot) {}

    private final DataSource database;
    private final CaptureConfig config;

    CaptureStore(DataSource database, CaptureConfig config) {
        this.database = database;
        this.config = config;
    }

    /**
     * Makes tables, functions and event triggers; the last two are there already for a user who is
     * no superuser.
     *
     * @throws LakemillException PERMISSION_DENIED when a superuser is needed first
     */
    void install() throws SQLException {
        MIGRATIONS.apply(database);
        try (var connection = database.getConnection()) {
            if (!"logical".equals(ask(connection, "SHOW wal_level"))) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "capture needs wal_level = logical in Postgres",
                        "set it in postgresql.conf and restart Postgres");
            }
            CaptureSetup.run(connection);
            execute(
                    connection,
                    "SELECT lakemill.capture_publications('%s', '%s')"
                            .formatted(config.publication(), config.ddlPublication()));
        }
    }

    /**
     * Publishes the schemas that are there, and those to come; says whether they are others than
     * before. Tables that are there get ready to be published.
     */
    boolean publish() throws SQLException {
        try (var connection = database.getConnection()) {
            var names = String.join("','", config.schemas());
            wantSchemas(connection);
            var there =
                    texts(
                            connection,
                            "SELECT nspname FROM pg_namespace WHERE nspname IN ('%s') ORDER BY 1"
                                    .formatted(names));
            var published =
                    texts(
                            connection,
                            """
                            SELECT n.nspname FROM pg_publication_namespace p
                            JOIN pg_namespace n ON n.oid = p.pnnspid
                            JOIN pg_publication u ON u.oid = p.pnpubid
                            WHERE u.pubname = '%s' ORDER BY 1
                            """
                                    .formatted(config.publication()));
            if (there.equals(published)) {
                return false;
            }
            try (var publish =
                    connection.prepareStatement("SELECT lakemill.capture_publish(?, ?)")) {
                publish.setString(1, config.publication());
                publish.setArray(2, connection.createArrayOf("text", there.toArray()));
                publish.execute();
            }
            return true;
        }
    }

    /** For the event trigger, which publishes a schema in the transaction that makes it. */
    private void wantSchemas(Connection connection) throws SQLException {
        var sql =
                """
                WITH wanted AS (SELECT unnest('{%2$s}'::text[]) AS name),
                gone AS (DELETE FROM lakemill.capture_schemas
                    WHERE publication = '%1$s' AND name NOT IN (SELECT name FROM wanted))
                INSERT INTO lakemill.capture_schemas SELECT '%1$s', name FROM wanted
                ON CONFLICT DO NOTHING
                """;
        execute(
                connection,
                sql.formatted(config.publication(), String.join(",", config.schemas())));
    }

    /** The slot; empty when there is none, or one that its maker did not finish. */
    Optional<Slot> slot() throws SQLException {
        var sql =
                """
                SELECT coalesce(s.wal_status, 'lost') = 'lost',
                    coalesce(s.confirmed_flush_lsn - '0/0', 0)::bigint
                FROM pg_replication_slots s JOIN lakemill.capture_slots c ON c.slot = s.slot_name
                WHERE s.slot_name = ? AND s.database = current_database() AND c.stands
                """;
        try (var connection = database.getConnection();
                var query = connection.prepareStatement(sql)) {
            query.setString(1, config.slot());
            try (var rows = query.executeQuery()) {
                return rows.next()
                        ? Optional.of(new Slot(rows.getBoolean(1), rows.getLong(2)))
                        : Optional.empty();
            }
        }
    }

    /** Takes away a slot; its generation is known until there is another one. */
    void dropSlot() throws SQLException {
        try (var connection = database.getConnection()) {
            execute(
                    connection,
                    "UPDATE lakemill.capture_slots SET stands = false WHERE slot = '%s'"
                            .formatted(config.slot()));
            execute(
                    connection,
                    """
                    SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
                    WHERE slot_name = '%s' AND active_pid IS NOT NULL
                    """
                            .formatted(config.slot()));
            execute(
                    connection,
                    """
                    SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
                    WHERE slot_name = '%s'
                    """
                            .formatted(config.slot()));
        }
    }

    /** Takes away what makes Postgres keep its log for us; nothing where nothing is. */
    void uninstall() throws SQLException {
        try (var connection = database.getConnection()) {
            if (ask(connection, "SELECT to_regclass('lakemill.capture_slots')::text") == null) {
                return;
            }
            MIGRATIONS.apply(database);
            execute(
                    connection,
                    "DELETE FROM lakemill.capture_schemas WHERE publication = '%s'"
                            .formatted(config.publication()));
            execute(
                    connection,
                    "SELECT lakemill.capture_unpublish('%s', '%s')"
                            .formatted(config.publication(), config.ddlPublication()));
        }
        dropSlot();
    }

    /** Makes the slot; it begins at the end of the log, behind all transactions that run now. */
    void createSlot() throws SQLException {
        try (var connection = database.getConnection()) {
            var withFailover = connection.getMetaData().getDatabaseMajorVersion() >= 17;
            execute(
                    connection,
                    "SELECT pg_create_logical_replication_slot('%s', 'pgoutput', false, false%s)"
                            .formatted(config.slot(), withFailover ? ", true" : ""));
        }
    }

    /** Bytes of the log that Postgres keeps for the slot; empty without one. */
    OptionalLong lagBytes() throws SQLException {
        try (var connection = database.getConnection()) {
            var sql =
                    """
                    SELECT greatest(0, pg_current_wal_lsn() - confirmed_flush_lsn)::bigint::text
                    FROM pg_replication_slots WHERE slot_name = '%s'
                    """;
            var lag = ask(connection, sql.formatted(config.slot()));
            return lag == null ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(lag));
        }
    }

    /** What makes a slot's positions others than those of one before it; "none" at first. */
    String generation() throws SQLException {
        try (var connection = database.getConnection()) {
            var sql =
                    "SELECT generation FROM lakemill.capture_slots WHERE slot = '%s'"
                            .formatted(config.slot());
            return Objects.requireNonNullElse(ask(connection, sql), "none");
        }
    }

    /** Whether places of the log that a history has may come again in a generation. */
    static boolean isBehindLake(String generation) {
        return generation.endsWith(BEHIND_LAKE);
    }

    /** Where Postgres's log ends now. */
    long endOfLog() throws SQLException {
        try (var connection = database.getConnection()) {
            var end = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint::text";
            return Long.parseLong(String.valueOf(ask(connection, end)));
        }
    }

    /**
     * Writes down that a new slot stands, and that the rows of all tables are to be read.
     *
     * @param behindLake whether the lake has, or had once, later places of the log
     */
    void begin(boolean behindLake) throws SQLException {
        try (var connection = database.getConnection()) {
            connection.setAutoCommit(false);
            try {
                var all =
                        """
                        DELETE FROM lakemill.capture_tables t WHERE slot = '%1$s'
                            AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.relation::oid);
                        UPDATE lakemill.capture_tables SET snapshot = true, followed = -1
                            WHERE slot = '%1$s'
                        """;
                execute(connection, all.formatted(config.slot()));
                for (var relation : texts(connection, PUBLISHED.formatted(config.publication()))) {
                    want(connection, Long.parseLong(relation));
                }
                var stands =
                        """
                        INSERT INTO lakemill.capture_slots VALUES ('%s', '%s', true)
                        ON CONFLICT (slot)
                            DO UPDATE SET generation = EXCLUDED.generation, stands = true
                        """;
                execute(
                        connection,
                        stands.formatted(
                                config.slot(),
                                UUID.randomUUID().toString().substring(0, 8)
                                        + (behindLake ? BEHIND_LAKE : "")));
                connection.commit();
            } finally {
                connection.rollback();
                connection.setAutoCommit(true);
            }
        }
    }

    /** Has the rows of a table read; nothing where it is known to be read already. */
    void want(long relation) throws SQLException {
        try (var connection = database.getConnection()) {
            want(connection, relation);
        }
    }

    private void want(Connection connection, long relation) throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.capture_tables
                    (slot, relation, lake_schema, lake_table, shape, snapshot)
                SELECT '%1$s', %2$d, s.shape ->> 'schema',
                    CASE WHEN EXISTS (SELECT FROM lakemill.capture_tables t
                            WHERE t.slot = '%1$s' AND t.relation <> %2$d
                                AND t.lake_schema = s.shape ->> 'schema'
                                AND t.lake_table = s.shape ->> 'name')
                        THEN (s.shape ->> 'name') || '_%2$d' ELSE s.shape ->> 'name' END,
                    s.shape, true
                FROM lakemill.capture_shape(%2$d) s (shape) WHERE s.shape IS NOT NULL
                ON CONFLICT (slot, relation) DO UPDATE SET snapshot = true
                """;
        execute(connection, sql.formatted(config.slot(), relation));
    }

    /**
     * Tables of the published schemas that nobody knows, and that were not made under the eyes of
     * the event trigger, whose record is on its way.
     */
    List<Long> unknown() throws SQLException {
        try (var connection = database.getConnection()) {
            var sql =
                    PUBLISHED.formatted(config.publication())
                            + """
                            AND NOT EXISTS (SELECT FROM lakemill.capture_tables t
                                WHERE t.slot = '%s' AND t.relation = c.oid::bigint)
                            AND NOT EXISTS (SELECT FROM lakemill.capture_ddl d
                                WHERE d.relation = c.oid::bigint)
                            """
                                    .formatted(config.slot());
            return texts(connection, sql).stream().map(Long::valueOf).toList();
        }
    }

    /** The shape of a table as a connection's snapshot sees it. */
    Optional<TableShape> shape(Connection connection, long relation) throws SQLException {
        var sql = "SELECT lakemill.capture_shape(%d)::text".formatted(relation);
        return Optional.ofNullable(ask(connection, sql)).map(TableShape::parse);
    }

    /** Captured tables, but for those that are in no published schema now. */
    List<Known> known() throws SQLException {
        var known = new ArrayList<Known>();
        var sql =
                """
                SELECT t.lake_schema, t.lake_table, t.shape::text, t.followed, t.snapshot
                FROM lakemill.capture_tables t WHERE t.slot = '%1$s' AND NOT (%2$s)
                ORDER BY t.relation
                """;
        try (var connection = database.getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql.formatted(config.slot(), astray()))) {
            while (rows.next()) {
                known.add(
                        new Known(
                                rows.getString(1),
                                rows.getString(2),
                                TableShape.parse(rows.getString(3)),
                                rows.getLong(4),
                                rows.getBoolean(5)));
            }
        }
        return known;
    }

    /** Whether a table is there, in a schema that is not published. */
    private String astray() {
        return """
        EXISTS (SELECT FROM pg_class c WHERE c.oid = t.relation::oid
            AND NOT EXISTS (SELECT FROM pg_publication_namespace p
                JOIN pg_publication u ON u.oid = p.pnpubid AND u.pubname = '%s'
                WHERE p.pnnspid = c.relnamespace))
        """
                .formatted(config.publication());
    }

    /**
     * Notes the tables that left the published schemas: their changes are not sent, so that their
     * rows are to be compared when they come back. Says whether some left, or came back.
     */
    boolean follow() throws SQLException {
        var left =
                """
                WITH gone AS (UPDATE lakemill.capture_tables t SET snapshot = true
                    WHERE t.slot = '%1$s' AND NOT t.snapshot AND %2$s RETURNING 1)
                SELECT count(*) FROM gone
                """;
        var back =
                "SELECT count(*) FROM lakemill.capture_tables t"
                        + " WHERE t.slot = '%1$s' AND t.snapshot AND NOT (%2$s)";
        try (var connection = database.getConnection()) {
            var moved = ask(connection, left.formatted(config.slot(), astray()));
            var wanted = ask(connection, back.formatted(config.slot(), astray()));
            return !"0".equals(moved) || !"0".equals(wanted);
        }
    }

    /** Writes a table down as it is now read. */
    void save(CapturedTable table) throws SQLException {
        save(table, false);
    }

    /** Writes down which columns a table has now, whose rows are yet to be read. */
    void saveShape(CapturedTable table) throws SQLException {
        save(table, true);
    }

    private void save(CapturedTable table, boolean snapshot) throws SQLException {
        var sql =
                """
                INSERT INTO lakemill.capture_tables
                    (slot, relation, lake_schema, lake_table, shape, snapshot, followed)
                VALUES (?, ?, ?, ?, ?::jsonb, ?, ?)
                ON CONFLICT (slot, relation) DO UPDATE SET shape = EXCLUDED.shape,
                    snapshot = EXCLUDED.snapshot, followed = EXCLUDED.followed
                """;
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement(sql)) {
            insert.setString(1, config.slot());
            insert.setLong(2, table.shape().oid());
            insert.setString(3, table.lakeSchema());
            insert.setString(4, table.lakeTable());
            insert.setString(5, table.shape().json());
            insert.setBoolean(6, snapshot);
            insert.setLong(7, table.followed());
            insert.executeUpdate();
        }
    }

    void forget(long relation) throws SQLException {
        try (var connection = database.getConnection()) {
            execute(
                    connection,
                    "DELETE FROM lakemill.capture_tables WHERE slot = '%s' AND relation = %d"
                            .formatted(config.slot(), relation));
        }
    }

    /** Takes away records of commands that were read. */
    void prune(long number) throws SQLException {
        try (var connection = database.getConnection()) {
            execute(
                    connection,
                    "DELETE FROM lakemill.capture_ddl WHERE number <= %d".formatted(number));
        }
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static List<String> texts(Connection connection, String sql) throws SQLException {
        var texts = new ArrayList<String>();
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                texts.add(rows.getString(1));
            }
        }
        return texts;
    }

    static @Nullable String ask(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            return rows.next() ? rows.getString(1) : null;
        }
    }
}
