package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

/** Applications' tables in a whole node: moved in, and made by migration tools. */
final class StateTablesInNodeTest {
    @TempDir static Path folder;
    private static TestNode node;

    @BeforeAll
    static void start() throws Exception {
        node = new TestNode(folder, Map.of());
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private record Ran(int status, String out, String err) {}

    private static Ran run(String... words) {
        var out = new StringWriter();
        var err = new StringWriter();
        var arguments = new ArrayList<>(List.of(words));
        arguments.addAll(List.of("--project", folder.toString()));
        var status =
                Main.commandLine()
                        .setOut(new PrintWriter(out))
                        .setErr(new PrintWriter(err))
                        .execute(arguments.toArray(String[]::new));
        return new Ran(status, out.toString(), err.toString());
    }

    @Test
    void aDatabaseIsMovedInByOneCommand() throws Exception {
        var ours = (PGSimpleDataSource) node.node().postgres().ownerUnpooled();
        try (var connection = ours.getConnection();
                var statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE farm");
        }
        var url = ours.getUrl().replaceAll("/lakemill\\b", "/farm");
        try (var connection = DriverManager.getConnection(url, ours.getUser(), ours.getPassword());
                var statement = connection.createStatement()) {
            statement.execute(
                    """
                    CREATE TABLE trays (id serial PRIMARY KEY, crop text);
                    INSERT INTO trays (crop) SELECT 'basil ' || i FROM generate_series(1, 50) i;
                    CREATE MATERIALIZED VIEW crops AS SELECT DISTINCT crop FROM trays;
                    """);
        }
        var source =
                "postgresql://%s:%s@127.0.0.1:%d/farm"
                        .formatted(ours.getUser(), ours.getPassword(), ours.getPortNumbers()[0]);
        var refused = run("import", "postgres", source, "--catalog", "app");
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err())
                .contains("materialized view public.crops: nothing would refresh it")
                .contains("hint: mend each in the source, or leave it behind")
                .doesNotContain(ours.getPassword());
        var crops = "materialized view public.crops";
        var moved =
                run(
                        "import",
                        "postgres",
                        source,
                        "--catalog",
                        "app",
                        "--leave-out",
                        crops,
                        "--json");
        assertThat(moved.status()).as(moved.err()).isZero();
        var report = new ObjectMapper().readTree(moved.out());
        assertThat(report.at("/ok").asBoolean()).isTrue();
        assertThat(report.at("/figures/rows").asLong()).isEqualTo(50);
        assertThat(report.at("/tables/0/name").asText()).isEqualTo("app.public.trays");
        assertThat(run("import", "status").out())
                .contains("app.public.trays", "50 rows, the same as in the source");
        assertThat(run("import", "discard").out()).contains("there was none");
        assertThat(node.node().catalog().find(TableName.parse("app.public.trays"))).isPresent();
        assertThat(run("sql", "--postgres", "SELECT count(*), max(crop) FROM public.trays").out())
                .contains("50", "basil 9");
    }

    /** A developer who may make tables in one schema, and what logs them in. */
    private record Developer(String name, String token, String url) {
        static Developer of(String name, String schema) {
            var catalog = node.node().catalog();
            var system = catalog.system();
            var cookie = node.logIn(name);
            if (catalog.securables().find(Securable.catalog("app")).isEmpty()) {
                catalog.securables().create(system, Securable.catalog("app"), "", Map.of(), "");
            }
            var on = Securable.schema("app", schema);
            catalog.securables().create(system, on, "", Map.of(), "");
            grant(Securable.catalog("app"), name, Privilege.USE_CATALOG);
            grant(on, name, Privilege.USE_SCHEMA, Privilege.CREATE_TABLE);
            var token = node.databaseToken(cookie, "{}");
            var door = node.node().door().address();
            return new Developer(
                    name, token, "jdbc:postgresql://" + door + "/lakemill?sslmode=require");
        }

        private static void grant(Securable on, String name, Privilege... privileges) {
            var catalog = node.node().catalog();
            var change = new GrantChange(name, Set.of(privileges), Set.of());
            catalog.grants().change(catalog.system(), on, List.of(change));
        }

        Connection connect() throws SQLException {
            return DriverManager.getConnection(url, name, token);
        }

        /** The projection carries roles and rights to Postgres on a thread of its own. */
        void awaitRights(String schema) throws InterruptedException {
            TestNode.await(
                    () -> {
                        try (var connection = connect()) {
                            return "t"
                                    .equals(
                                            ask(
                                                    connection,
                                                    "SELECT has_schema_privilege('%s', 'CREATE')"
                                                            .formatted(schema)));
                        } catch (SQLException e) {
                            return false;
                        }
                    });
        }
    }

    private static String ask(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            return rows.next() ? String.valueOf(rows.getString(1)) : "";
        }
    }

    private static void assertCatalogued(Developer developer, String... tables) throws Exception {
        var catalog = node.node().catalog();
        for (var table : tables) {
            var name = TableName.parse(table);
            TestNode.await(() -> catalog.find(name).isPresent());
            assertThat(catalog.find(name).orElseThrow().kind()).isEqualTo(TableKind.STATE);
            assertThat(catalog.grants().owner(Securable.table(name)).name())
                    .isEqualTo(developer.name());
        }
    }

    private static FluentConfiguration flyway(Developer developer, Path migrations) {
        return Flyway.configure()
                .dataSource(developer.url(), developer.name(), developer.token())
                .schemas("orders")
                .locations("filesystem:" + migrations)
                .validateMigrationNaming(true);
    }

    @Test
    void flywayMigratesThroughTheFrontDoorAsAnOrdinaryPrincipal() throws Exception {
        var developer = Developer.of("fay@example.org", "orders");
        developer.awaitRights("orders");
        var migrations = Files.createDirectory(folder.resolve("migrations"));
        Files.writeString(
                migrations.resolve("V1__orders.sql"),
                """
                CREATE SCHEMA IF NOT EXISTS orders;
                CREATE TYPE state AS ENUM ('open', 'sent');
                CREATE DOMAIN amount AS int CHECK (VALUE > 0);
                CREATE TABLE customers (id bigserial PRIMARY KEY, email text NOT NULL UNIQUE);
                CREATE TABLE orders (
                    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    customer bigint NOT NULL REFERENCES customers ON DELETE CASCADE,
                    status text NOT NULL DEFAULT 'open', ordered_at timestamptz DEFAULT now());
                CREATE INDEX orders_open ON orders (customer) WHERE status = 'open';
                INSERT INTO customers (email) VALUES ('a@example.org'), ('b@example.org');
                """);
        Files.writeString(
                migrations.resolve("V2__notes.sql"),
                """
                ALTER TABLE orders ADD COLUMN note text, ALTER COLUMN status TYPE varchar(20);
                ALTER TABLE orders ADD CONSTRAINT status_known CHECK (status IN ('open', 'done'));
                COMMENT ON COLUMN orders.note IS 'for the courier';
                INSERT INTO orders (customer, note) SELECT id, 'ring twice' FROM customers;
                DROP INDEX orders_open;
                ALTER TYPE state ADD VALUE 'back';
                ALTER TABLE orders ADD COLUMN state state DEFAULT 'open', ADD COLUMN amount amount;
                DROP DOMAIN IF EXISTS absent;
                """);
        assertThat(flyway(developer, migrations).load().migrate().migrationsExecuted).isEqualTo(2);
        assertThat(flyway(developer, migrations).load().migrate().migrationsExecuted).isZero();
        assertThat(flyway(developer, migrations).load().validateWithResult().validationSuccessful)
                .isTrue();
        Files.writeString(
                migrations.resolve("V3__broken.sql"),
                "CREATE TABLE extra (id int); INSERT INTO orders (customer) VALUES (999);");
        assertThatThrownBy(() -> flyway(developer, migrations).load().migrate())
                .hasMessageContaining("orders_customer_fkey");
        try (var connection = developer.connect()) {
            assertThat(ask(connection, "SELECT to_regclass('orders.extra')")).isEqualTo("null");
            assertThat(ask(connection, "SELECT count(*) FROM orders.flyway_schema_history"))
                    .isEqualTo("2");
            assertThat(ask(connection, "SELECT count(*) FROM orders.orders")).isEqualTo("2");
        }
        assertCatalogued(
                developer,
                "app.orders.customers",
                "app.orders.orders",
                "app.orders.flyway_schema_history");
        assertThat(node.node().catalog().find(TableName.parse("app.orders.extra"))).isEmpty();
    }

    @Test
    void nodePgMigrateMigratesUpAndDown() throws Exception {
        var root = Path.of(System.getProperty("lakemill.root"));
        assumeTrue(
                Files.isDirectory(root.resolve("node_modules/node-pg-migrate")),
                "node_modules has no node-pg-migrate: run npm ci");
        var developer = Developer.of("nora@example.org", "notes");
        developer.awaitRights("notes");
        var builder =
                new ProcessBuilder(
                        "node",
                        root.resolve("server/src/test/node/migrate.mjs").toString(),
                        node.node().door().address());
        builder.environment().put("PRINCIPAL", developer.name());
        builder.environment().put("TOKEN", developer.token());
        var process = builder.redirectErrorStream(true).start();
        process.getOutputStream().close();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said.strip()).endsWith("all well");
        assertCatalogued(developer, "app.notes.notes", "app.notes.pgmigrations");
        TestNode.await(
                () -> node.node().catalog().find(TableName.parse("app.notes.tags")).isEmpty());
    }

    @Test
    void aTableIsGrantedRightAfterItIsMade() throws Exception {
        var developer = Developer.of("gil@example.org", "fast");
        developer.awaitRights("fast");
        try (var connection = developer.connect()) {
            for (int i = 0; i < 20; i++) {
                var table = "fast.t" + i;
                run(connection, "CREATE TABLE %s (id int PRIMARY KEY)".formatted(table));
                run(
                        connection,
                        "SELECT lakemill.grant('SELECT', 'TABLE', 'app.%s', 'account users')"
                                .formatted(table));
            }
        }
    }

    @Test
    void anOwnerSaysThatRowsAreNotAuditedAndThatStandsInTheStatus() throws Exception {
        var developer = Developer.of("odo@example.org", "cache");
        developer.awaitRights("cache");
        try (var connection = developer.connect()) {
            run(connection, "CREATE TABLE cache.pages (id int PRIMARY KEY, body text)");
            assertCatalogued(developer, "app.cache.pages");
            run(connection, "INSERT INTO cache.pages VALUES (1, 'audited')");
            assertThatThrownBy(
                            () ->
                                    run(
                                            connection,
                                            "SELECT lakemill.stop_row_audit('cache.pages', ' ')"))
                    .hasMessageContaining("for no reason");
            run(connection, "SELECT lakemill.stop_row_audit('app.cache.pages', 'filled anew')");
            run(connection, "INSERT INTO cache.pages VALUES (2, 'not audited')");
            awaitStatus("rows of app.cache.pages are not audited: filled anew (odo@example.org");
            var other = Developer.of("olga@example.org", "elsewhere");
            other.awaitRights("elsewhere");
            try (var stranger = other.connect()) {
                assertThatThrownBy(
                                () ->
                                        run(
                                                stranger,
                                                "SELECT lakemill.start_row_audit('app.cache.pages')"))
                        .hasMessageContaining("olga@example.org may not change the row audit")
                        .hasMessageContaining("its owner can: odo@example.org");
            }
            run(connection, "SELECT lakemill.start_row_audit('app.cache.pages')");
            run(connection, "UPDATE cache.pages SET body = 'audited again' WHERE id = 2");
            run(connection, "TRUNCATE cache.pages");
        }
        try (var owner = node.node().postgres().owner().getConnection()) {
            assertThat(
                            ask(
                                    owner,
                                    """
                                    SELECT string_agg(concat(operation, new_row->>'body'), ',' ORDER BY number)
                                    FROM lakemill.row_audit WHERE table_name = 'pages'
                                    """))
                    .isEqualTo("INSERTaudited,UPDATEaudited again,TRUNCATE");
            assertThat(
                            ask(
                                    owner,
                                    """
                                    SELECT string_agg(concat(user_email, ' ', action_name, ' ',
                                        request_params->>'reason'), ',' ORDER BY transaction_id, number)
                                    FROM lakemill.audit WHERE request_params->>'table' = 'cache.pages'
                                        AND user_email = 'odo@example.org'
                                        AND service_name = 'postgres'
                                    """))
                    .contains("detachRowAudit filled anew,odo@example.org attachRowAudit");
        }
    }

    private static void run(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static void awaitStatus(String line) throws InterruptedException {
        TestNode.await(() -> run("status").out().contains(line));
    }
}
