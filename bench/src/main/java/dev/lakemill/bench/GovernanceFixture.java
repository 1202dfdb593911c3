package dev.lakemill.bench;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;

/**
 * A real Postgres with a catalog of 10,000 state tables (4 catalogs of 25 schemas of 100, each of
 * ten columns) and 1,000 principals: 880 users, 20 service principals, and 100 groups, ten of which
 * contain the other 90. Groups are granted schemas, and every fifth user a few tables.
 *
 * <p>The rows are written by SQL, since 10,000 changes of their own would take minutes; what is
 * measured is what the catalog makes of them.
 */
final class GovernanceFixture implements AutoCloseable {
    static final int TABLES = 10_000;
    static final int USERS = 880;

    /** A principal that no table is granted to. */
    static final String WITHOUT_GRANTS = "service880";

    private static final String ROWS =
            """
            INSERT INTO lakemill.principals (kind, name)
            SELECT CASE WHEN i < 880 THEN 'USER' WHEN i < 900 THEN 'SERVICE_PRINCIPAL'
                ELSE 'GROUP' END,
                CASE WHEN i < 880 THEN 'user' || i || '@farm.example'
                WHEN i < 900 THEN 'service' || i ELSE 'group' || i END
            FROM generate_series(0, 999) i;
            INSERT INTO lakemill.members (group_id, member_id)
            SELECT g.id, m.id FROM generate_series(0, 899) i
            JOIN lakemill.principals m ON m.name IN ('user' || i || '@farm.example', 'service' || i)
            JOIN lakemill.principals g ON g.name = 'group' || (910 + i % 90);
            INSERT INTO lakemill.members (group_id, member_id)
            SELECT g.id, m.id FROM generate_series(910, 999) i
            JOIN lakemill.principals m ON m.name = 'group' || i
            JOIN lakemill.principals g ON g.name = 'group' || (900 + i % 10);
            INSERT INTO lakemill.securables (id, parent_id, type, name, owner_id)
            SELECT gen_random_uuid(), m.id, 'CATALOG', 'c' || i, g.id
            FROM generate_series(0, 3) i JOIN lakemill.securables m ON m.type = 'METASTORE'
            JOIN lakemill.principals g ON g.name = 'group' || (900 + i);
            INSERT INTO lakemill.securables (id, parent_id, type, name, owner_id)
            SELECT gen_random_uuid(), c.id, 'SCHEMA', 's' || i, g.id
            FROM generate_series(0, 24) i JOIN lakemill.securables c ON c.type = 'CATALOG'
            JOIN lakemill.principals g ON g.name = 'group' || (910 + i);
            INSERT INTO lakemill.securables (id, parent_id, type, name, owner_id, location)
            SELECT gen_random_uuid(), s.id, 'TABLE', 't' || i, u.id,
                'postgres:' || c.name || '_' || s.name || '.t' || i
            FROM generate_series(0, 99) i JOIN lakemill.securables s ON s.type = 'SCHEMA'
            JOIN lakemill.securables c ON c.id = s.parent_id
            JOIN lakemill.principals u ON u.name = 'user' || i || '@farm.example';
            INSERT INTO lakemill.tables (id, kind)
            SELECT id, 'STATE' FROM lakemill.securables WHERE type = 'TABLE';
            INSERT INTO lakemill.columns (table_id, position, name, type_text, type_json, nullable)
            SELECT t.id, i, 'column' || i, 'STRING', '"string"', true
            FROM lakemill.tables t, generate_series(0, 9) i;
            INSERT INTO lakemill.grants (securable_id, principal_id, privilege, granted_by)
            SELECT c.id, g.id, 'USE_CATALOG', 'system' FROM lakemill.securables c
            JOIN lakemill.principals g ON g.kind = 'GROUP' AND g.name LIKE 'group90%'
            WHERE c.type = 'CATALOG';
            INSERT INTO lakemill.grants (securable_id, principal_id, privilege, granted_by)
            SELECT s.id, g.id, p.privilege, 'system'
            FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM lakemill.securables
                WHERE type = 'SCHEMA') s
            JOIN lakemill.principals g ON g.name = 'group' || (910 + s.n % 90)
                OR g.name = 'group' || (910 + (s.n * 7) % 90)
            CROSS JOIN (VALUES ('USE_SCHEMA'), ('SELECT'), ('MODIFY')) p (privilege)
            ON CONFLICT DO NOTHING;
            INSERT INTO lakemill.grants (securable_id, principal_id, privilege, granted_by)
            SELECT t.id, u.id, 'SELECT', 'system'
            FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM lakemill.tables) t
            JOIN lakemill.principals u ON u.name = 'user' || (t.n * 5 % 880) || '@farm.example'
            WHERE t.n % 10 = 0;
            ANALYZE
            """;

    private final Path folder;
    private final Postgres postgres;

    GovernanceFixture() throws IOException, SQLException {
        folder = Folders.temporary("lakemill-bench");
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
        Catalog.open(postgres.owner()).audit().close();
        try (var connection = postgres.ownerUnpooled().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(ROWS);
        }
    }

    Postgres postgres() {
        return postgres;
    }

    static Securable table(int number) {
        return Securable.table(
                new TableName("c" + number / 2_500, "s" + number / 100 % 25, "t" + number % 100));
    }

    static String user(int number) {
        return "user%d@farm.example".formatted(number % USERS);
    }

    @Override
    public void close() throws IOException {
        postgres.close();
        Folders.delete(folder);
    }
}
