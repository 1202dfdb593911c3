package dev.lakemill.server;

import static dev.lakemill.server.TestNode.body;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
@Timeout(60)
final class FrontDoorInNodeTest {
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
        var password = credential(node.logIn("ann@example.org"), "{}");
        try (var connection = connectWhenThere("ann@example.org", password)) {
            assertThat(ask(connection, "SELECT session_user")).isEqualTo("ann@example.org");
            assertThatThrownBy(() -> ask(connection, "SELECT * FROM lakemill.audit"))
                    .hasMessageContaining("permission denied");
            switchOff("ann@example.org");
            awaitEnd(connection);
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
    void nobodyUsesAnothersCredentialAndNoneIsForReadingAlone() throws Exception {
        var cookie = node.logIn("bob@example.org");
        node.logIn("cleo@example.org");
        var password = credential(cookie, "{}");
        connectWhenThere("bob@example.org", password).close();
        assertThatThrownBy(() -> connect("cleo@example.org", password))
                .hasMessageContaining("password authentication failed");
        var readOnly = credential(cookie, "{\"claims\":[{\"permission_set\":\"READ_ONLY\"}]}");
        assertThatThrownBy(() -> connect("bob@example.org", readOnly))
                .hasMessageContaining("cannot log in read-only");
    }

    @Test
    void theRunFilesUrlGoesThroughTheDoor() throws Exception {
        var url = RunFile.read(node.data).postgresJdbc();
        try (var connection = DriverManager.getConnection(url)) {
            assertThat(ask(connection, "SELECT session_user")).isEqualTo("lakemill_reader");
        }
        assertThat(url).contains(node.node().door().address());
    }

    private static String credential(String cookie, String request) {
        var answer =
                node.json(
                        "POST",
                        "/api/2.0/database/credentials",
                        request,
                        "cookie",
                        cookie,
                        TestNode.OWN_PAGE[0],
                        TestNode.OWN_PAGE[1]);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return body(answer).path("token").asText();
    }

    private static Connection connect(String user, String password) throws SQLException {
        var address = node.node().door().address();
        return DriverManager.getConnection(
                "jdbc:postgresql://" + address + "/lakemill?sslmode=require", user, password);
    }

    /** The role of a new principal is there within a second. */
    private static Connection connectWhenThere(String user, String password) throws SQLException {
        var deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
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

    private static void awaitEnd(Connection connection) {
        var deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (true) {
            try {
                ask(connection, "SELECT 1");
            } catch (SQLException _) {
                return;
            }
            assertThat(System.nanoTime()).isLessThan(deadline);
            LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
        }
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
