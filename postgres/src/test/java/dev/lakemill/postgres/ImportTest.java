package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.postgres.imports.Import;
import dev.lakemill.postgres.imports.ImportListener;
import dev.lakemill.postgres.imports.ImportReport;
import dev.lakemill.postgres.imports.ImportRequest;
import dev.lakemill.postgres.imports.ImportSource;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

/** An application's database, which lies beside ours, is moved into state tables. */
final class ImportTest {
    private static final String SHOP =
            """
            CREATE SCHEMA shop;
            CREATE TYPE shop.mood AS ENUM ('calm', 'it''s "odd"');
            CREATE TYPE shop.place AS (street text, number int);
            CREATE DOMAIN shop.percent AS int DEFAULT 7 NOT NULL CHECK (VALUE BETWEEN 0 AND 100);
            CREATE SEQUENCE shop.tickets START 100 INCREMENT 5;
            CREATE FUNCTION shop.total(price numeric, amount int) RETURNS numeric
                LANGUAGE sql IMMUTABLE RETURN price * amount;
            CREATE TABLE shop."Users" (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                email varchar(80) UNIQUE COLLATE "C", mood shop.mood, moods shop.mood[],
                home shop.place, share shop.percent, range int4range, doc jsonb, tags text[],
                raw bytea, at timestamptz DEFAULT now(), "odd ""Name" interval, u uuid, x float8);
            COMMENT ON TABLE shop."Users" IS 'who buys';
            COMMENT ON COLUMN shop."Users".email IS 'where to write';
            CREATE TABLE shop.orders (
                id serial PRIMARY KEY, "user" bigint REFERENCES shop."Users" ON DELETE CASCADE,
                price numeric(10, 2) CHECK (price >= 0), amount int,
                total numeric GENERATED ALWAYS AS (shop.total(price, amount)) STORED,
                ticket bigint DEFAULT nextval('shop.tickets'), seen timestamptz);
            CREATE INDEX orders_open ON shop.orders ("user", lower(amount::text)) WHERE seen IS NULL;
            CREATE TABLE shop.events (id int, at date, note text, PRIMARY KEY (id, at))
                PARTITION BY RANGE (at);
            CREATE TABLE shop.events_old PARTITION OF shop.events
                FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
            CREATE TABLE shop.events_new PARTITION OF shop.events DEFAULT;
            CREATE INDEX events_note ON shop.events (note);
            CREATE VIEW shop.open_orders AS
                SELECT o.id, u.email, o.total FROM shop.orders o JOIN shop."Users" u ON u.id = o."user"
                WHERE o.seen IS NULL;
            CREATE FUNCTION shop.stamp() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN NEW.seen := '2026-02-02'; RETURN NEW; END $$;
            CREATE TRIGGER stamp BEFORE UPDATE ON shop.orders
                FOR EACH ROW EXECUTE FUNCTION shop.stamp();
            INSERT INTO shop."Users" (email, mood, moods, home, range, doc, tags, raw, "odd ""Name", u, x)
                SELECT 'u' || i || '@ä.example', 'it''s "odd"', '{calm,NULL}', ROW('Weg, "7"'::text, i)::shop.place,
                    '[1,4)', '{"a": [1, null]}', '{"x,y", ""}', '\\x00ff', '1 mon -2 days',
                    gen_random_uuid(), 0.1 * i
                FROM generate_series(1, 500) i;
            INSERT INTO shop.orders ("user", price, amount)
                SELECT 1 + i % 500, i / 7.0, i FROM generate_series(1, 2000) i;
            INSERT INTO shop.events SELECT i, date '2025-06-01' + i, NULLIF('note ' || i, 'note 3')
                FROM generate_series(1, 400) i;
            """;

    private static final String OPEN_OF =
            """
            CREATE FUNCTION shop.open_of(who text) RETURNS SETOF shop.open_orders
                LANGUAGE sql STABLE BEGIN ATOMIC
                SELECT * FROM shop.open_orders WHERE email = who; END
            """;

    private static final String SMALL =
            """
            CREATE SCHEMA small;
            CREATE TABLE small.a (id int PRIMARY KEY, note text);
            CREATE TABLE small.b (id serial PRIMARY KEY, a int REFERENCES small.a);
            CREATE INDEX b_a ON small.b (a);
            CREATE VIEW small.v AS SELECT count(*) AS n FROM small.b;
            INSERT INTO small.a SELECT i, 'note ' || i FROM generate_series(1, 20) i;
            INSERT INTO small.b (a) SELECT i FROM generate_series(1, 20) i;
            """;

    /** Of points to be killed at: each kind of them comes within a few tables. */
    private static final int STRIDE = 3;

    @TempDir static Path folder;
    private static TestGovernance node;
    private static Principal admin;
    private static Principal ann;

    @BeforeAll
    static void start() throws Exception {
        node = TestGovernance.start(folder);
        admin = node.user("admin@example.org");
        var admins = node.catalog.principals().find("admins").orElseThrow().principal();
        node.catalog.principals().addMember(node.system(), admins.id(), admin.id());
        ann = node.user("ann@example.org");
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    @BeforeEach
    void makeSource() throws SQLException {
        node.execute("CREATE DATABASE rented ENCODING 'UTF8'");
    }

    @AfterEach
    void dropBoth() throws SQLException {
        takeAway();
        node.execute("DROP DATABASE rented WITH (FORCE)");
    }

    private static void takeAway() throws SQLException {
        new Import(node.postgres, node.catalog, audit(), new Quiet()).discard();
        for (var table : node.catalog.list()) {
            if (table.name().catalog().equals("moved")) {
                node.catalog.drop(table.name());
            }
        }
        node.execute("DROP SCHEMA IF EXISTS shop CASCADE; DROP SCHEMA IF EXISTS small CASCADE");
    }

    private static RowAudit audit() {
        return RowAudit.open(node.postgres.owner(), node.catalog.audit());
    }

    private static class Quiet implements ImportListener {
        @Override
        public void doing(String what) {}

        @Override
        public void copied(long rows, long bytes, long rowsExpected) {}
    }

    /** As kill -9: the sessions end where they are. */
    private static final class Kill extends Quiet {
        private final int at;
        private int count;

        Kill(int at) {
            this.at = at;
        }

        @Override
        public void doing(String what) {
            if (++count == at) {
                throw new IllegalStateException("killed at " + what);
            }
        }
    }

    private static ImportRequest request(String... leftOut) {
        var url =
                "postgresql://lakemill@127.0.0.1:%d/rented?sslmode=disable"
                        .formatted(node.postgres.port());
        return new ImportRequest(
                ImportSource.parse(url, password()),
                List.of(),
                Set.of(leftOut),
                "moved",
                ann.name());
    }

    private static ImportReport run(ImportListener listener, String... leftOut)
            throws SQLException {
        var caller = new Caller(admin, null, "test", "", "");
        return new Import(node.postgres, node.catalog, audit(), listener)
                .run(request(leftOut), caller);
    }

    private static Connection source() throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:%d/rented".formatted(node.postgres.port()),
                "lakemill",
                password());
    }

    private static String password() {
        return String.valueOf(((PGSimpleDataSource) node.postgres.ownerUnpooled()).getPassword());
    }

    private static void inSource(String sql) throws SQLException {
        try (var connection = source()) {
            TestGovernance.execute(connection, sql);
        }
    }

    private static void assertSame(String sql) throws SQLException {
        try (var connection = source()) {
            assertThat(node.query(sql)).as(sql).isEqualTo(TestGovernance.query(connection, sql));
        }
    }

    @Test
    void aWholeDatabaseBecomesStateTablesWithAllThatGoesWithThem() throws Exception {
        inSource(SHOP);
        inSource(OPEN_OF);
        var report = run(new Quiet());
        assertThat(report.tables())
                .extracting(t -> t.name() + " " + t.rows())
                .containsExactlyInAnyOrder(
                        "moved.shop.Users 500",
                        "moved.shop.orders 2000",
                        "moved.shop.events_old 213",
                        "moved.shop.events_new 187");
        assertThat(report.copiedRows()).isEqualTo(2_900);
        for (var table : List.of("\"Users\"", "orders", "events", "open_orders")) {
            assertSame("SELECT t::text FROM shop.%s t ORDER BY 1".formatted(table));
        }
        assertSame(
                """
                SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint
                WHERE connamespace = 'shop'::regnamespace AND contype <> 'n' ORDER BY 1::text, 2
                """);
        assertSame("SELECT indexdef FROM pg_indexes WHERE schemaname = 'shop' ORDER BY 1");
        assertSame("SELECT last_value, is_called FROM shop.tickets");
        assertSame("SELECT last_value, is_called FROM shop.orders_id_seq");
        assertSame("SELECT col_description('shop.\"Users\"'::regclass, 2)");
        assertSame("SELECT shop.open_of('u7@ä.example')::text ORDER BY 1");
        assertInCatalog();
    }

    private static void assertInCatalog() throws SQLException {
        var orders = TableName.parse("moved.shop.orders");
        var securable = Securable.table(orders);
        var catalog = node.catalog;
        assertThat(catalog.find(orders).orElseThrow().kind()).isEqualTo(TableKind.STATE);
        assertThat(catalog.grants().owner(securable).name()).isEqualTo(ann.name());
        assertThat(catalog.find(TableName.parse("moved.shop.Users")).orElseThrow().comment())
                .isEqualTo("who buys");
        node.grant(ann, Securable.catalog("moved"), Privilege.USE_CATALOG);
        node.grant(ann, Securable.schema("moved", "shop"), Privilege.USE_SCHEMA);
        node.reconcile();
        node.executeAs(
                ann,
                "UPDATE shop.orders SET amount = 8 WHERE id = 1",
                "INSERT INTO shop.orders (price, amount) VALUES (2, 3)",
                "INSERT INTO shop.events VALUES (1000, '2026-05-05', 'new')",
                "ALTER TABLE shop.orders ADD COLUMN note text");
        assertThat(
                        node.query(
                                "SELECT id, total, ticket, seen::date FROM shop.orders WHERE id > 2000"))
                .containsExactly("2001|6.00|10100|null");
        assertThat(node.query("SELECT seen::date FROM shop.orders WHERE id = 1"))
                .as("the trigger")
                .containsExactly("2026-02-02");
        assertThat(node.queryAs(ann, "SELECT count(*) FROM shop.open_orders"))
                .containsExactly("1999");
        assertThatThrownBy(() -> node.executeAs(ann, "INSERT INTO shop.orders (price) VALUES (-1)"))
                .hasMessageContaining("orders_price_check");
        assertThat(
                        node.query(
                                """
                                SELECT table_name, operation FROM lakemill.row_audit
                                WHERE user_email = 'ann@example.org' ORDER BY number
                                """))
                .containsExactly("orders|UPDATE", "orders|INSERT", "events|INSERT");
        assertThat(
                        node.query(
                                """
                                SELECT count(*) FROM lakemill.audit
                                WHERE action_name = 'importDatabase'
                                    AND request_params->>'rows' = '2900'
                                """))
                .containsExactly("1");
        var bob = node.user("bob@example.org");
        node.grant(bob, Securable.catalog("moved"), Privilege.USE_CATALOG);
        node.grant(bob, Securable.schema("moved", "shop"), Privilege.USE_SCHEMA);
        var view = Securable.table(TableName.parse("moved.shop.open_orders"));
        node.grant(bob, view, Privilege.SELECT);
        node.reconcile();
        assertThatThrownBy(() -> node.queryAs(bob, "SELECT * FROM shop.open_orders"))
                .as("a view gives nobody what its tables do not")
                .hasMessageContaining("permission denied for table");
    }

    @Test
    void whatCannotBeMovedIsToldAtOnceBeforeAnythingIsWritten() throws Exception {
        inSource(SMALL);
        inSource(
                """
                CREATE MATERIALIZED VIEW small.m AS SELECT 1 AS one;
                CREATE FUNCTION small.secret() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1;
                CREATE TABLE small."Größe" (id int);
                CREATE TABLE small.child () INHERITS (small.a);
                CREATE TABLE small.kinds (id int, k regclass);
                CREATE VIEW small.over_m AS SELECT * FROM small.m;
                ALTER TABLE small.b ENABLE ROW LEVEL SECURITY;
                """);
        assertThatThrownBy(() -> run(new Quiet()))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.FAILED_PRECONDITION);
                            assertThat(e.problem())
                                    .contains("nothing was written", "for 7 objects")
                                    .contains("materialized view small.m: nothing would refresh")
                                    .contains("function small.secret(): it runs with its owner")
                                    .contains("table small.\"Größe\": the catalog bears ASCII")
                                    .contains("table small.child: it inherits")
                                    .contains("column small.kinds.k: its type regclass")
                                    .contains("row security of table small.b: row filters")
                                    .contains("view small.over_m: relation \"small.m\" does not");
                            assertThat(e.hint()).contains("--leave-out '");
                        });
        assertThat(node.query("SELECT nspname FROM pg_namespace WHERE nspname = 'small'"))
                .isEmpty();
        assertThat(node.query("SELECT count(*) FROM lakemill.imports WHERE state <> 'DONE'"))
                .containsExactly("0");
        assertThatThrownBy(() -> run(new Quiet(), "table small.absent"))
                .hasMessageContaining("the source has no table small.absent");
        var report =
                run(
                        new Quiet(),
                        "materialized view small.m",
                        "function small.secret()",
                        "table small.\"Größe\"",
                        "table small.child",
                        "table small.kinds",
                        "column small.kinds.k",
                        "row security of table small.b",
                        "view small.over_m");
        assertThat(report.tables()).extracting(t -> t.rows()).containsExactly(20L, 20L);
    }

    @Test
    void killedAnywhereItGoesOnAndShowsTheSourceAsItIsAtTheEnd() throws Exception {
        inSource(SMALL);
        var killedAt = new ArrayList<String>();
        for (var kill = 1; ; kill += STRIDE) {
            var listener = new Kill(kill);
            try {
                run(listener);
                break;
            } catch (IllegalStateException e) {
                killedAt.add(String.valueOf(e.getMessage()));
            }
            var moved =
                    !node.query("SELECT 1 FROM lakemill.imports WHERE state = 'MOVED'").isEmpty();
            if (!moved) {
                inSource(
                        """
                        UPDATE small.a SET note = note || '!' WHERE id = 3;
                        INSERT INTO small.b (a) VALUES (7)
                        """);
            }
            run(new Quiet());
            assertSame("SELECT a::text FROM small.a ORDER BY 1");
            assertSame("SELECT b::text FROM small.b ORDER BY 1");
            assertSame("SELECT indexdef FROM pg_indexes WHERE schemaname = 'small' ORDER BY 1");
            assertSame("SELECT last_value FROM small.b_id_seq");
            assertThat(node.catalog.list())
                    .extracting(t -> t.name().toString())
                    .contains("moved.small.a", "moved.small.b", "moved.small.v");
            takeAway();
        }
        assertThat(killedAt).hasSizeGreaterThan(5);
    }

    @Test
    void anImportKilledAmidALargeTableGoesOnWithNothingTwice() throws Exception {
        inSource(
                """
                CREATE SCHEMA small;
                CREATE TABLE small.a AS SELECT i AS id FROM generate_series(1, 1000) i;
                CREATE TABLE small.big AS
                    SELECT i AS id, md5(i::text) AS note FROM generate_series(1, 1000000) i;
                ALTER TABLE small.big ADD PRIMARY KEY (id);
                ANALYZE
                """);
        for (var at : List.of(50_000, 600_000)) {
            killAt(at);
            // None of the rows is there: their transaction ended with the process.
            assertThat(node.query("SELECT count(*) FROM small.big")).containsExactly("0");
        }
        inSource("DELETE FROM small.big WHERE id % 1000 = 0; INSERT INTO small.a VALUES (1001)");
        var report = run(new Quiet());
        assertThat(report.tables())
                .extracting(t -> t.name() + " " + t.rows())
                .containsExactlyInAnyOrder("moved.small.a 1001", "moved.small.big 999000");
        assertSame("SELECT count(*), sum(hashtextextended(t::text, 0)) FROM small.big t");
        assertSame("SELECT count(*), count(DISTINCT id), sum(id) FROM small.a");
    }

    /** Runs it in a process that ends, as by kill -9, when it has copied so many rows. */
    private static void killAt(long rows) throws Exception {
        var command =
                List.of(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "@" + Path.of(System.getProperty("lakemill.root"), "jvm.flags"),
                        "-cp",
                        System.getProperty("java.class.path"),
                        StartImport.class.getName(),
                        folder.resolve("importer").toString(),
                        Integer.toString(node.postgres.port()),
                        password(),
                        admin.name(),
                        ann.name());
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var said = new StringBuilder();
        try (var lines = process.inputReader()) {
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                said.append(line).append('\n');
                if (line.startsWith("copied ") && Long.parseLong(line.substring(7)) >= rows) {
                    process.destroyForcibly().waitFor();
                    return;
                }
            }
        }
        throw new AssertionError("it was not killed: " + said);
    }

    @Test
    void anotherImportWaitsAndOneThatIsNotDoneCanBeTakenAway() throws Exception {
        inSource(SMALL);
        assertThatThrownBy(() -> run(new Kill(8))).hasMessageContaining("killed");
        assertThatThrownBy(() -> run(new Quiet(), "view small.v"))
                .hasMessageContaining("is not done")
                .hasMessageContaining("import discard");
        inSource("ALTER TABLE small.a ADD COLUMN more int");
        assertThatThrownBy(() -> run(new Quiet())).hasMessageContaining("have been altered");
        var imports = new Import(node.postgres, node.catalog, audit(), new Quiet());
        assertThat(imports.discard()).isTrue();
        assertThat(imports.discard()).isFalse();
        assertThat(node.query("SELECT relname FROM pg_class WHERE relname = 'b_id_seq'")).isEmpty();
        assertThat(run(new Quiet()).rows()).isEqualTo(40);
    }
}
