package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
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
    }

    @Test
    void statementsAreCountedForTheOwnerAlone() throws Exception {
        assertThat(owner("SHOW shared_preload_libraries")).isEqualTo("pg_stat_statements");
        owner("SELECT 4711 + 1");
        assertThat(
                        owner(
                                "SELECT calls > 0 FROM lakemill.pg_stat_statements"
                                        + " WHERE query = 'SELECT $1 + $2'"))
                .isEqualTo("t");
        for (var what : List.of("pg_stat_statements", "pg_stat_statements(true)")) {
            assertThatThrownBy(
                            () ->
                                    execute(
                                            postgres.reader().getConnection(),
                                            "SELECT * FROM lakemill." + what))
                    .hasMessageContaining("permission denied");
        }
    }

    @Test
    void memoryIsSharedOutByTheMachinesSize() throws Exception {
        var small = new Tuning(1L << 30, 2).settings();
        assertThat(small)
                .contains("shared_buffers = 128MB", "effective_cache_size = 512MB")
                .contains("work_mem = 8MB", "max_wal_size = 512MB", "max_parallel_workers = 2");
        var large = new Tuning(256L << 30, 64).settings();
        assertThat(large)
                .contains("shared_buffers = 8192MB", "effective_cache_size = 131072MB")
                .contains("work_mem = 64MB", "max_wal_size = 4096MB", "per_gather = 4");
        assertThat(new Tuning(64L << 20, 1).settings()).contains("shared_buffers = 96MB");
        assertThat(owner("SHOW random_page_cost")).isEqualTo("1.1");
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
                folder.resolve("pg/reader.secret"),
                external.dataFolder().resolve("reader.secret"),
                StandardCopyOption.REPLACE_EXISTING);
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
    void theDoctorGivesTheSqlThatMendsWhatIsMissing() throws Exception {
        execute(postgres.owner().getConnection(), "CREATE ROLE tenant LOGIN PASSWORD 'x'");
        execute(postgres.owner().getConnection(), "CREATE DATABASE tenants");
        allow("host tenants tenant 127.0.0.1/32 scram-sha-256");
        var before = Doctor.examine(url("tenants", "tenant"));
        var missing = before.stream().filter(f -> f.state() == Doctor.State.MISSING).toList();
        assertThat(missing)
                .extracting(Doctor.Finding::name)
                .contains("right to make roles", "right to make schemas", "role lakemill_objects");
        for (var finding : missing) {
            execute(postgres.owner().getConnection(), finding.sql());
        }
        var after = Doctor.examine(url("tenants", "tenant"));
        assertThat(after).noneMatch(finding -> finding.state() == Doctor.State.MISSING);
        assertThat(after)
                .anyMatch(f -> f.name().equals("superuser") && f.state() == Doctor.State.ADVICE);
        var external = external(url("tenants", "tenant"));
        Files.createDirectories(external.dataFolder());
        Files.copy(
                folder.resolve("pg/reader.secret"),
                external.dataFolder().resolve("reader.secret"),
                StandardCopyOption.REPLACE_EXISTING);
        allow("host tenants lakemill_reader 127.0.0.1/32 scram-sha-256");
        Postgres.start(external).close();
    }

    @Test
    void anOldPostgresIsRefused() throws Exception {
        try (var old = new ScriptedPostgres("15.14")) {
            assertThatThrownBy(() -> Postgres.start(external(old.url())))
                    .isInstanceOfSatisfying(
                            LakemillException.class,
                            e -> {
                                assertThat(e.code()).isEqualTo(ErrorCode.FAILED_PRECONDITION);
                                assertThat(e.problem()).contains("version 15", "needs 16");
                                assertThat(e.problem()).doesNotContain("password=p");
                            });
            assertThat(Doctor.examine(old.url()))
                    .singleElement()
                    .matches(finding -> finding.state() == Doctor.State.MISSING);
        }
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
