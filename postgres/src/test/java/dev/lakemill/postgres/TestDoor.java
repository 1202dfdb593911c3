package dev.lakemill.postgres;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** A door before a Postgres with a few roles, and the tokens that the door takes. */
final class TestDoor implements AutoCloseable, FrontDoorAuthenticator, FrontDoorAudit {
    private static final String ROLES =
            """
            CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE farmers LOGIN;
            CREATE ROLE "ro:alice" LOGIN; CREATE ROLE boss LOGIN SUPERUSER;
            GRANT CONNECT, TEMP ON DATABASE lakemill TO alice, bob, farmers, "ro:alice";
            CREATE SCHEMA state;
            GRANT USAGE ON SCHEMA state TO alice, bob, farmers, "ro:alice";
            CREATE TABLE state.t (id bigint PRIMARY KEY, text text);
            GRANT SELECT, INSERT, DELETE ON state.t TO alice, bob;
            GRANT SELECT ON state.t TO "ro:alice", farmers;
            """;

    final FrontDoor door;
    final Map<String, FrontDoorLogin> tokens = new ConcurrentHashMap<>();
    final List<String> events = new CopyOnWriteArrayList<>();

    private TestDoor(FrontDoorBackend backend, FrontDoorConfig config) {
        this.door = FrontDoor.open(backend, config, this, this);
    }

    /** A door before the one Postgres of this JVM. */
    static TestDoor open(Path folder, FrontDoorLimits limits) {
        return open(postgres().behindDoor(), folder, limits, false);
    }

    static TestDoor open(
            FrontDoorBackend backend, Path folder, FrontDoorLimits limits, boolean endAtExpiry) {
        return new TestDoor(
                backend,
                new FrontDoorConfig(
                        "127.0.0.1",
                        0,
                        null,
                        null,
                        folder,
                        Duration.ofNanos(50_000),
                        endAtExpiry,
                        limits));
    }

    static Postgres postgres() {
        return One.POSTGRES;
    }

    /** Where the settings of that Postgres are. */
    static Path postgresFolder() {
        return One.FOLDER.resolve("pg");
    }

    /** Made by the first test that asks. */
    private static final class One {
        static final Path FOLDER = folder();
        static final Postgres POSTGRES = start();

        private static Path folder() {
            try {
                return TestFolders.open(Files.createTempDirectory("lakemill-door-test-"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static Postgres start() {
            var postgres = Postgres.start(PostgresConfig.embedded(FOLDER.resolve("pg"), 0));
            Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(postgres)));
            try (var connection = postgres.owner().getConnection();
                    var statement = connection.createStatement()) {
                statement.execute(ROLES);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            return postgres;
        }

        private static void stop(Postgres postgres) {
            postgres.close();
            try {
                Folders.delete(FOLDER);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** A token of a principal, whose role has its name. */
    String token(String principal) {
        return token(principal, principal, false);
    }

    String token(String principal, String role, boolean readOnly) {
        return token(principal, role, readOnly, Instant.now().plusSeconds(600));
    }

    String token(String principal, String role, boolean readOnly, Instant expires) {
        var token = Secret.random();
        tokens.put(
                token,
                new FrontDoorLogin(
                        principal,
                        role,
                        "id-" + token,
                        expires,
                        readOnly,
                        () -> tokens.containsKey(token)));
        return token;
    }

    @Override
    public FrontDoorLogin login(String user, String password, InetSocketAddress peer) {
        var login = tokens.get(password);
        if (login == null || !login.role().equals(user)) {
            throw new LakemillException(ErrorCode.UNAUTHENTICATED, "not a token of his", "");
        }
        return login;
    }

    @Override
    public void opened(FrontDoorConnection connection) {
        events.add("opened " + connection.login().principal());
    }

    @Override
    public void refused(InetSocketAddress peer, String user, String problem) {
        events.add("refused " + user + ": " + problem);
    }

    @Override
    public void closed(FrontDoorConnection connection, String reason) {
        events.add("closed " + connection.login().principal() + ": " + reason);
    }

    /** With sslmode=require unless the options say otherwise. */
    String url(String options) {
        return "jdbc:postgresql://127.0.0.1:%d/lakemill?%s"
                .formatted(
                        door.port(),
                        options.contains("sslmode") ? options : "sslmode=require&" + options);
    }

    Connection connect(String user, String token) throws SQLException {
        return DriverManager.getConnection(url(""), user, token);
    }

    Connection connect(String principal) throws SQLException {
        return connect(principal, token(principal));
    }

    static String ask(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            return rows.next() ? String.valueOf(rows.getString(1)) : "";
        }
    }

    @Override
    public void close() {
        door.close();
    }
}
