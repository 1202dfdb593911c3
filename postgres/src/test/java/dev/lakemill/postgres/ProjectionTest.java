package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Principals, grants and policies of the catalog in Postgres, and back. */
final class ProjectionTest {
    private static final int MADE_BESIDE = 25;

    @TempDir static Path folder;
    private static TestGovernance governance;

    @BeforeAll
    static void start() throws Exception {
        governance = TestGovernance.start(folder);
    }

    @AfterAll
    static void stop() {
        governance.close();
    }

    private static boolean may(Principal principal, String privilege, TableName table)
            throws SQLException {
        return governance
                .query(
                        "SELECT has_table_privilege('%s', '%s.%s', '%s')"
                                .formatted(
                                        principal.name(), table.schema(), table.table(), privilege))
                .equals(List.of("t"));
    }

    private static void refused(String words, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(SQLException.class).hasMessageContaining(words);
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        var deadline = System.nanoTime() + 120_000_000_000L;
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("waited in vain until " + what);
            }
            LockSupport.parkNanos(5_000_000);
        }
    }

    @Test
    void aPrincipalIsARoleThatCanDoNothingElse() throws SQLException {
        var ann = governance.user("ann@example.com");
        var team = governance.group("Team, A");
        governance.reconcile();
        assertThat(governance.query(attributes(ann))).containsExactly("t|f");
        assertThat(governance.query(attributes(team))).containsExactly("t|f");
        assertThat(governance.queryAs(ann, "SELECT session_user")).containsExactly(ann.name());
    }

    private static String attributes(Principal principal) {
        return """
        SELECT rolcanlogin, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication
            OR rolbypassrls FROM pg_roles WHERE rolname = '%s'
        """
                .formatted(principal.name());
    }

    @Test
    void selectNeedsUseOfCatalogAndSchemaWhicheverGroupsTheyComeBy() throws SQLException {
        var ann = governance.user("use_ann");
        var bob = governance.user("use_bob");
        var readers = governance.group("use_readers", ann, bob);
        var users = governance.group("use_users", bob);
        var table = governance.synced("use.gold_use.stock");
        governance.grant(readers, Securable.table(table), Privilege.SELECT);
        governance.grant(readers, Securable.schema("use", "gold_use"), Privilege.USE_SCHEMA);
        governance.grant(users, Securable.catalog("use"), Privilege.USE_CATALOG);
        governance.reconcile();
        assertThat(may(ann, "SELECT", table)).isFalse();
        assertThat(may(bob, "SELECT", table)).isTrue();
        governance.grant(readers, Securable.catalog("use"), Privilege.USE_CATALOG);
        governance.reconcile();
        assertThat(may(ann, "SELECT", table)).isTrue();
        assertThat(
                        governance.query(
                                "SELECT relacl FROM pg_class WHERE oid = 'gold_use.stock'"
                                        + "::regclass"))
                .as("granted to the group, not to each member")
                .allMatch(acl -> acl.contains("use_readers=r/") && !acl.contains("use_bob="));
        assertThat(governance.queryAs(ann, "SELECT count(*) FROM gold_use.stock"))
                .containsExactly("2");
    }

    @Test
    void syncedTablesAreReadOnlyForAll() throws SQLException {
        var ann = governance.user("ro_ann");
        var table = governance.synced("ro.gold_ro.stock");
        governance.open(ann, table);
        governance.grant(ann, Securable.table(table), Privilege.ALL_PRIVILEGES);
        governance.reconcile();
        assertThat(may(ann, "SELECT", table)).isTrue();
        assertThat(may(ann, "INSERT", table)).isFalse();
    }

    @Test
    void schemasOfOneNameInTwoCatalogsDoNotLendTheirRights() throws SQLException {
        var ann = governance.user("two_ann");
        var one = governance.synced("two_a.shared.a");
        var two = governance.synced("two_b.shared.b");
        governance.open(ann, one);
        governance.open(ann, two);
        governance.revoke(ann, Securable.schema("two_b", "shared"), Privilege.USE_SCHEMA);
        governance.reconcile();
        assertThat(may(ann, "SELECT", one)).isTrue();
        assertThat(may(ann, "SELECT", two)).isFalse();
    }

    @Test
    void aChangeIsInForceByItself() throws Exception {
        var ann = governance.user("soon_ann");
        var table = governance.synced("soon.gold_soon.stock");
        governance.open(ann, table);
        var role = "SELECT FROM pg_roles WHERE rolname = 'soon_ann'";
        await("ann has a role", () -> !governance.query(role).isEmpty());
        await("ann may read", () -> may(ann, "SELECT", table));
        governance.revoke(ann, Securable.table(table), Privilege.SELECT);
        await("ann may not read", () -> !may(ann, "SELECT", table));
    }

    @Test
    void whatIsToldAsDoneIsInForce() throws Exception {
        for (int i = 0; i < 20; i++) {
            var name = "carried_%d".formatted(i);
            governance.projection.carrying(() -> governance.user(name));
            assertThat(
                            governance.query(
                                    "SELECT count(*) FROM pg_roles WHERE rolname = '%s'"
                                            .formatted(name)))
                    .as(name)
                    .containsExactly("1");
        }
    }

    @Test
    void whoIsInactiveOrGoneHasNothingAndHisSessionsEnd() throws Exception {
        var eve = governance.user("gone_eve");
        var team = governance.group("gone_team", eve);
        var table = governance.synced("gone.gold_gone.stock");
        governance.open(team, table);
        governance.reconcile();
        var session = governance.login(eve);
        assertThat(TestGovernance.query(session, "SELECT count(*) FROM gold_gone.stock"))
                .containsExactly("2");
        governance
                .catalog
                .principals()
                .update(governance.system(), eve.id(), p -> p.withActive(false));
        governance.reconcile();
        refused("terminat", () -> TestGovernance.query(session, "SELECT 1"));
        refused("not permitted to log in", () -> governance.login(eve));
        assertThat(may(eve, "SELECT", table)).isFalse();
        governance.catalog.principals().delete(governance.system(), eve.id());
        governance.reconcile();
        assertThat(governance.query("SELECT FROM pg_roles WHERE rolname = 'gone_eve'")).isEmpty();
    }

    @Test
    void whatSomebodyChangedBehindTheCatalogIsUndoneAndAudited() throws SQLException {
        var ann = governance.user("drift_ann");
        var mallory = governance.user("drift_mallory");
        var table = governance.synced("drift.gold_drift.stock");
        governance.function("drift.gold_drift.eu", Primitive.BOOLEAN, "$1 = 'eu'");
        governance.filter(table, "drift.gold_drift.eu", "region");
        governance.open(ann, table);
        governance.reconcile();
        governance.execute(
                "GRANT ALL ON gold_drift.stock TO drift_mallory WITH GRANT OPTION",
                "GRANT UPDATE (id) ON gold_drift.stock TO PUBLIC",
                "GRANT USAGE, CREATE ON SCHEMA gold_drift TO PUBLIC",
                "GRANT TEMP ON DATABASE lakemill TO drift_mallory",
                "GRANT pg_read_all_data TO drift_mallory",
                "GRANT drift_ann TO drift_mallory WITH ADMIN TRUE",
                "ALTER ROLE drift_mallory BYPASSRLS CREATEROLE",
                "REVOKE SELECT ON gold_drift.stock FROM drift_ann",
                "ALTER POLICY lakemill_filter ON gold_drift.stock USING (true)",
                "ALTER TABLE gold_drift.stock OWNER TO drift_mallory");
        governance.reconcile();
        assertThat(may(mallory, "SELECT", table)).isFalse();
        assertThat(governance.query(attributes(mallory))).containsExactly("t|f");
        assertThat(
                        governance.query(
                                "SELECT pg_has_role('drift_mallory', 'pg_read_all_data', 'MEMBER'),"
                                        + " has_database_privilege('drift_mallory', 'lakemill', 'TEMP'),"
                                        + " has_schema_privilege('drift_mallory', 'gold_drift', 'USAGE')"))
                .containsExactly("f|f|f");
        assertThat(governance.queryAs(ann, "SELECT region FROM gold_drift.stock"))
                .containsExactly("eu");
        assertThat(
                        governance.query(
                                "SELECT relacl::text || relowner::regrole FROM pg_class"
                                        + " WHERE oid = 'gold_drift.stock'::regclass"))
                .allMatch(acl -> !acl.contains("mallory"));
        await("audit", "undoDrift", "gold_drift.stock");
    }

    private static void await(String what, String action, String subject) throws SQLException {
        try {
            await(
                    what,
                    () ->
                            !governance
                                    .query(
                                            """
                                            SELECT FROM lakemill.audit WHERE action_name = '%s'
                                                AND request_params::text LIKE '%%%s%%'
                                            """
                                                    .formatted(action, subject))
                                    .isEmpty());
        } catch (SQLException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aRoleOfOthersIsNeverTakenForAPrincipal() throws SQLException {
        governance.execute("CREATE ROLE bi_tool LOGIN");
        var tool = governance.user("bi_tool");
        var table = governance.synced("own.gold_own.stock");
        governance.open(tool, table);
        governance.reconcile();
        assertThat(may(tool, "SELECT", table)).isFalse();
        governance.catalog.principals().delete(governance.system(), tool.id());
        governance.reconcile();
        assertThat(governance.query("SELECT rolname FROM pg_roles WHERE rolname = 'bi_tool'"))
                .hasSize(1);
    }

    @Test
    void aRowFilterHoldsForReadersAndWriters() throws SQLException {
        var ann = governance.user("rows_ann");
        var bob = governance.user("rows_bob");
        governance.group("rows_us", bob);
        var table = governance.table("rows.gold_rows.stock", TableKind.STATE);
        governance.function(
                "rows.gold_rows.seen",
                Primitive.BOOLEAN,
                "$1 = 'eu' OR coalesce(lakemill.is_member(CAST('rows_us' AS text)), false)");
        governance.open(ann, table);
        governance.open(bob, table);
        governance.grant(ann, Securable.table(table), Privilege.MODIFY);
        governance.filter(table, "rows.gold_rows.seen", "region");
        governance.reconcile();
        assertThat(governance.queryAs(ann, "SELECT id FROM gold_rows.stock")).containsExactly("1");
        assertThat(governance.queryAs(bob, "SELECT id FROM gold_rows.stock")).hasSize(2);
        governance.executeAs(ann, "INSERT INTO gold_rows.stock VALUES (3, 'eu', 's3')");
        refused(
                "row-level security",
                () -> governance.executeAs(ann, "UPDATE gold_rows.stock SET region = 'us'"));
        refused("permission denied", () -> governance.executeAs(ann, "TRUNCATE gold_rows.stock"));
        assertThat(governance.queryAs(ann, "EXPLAIN SELECT * FROM gold_rows.stock"))
                .as("the session is asked once a query")
                .anyMatch(line -> line.contains("InitPlan"));
        governance.catalog.policies().dropRowFilter(governance.system(), table);
        governance.reconcile();
        assertThat(governance.queryAs(ann, "SELECT id FROM gold_rows.stock")).hasSize(3);
    }

    @Test
    void aMaskTakesTheTablesPlaceAndGivesItBack() throws SQLException {
        var ann = governance.user("mask_ann");
        var boss = governance.user("mask_boss");
        governance.group("mask_bosses", boss);
        var table = governance.table("mask.gold_mask.stock", TableKind.STATE);
        governance.execute("CREATE INDEX stock_region ON gold_mask.stock (region)");
        governance.function(
                "mask.gold_mask.stars",
                Primitive.STRING,
                "CASE WHEN lakemill.is_member('mask_bosses') THEN $1 ELSE '***' END");
        governance.function("mask.gold_mask.eu", Primitive.BOOLEAN, "$1 = 'eu'");
        governance.open(ann, table);
        governance.open(boss, table);
        governance.grant(ann, Securable.table(table), Privilege.MODIFY);
        governance.mask(table, "secret", "mask.gold_mask.stars");
        governance.filter(table, "mask.gold_mask.eu", "region");
        governance.reconcile();
        assertThat(governance.queryAs(ann, "SELECT * FROM gold_mask.stock"))
                .containsExactly("1|eu|***");
        assertThat(governance.queryAs(boss, "SELECT * FROM gold_mask.stock"))
                .containsExactly("1|eu|s1");
        governance.executeAs(
                ann,
                "INSERT INTO gold_mask.stock (id, region) VALUES (5, 'eu')",
                "UPDATE gold_mask.stock SET id = 6 WHERE id = 5");
        refused(
                "check option",
                () -> governance.executeAs(ann, "UPDATE gold_mask.stock SET region = 'us'"));
        refused(
                "permission denied",
                () -> governance.queryAs(ann, "SELECT * FROM \"lakemill:gold_mask\".stock"));
        governance.catalog.policies().dropMask(governance.system(), table, "secret");
        governance.reconcile();
        assertThat(governance.queryAs(ann, "SELECT secret FROM gold_mask.stock WHERE id = 1"))
                .containsExactly("s1");
        assertThat(
                        governance.query(
                                "SELECT indexname FROM pg_indexes WHERE schemaname = 'gold_mask'"))
                .contains("stock_region", "stock_pkey");
        assertThat(may(ann, "INSERT", table)).isTrue();
        assertThat(governance.queryAs(ann, "SELECT id FROM gold_mask.stock ORDER BY 1"))
                .as("the filter holds without the mask too")
                .containsExactly("1", "6");
    }

    @Test
    void readersNeverMissATableWhoseMaskComesAndGoes() throws Exception {
        var ann = governance.user("swap_ann");
        var table = governance.synced("swap.gold_swap.stock");
        governance.function("swap.gold_swap.stars", Primitive.STRING, "'***'::text");
        governance.open(ann, table);
        governance.reconcile();
        try (var session = governance.login(ann)) {
            var reader =
                    Thread.ofVirtual()
                            .unstarted(
                                    () -> {
                                        for (var i = 0; i < 500; i++) {
                                            count(session);
                                        }
                                    });
            var failure = new AtomicReference<Throwable>();
            reader.setUncaughtExceptionHandler((_, e) -> failure.set(e));
            reader.start();
            for (var i = 0; i < 5; i++) {
                governance.mask(table, "secret", "swap.gold_swap.stars");
                while (!governance.projection.reconcile()) {
                    Thread.onSpinWait();
                }
                governance.catalog.policies().dropMask(governance.system(), table, "secret");
                while (!governance.projection.reconcile()) {
                    Thread.onSpinWait();
                }
            }
            reader.join();
            assertThat(failure.get()).isNull();
        }
    }

    private static void count(Connection session) {
        try {
            assertThat(TestGovernance.query(session, "SELECT count(*) FROM gold_swap.stock"))
                    .containsExactly("2");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aNativeGrantBecomesOneOfTheCatalogOrIsRefused() throws Exception {
        var ann = governance.user("native_ann");
        var bob = governance.user("native_bob");
        var table = governance.synced("native.gold_native.stock");
        for (var who : List.of(ann, bob)) {
            governance.grant(who, Securable.catalog("native"), Privilege.USE_CATALOG);
            governance.grant(who, Securable.schema("native", "gold_native"), Privilege.USE_SCHEMA);
        }
        governance.grant(ann, Securable.table(table), Privilege.MANAGE);
        governance.reconcile();
        refused(
                "may not grant",
                () -> governance.executeAs(bob, "GRANT SELECT ON gold_native.stock TO native_bob"));
        refused(
                "no GRANT or REVOKE that the catalog knows",
                () ->
                        governance.executeAs(
                                ann,
                                "DO 'BEGIN GRANT SELECT ON gold_native.stock TO public; END'"));
        governance.executeAs(ann, "GRANT SELECT ON TABLE gold_native.stock TO native_bob");
        await("bob may read", () -> may(bob, "SELECT", table));
        assertThat(may(ann, "SELECT", table)).as("who manages does not read").isFalse();
        assertThat(governance.catalog.grants().on(Securable.table(table)))
                .anyMatch(g -> g.principal().equals(bob) && g.privilege() == Privilege.SELECT);
        assertThat(
                        governance.queryAs(
                                ann,
                                "SELECT principal, action_type, object_key"
                                        + " FROM lakemill.show_grants('TABLE', 'gold_native.stock')"))
                .contains("native_bob|SELECT|native.gold_native.stock");
        governance.executeAs(
                ann,
                "SELECT lakemill.revoke('SELECT', 'TABLE', 'gold_native.stock', 'native_bob')");
        await("bob may not read", () -> !may(bob, "SELECT", table));
    }

    @Test
    void tablesAreMadeAndGrantedBesideOneAnotherAndTheNodesOwnGrants() throws Exception {
        governance.synced("beside.gold_beside.stock");
        var schema = Securable.schema("beside", "gold_beside");
        var reader = governance.user("beside_reader");
        var makers = new ArrayList<Callable<Integer>>();
        for (var name : List.of("ann", "bob", "eve")) {
            var maker = governance.user("beside_" + name);
            governance.grant(maker, Securable.catalog("beside"), Privilege.USE_CATALOG);
            governance.grant(
                    maker, schema, Privilege.USE_SCHEMA, Privilege.CREATE_TABLE, Privilege.MANAGE);
            makers.add(() -> makeAndGrant(maker, "gold_beside." + name, reader));
        }
        governance.reconcile();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (var made : threads.invokeAll(makers)) {
                assertThat(made.get()).isEqualTo(MADE_BESIDE);
            }
        }
        assertThat(
                        governance.query(
                                "SELECT count(*) FROM lakemill.grants g JOIN lakemill.principals p"
                                        + " ON p.id = g.principal_id WHERE p.name ="
                                        + " 'beside_reader' AND g.privilege = 'SELECT'"))
                .containsExactly(Integer.toString(3 * MADE_BESIDE));
    }

    /** As a migration does it: each statement by itself, one behind the other. */
    private static int makeAndGrant(Principal maker, String prefix, Principal reader)
            throws SQLException {
        var made = 0;
        try (var session = governance.login(maker)) {
            for (; made < MADE_BESIDE; made++) {
                var table = prefix + made;
                TestGovernance.execute(
                        session,
                        "CREATE TABLE %s (id int PRIMARY KEY)".formatted(table),
                        "GRANT SELECT ON %s TO %s".formatted(table, reader.name()),
                        "GRANT USAGE ON SCHEMA gold_beside TO " + reader.name());
            }
        }
        return made;
    }

    @Test
    void aTableThatAPrincipalMakesIsHisInTheCatalogToo() throws Exception {
        var app = governance.user("maker_app");
        var peer = governance.user("maker_peer");
        governance.synced("maker.app_maker.stock");
        governance.grant(app, Securable.catalog("maker"), Privilege.USE_CATALOG);
        governance.grant(
                app,
                Securable.schema("maker", "app_maker"),
                Privilege.USE_SCHEMA,
                Privilege.CREATE_TABLE);
        governance.reconcile();
        governance.executeAs(
                app,
                "CREATE TABLE app_maker.orders (id serial PRIMARY KEY, note text)",
                "CREATE TABLE app_maker.items (\"order\" int REFERENCES app_maker.orders)",
                "INSERT INTO app_maker.orders (note) VALUES ('a')",
                "INSERT INTO app_maker.items VALUES (1)",
                "CREATE INDEX ON app_maker.orders (note)",
                "ALTER TABLE app_maker.orders ADD COLUMN at timestamptz");
        var orders = TableName.parse("maker.app_maker.orders");
        await("the catalog knows", () -> governance.catalog.find(orders).isPresent());
        governance.reconcile();
        var known = governance.catalog.find(orders).orElseThrow();
        assertThat(known.kind()).isEqualTo(TableKind.STATE);
        assertThat(known.schema().columns())
                .extracting(c -> c.type().sql())
                .containsExactly("INT", "STRING", "TIMESTAMP");
        assertThat(governance.catalog.grants().owner(Securable.table(orders))).isEqualTo(app);
        governance.executeAs(app, "ALTER TABLE app_maker.orders ADD COLUMN sum numeric(10,2)");
        refused(
                "keeps its name",
                () -> governance.executeAs(app, "ALTER TABLE app_maker.orders RENAME TO other"));
        refused(
                "may not use CREATE FUNCTION",
                () ->
                        governance.executeAs(
                                app,
                                "CREATE FUNCTION app_maker.f() RETURNS int LANGUAGE sql RETURN 1"));
        assertThat(may(peer, "SELECT", orders)).isFalse();
        governance.open(peer, orders);
        governance.grant(peer, Securable.table(orders), Privilege.MODIFY);
        governance.reconcile();
        governance.executeAs(peer, "INSERT INTO app_maker.orders (note) VALUES ('b')");
        refused("must be owner", () -> governance.executeAs(peer, "DROP TABLE app_maker.orders"));
        governance.executeAs(app, "DROP TABLE app_maker.items, app_maker.orders");
        await("the catalog has forgotten", () -> governance.catalog.find(orders).isEmpty());
    }

    @Test
    void aTableStaysItsMakersWhenTheRightIsTakenAwayAtOnceAndItsRowsAreAudited() throws Exception {
        var app = maker("brief");
        governance.executeAs(app, "CREATE TABLE app_brief.notes (id int PRIMARY KEY)");
        governance.revoke(app, Securable.schema("brief", "app_brief"), Privilege.CREATE_TABLE);
        var notes = Securable.table(TableName.parse("brief.app_brief.notes"));
        await(
                "the catalog knows whose it is",
                () ->
                        governance.catalog.securables().find(notes).isPresent()
                                && governance.catalog.grants().owner(notes).equals(app));
        governance.reconcile();
        governance.executeAs(app, "INSERT INTO app_brief.notes VALUES (1)");
        assertThat(
                        governance.query(
                                "SELECT operation, user_email, new_row FROM lakemill.row_audit"
                                        + " WHERE table_name = 'notes'"))
                .containsExactly("INSERT|brief_app|{\"id\": 1}");
    }

    @Test
    void aTableThatIsMadeWhileRolesAreReadStaysItsMakers() throws Exception {
        var app = maker("amid");
        var wanted = Wanted.of(Governed.of(governance.catalog, Set.of(), true));
        try (var connection = governance.postgres.ownerUnpooled().getConnection()) {
            connection.setAutoCommit(false);
            var meanwhile =
                    before(
                            connection,
                            "FROM pg_auth_members",
                            () -> governance.executeAs(app, "CREATE TABLE app_amid.t (id int)"));
            var outcome = new Reconciler().reconcile(meanwhile, wanted);
            assertThat(outcome.steps()).isEmpty();
        }
    }

    @Test
    void whatATableNeedsStaysUntilTheCatalogFollows() throws Exception {
        var app = maker("ahead");
        var before = Wanted.of(Governed.of(governance.catalog, Set.of(), true));
        governance.executeAs(app, "CREATE TABLE app_ahead.t (id int)");
        try (var connection = governance.postgres.ownerUnpooled().getConnection()) {
            var found = Found.read(connection, before);
            var unfollowed =
                    new Found(
                            found.us(),
                            found.databaseName(),
                            found.roles(),
                            found.memberships(),
                            found.database(),
                            found.schemas(),
                            found.tables(),
                            found.sequences(),
                            found.projected(),
                            Set.of(new Relation("app_ahead", "t")));
            assertThat(found.schemas())
                    .extractingByKey("app_ahead")
                    .extracting(schema -> schema.acl().privileges().keySet().toString())
                    .asString()
                    .contains("lakemill_owner:");
            assertThat(new Reconciliation(before, unfollowed).steps()).isEmpty();
        }
    }

    /** Does something just before a query. */
    private static Connection before(
            Connection connection, String query, ThrowingCallable something) {
        return (Connection)
                Proxy.newProxyInstance(
                        Connection.class.getClassLoader(),
                        new Class<?>[] {Connection.class},
                        (_, method, arguments) -> {
                            if (method.getName().equals("prepareStatement")
                                    && ((String) arguments[0]).contains(query)) {
                                something.call();
                            }
                            return method.invoke(connection, arguments);
                        });
    }

    /** A user who may make tables in the catalog's schema app_CATALOG. */
    private static Principal maker(String catalog) throws SQLException {
        var user = governance.user(catalog + "_app");
        var schema = "app_" + catalog;
        governance.synced("%s.%s.stock".formatted(catalog, schema));
        governance.grant(user, Securable.catalog(catalog), Privilege.USE_CATALOG);
        var in = Securable.schema(catalog, schema);
        governance.grant(user, in, Privilege.USE_SCHEMA, Privilege.CREATE_TABLE);
        governance.reconcile();
        return user;
    }

    @Test
    void rowsThatATableIsMadeWithAreAudited() throws Exception {
        var app = maker("filled");
        governance.executeAs(
                app,
                "CREATE TABLE app_filled.made AS SELECT 1 AS id",
                "SELECT 2 AS id INTO app_filled.chosen");
        assertThat(
                        governance.query(
                                "SELECT table_name, user_email, new_row FROM lakemill.row_audit"
                                        + " WHERE table_schema = 'app_filled' ORDER BY number"))
                .containsExactly("made|filled_app|{\"id\": 1}", "chosen|filled_app|{\"id\": 2}");
    }

    @Test
    void rowsOfPartitionsAreAuditedOnceUnderTheNameOfTheTable() throws Exception {
        var app = maker("parts");
        governance.executeAs(
                app,
                "CREATE TABLE app_parts.log (id int) PARTITION BY RANGE (id)",
                "CREATE TABLE app_parts.low PARTITION OF app_parts.log FOR VALUES FROM (0) TO (9)");
        var low = TableName.parse("parts.app_parts.low");
        await("the catalog knows", () -> governance.catalog.find(low).isPresent());
        governance.reconcile();
        governance.executeAs(
                app,
                "INSERT INTO app_parts.log VALUES (1)",
                "INSERT INTO app_parts.low VALUES (2)",
                "TRUNCATE app_parts.low");
        assertThat(
                        governance.query(
                                "SELECT operation, table_name, new_row FROM lakemill.row_audit"
                                        + " WHERE table_schema = 'app_parts' ORDER BY number"))
                .containsExactly(
                        "INSERT|log|{\"id\": 1}", "INSERT|log|{\"id\": 2}", "TRUNCATE|low|null");
    }

    @Test
    void aReadOnlyLoginReadsAsItsPrincipalAndNeverWrites() throws Exception {
        var user = governance.user("lookout");
        var team = governance.group("lookouts", user);
        var table = governance.table("outlook.out.stock", TableKind.STATE);
        governance.function(
                "outlook.out.own",
                Primitive.BOOLEAN,
                "lakemill.is_member('lookouts') AND $1 = 'eu'");
        governance.function("outlook.out.name", Primitive.STRING, "lakemill.session_name()");
        governance.filter(table, "outlook.out.own", "region");
        governance.mask(table, "secret", "outlook.out.name");
        governance.open(team, table);
        governance.grant(team, Securable.table(table), Privilege.MODIFY);
        governance.reconcile();
        governance.projection.admitReadOnly(user);
        var reader = new Principal(user.id(), user.kind(), "ro:lookout");
        assertThat(governance.queryAs(reader, "SELECT id, secret FROM out.stock"))
                .containsExactly("1|lookout");
        var off = "SET default_transaction_read_only = off";
        for (var command :
                List.of(
                        "UPDATE out.stock SET region = 'eu'",
                        "DELETE FROM out.stock",
                        "INSERT INTO out.stock (id, region) VALUES (9, 'eu')",
                        "CREATE TABLE out.mine (id int)")) {
            refused("permission denied", () -> governance.executeAs(reader, off, command));
        }
        refused(
                "is no active principal",
                () ->
                        governance.executeAs(
                                reader,
                                "SELECT lakemill.grant('SELECT', 'TABLE', 'outlook.out.stock',"
                                        + " 'lookouts')"));
        governance.reconcile();
        governance.revoke(team, Securable.table(table), Privilege.SELECT);
        governance.reconcile();
        refused("permission denied", () -> governance.queryAs(reader, "TABLE out.stock"));
        governance.catalog.principals().delete(governance.system(), user.id());
        governance.reconcile();
        assertThat(governance.query("SELECT FROM pg_roles WHERE rolname = 'ro:lookout'")).isEmpty();
    }

    @Test
    void aPrincipalCalledAsAnothersReadOnlyLoginHasNone() throws Exception {
        var victim = governance.user("victim");
        var impostor = governance.user("ro:victim");
        var table = governance.synced("imposed.impostor.stock");
        governance.open(impostor, table);
        governance.projection.admitReadOnly(victim);
        governance.reconcile();
        assertThat(may(impostor, "SELECT", table)).isFalse();
    }
}
