package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.PGConnection;

/** What comes through the front door by JDBC, and what does not. One door for all tests. */
@Timeout(300)
final class FrontDoorTest {
    private static final int WAIT_SECONDS_MAX = 120;

    @TempDir static Path folder;
    private static TestDoor door;

    @BeforeAll
    static void start() throws Exception {
        door = TestDoor.open(folder, FrontDoorLimits.of(40));
    }

    @AfterAll
    static void stop() {
        door.close();
    }

    @Test
    void aTokenIsThePasswordAndTheSessionIsThePrincipals() throws Exception {
        try (var connection = door.connect("alice")) {
            assertThat(TestDoor.ask(connection, "SELECT session_user")).isEqualTo("alice");
            assertThat(TestDoor.ask(connection, "SELECT current_database()")).isEqualTo("lakemill");
        }
    }

    @Test
    void manyTokensOfOnePrincipalLiveSideBySide() throws Exception {
        var open = new ArrayList<Connection>();
        for (int i = 0; i < 5; i++) {
            open.add(door.connect("bob"));
        }
        for (var connection : open) {
            assertThat(TestDoor.ask(connection, "SELECT current_user")).isEqualTo("bob");
            connection.close();
        }
    }

    @Test
    void aMemberLogsInAsItsGroup() throws Exception {
        var token = door.token("alice", "farmers", false);
        try (var connection = door.connect("farmers", token)) {
            assertThat(TestDoor.ask(connection, "SELECT session_user")).isEqualTo("farmers");
            assertThat(door.door.connections())
                    .anySatisfy(
                            c -> {
                                assertThat(c.login().principal()).isEqualTo("alice");
                                assertThat(c.role()).isEqualTo("farmers");
                                assertThat(c.encrypted()).isTrue();
                                assertThat(c.peer().getAddress().isLoopbackAddress()).isTrue();
                            });
        }
    }

    @Test
    void aWrongTokenAnUnknownUserAndAnothersTokenAreTheSame() {
        var alices = door.token("alice");
        for (var attempt :
                List.of(
                        List.of("alice", "guess"),
                        List.of("nobody@example.org", "guess"),
                        List.of("bob", alices),
                        List.of("lakemill", "guess"))) {
            assertThatThrownBy(() -> door.connect(attempt.getFirst(), attempt.getLast()))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"))
                    .hasMessageContaining(
                            "password authentication failed for user \"%s\""
                                    .formatted(attempt.getFirst()))
                    .hasMessageContaining("./lakemill token");
        }
    }

    @Test
    void aReadOnlyLoginHasARoleThatMayOnlyRead() throws Exception {
        var token = door.token("alice", "alice", true);
        try (var connection = door.connect("alice", token)) {
            assertThat(TestDoor.ask(connection, "SELECT session_user")).isEqualTo("ro:alice");
            assertThat(TestDoor.ask(connection, "SELECT count(*) FROM state.t")).isNotEmpty();
            assertThatThrownBy(() -> run(connection, "INSERT INTO state.t VALUES (-1)"))
                    .hasMessageContaining("read-only transaction");
            run(connection, "SET default_transaction_read_only = off");
            assertThatThrownBy(() -> run(connection, "INSERT INTO state.t VALUES (-1)"))
                    .hasMessageContaining("permission denied");
        }
        var bobs = door.token("bob", "bob", true);
        assertThatThrownBy(() -> door.connect("bob", bobs))
                .hasMessageContaining("bob cannot log in read-only: there is no role \"ro:bob\"");
    }

    @Test
    void rolesWithRightsOverOthersStayOutside() {
        for (var role : List.of("boss", "lakemill", "pg_monitor", "ro:alice")) {
            var token = door.token(role);
            assertThatThrownBy(() -> door.connect(role, token))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            e -> assertThat(e.getSQLState()).isEqualTo("42501"));
        }
        var token = door.token("carol");
        assertThatThrownBy(() -> door.connect("carol", token))
                .hasMessageContaining("carol may not log in to Postgres yet");
    }

    @Test
    void startupParametersCannotMakeAnotherOfTheSession() {
        for (var options :
                List.of(
                        "options=-c%20role=bob",
                        "options=-c%20session_authorization=bob",
                        "options=--ROLE=bob",
                        "options=-O",
                        "options=-c%20statement_timeout=1%20-W5",
                        "replication=database&assumeMinServerVersion=10&preferQueryMode=simple")) {
            assertThatThrownBy(
                            () ->
                                    DriverManager.getConnection(
                                            door.url(options), "alice", door.token("alice")))
                    .as(options)
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            e -> assertThat(e.getSQLState()).isEqualTo("42501"));
        }
    }

    @Test
    void settingsInOptionsGoOn() throws Exception {
        var options =
                "ApplicationName=tractor&assumeMinServerVersion=16&options=-c%20statement_timeout=5s%20--work-mem=3MB"
                        + "%20-c%20search_path=state,%5C%20public";
        try (var connection =
                DriverManager.getConnection(door.url(options), "alice", door.token("alice"))) {
            assertThat(TestDoor.ask(connection, "SHOW statement_timeout")).isEqualTo("5s");
            assertThat(TestDoor.ask(connection, "SHOW work_mem")).isEqualTo("3MB");
            assertThat(TestDoor.ask(connection, "SHOW search_path")).isEqualTo("state, public");
            assertThat(door.door.connections())
                    .anySatisfy(c -> assertThat(c.application()).isEqualTo("tractor"));
        }
    }

    @Test
    void anotherDatabaseIsNotThere() {
        var url = door.url("").replace("/lakemill?", "/postgres?");
        assertThatThrownBy(() -> DriverManager.getConnection(url, "alice", door.token("alice")))
                .hasMessageContaining("database \"postgres\" does not exist")
                .hasMessageContaining("connect to database \"lakemill\"");
    }

    @Test
    void theCertificateIsVerifiedAgainstTheFileThatTheDoorKeeps() throws Exception {
        var certificate = folder.resolve("door.crt");
        var verify = "sslmode=verify-full&sslrootcert=" + certificate;
        for (var negotiation : List.of("postgres", "direct")) {
            var url = door.url(verify + "&sslNegotiation=" + negotiation);
            try (var connection = DriverManager.getConnection(url, "alice", door.token("alice"))) {
                assertThat(TestDoor.ask(connection, "SELECT 1")).isEqualTo("1");
            }
        }
        assertThat(
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(folder.resolve("door.key"))))
                .isEqualTo("rw-------");
    }

    @Test
    void onLoopbackTlsMayBeLeftOut() throws Exception {
        var url = door.url("sslmode=disable");
        try (var connection = DriverManager.getConnection(url, "alice", door.token("alice"))) {
            assertThat(TestDoor.ask(connection, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void preparedStatementsAndNotificationsComeThrough() throws Exception {
        try (var listener = door.connect("alice");
                var sender = door.connect("bob")) {
            run(listener, "LISTEN harvest");
            try (var statement = sender.prepareStatement("SELECT pg_notify('harvest', ?::text)")) {
                for (int i = 0; i < 20; i++) {
                    statement.setInt(1, i);
                    statement.execute();
                }
            }
            var heard = new ArrayList<String>();
            while (heard.size() < 20) {
                for (var n : listener.unwrap(PGConnection.class).getNotifications(5_000)) {
                    heard.add(n.getParameter());
                }
            }
            assertThat(heard).hasSize(20).startsWith("0", "1").endsWith("19");
        }
    }

    @Test
    void aMillionCopiedBytesComeBackAsTheyWent() throws Exception {
        var text = new StringBuilder();
        for (int i = 0; i < 10_000; i++) {
            text.append(i).append('\t').append("é☃".repeat(i % 40)).append(i * 31L).append('\n');
        }
        var sent = text.toString().getBytes(StandardCharsets.UTF_8);
        try (var connection = door.connect("alice")) {
            run(connection, "CREATE TEMP TABLE copied (id int, text text)");
            var copy = connection.unwrap(PGConnection.class).getCopyAPI();
            assertThat(copy.copyIn("COPY copied FROM STDIN", new ByteArrayInputStream(sent)))
                    .isEqualTo(10_000);
            var received = new ByteArrayOutputStream();
            copy.copyOut("COPY (SELECT * FROM copied ORDER BY id) TO STDOUT", received);
            assertThat(received.size()).isEqualTo(sent.length);
            assertThat(Arrays.mismatch(received.toByteArray(), sent)).isEqualTo(-1);
        }
    }

    @Test
    void aClientThatReadsSlowlyHoldsPostgresBack() throws Exception {
        try (var connection = door.connect("alice")) {
            var copy = connection.unwrap(PGConnection.class).getCopyAPI();
            var rows =
                    copy.copyOut(
                            "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 100000))"
                                    + " TO STDOUT");
            LockSupport.parkNanos(Duration.ofMillis(200).toNanos());
            long bytes = 0;
            for (var row = rows.readFromCopy(); row != null; row = rows.readFromCopy()) {
                bytes += row.length;
            }
            assertThat(bytes).isEqualTo(100_000L * 1001);
        }
    }

    @Test
    void aQueryIsCancelledAndOnlyItsOwn() throws Exception {
        var locked = "SELECT pg_advisory_lock(4711) /* pg_sleep */";
        try (var holder = TestDoor.postgres().ownerUnpooled().getConnection();
                var one = door.connect("alice");
                var two = door.connect("alice");
                var statement = one.createStatement()) {
            TestDoor.ask(holder, "SELECT pg_advisory_lock(4711)");
            var waiting = inBackground(() -> TestDoor.ask(two, locked));
            var cancelled = inBackground(() -> statement.execute("SELECT pg_sleep(300)"));
            awaitActive(2);
            statement.cancel();
            assertThat(cancelled.get(WAIT_SECONDS_MAX, TimeUnit.SECONDS))
                    .contains("canceling statement");
            assertThat(waiting).isNotDone();
            TestDoor.ask(holder, "SELECT pg_advisory_unlock(4711)");
            assertThat(waiting.get(WAIT_SECONDS_MAX, TimeUnit.SECONDS)).isEmpty();
        }
    }

    @Test
    void aRevokedTokenEndsItsConnectionsAndNoOthers() throws Exception {
        var token = door.token("alice");
        try (var idle = door.connect("alice", token);
                var busy = door.connect("alice", token);
                var other = door.connect("alice")) {
            var sleeping = inBackground(() -> TestDoor.ask(busy, "SELECT pg_sleep(300)"));
            awaitActive(1);
            assertThat(door.door.revoke("id-" + token)).isEqualTo(2);
            assertThat(sleeping.get(WAIT_SECONDS_MAX, TimeUnit.SECONDS))
                    .contains("terminating connection");
            assertThat(errorOf(() -> TestDoor.ask(idle, "SELECT 1")))
                    .contains("the token of this connection was revoked");
            assertThat(TestDoor.ask(other, "SELECT 1")).isEqualTo("1");
            awaitGone("pg_sleep");
        }
    }

    @Test
    void whoeverDoesNotStandAnyMoreIsOutByItself() throws Exception {
        var token = door.token("alice");
        try (var connection = door.connect("alice", token)) {
            door.tokens.remove(token);
            awaitSessions("count(*) = 0", "usename = 'alice'");
            assertThat(errorOf(() -> TestDoor.ask(connection, "SELECT 1"))).contains("was revoked");
        }
        assertThatThrownBy(() -> door.connect("alice", token)).hasMessageContaining("failed");
    }

    @Test
    void aRevokedPrincipalIsOutWhicheverTokenItHad() throws Exception {
        try (var one = door.connect("bob");
                var two = door.connect("bob")) {
            assertThat(door.door.revokePrincipal("bob")).isEqualTo(2);
            awaitSessions("count(*) = 0", "usename = 'bob'");
            for (var connection : List.of(one, two)) {
                assertThat(errorOf(() -> TestDoor.ask(connection, "SELECT 1"))).isNotEmpty();
            }
        }
    }

    @Test
    void aKilledBackendEndsItsClientsAndTheDoorGoesOn() throws Exception {
        try (var connection = door.connect("alice")) {
            var pid = Long.parseLong(TestDoor.ask(connection, "SELECT pg_backend_pid()"));
            Signal.KILL.send(pid);
            assertThat(errorOf(() -> TestDoor.ask(connection, "SELECT 1"))).isNotEmpty();
        }
        var deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        while (!errorOf(() -> door.connect("alice").close()).isEmpty()) {
            assertThat(System.nanoTime()).as("Postgres comes back").isLessThan(deadline);
            LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
        }
    }

    @Test
    void everyLoginIsTold() throws Exception {
        var token = door.token("alice", "farmers", false);
        door.events.clear();
        door.connect("farmers", token).close();
        assertThatThrownBy(() -> door.connect("mallory", "guess"));
        // The door tells after it has answered.
        var wanted =
                List.of(
                        "opened alice",
                        "closed alice: closed by the client or Postgres",
                        "refused mallory: password authentication failed for user \"mallory\"");
        var deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        while (!door.events.containsAll(wanted) && System.nanoTime() < deadline) {
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
        assertThat(door.events).containsAll(wanted);
    }

    @Test
    void byTcpTheDoorLogsInWithPasswordsOfItsOwn() throws Exception {
        var over = TestDoor.postgres().behindDoor();
        var tcp =
                new FrontDoorBackend(
                        null,
                        over.host(),
                        over.port(),
                        over.tls(),
                        over.passwords(),
                        over.owner(),
                        over.database(),
                        over.protocolMinor());
        var hba = TestDoor.postgresFolder().resolve("pg_hba.conf");
        Files.writeString(
                hba, Files.readString(hba) + "host lakemill alice 127.0.0.1/32 scram-sha-256\n");
        TestDoor.ask(TestDoor.postgres().owner().getConnection(), "SELECT pg_reload_conf()");
        try (var second = TestDoor.open(tcp, folder, FrontDoorLimits.of(5), false)) {
            for (int i = 0; i < 2; i++) {
                try (var connection = second.connect("alice")) {
                    assertThat(TestDoor.ask(connection, "SELECT session_user")).isEqualTo("alice");
                }
            }
        }
    }

    private interface Action {
        void run() throws SQLException;
    }

    private static String errorOf(Action action) {
        try {
            action.run();
            return "";
        } catch (SQLException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static CompletableFuture<String> inBackground(Action action) {
        return CompletableFuture.supplyAsync(() -> errorOf(action), Thread::startVirtualThread);
    }

    /** Waits until so many sleeps are at work. */
    private static void awaitActive(int count) throws SQLException {
        awaitSessions("count(*) >= " + count, "state = 'active' AND query LIKE '%pg_sleep%'");
    }

    private static void awaitGone(String query) throws SQLException {
        awaitSessions("count(*) = 0", "state = 'active' AND query LIKE '%" + query + "%'");
    }

    private static void awaitSessions(String wanted, String which) throws SQLException {
        var sql =
                "SELECT %s FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND %s"
                        .formatted(wanted, which);
        var deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        try (var connection = TestDoor.postgres().owner().getConnection()) {
            while (!TestDoor.ask(connection, sql).equals("t")) {
                assertThat(System.nanoTime()).as(sql).isLessThan(deadline);
                LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
            }
        }
    }

    private static void run(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
