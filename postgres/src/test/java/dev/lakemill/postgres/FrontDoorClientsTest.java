package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Other clients than JDBC, as they are installed here: psql and node-postgres. */
@Timeout(300)
final class FrontDoorClientsTest {
    private record Ended(int code, String said) {}

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
    void psqlLogsInWithAToken() throws Exception {
        for (var mode :
                List.of(
                        "sslmode=require",
                        "sslmode=disable",
                        "sslmode=prefer",
                        "sslmode=verify-full sslrootcert=" + folder.resolve("door.crt"))) {
            var answer = psql("alice", door.token("alice"), mode, "-Atc", "SELECT session_user");
            assertThat(answer).as(mode).isEqualTo(new Ended(0, "alice"));
        }
    }

    @Test
    void psqlTellsWhyAndWhatToDo() throws Exception {
        var wrong = psql("alice", "guess", "sslmode=require", "-c", "SELECT 1");
        assertThat(wrong.code()).isEqualTo(2);
        assertThat(wrong.said())
                .contains("FATAL:  password authentication failed for user \"alice\"")
                .contains("HINT:  the user is a principal's name");
        var elsewhere =
                psql("alice", door.token("alice"), "sslmode=require dbname=farm", "-c", "SELECT 1");
        assertThat(elsewhere.said())
                .contains("FATAL:  database \"farm\" does not exist")
                .contains("HINT:  connect to database \"lakemill\"");
    }

    @Test
    void psqlCopiesInAndOutWhatIsTheSame() throws Exception {
        var rows = new StringBuilder();
        for (int i = 0; i < 10_000; i++) {
            rows.append(i).append('\t').append("basil ☃ ".repeat(i % 9)).append(i).append('\n');
        }
        var sent = Files.writeString(folder.resolve("sent"), rows);
        var received = folder.resolve("received");
        var script =
                Files.writeString(
                        folder.resolve("copy.sql"),
                        """
                        \\copy state.t FROM '%s'
                        \\copy (SELECT * FROM state.t ORDER BY id) TO '%s'
                        DELETE FROM state.t;
                        """
                                .formatted(sent, received));
        var ended = psql("bob", door.token("bob"), "sslmode=require", "-f", script.toString());
        assertThat(ended.said()).contains("COPY 10000", "DELETE 10000");
        assertThat(Files.mismatch(sent, received)).isEqualTo(-1);
    }

    @Test
    void nodePostgresLogsInAndSeesWhatItShould() throws Exception {
        var root = Path.of(System.getProperty("lakemill.root"));
        assumeTrue(
                Files.isDirectory(root.resolve("node_modules/pg")),
                "node_modules has no pg: run npm ci");
        var script = root.resolve("postgres/src/test/node/front-door.mjs");
        var command =
                List.of(
                        "node",
                        script.toString(),
                        Integer.toString(door.door.port()),
                        folder.resolve("door.crt").toString());
        var builder = new ProcessBuilder(command);
        builder.environment().put("ALICE_TOKEN", door.token("alice"));
        assertThat(run(builder)).isEqualTo(new Ended(0, "all well"));
    }

    private static Ended psql(String user, String token, String options, String... arguments)
            throws IOException, InterruptedException {
        var where =
                "host=127.0.0.1 port=%d user=%s %s%s"
                        .formatted(
                                door.door.port(),
                                user,
                                options,
                                options.contains("dbname") ? "" : " dbname=lakemill");
        var command = new ArrayList<>(List.of("psql", where, "-X", "-v", "ON_ERROR_STOP=1"));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        builder.environment().put("PGPASSWORD", token);
        builder.environment().put("PGCLIENTENCODING", "UTF8");
        try {
            return run(builder);
        } catch (IOException e) {
            assumeTrue(false, "psql is not installed");
            throw e;
        }
    }

    private static Ended run(ProcessBuilder builder) throws IOException, InterruptedException {
        var process = builder.redirectErrorStream(true).start();
        process.getOutputStream().close();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(2, TimeUnit.MINUTES)) {
            process.destroyForcibly();
        }
        return new Ended(process.exitValue(), said.strip());
    }
}
