package dev.lakemill.server;

import static dev.lakemill.server.TestNode.body;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Principals of a whole node log in to its Postgres, and are out when they are switched off. */
@Timeout(300)
final class FrontDoorInNodeTest {
    private static final long LOOK_NANOS = 20_000_000;
    private static final int LOOKS_IN_TWO_SECONDS = 95;
    private static final String USERS = "/api/2.0/preview/scim/v2/Users";

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

    @Test
    void aCredentialIsAPasswordUntilItsPrincipalIsSwitchedOff() throws Exception {
        var password = node.databaseToken(node.logIn("ann@example.org"), "{}");
        try (var connection = connectWhenThere("ann@example.org", password)) {
            assertThat(ask(connection, "SELECT session_user")).isEqualTo("ann@example.org");
            assertThatThrownBy(() -> ask(connection, "SELECT * FROM lakemill.audit"))
                    .hasMessageContaining("permission denied");
            switchOff("ann@example.org");
            assertThat(looksUntilEnd(connection)).isLessThan(LOOKS_IN_TWO_SECONDS);
        }
        assertThatThrownBy(() -> connect("ann@example.org", password))
                .hasMessageContaining("password authentication failed");
        node.node().catalog().audit().flush();
        try (var owner = ownerConnection()) {
            assertThat(
                            ask(
                                    owner,
                                    "SELECT string_agg(DISTINCT action_name, ' ' ORDER BY"
                                            + " action_name) FROM lakemill.audit"
                                            + " WHERE service_name = 'postgres'"))
                    .isEqualTo("login logout");
        }
    }

    @Test
    void nobodyUsesAnothersCredentialAndOneForReadingAloneIsHeldToIt() throws Exception {
        var cookie = node.logIn("bob@example.org");
        node.logIn("cleo@example.org");
        var password = node.databaseToken(cookie, "{}");
        connectWhenThere("bob@example.org", password).close();
        assertThatThrownBy(() -> connect("cleo@example.org", password))
                .hasMessageContaining("password authentication failed");
        var readOnly =
                node.databaseToken(cookie, "{\"claims\":[{\"permission_set\":\"READ_ONLY\"}]}");
        try (var connection = connect("bob@example.org", readOnly);
                var statement = connection.createStatement()) {
            assertThat(ask(connection, "SELECT session_user")).isEqualTo("ro:bob@example.org");
            assertThat(ask(connection, "SELECT lakemill.session_name()"))
                    .isEqualTo("bob@example.org");
            statement.execute("SET default_transaction_read_only = off");
            assertThatThrownBy(() -> statement.execute("CREATE TEMP TABLE t (id int)"))
                    .hasMessageContaining("permission denied");
        }
    }

    @Test
    void aTokenForOneTableIsGoodAtRestForThatAloneAndNotAtAllForPostgres() throws Exception {
        var catalog = node.node().catalog();
        for (var table : List.of("named", "other")) {
            catalog.create(
                    new TableName("narrow", "s", table),
                    TableKind.EXTERNAL,
                    TableSchema.of(Column.nullable("id", Primitive.LONG)),
                    folder.resolve(table).toUri().toString(),
                    "",
                    Map.of());
        }
        var token = narrowed("narrow.s.named");
        String[] bearer = {"authorization", "Bearer " + token};
        var tables = "/api/2.1/unity-catalog/tables";
        var named = node.get(tables + "/narrow.s.named", bearer);
        assertThat(named.statusCode()).as(named.body()).isEqualTo(200);
        var other = node.get(tables + "/narrow.s.other", bearer);
        assertThat(other.statusCode()).isEqualTo(403);
        assertThat(body(other).path("message").asText())
                .contains("is for SELECT on TABLE narrow.s.named, not for BROWSE");
        var listed = node.get(tables + "?catalog_name=narrow&schema_name=s", bearer);
        assertThat(body(listed).path("tables")).hasSize(1);
        var id = body(named).path("table_id").asText();
        var keys = "{\"table_id\":\"%s\",\"operation\":\"READ_WRITE\"}".formatted(id);
        var path = "/api/2.1/unity-catalog/temporary-table-credentials";
        assertThat(node.json("POST", path, keys, bearer).statusCode()).isEqualTo(403);
        var grant = "{\"statement\":\"GRANT SELECT ON TABLE narrow.s.named TO `admins`\"}";
        assertThat(node.json("POST", "/api/2.0/sql/statements", grant, bearer).body())
                .contains("not for statements about the catalog");
        assertThat(node.get("/api/status", bearer).statusCode()).isEqualTo(403);
        var admins = catalog.principals().find("admins").orElseThrow().principal().id();
        var admin = catalog.principals().members(admins).getFirst().name();
        assertThatThrownBy(() -> connect(admin, token))
                .hasMessageContaining("holds a session to the rights of its role");
    }

    private static String narrowed(String table) throws Exception {
        var details =
                """
                [{"type":"unity_catalog_privileges","privileges":["SELECT"],
                  "object_type":"TABLE","object_full_path":"%s"}]
                """
                        .formatted(table);
        var answer =
                node.form(
                        "/oidc/v1/token",
                        Map.of(
                                "grant_type",
                                "urn:ietf:params:oauth:grant-type:token-exchange",
                                "subject_token",
                                node.adminToken(),
                                "subject_token_type",
                                "urn:ietf:params:oauth:token-type:access_token",
                                "authorization_details",
                                details));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return body(answer).path("access_token").asText();
    }

    @Test
    void aCredentialsSessionEndsWithTheLoginThatAskedForIt() throws Exception {
        var cookie = node.logIn("lou@example.org");
        var password = node.databaseToken(cookie, "{}");
        try (var connection = connectWhenThere("lou@example.org", password)) {
            ask(connection, "SELECT 1");
            var page = TestNode.OWN_PAGE;
            node.form("/logout", Map.of(), "cookie", cookie, page[0], page[1]);
            assertThat(looksUntilEnd(connection)).isLessThan(LOOKS_IN_TWO_SECONDS);
        }
    }

    @Test
    void aMemberIsInAsItsGroupAndOutWithinTwoSecondsOfLeavingIt() throws Exception {
        var cookie = node.logIn("dan@example.org");
        var catalog = node.node().catalog();
        var system = catalog.system();
        var principals = catalog.principals();
        var dan = principals.find("dan@example.org").orElseThrow().principal().id();
        var group =
                principals.create(system, PrincipalKind.GROUP, "growers", "", "").principal().id();
        principals.addMember(system, group, dan);
        var password = node.databaseToken(cookie, "{\"group_name\":\"growers\"}");
        try (var connection = connectWhenThere("growers", password)) {
            assertThat(ask(connection, "SELECT session_user")).isEqualTo("growers");
            principals.removeMember(system, group, dan);
            assertThat(looksUntilEnd(connection)).isLessThan(LOOKS_IN_TWO_SECONDS);
        }
        assertThatThrownBy(() -> connect("growers", password))
                .hasMessageContaining("password authentication failed");
    }

    @Test
    void sqlInPostgresRunsAsTheCaller() {
        var run = RunFile.read(node.data);
        try (var session = PostgresClient.open(run, node.admin())) {
            var answer = session.run("SELECT session_user");
            assertThat(answer.columns()).containsExactly("session_user");
            assertThat(answer.rows().getFirst().getFirst())
                    .isNotEqualTo("lakemill_reader")
                    .isEqualTo(
                            session.run("SELECT lakemill.session_name()")
                                    .rows()
                                    .getFirst()
                                    .getFirst());
            assertThatThrownBy(() -> session.run("CREATE SCHEMA mine"))
                    .hasMessageContaining("Postgres refused");
        }
    }

    @Test
    void theRunFilesUrlGoesThroughTheDoor() throws Exception {
        var url = RunFile.read(node.data).postgresJdbc();
        try (var connection = DriverManager.getConnection(url)) {
            assertThat(ask(connection, "SELECT session_user")).isEqualTo("lakemill_reader");
        }
        assertThat(url).contains(node.node().door().address());
    }

    private static Connection connect(String user, String password) throws SQLException {
        var address = node.node().door().address();
        return DriverManager.getConnection(
                "jdbc:postgresql://" + address + "/lakemill?sslmode=require", user, password);
    }

    /** The role of a new principal is there within a second. */
    private static Connection connectWhenThere(String user, String password) throws SQLException {
        var deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        while (true) {
            try {
                return connect(user, password);
            } catch (SQLException e) {
                if (System.nanoTime() > deadline
                        || !String.valueOf(e.getMessage()).contains("there is no role")) {
                    throw e;
                }
                LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
            }
        }
    }

    private static void switchOff(String user) {
        var catalog = node.node().catalog();
        var info = catalog.principals().find(user).orElseThrow();
        var id = info.principal().id();
        node.admin()
                .patch(
                        USERS + "/" + id,
                        Map.of(
                                "Operations",
                                List.of(
                                        Map.of(
                                                "op", "replace",
                                                "path", "active",
                                                "value", false))));
        assertThat(catalog.principals().find(user).orElseThrow().active()).isFalse();
    }

    /** Counts looks, not time: a machine that stood still for seconds costs one look. */
    private static int looksUntilEnd(Connection connection) {
        for (int looks = 0; looks < 10 * LOOKS_IN_TWO_SECONDS; looks++) {
            try {
                ask(connection, "SELECT 1");
            } catch (SQLException _) {
                return looks;
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
        throw new AssertionError("the connection stands");
    }

    private static Connection ownerConnection() throws SQLException {
        return node.node().postgres().owner().getConnection();
    }

    private static String ask(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            return rows.next() ? String.valueOf(rows.getString(1)) : "";
        }
    }
}
