package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Starts, stops, kills and mishaps of an embedded Postgres. */
@Timeout(300)
final class PostgresLifeTest {
    @TempDir static Path shared;
    private static Path programs;

    @TempDir Path folder;

    @BeforeAll
    static void unpackOnce() throws Exception {
        programs = Binaries.unpack(TestFolders.open(shared));
    }

    @BeforeEach
    void letPostgresIn() throws Exception {
        TestFolders.open(folder);
    }

    @Test
    void dataOutliveAStopAndTheStopIsClean() throws Exception {
        try (var postgres = start()) {
            run(postgres.owner(), "CREATE TABLE t AS SELECT 42 AS x");
        }
        assertThat(folder.resolve("data/postmaster.pid")).doesNotExist();
        try (var postgres = start()) {
            assertThat(ask(postgres.owner(), "SELECT x FROM t")).isEqualTo("42");
        }
        assertThat(logs()).doesNotContain("not properly shut down");
    }

    @Test
    void killedServerComesBackWithItsDataAndThePoolsReconnect() throws Exception {
        try (var postgres = start()) {
            run(postgres.owner(), "CREATE TABLE t AS SELECT 42 AS x");
            run(postgres.owner(), "GRANT SELECT ON t TO lakemill_reader");
            for (var round = 0; round < 3; round++) {
                var killed = postgres.pid().orElseThrow();
                Signal.KILL.send(killed);
                awaitOtherThan(killed, postgres);
                assertThat(askUntilAnswered(postgres.owner(), "SELECT x FROM lakemill.t"))
                        .isEqualTo("42");
                assertThat(askUntilAnswered(postgres.reader(), "SELECT x FROM lakemill.t"))
                        .isEqualTo("42");
            }
        }
    }

    @Test
    void killedLakemillTakesItsPostgresWithItAndTheNextOneStarts() throws Exception {
        var lakemill = startProcess(0);
        var postgresPid = awaitUp(lakemill);
        lakemill.destroyForcibly().waitFor();
        try (var postgres = start()) {
            assertThat(ask(postgres.owner(), "SELECT 1")).isEqualTo("1");
            assertThat(ProcessHandle.of(postgresPid).filter(ProcessHandle::isAlive)).isEmpty();
        }
        assertThat(logs()).doesNotContain("was interrupted");
    }

    @Test
    void orphanedServerIsStoppedCleanlyFirst() throws Exception {
        start().close();
        var files = new ClusterFiles(folder);
        var command =
                RunAs.choose("", folder).command(files.serverCommand(programs)).stream()
                        .filter(word -> !word.equals("--pdeathsig") && !word.equals("INT"))
                        .toList();
        var orphan =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve("orphan.log").toFile())
                        .start();
        var pidFile = files.postmasterPid();
        while (!Files.exists(pidFile) || !Files.readString(pidFile).contains("ready")) {
            assertThat(orphan.isAlive()).isTrue();
            LockSupport.parkNanos(1_000_000);
        }
        try (var postgres = start()) {
            assertThat(orphan.isAlive()).isFalse();
            assertThat(ask(postgres.owner(), "SELECT 1")).isEqualTo("1");
        }
        assertThat(logs()).doesNotContain("was interrupted");
    }

    @Test
    void strangerWithTheDeadServersProcessIdIsLeftAlone() throws Exception {
        start().close();
        var stranger = new ProcessBuilder("sleep", "100").start();
        try {
            Files.writeString(folder.resolve("data/postmaster.pid"), stranger.pid() + "\n/x\n");
            try (var postgres = start()) {
                assertThat(ask(postgres.owner(), "SELECT 1")).isEqualTo("1");
                assertThat(stranger.isAlive()).isTrue();
            }
        } finally {
            stranger.destroyForcibly();
        }
    }

    @Test
    void secondOwnerIsRefusedByName() throws Exception {
        var lakemill = startProcess(0);
        try {
            awaitUp(lakemill);
            assertThatThrownBy(this::start)
                    .isInstanceOfSatisfying(
                            LakemillException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.FAILED_PRECONDITION))
                    .hasMessageContaining("second owner")
                    .hasMessageContaining("process " + lakemill.pid());
        } finally {
            lakemill.destroyForcibly().waitFor();
        }
    }

    @Test
    void secondOwnerInTheSameProcessIsRefusedAndHarmsNothing() throws Exception {
        try (var postgres = start()) {
            for (var round = 0; round < 2; round++) {
                assertThatThrownBy(this::start).hasMessageContaining("second owner");
            }
            assertThat(ask(postgres.owner(), "SELECT 1")).isEqualTo("1");
        }
        start().close();
    }

    @Test
    void takenPortIsOneClearErrorAndNothingStaysBehind() throws Exception {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> Postgres.start(config(taken.getLocalPort())))
                    .hasMessageContaining("port " + taken.getLocalPort())
                    .hasMessageContaining("postgres.port");
        }
        start().close();
    }

    @Test
    void unwritableFolderIsOneClearError() throws Exception {
        var file = Files.createFile(folder.resolve("file"));
        assertThatThrownBy(
                        () -> Postgres.start(PostgresConfig.embedded(file.resolve("postgres"), 0)))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.FAILED_PRECONDITION))
                .hasMessageContaining("cannot be written")
                .hasMessageContaining("hint: give this user write access");
    }

    @Test
    void folderClosedToThePostgresUserStillWorksOrSaysWhichParentIsClosed() throws Exception {
        var closed = Files.createDirectory(folder.resolve("closed"));
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
        var config = new PostgresConfig(null, closed.resolve("pg"), programs, 0, "", 30);
        try (var postgres = Postgres.start(config)) {
            assertThat(ask(postgres.owner(), "SELECT 1")).isEqualTo("1");
        } catch (LakemillException e) {
            assertThat(e.getMessage()).contains(closed + " is closed", "chmod o+x " + closed);
        }
        TestFolders.open(closed);
        try (var postgres = Postgres.start(config)) {
            assertThat(ask(postgres.owner(), "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void crashWhileMakingTheClusterLeavesNothingInTheWay() throws Exception {
        var unfinished = Files.createDirectories(folder.resolve("data.unfinished"));
        Files.writeString(unfinished.resolve("PG_VERSION"), "18\n");
        start().close();
        assertThat(unfinished).doesNotExist();
    }

    @Test
    void lostPasswordFilesAreReplaced() throws Exception {
        start().close();
        Files.delete(folder.resolve("owner.secret"));
        Files.delete(folder.resolve("reader.secret"));
        try (var postgres = start()) {
            assertThat(ask(postgres.owner(), "SELECT current_user")).isEqualTo("lakemill");
            assertThat(ask(postgres.reader(), "SELECT current_user")).isEqualTo("lakemill_reader");
        }
    }

    @Test
    void dataOfAnotherVersionAreRefused() throws Exception {
        start().close();
        Files.writeString(folder.resolve("data/PG_VERSION"), "17\n");
        assertThatThrownBy(this::start)
                .hasMessageContaining("of Postgres 17")
                .hasMessageContaining("pg_upgrade");
    }

    @Test
    void ownSettingsAreReadButCannotTurnDurabilityOff() throws Exception {
        Files.writeString(folder.resolve("custom.conf"), "work_mem = 5MB\nfsync = off\n");
        try (var postgres = start()) {
            assertThat(ask(postgres.owner(), "SHOW work_mem")).isEqualTo("5MB");
            assertThat(ask(postgres.owner(), "SHOW fsync")).isEqualTo("on");
        }
    }

    @Test
    void serverThatCannotStartSaysWhy() throws Exception {
        Files.writeString(folder.resolve("custom.conf"), "no_such_setting = 1\n");
        assertThatThrownBy(this::start)
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("Postgres ended while starting")
                .hasMessageContaining("configuration file");
    }

    @Test
    void postgresIsNotInTheTerminalsProcessGroup() throws Exception {
        try (var postgres = start()) {
            var pid = postgres.pid().orElseThrow();
            var stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            var group = stat.substring(stat.lastIndexOf(')') + 2).split(" ")[2];
            assertThat(group).isEqualTo(Long.toString(pid));
        }
    }

    private Postgres start() {
        return Postgres.start(config(0));
    }

    private PostgresConfig config(int port) {
        return new PostgresConfig(null, folder, programs, port, "", 30);
    }

    private Process startProcess(int port) throws Exception {
        var command =
                new ArrayList<>(
                        List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
        command.add("@" + Path.of(System.getProperty("lakemill.root"), "jvm.flags"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(StartPostgres.class.getName(), folder.toString()));
        command.addAll(List.of(programs.toString(), Integer.toString(port)));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static long awaitUp(Process lakemill) throws Exception {
        var said = new StringBuilder();
        var reader =
                new BufferedReader(
                        new InputStreamReader(lakemill.getInputStream(), StandardCharsets.UTF_8));
        for (var line = reader.readLine(); line != null; line = reader.readLine()) {
            if (line.startsWith("up ")) {
                return Long.parseLong(line.substring(3));
            }
            said.append(line).append('\n');
        }
        throw new AssertionError("it did not come up: " + said);
    }

    private String logs() throws Exception {
        var text = new StringBuilder();
        try (var logs = Files.list(folder.resolve("log"))) {
            for (var log : logs.toList()) {
                text.append(Files.readString(log));
            }
        }
        return text.toString();
    }

    private static void run(DataSource database, String sql) throws SQLException {
        try (var connection = database.getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String ask(DataSource database, String sql) throws SQLException {
        try (var connection = database.getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static void awaitOtherThan(long killed, Postgres postgres) {
        while (postgres.pid().orElse(killed) == killed) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static String askUntilAnswered(DataSource database, String sql) throws Exception {
        var deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        while (true) {
            try {
                return ask(database, sql);
            } catch (SQLException e) {
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                LockSupport.parkNanos(1_000_000);
            }
        }
    }
}
