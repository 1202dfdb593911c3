package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.PGConnection;

/**
 * Ways past grants, filters and masks that are known to work in Postgres as it comes, each tried by
 * an ordinary principal. Eve may read the rows of the EU, with the secret masked, in {@code
 * lab.masked}; the same rows unmasked in {@code lab.filtered}, which she may also write; and make
 * tables in {@code lab}. Boss sees everything.
 */
final class HolesTest {
    private static final String LOOT =
            "query_to_xml('SELECT secret FROM lab.masked', true, true, '')::text";

    @TempDir static Path folder;
    private static TestGovernance governance;
    private static Principal eve;
    private static Principal boss;
    private static TableName masked;
    private static TableName filtered;

    @BeforeAll
    static void start() throws Exception {
        governance = TestGovernance.start(folder);
        eve = governance.user("eve");
        boss = governance.user("boss");
        governance.group("bosses", boss);
        var team = governance.group("team", eve, boss);
        masked = governance.table("hole.lab.masked", TableKind.STATE);
        filtered = governance.table("hole.lab.filtered", TableKind.STATE);
        governance.function(
                "hole.lab.stars",
                Primitive.STRING,
                "CASE WHEN lakemill.is_member('bosses') THEN $1 ELSE '***' END");
        governance.function(
                "hole.lab.seen", Primitive.BOOLEAN, "$1 = 'eu' OR lakemill.is_member('bosses')");
        governance.mask(masked, "secret", "hole.lab.stars");
        for (var table : new TableName[] {masked, filtered}) {
            governance.filter(table, "hole.lab.seen", "region");
            governance.open(team, table);
            governance.grant(team, Securable.table(table), Privilege.MODIFY);
        }
        governance.grant(eve, Securable.schema("hole", "lab"), Privilege.CREATE_TABLE);
        governance.reconcile();
    }

    @AfterAll
    static void stop() {
        governance.close();
    }

    private static void refused(String words, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(SQLException.class).hasMessageContaining(words);
    }

    private static void refused(String words, String... commands) {
        refused(words, () -> governance.executeAs(eve, commands));
    }

    @Test
    void t1MaskAndFilterGoByTheCallerThoughTheViewReadsAsItsOwner() throws SQLException {
        assertThat(governance.queryAs(eve, "SELECT * FROM lab.masked WHERE id < 3"))
                .containsExactly("1|eu|***");
        assertThat(governance.queryAs(boss, "SELECT * FROM lab.masked WHERE id < 3 ORDER BY id"))
                .containsExactly("1|eu|s1", "2|us|s2");
    }

    @Test
    void t2TheTableBehindTheViewIsClosed() {
        refused("permission denied", "SELECT * FROM \"lakemill:lab\".masked");
        refused("permission denied", "SELECT * FROM lakemill.principals");
    }

    @Test
    void t3AMaskedColumnCannotBeWrittenAndTheOthersCan() throws SQLException {
        refused("cannot update column", "UPDATE lab.masked SET secret = 'x'");
        refused("cannot insert into column", "INSERT INTO lab.masked VALUES (9, 'eu', 'x')");
        governance.executeAs(
                eve,
                "INSERT INTO lab.masked (id, region) VALUES (31, 'eu')"
                        + " ON CONFLICT (id) DO UPDATE SET region = 'eu'",
                """
                MERGE INTO lab.masked m USING (VALUES (32)) v (id) ON m.id = v.id
                WHEN NOT MATCHED THEN INSERT (id, region) VALUES (v.id, 'eu')
                """,
                "SELECT id FROM lab.masked WHERE id = 31 FOR UPDATE");
        assertThat(
                        governance.queryAs(
                                eve, "DELETE FROM lab.masked WHERE id > 30 RETURNING id, secret"))
                .containsExactlyInAnyOrder("31|***", "32|***");
    }

    @Test
    void t4NobodyPushesRowsOutOfHisOwnFilter() {
        refused("check option", "UPDATE lab.masked SET region = 'us' WHERE id = 1");
        refused("check option", "INSERT INTO lab.masked (id, region) VALUES (41, 'us')");
        refused("row-level security", "UPDATE lab.filtered SET region = 'us' WHERE id = 1");
        refused("row-level security", "INSERT INTO lab.filtered VALUES (42, 'us', '')");
    }

    @Test
    void t5AConditionOfTheReadersNeverSeesAHiddenRow() throws SQLException {
        var leak = "SELECT id FROM lab.%s WHERE 1 / (id - 2) IS NOT NULL AND id < 3";
        assertThat(governance.queryAs(eve, leak.formatted("masked"))).containsExactly("1");
        assertThat(governance.queryAs(eve, leak.formatted("filtered"))).containsExactly("1");
        refused("division by zero", () -> governance.queryAs(boss, leak.formatted("masked")));
    }

    @Test
    void t6NobodyLendsWhatHeSeesByAFunctionThatRunsAsHim() throws SQLException {
        governance.execute(
                "CREATE SCHEMA lend",
                "GRANT USAGE ON SCHEMA lend TO PUBLIC",
                "CREATE FUNCTION lend.secrets() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER"
                        + " AS 'SELECT secret FROM lab.masked WHERE id < 3'",
                "CREATE FUNCTION lend.rows() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
                        + " AS 'SELECT count(*) FROM lab.filtered WHERE id < 3'",
                "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA lend TO PUBLIC",
                "ALTER FUNCTION lend.secrets() OWNER TO boss",
                "ALTER FUNCTION lend.rows() OWNER TO boss");
        assertThat(governance.queryAs(eve, "SELECT lend.secrets()")).containsExactly("***");
        assertThat(governance.queryAs(eve, "SELECT lend.rows()")).containsExactly("1");
        refused(
                "may not use CREATE FUNCTION",
                "CREATE FUNCTION lab.f() RETURNS int LANGUAGE sql" + " SECURITY DEFINER RETURN 1");
    }

    @Test
    void t7TheViewReadsWithItsOwnersRightsAndNoOneElseReadsTheTable() throws SQLException {
        assertThat(
                        governance.query(
                                "SELECT reloptions FROM pg_class WHERE oid = 'lab.masked'::regclass"))
                .containsExactly("{security_barrier=true,check_option=cascaded}");
        assertThat(
                        governance.query(
                                "SELECT DISTINCT e.grantee::regrole FROM pg_class c, aclexplode(c.relacl) e"
                                        + " WHERE c.oid = '\"lakemill:lab\".masked'::regclass"))
                .isSubsetOf("lakemill_objects");
    }

    @Test
    void t8ThereAreNoPrivilegesOnColumns() {
        refused("no GRANT or REVOKE", "GRANT SELECT (id) ON lab.filtered TO eve");
    }

    @Test
    void t9TruncateWhichIgnoresRowSecurityIsNeverGiven() {
        refused("permission denied", "TRUNCATE lab.filtered");
        refused("masked", "TRUNCATE lab.masked");
    }

    @Test
    void t10NobodyActsAsAGroup() {
        refused("permission denied to set role", "SET ROLE team");
        refused("permission denied to set role", "SET ROLE lakemill_objects");
        refused("permission denied", "SET SESSION AUTHORIZATION boss");
    }

    @Test
    void t11OnlyWhatIsMeantForAllCanBeCalledByAll() throws SQLException {
        assertThat(
                        governance.query(
                                """
                        SELECT p.proname FROM pg_proc p
                        WHERE p.pronamespace = 'lakemill'::regnamespace
                            AND has_function_privilege('eve', p.oid, 'EXECUTE')
                            AND p.prorettype NOT IN ('trigger'::regtype)
                        ORDER BY 1
                        """))
                .containsExactly(
                        "grant",
                        "is_member",
                        "revoke",
                        "session_name",
                        "show_grants",
                        "start_row_audit",
                        "stop_row_audit");
    }

    @Test
    void t12T13WhoMakesATableDoesNotOwnItAndGrantsItOnlyThroughTheCatalog() throws SQLException {
        governance.executeAs(eve, "CREATE TABLE lab.made (id int)");
        governance.reconcile();
        assertThat(governance.query("SELECT tableowner FROM pg_tables WHERE tablename = 'made'"))
                .allMatch(owner -> owner.startsWith("lakemill_owner:"));
        governance.executeAs(eve, "GRANT SELECT ON lab.made TO PUBLIC");
        assertThat(governance.query("SELECT relacl FROM pg_class WHERE relname = 'made'"))
                .allMatch(acl -> !acl.contains("{=") && !acl.contains(",="));
        assertThat(
                        governance.query(
                                "SELECT p.name FROM lakemill.grants g"
                                        + " JOIN lakemill.securables s ON s.id = g.securable_id"
                                        + " JOIN lakemill.principals p ON p.id = g.principal_id"
                                        + " WHERE s.name = 'made'"))
                .containsExactly("account users");
        refused("keeps its owner", "ALTER TABLE lab.made DISABLE TRIGGER ALL");
    }

    @Test
    void t14NothingCanBeMadeInPublicOrInTemporarySchemas() {
        refused("permission denied", "CREATE TABLE public.x (id int)");
        refused("permission denied", "CREATE TEMP TABLE x (id int)");
        refused("may not use CREATE SCHEMA", "CREATE SCHEMA x");
    }

    /** A known limit: secrets do not belong into the text of a policy. */
    @Test
    void t15U7TheTextOfPoliciesCanBeReadAndNoRowWithIt() throws SQLException {
        assertThat(governance.queryAs(eve, "SELECT pg_get_viewdef('lab.masked'::regclass)"))
                .allMatch(text -> text.contains("bosses"));
        assertThat(
                        governance.queryAs(
                                eve,
                                "SELECT FROM information_schema.columns WHERE table_schema = 'lakemill'"))
                .isEmpty();
    }

    @Test
    void t16RolesThatReadEverythingAreTakenAway() throws SQLException {
        governance.execute("GRANT pg_read_all_data TO eve", "ALTER ROLE eve BYPASSRLS");
        governance.reconcile();
        refused("permission denied", "SELECT * FROM \"lakemill:lab\".masked");
        assertThat(governance.queryAs(eve, "SELECT count(*) FROM lab.filtered WHERE id < 3"))
                .containsExactly("1");
    }

    @Test
    void u1CopyOutIsMaskedAndCopyIntoAViewIsRefused() throws Exception {
        try (var session = governance.login(eve)) {
            var copy = session.unwrap(PGConnection.class).getCopyAPI();
            var out = new StringWriter();
            copy.copyOut("COPY (SELECT * FROM lab.masked WHERE id < 3) TO STDOUT", out);
            assertThat(out.toString()).isEqualTo("1\teu\t***\n");
            refused(
                    "cannot copy to view",
                    () ->
                            copy.copyIn(
                                    "COPY lab.masked FROM STDIN", new StringReader("9\teu\tx\n")));
        }
        refused("permission denied", "COPY lab.filtered TO PROGRAM 'cat'");
    }

    @Test
    void u2GrantsOutsideTheCatalogAreRefused() {
        refused("may not grant", "GRANT SELECT ON lab.filtered TO eve");
        refused("may not grant", "GRANT USAGE ON SCHEMA lab TO PUBLIC");
        refused(
                "may not use ALTER DEFAULT PRIVILEGES",
                "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC");
        refused("permission denied", "GRANT team TO boss");
        refused("permission denied", "SET session_replication_role = replica");
        refused("permission denied", "SELECT lakemill.run_unguarded('SELECT 1')");
        refused("may not use CREATE VIEW", "CREATE VIEW lab.v AS SELECT 1");
        refused("must be owner", "ALTER TABLE lab.filtered DISABLE ROW LEVEL SECURITY");
        refused("may not use CREATE POLICY", "CREATE POLICY p ON lab.filtered USING (true)");
        refused(
                "permission denied",
                "CREATE TRIGGER t AFTER INSERT ON lab.filtered"
                        + " EXECUTE FUNCTION suppress_redundant_updates_trigger()");
    }

    /**
     * What it does with other rows, and whom it calls, would be done by whoever writes the table.
     */
    @Test
    void aTriggerOfAPrincipalStampsAColumnAndDoesNothingElse() throws SQLException {
        var function = "CREATE OR REPLACE FUNCTION lab.stamp() RETURNS trigger AS $$%s$$ %s";
        var trigger =
                "CREATE OR REPLACE TRIGGER %s %s ON lab.stamped %s EXECUTE FUNCTION lab.stamp()";
        var body = " BEGIN\n NEW.at = CURRENT_TIMESTAMP;\n RETURN NEW;\n END;\n";
        var stamp = function.formatted(body, "LANGUAGE 'plpgsql'");
        governance.executeAs(
                eve,
                "CREATE TABLE lab.stamped (id int PRIMARY KEY, at timestamptz)",
                stamp,
                stamp,
                "DROP TRIGGER IF EXISTS stamp ON lab.stamped",
                trigger.formatted("stamp", "BEFORE UPDATE", "FOR EACH ROW"),
                "INSERT INTO lab.stamped VALUES (1)",
                "UPDATE lab.stamped SET id = 2");
        governance.reconcile();
        assertThat(governance.queryAs(eve, "SELECT at IS NOT NULL FROM lab.stamped"))
                .containsExactly("t");
        assertThat(
                        governance.query(
                                "SELECT pg_get_userbyid(proowner) || proconfig::text FROM pg_proc"
                                        + " WHERE oid = 'lab.stamp'::regproc"))
                .singleElement()
                .asString()
                .startsWith("lakemill_owner:")
                .endsWith("{\"search_path=pg_catalog, pg_temp\"}");
        for (var other :
                List.of(
                        "BEGIN PERFORM lakemill.session_name(); NEW.at = now(); RETURN NEW; END",
                        "BEGIN NEW.at = (SELECT now() FROM lab.filtered); RETURN NEW; END",
                        "BEGIN NEW.at = now(); DELETE FROM lab.filtered; RETURN NEW; END",
                        "BEGIN NEW.at = lab.now(); RETURN NEW; END",
                        "BEGIN NEW.at = now(); RETURN NULL; END",
                        "DECLARE x int := lab.f(); BEGIN NEW.at = now(); RETURN NEW; END")) {
            refused("may not use CREATE FUNCTION", function.formatted(other, "LANGUAGE plpgsql"));
        }
        for (var how :
                List.of("SECURITY DEFINER", "SET work_mem = 65536", "SET search_path = lab")) {
            refused(
                    "may not use CREATE FUNCTION",
                    function.formatted(body, "LANGUAGE plpgsql " + how));
        }
        refused(
                "may not use CREATE TRIGGER",
                trigger.formatted("t", "AFTER UPDATE", "FOR EACH ROW"));
        var when = "FOR EACH ROW WHEN (lakemill.session_name() = 'boss')";
        refused("may not use CREATE TRIGGER", trigger.formatted("t", "BEFORE UPDATE", when));
        refused(
                "may not use CREATE TRIGGER",
                trigger.formatted("lakemill_row_audit", "BEFORE UPDATE", "FOR EACH ROW"));
        refused(
                "may not use CREATE TRIGGER",
                "CREATE TRIGGER t BEFORE UPDATE ON lab.stamped FOR EACH ROW"
                        + " EXECUTE FUNCTION suppress_redundant_updates_trigger()");
        refused("may not drop a trigger", "DROP TRIGGER lakemill_row_audit ON lab.stamped");
        refused("may not use ALTER FUNCTION", "ALTER FUNCTION lab.stamp() RESET ALL");
        governance.executeAs(eve, "DROP TRIGGER stamp ON lab.stamped", "DROP FUNCTION lab.stamp()");
    }

    /**
     * They would run with the rights of whoever writes the table, the node's and boss's among them.
     */
    @Test
    void checksOfAPrincipalOnlyCompute() throws SQLException {
        var grant =
                "(lakemill.grant('SELECT', 'TABLE', 'hole.lab.masked', 'eve') IS NULL)"
                        + " IN (true, false)";
        governance.executeAs(
                eve,
                "CREATE TABLE lab.bait (id int CHECK (id > 0), note text)",
                "CREATE TABLE lab.parts (id int) PARTITION BY LIST (id)",
                "CREATE DOMAIN lab.worm AS text");
        for (var command :
                List.of(
                        "CREATE TABLE lab.trap (id int CONSTRAINT c CHECK (%s))",
                        "CREATE TABLE lab.trap (id int, CONSTRAINT c CHECK (id > 0 OR %s))",
                        "ALTER TABLE lab.bait ADD CONSTRAINT c CHECK (%s)",
                        "ALTER TABLE lab.bait ADD CONSTRAINT c CHECK (%s) NOT VALID",
                        "ALTER TABLE lab.bait ADD COLUMN x int, ADD CONSTRAINT c CHECK (%s)",
                        "CREATE TABLE lab.trap PARTITION OF lab.parts (CONSTRAINT c CHECK (%s))"
                                + " DEFAULT",
                        "CREATE TABLE lab.trap (CONSTRAINT c CHECK (%s)) INHERITS (lab.bait)",
                        "CREATE DOMAIN lab.trap AS text CONSTRAINT c CHECK (%s)",
                        "ALTER DOMAIN lab.worm ADD CONSTRAINT c CHECK (%s) NOT VALID")) {
            refused(
                    "may not call lakemill.\"grant\"(text,text,text,text)",
                    command.formatted(grant));
        }
    }

    @Test
    void defaultsOfAPrincipalOnlyCompute() throws SQLException {
        governance.executeAs(
                eve,
                "CREATE TABLE lab.lure (id int, note text)",
                "CREATE TABLE lab.slices (id int) PARTITION BY LIST (id)",
                "CREATE DOMAIN lab.grub AS text");
        for (var command :
                List.of(
                        "CREATE TABLE lab.trap (id int, note text DEFAULT %s)",
                        "ALTER TABLE lab.lure ALTER COLUMN note SET DEFAULT %s",
                        "ALTER TABLE lab.lure ADD COLUMN x text DEFAULT upper(%s)",
                        "CREATE TABLE lab.trap PARTITION OF lab.slices (id DEFAULT length(%s))"
                                + " DEFAULT",
                        "CREATE DOMAIN lab.trap AS text DEFAULT %s",
                        "ALTER DOMAIN lab.grub SET DEFAULT %s")) {
            refused(
                    "may not call query_to_xml(text,boolean,boolean,text)",
                    command.formatted(LOOT));
        }
        for (var call :
                List.of(
                        "table_to_xml('lab.masked', true, true, '')::text",
                        "set_config('search_path', 'lab', false)",
                        "pg_read_file('postgresql.conf')",
                        "lo_import('postgresql.conf')::text",
                        "pg_stat_get_backend_activity(1)",
                        "ts_rewrite('a', 'SELECT ''a''::tsquery, ''b''::tsquery')::text",
                        "current_query()",
                        "CASE WHEN true THEN (ARRAY[lakemill.session_name()])[1] END")) {
            refused(
                    "DEFAULT of column lab.lure.note may not call",
                    "ALTER TABLE lab.lure ALTER note SET DEFAULT " + call);
        }
    }

    @Test
    void neitherCopiesNorOperatorsNorSavepointsHideACall() throws SQLException {
        governance.execute(
                "CREATE SCHEMA loose",
                "GRANT USAGE ON SCHEMA loose TO PUBLIC",
                "CREATE TABLE loose.model (id int, note text DEFAULT " + LOOT + ")",
                "GRANT SELECT ON loose.model TO PUBLIC",
                "CREATE FUNCTION loose.f(int, int) RETURNS boolean LANGUAGE sql RETURN true",
                "GRANT EXECUTE ON FUNCTION loose.f TO PUBLIC",
                "CREATE OPERATOR loose.<> (LEFTARG = int, RIGHTARG = int, FUNCTION = loose.f)");
        refused(
                "DEFAULT of column lab.trap.note may not call",
                "CREATE TABLE lab.trap (LIKE loose.model INCLUDING ALL)");
        governance.executeAs(
                eve,
                "CREATE TABLE lab.like_model (LIKE loose.model)",
                "CREATE TABLE lab.plain (id int)");
        for (var check : List.of("id OPERATOR(loose.<>) 1", "id OPERATOR(loose.<>) ANY ('{1}')")) {
            refused(
                    "CHECK c of table lab.plain may not call loose.f(integer,integer)",
                    "ALTER TABLE lab.plain ADD CONSTRAINT c CHECK (" + check + ")");
        }
        governance.execute("DROP SCHEMA loose CASCADE");
        try (var session = governance.login(eve)) {
            session.setAutoCommit(false);
            TestGovernance.execute(session, "SAVEPOINT a", "CREATE TABLE lab.trap (id int)");
            TestGovernance.execute(session, "SAVEPOINT b", "SAVEPOINT c");
            refused(
                    "may not call set_config",
                    () ->
                            TestGovernance.execute(
                                    session,
                                    "ALTER TABLE lab.trap ADD note text"
                                            + " DEFAULT set_config('a.b', '', false)"));
        }
        refused(
                "may not call set_config",
                "DO $$BEGIN CREATE TABLE lab.trap (note text DEFAULT set_config('a.b', '', true));"
                        + " EXCEPTION WHEN division_by_zero THEN END$$");
    }

    @Test
    void checksAndDefaultsThatAnAdminMadeStand() throws SQLException {
        governance.executeAs(eve, "CREATE TABLE lab.helped (id int, note text)");
        governance.execute(
                "CREATE FUNCTION lab.note() RETURNS text LANGUAGE sql VOLATILE RETURN 'n'",
                "GRANT EXECUTE ON FUNCTION lab.note TO PUBLIC",
                "ALTER TABLE lab.helped ALTER note SET DEFAULT lab.note()");
        governance.executeAs(
                eve,
                "ALTER TABLE lab.helped ADD COLUMN more int",
                "INSERT INTO lab.helped VALUES (1)");
        assertThat(governance.queryAs(eve, "SELECT note FROM lab.helped")).containsExactly("n");
        refused(
                "may not call lab.note()",
                "ALTER TABLE lab.helped ALTER id SET DEFAULT length(lab.note())");
    }

    @Test
    void checksAndDefaultsAsMigrationsMakeThemWork() throws SQLException {
        governance.execute(
                "CREATE SCHEMA tools",
                "GRANT USAGE ON SCHEMA tools TO PUBLIC",
                "CREATE EXTENSION \"uuid-ossp\" SCHEMA tools",
                "CREATE EXTENSION citext SCHEMA tools",
                "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tools TO PUBLIC");
        governance.executeAs(
                eve,
                "CREATE SEQUENCE lab.numbers",
                "CREATE TYPE lab.mood AS ENUM ('fair', 'foul')",
                "CREATE TYPE lab.point AS (x int, y int)",
                "CREATE DOMAIN lab.email AS text DEFAULT lower('A@B')"
                        + " CHECK (VALUE ~ '^[^@]+@[^@]+$') CHECK (length(VALUE) < 320)",
                "ALTER DOMAIN lab.email ADD CONSTRAINT plain CHECK (VALUE = trim(VALUE))",
                """
                CREATE TABLE lab.usual (
                    id serial PRIMARY KEY,
                    big bigint GENERATED ALWAYS AS IDENTITY,
                    number bigint DEFAULT nextval('lab.numbers'),
                    key uuid DEFAULT gen_random_uuid() UNIQUE,
                    key7 uuid DEFAULT uuidv7(),
                    old_key uuid DEFAULT tools.uuid_generate_v4(),
                    made timestamptz NOT NULL DEFAULT now(),
                    day date DEFAULT CURRENT_DATE CHECK (date_trunc('day', day) = day),
                    told timestamptz DEFAULT clock_timestamp() CHECK (told > made - interval '1 h'),
                    until timestamp DEFAULT timezone('utc', now()) + interval '1 day',
                    by text DEFAULT CURRENT_USER,
                    tenant text DEFAULT current_setting('app.tenant', true),
                    dice float8 DEFAULT random(),
                    short text DEFAULT substr(md5(random()::text), 1, 8),
                    name text DEFAULT 'x' CHECK (lower(name) = name) CHECK (name ~ '^[a-z]+$'),
                    price numeric DEFAULT 1 CHECK (price > 0 AND price BETWEEN 0 AND 9.5),
                    data jsonb DEFAULT '{"a": []}' CHECK (jsonb_typeof(data -> 'a') = 'array'),
                    tags text[] DEFAULT '{}' CHECK (array_length(tags, 1) IS NULL),
                    state text DEFAULT 'a' CHECK (state IN ('a', 'b')),
                    mood lab.mood DEFAULT 'fair' CHECK (mood <> 'foul'),
                    point lab.point DEFAULT (1, 2),
                    email lab.email,
                    letters tools.citext DEFAULT 'A' CHECK (letters OPERATOR(tools.=) 'a'),
                    words text GENERATED ALWAYS AS (upper(name) || id) STORED,
                    CONSTRAINT known CHECK (num_nonnulls(name, price) = 2))
                """,
                "ALTER TABLE lab.usual ADD COLUMN more text DEFAULT 'y' || now(),"
                        + " ADD CHECK (more LIKE 'y%'), ALTER COLUMN name SET DEFAULT lower('Z')",
                "CREATE TABLE lab.usual_copy (LIKE lab.usual INCLUDING ALL)",
                "INSERT INTO lab.usual DEFAULT VALUES");
        assertThat(governance.queryAs(eve, "SELECT words, email FROM lab.usual"))
                .containsExactly("Z1|a@b");
    }

    @Test
    void u3TheSessionsUserCannotBeChanged() throws SQLException {
        assertThat(governance.queryAs(eve, "SELECT lakemill.session_name()"))
                .containsExactly("eve");
        refused("permission denied", "SET SESSION AUTHORIZATION lakemill");
        assertThat(
                        governance.queryAs(
                                eve, "SELECT set_config('session_authorization', 'eve', false)"))
                .containsExactly("eve");
    }

    @Test
    void u5NamesInPoliciesAreBoundWhereverTheReadersSearchPathPoints() throws SQLException {
        try (var session = governance.login(eve)) {
            TestGovernance.execute(
                    session,
                    "CREATE TABLE IF NOT EXISTS lab.pg_roles (oid oid, rolname text)",
                    "INSERT INTO lab.pg_roles SELECT oid, 'bosses' FROM pg_catalog.pg_roles"
                            + " WHERE rolname = 'team'",
                    "SET search_path = lab, pg_temp, pg_catalog");
            assertThat(TestGovernance.query(session, "SELECT lakemill.is_member('bosses')"))
                    .containsExactly("f");
            assertThat(TestGovernance.query(session, "SELECT secret FROM masked WHERE id = 1"))
                    .containsExactly("***");
        }
        refused(
                "may not use CREATE OPERATOR",
                "CREATE OPERATOR lab.= (LEFTARG = text,"
                        + " RIGHTARG = text, FUNCTION = pg_catalog.textne)");
    }

    @Test
    void u6APrincipalWithGrantsCanBeDeleted() throws SQLException {
        var brief = governance.user("brief");
        governance.open(brief, filtered);
        governance.reconcile();
        governance.catalog.principals().delete(governance.system(), brief.id());
        governance.reconcile();
        assertThat(governance.query("SELECT FROM pg_roles WHERE rolname = 'brief'")).isEmpty();
    }

    @Test
    void u7NoLockThatAPrincipalCanTakeHoldsUpTheCatalog() throws SQLException {
        var held = governance.table("hole.lab.held", TableKind.STATE);
        governance.open(eve, held);
        governance.open(boss, held);
        governance.reconcile();
        try (var session = governance.login(eve)) {
            TestGovernance.execute(
                    session,
                    "SELECT pg_advisory_lock(n) FROM generate_series(7070, 7090) n",
                    "SELECT pg_advisory_lock(n, hashtext(name)) FROM generate_series(7070, 7090) n,"
                            + " unnest('{lab, lab.held}'::text[]) name");
            session.setAutoCommit(false);
            governance.revoke(eve, Securable.table(held), Privilege.SELECT);
            governance.reconcile();
            refused(
                    "permission denied",
                    () -> TestGovernance.query(session, "SELECT FROM lab.held"));
            session.rollback();
            governance.mask(held, "secret", "hole.lab.stars");
            governance.reconcile();
            TestGovernance.execute(session, "CREATE TABLE lab.lent (id int)");
            session.rollback();
            for (var table : new String[] {"layout", "names", "grants_0"}) {
                refused(
                        "permission denied for schema",
                        () ->
                                TestGovernance.execute(
                                        session,
                                        "PREPARE p AS SELECT FROM \"lakemill locks\".%s FOR SHARE"
                                                .formatted(table)));
                session.rollback();
            }
        }
        assertThat(
                        governance.query(
                                "SELECT relkind FROM pg_class WHERE oid = 'lab.held'::regclass"))
                .containsExactly("v");
    }

    @Test
    void u12AnOpenTransactionHoldsUpAMaskForSecondsAlone() throws Exception {
        var busy = governance.table("hole.lab.busy", TableKind.STATE);
        governance.open(eve, busy);
        governance.reconcile();
        try (var session = governance.login(eve)) {
            session.setAutoCommit(false);
            TestGovernance.query(session, "SELECT FROM lab.busy");
            governance.mask(busy, "secret", "hole.lab.stars");
            var deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (!governance
                    .query("SELECT relkind FROM pg_class WHERE oid = 'lab.busy'::regclass")
                    .equals(List.of("v"))) {
                assertThat(System.nanoTime()).isLessThan(deadline);
                Thread.sleep(100);
            }
            assertThatThrownBy(() -> TestGovernance.query(session, "SELECT 1"))
                    .isInstanceOf(SQLException.class);
        }
    }

    @Test
    void u11ATableKeepsItsNameWhateverItIsCalledInTheCommand() throws SQLException {
        governance.executeAs(
                eve, "CREATE TABLE lab.named (id int)", "CREATE INDEX id_of ON lab.named (id)");
        for (var kind : new String[] {"TABLE", "INDEX", "SEQUENCE", "VIEW"}) {
            assertThatThrownBy(
                            () ->
                                    governance.executeAs(
                                            eve, "ALTER %s lab.named RENAME TO n2".formatted(kind)))
                    .as(kind)
                    .isInstanceOf(SQLException.class);
        }
        governance.executeAs(eve, "ALTER INDEX lab.id_of RENAME TO of_id");
        assertThat(governance.query("SELECT to_regclass('lab.named'), to_regclass('lab.of_id')"))
                .containsExactly("lab.named|lab.of_id");
    }

    @Test
    void u9NobodyGrantsByRightsOfAnOlderSnapshot() throws SQLException {
        var managed = governance.table("hole.lab.managed", TableKind.STATE);
        var manager = governance.user("manager");
        var managers = governance.group("managers", manager);
        governance.open(managers, managed);
        governance.grant(managers, Securable.table(managed), Privilege.MANAGE);
        governance.reconcile();
        var grants = "SELECT count(*) FROM lakemill.grants";
        var before = governance.query(grants);
        try (var session = governance.login(manager)) {
            session.setAutoCommit(false);
            session.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            TestGovernance.query(session, "SELECT 1");
            var undo = session.setSavepoint();
            var principals = governance.catalog.principals();
            principals.removeMember(governance.system(), managers.id(), manager.id());
            for (var command :
                    new String[] {
                        "SELECT lakemill.grant('MODIFY', 'TABLE', 'hole.lab.managed', 'manager')",
                        "SELECT lakemill.revoke('MANAGE', 'TABLE', 'hole.lab.managed', 'managers')",
                        "GRANT SELECT ON lab.managed TO manager",
                        "SELECT lakemill.stop_row_audit('hole.lab.managed', 'why not')",
                        "SELECT lakemill.start_row_audit('hole.lab.managed')"
                    }) {
                refused(
                        "READ COMMITTED transactions alone",
                        () -> TestGovernance.execute(session, command));
                session.rollback(undo);
            }
        }
        assertThat(governance.query(grants)).isEqualTo(before);
    }

    @Test
    void u8StatisticsOfHiddenRowsAreHidden() throws SQLException {
        governance.execute("ANALYZE lab.filtered", "ANALYZE \"lakemill:lab\".masked");
        assertThat(
                        governance.queryAs(
                                eve,
                                "SELECT FROM pg_stats WHERE schemaname IN ('lab', 'lakemill:lab')"
                                        + " AND tablename IN ('masked', 'filtered')"))
                .isEmpty();
    }

    /** A known limit: who may insert learns which keys are taken. */
    @Test
    void u10ATakenKeyOfAHiddenRowShowsAsTakenAndNothingElseOfIt() {
        assertThatThrownBy(
                        () ->
                                governance.executeAs(
                                        eve, "INSERT INTO lab.filtered VALUES (2, 'eu', '')"))
                .hasMessageContaining("duplicate key")
                .hasMessageNotContaining("s2");
    }

    @Test
    void liveSessionsLoseWhatIsTakenAtTheNextStatement() throws SQLException {
        var live = governance.user("live");
        var lively = governance.group("lively", live);
        governance.open(lively, filtered);
        governance.reconcile();
        try (var session = governance.login(live)) {
            session.setAutoCommit(false);
            assertThat(TestGovernance.query(session, "SELECT FROM lab.filtered LIMIT 1"))
                    .hasSize(1);
            governance
                    .catalog
                    .principals()
                    .removeMember(governance.system(), lively.id(), live.id());
            governance.reconcile();
            refused(
                    "permission denied",
                    () -> TestGovernance.query(session, "SELECT FROM lab.filtered"));
        }
    }

    @Test
    void namesThatPostgresWouldCutOffOrTakeForItsOwnAreRefused() {
        for (var name : new String[] {"x".repeat(64), "é".repeat(32), "lakemill_objects"}) {
            assertThatThrownBy(() -> governance.user(name)).isInstanceOf(LakemillException.class);
        }
        assertThatThrownBy(() -> governance.user("EVE")).isInstanceOf(LakemillException.class);
        for (var name : new String[] {"public", "pg_monitor", "postgres", "lakemill"}) {
            assertThatThrownBy(() -> governance.user(name)).isInstanceOf(LakemillException.class);
        }
    }

    @Test
    void nothingOfTheMachineIsInReach() {
        refused("permission denied", "SELECT pg_read_file('postgresql.conf')");
        refused("may not use CREATE EXTENSION", "CREATE EXTENSION postgres_fdw");
        refused("permission denied", "SELECT lo_create(0)");
        refused("permission denied", "ALTER ROLE eve SUPERUSER");
        refused("permission denied", "ALTER SYSTEM SET fsync = off");
    }
}
