package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a running Postgres grants to whom. One server for all tests. */
final class PostgresTest {
    @TempDir static Path folder;
    private static Postgres postgres;

    @BeforeAll
    static void start() throws Exception {
        TestFolders.open(folder);
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
        execute(
                postgres.owner().getConnection(),
                "CREATE SCHEMA gold; CREATE TABLE gold.stock (sku text PRIMARY KEY, grams bigint);"
                        + "INSERT INTO gold.stock VALUES ('basil', 10);"
                        + "CREATE TABLE gold.secret (x int); CREATE TABLE lakemill.inner (x int);"
                        + "GRANT USAGE ON SCHEMA gold TO lakemill_reader;"
                        + "GRANT SELECT ON gold.stock TO lakemill_reader");
    }

    @AfterAll
    static void stop() {
        postgres.close();
    }

    @Test
    void durabilityIsOnAndTheLogIsLogical() throws Exception {
        for (var setting : List.of("fsync", "synchronous_commit", "full_page_writes")) {
            assertThat(owner("SHOW " + setting)).isEqualTo("on");
        }
        assertThat(owner("SHOW wal_level")).isEqualTo("logical");
        assertThat(owner("SHOW listen_addresses")).isEqualTo("127.0.0.1");
        assertThat(owner("SHOW shared_preload_libraries")).isEmpty();
    }

    @Test
    void collationIsIndependentOfTheMachine() throws Exception {
        assertThat(
                        owner(
                                "SELECT concat(datlocprovider, datlocale,"
                                        + " pg_encoding_to_char(encoding)) FROM pg_database"
                                        + " WHERE datname = 'lakemill'"))
                .isEqualTo("bC.UTF-8UTF8");
    }

    @Test
    void readerReadsWhatItIsGranted() throws Exception {
        assertThat(reader("SELECT grams FROM gold.stock WHERE sku = 'basil'")).isEqualTo("10");
    }

    @Test
    void readerWritesNothing() {
        for (var sql :
                List.of(
                        "UPDATE gold.stock SET grams = 0",
                        "DELETE FROM gold.stock",
                        "TRUNCATE gold.stock",
                        "CREATE TABLE gold.mine (x int)",
                        "CREATE TABLE public.mine (x int)",
                        "CREATE TEMP TABLE mine (x int)",
                        "CREATE SCHEMA mine",
                        "CREATE ROLE mine",
                        "SELECT lo_create(0)",
                        "GRANT SELECT ON gold.secret TO PUBLIC",
                        "SELECT pg_read_file('postgresql.auto.conf')",
                        "COPY gold.stock TO '/tmp/lakemill-reader-was-here'")) {
            assertThatThrownBy(
                            () ->
                                    execute(
                                            DriverManager.getConnection(postgres.readerJdbcUrl()),
                                            "SET default_transaction_read_only = off",
                                            sql))
                    .as(sql)
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            e -> assertThat(e.getSQLState()).isEqualTo("42501"));
        }
    }

    @Test
    void readerReadsNothingElse() {
        for (var table : List.of("gold.secret", "lakemill.inner", "pg_authid")) {
            assertThatThrownBy(() -> reader("SELECT * FROM " + table))
                    .hasMessageContaining("permission denied");
        }
        var other = postgres.readerJdbcUrl().replace("/lakemill?", "/postgres?");
        assertThatThrownBy(() -> DriverManager.getConnection(other))
                .hasMessageContaining("no pg_hba.conf entry");
    }

    @Test
    void nobodyComesInWithoutThePassword() {
        var url = postgres.readerJdbcUrl().replaceAll("password=.*", "password=guess");
        assertThatThrownBy(() -> DriverManager.getConnection(url))
                .hasMessageContaining("password authentication failed");
        assertThatThrownBy(() -> DriverManager.getConnection(url("lakemill", "lakemill")))
                .hasMessageContaining("password authentication failed");
        assertThatThrownBy(() -> DriverManager.getConnection(url("lakemill", "postgres")))
                .hasMessageContaining("no pg_hba.conf entry");
    }

    @Test
    void passwordsAreFilesOfTheirOwnerAlone() throws Exception {
        for (var name : List.of("owner.secret", "reader.secret")) {
            var mode = Files.getPosixFilePermissions(folder.resolve("pg").resolve(name));
            assertThat(PosixFilePermissions.toString(mode)).isEqualTo("rw-------");
        }
    }

    @Test
    void readerUrlsHoldEverythingAClientNeeds() throws Exception {
        try (var connection = DriverManager.getConnection(postgres.readerJdbcUrl())) {
            assertThat(connection.getMetaData().getUserName()).isEqualTo("lakemill_reader");
        }
        assertThat(postgres.readerUrl())
                .matches(
                        "postgresql://lakemill_reader:[-_A-Za-z0-9]{43}"
                                + "@127\\.0\\.0\\.1:\\d+/lakemill");
    }

    @Test
    void readersCannotTakeTheOwnersConnections() throws Exception {
        var limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = 'lakemill_reader'";
        assertThat(owner(limit)).isEqualTo("40");
    }

    @Test
    void memoryOfAllItsProcessesIsKnown() {
        assertThat(postgres.rssBytes()).isPresent();
        assertThat(postgres.rssBytes().getAsLong()).isBetween(5L << 20, 300L << 20);
    }

    @Test
    void anotherDatabaseByUrlIsUsedAsItIs() throws Exception {
        execute(
                postgres.owner().getConnection(),
                "CREATE ROLE farmer LOGIN CREATEROLE PASSWORD 'x'",
                "GRANT lakemill_reader TO farmer WITH ADMIN OPTION");
        execute(postgres.owner().getConnection(), "CREATE DATABASE farm OWNER farmer");
        allow("host farm farmer,lakemill_reader 127.0.0.1/32 scram-sha-256");
        var external = external(url("farm", "farmer"));
        Files.createDirectories(external.dataFolder());
        Files.copy(
                folder.resolve("pg/reader.secret"), external.dataFolder().resolve("reader.secret"));
        try (var byUrl = Postgres.start(external)) {
            assertThat(byUrl.pid()).isEmpty();
            assertThat(byUrl.rssBytes()).isEmpty();
            assertThat(query(byUrl.owner().getConnection(), "SELECT current_database()"))
                    .isEqualTo("farm");
            assertThat(query(byUrl.reader().getConnection(), "SELECT current_user"))
                    .isEqualTo("lakemill_reader");
            assertThat(byUrl.readerUrl()).endsWith("/farm");
        }
    }

    @Test
    void aUserWithTooFewRightsIsToldWhatIsMissing() throws Exception {
        execute(postgres.owner().getConnection(), "CREATE ROLE guest LOGIN PASSWORD 'x'");
        execute(postgres.owner().getConnection(), "CREATE DATABASE guests");
        allow("host guests guest 127.0.0.1/32 scram-sha-256");
        assertThatThrownBy(() -> Postgres.start(external(url("guests", "guest"))))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.PERMISSION_DENIED);
                            assertThat(e.hint()).contains("GRANT CREATE ON DATABASE \"guests\"");
                        });
    }

    @Test
    void anUnreachableOrWrongUrlIsOneClearError() {
        assertThatThrownBy(() -> Postgres.start(external("jdbc:postgresql://127.0.0.1:1/x")))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("does not answer")
                .hasMessageContaining("hint");
        assertThatThrownBy(() -> Postgres.start(external("mysql://x")))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("jdbc:postgresql://host:5432");
    }

    /** Adds a line for other users, as an administrator of a Postgres of one's own would. */
    private static void allow(String line) throws Exception {
        var file = folder.resolve("pg").resolve("pg_hba.conf");
        Files.writeString(file, Files.readString(file) + line + "\n");
        owner("SELECT pg_reload_conf()");
    }

    private static String url(String database, String user) {
        return "jdbc:postgresql://127.0.0.1:%d/%s?user=%s&password=x"
                .formatted(postgres.port(), database, user);
    }

    private static PostgresConfig external(String url) {
        return new PostgresConfig(url, folder.resolve("external"), null, 0, "", 0);
    }

    private static String owner(String sql) throws Exception {
        return query(postgres.owner().getConnection(), sql);
    }

    private static String reader(String sql) throws Exception {
        return query(DriverManager.getConnection(postgres.readerJdbcUrl()), sql);
    }

    private static void execute(Connection opened, String... commands) throws SQLException {
        try (var connection = opened;
                var statement = connection.createStatement()) {
            for (var command : commands) {
                statement.execute(command);
            }
        }
    }

    private static String query(Connection opened, String sql) throws SQLException {
        try (var connection = opened;
                var statement = connection.createStatement()) {
            var hasRows = statement.execute(sql);
            while (!hasRows && statement.getUpdateCount() >= 0) {
                hasRows = statement.getMoreResults();
            }
            try (var rows = statement.getResultSet()) {
                return rows.next() ? rows.getString(1) : "";
            }
        }
    }
}
