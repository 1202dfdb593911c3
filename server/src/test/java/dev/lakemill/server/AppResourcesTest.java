package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.identity.TokenRequest;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.Driver;

/** What apps are given, and how far: Postgres, secrets, memory, time, and another language. */
final class AppResourcesTest {
    private static final Path APPS = Path.of("src/test/resources/apps");
    private static final String PACKAGES = "fastapi==0.142.2 uvicorn==0.54.0";

    @TempDir static Path folder;
    private static TestNode node;
    private static String port = "";

    @BeforeAll
    static void start() throws Exception {
        node = new TestNode(folder, Map.of());
        port = Integer.toString(URI.create(node.url).getPort());
        run(0, "app", "deploy", APPS.resolve("hungry").toString(), "--name", "hungry");
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static String run(int expected, String... arguments) {
        return node.run(expected, arguments);
    }

    private static String host(String app) {
        return app + ".localhost:" + port;
    }

    private static AppHttp.Answer get(String app, String path) throws IOException {
        var bearer = "Bearer " + node.adminToken();
        return AppHttp.get(node.url, host(app), path, "Authorization", bearer);
    }

    private static void awaitAnswer(String app, String path, String expected)
            throws InterruptedException {
        var last = new String[] {""};
        try {
            TestNode.await(
                    () -> {
                        try {
                            last[0] = get(app, path).body();
                        } catch (IOException e) {
                            last[0] = e.toString();
                        }
                        return last[0].contains(expected);
                    });
        } catch (AssertionError e) {
            throw new AssertionError(path + " answers " + last[0], e);
        }
    }

    @Test
    void postgresAndASecretReachTheAppThatDeclaresThemAndNothingElseDoes(@TempDir Path ledger)
            throws Exception {
        var catalog = node.node().catalog();
        var system = catalog.system();
        catalog.securables().create(system, Securable.catalog("shop"), "", Map.of(), "");
        catalog.securables().create(system, Securable.schema("shop", "ledger"), "", Map.of(), "");
        try (var connection = node.node().postgres().owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute("CREATE SCHEMA vault; CREATE TABLE vault.gold (id int)");
        }
        copy(APPS.resolve("ledger"), ledger);
        var driver = Driver.class.getProtectionDomain().getCodeSource().getLocation();
        Files.copy(Path.of(driver.toURI()), ledger.resolve("postgresql.jar"));
        assertThat(run(1, "app", "deploy", ledger.toString(), "--name", "ledger"))
                .contains("there is no secret 'mail/password'");

        var secret = node.data.resolve("secrets/mail/password");
        Files.createDirectories(secret.resolveSibling(""));
        Files.writeString(secret, "geheim\n");
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
        run(0, "app", "deploy", ledger.toString(), "--name", "ledger");
        assertThat(get("ledger", "/secret").body()).isEqualTo("geheim");
        awaitAnswer("ledger", "/make", "done");
        assertThat(get("ledger", "/write").body()).isEqualTo("done");
        assertThat(get("ledger", "/sum").body()).isEqualTo("5");
        assertThat(get("ledger", "/other").body()).contains("permission denied");
        TestNode.await(() -> catalog.find(TableName.parse("shop.ledger.entries")).isPresent());

        var packed = AppPacker.pack(ledger);
        catalog.grants()
                .change(
                        system,
                        Securable.METASTORE,
                        List.of(new GrantChange(eve(), Set.of(Privilege.CREATE_APP), Set.of())));
        var path = "/api/2.0/apps/stolen/deployments/";
        var made =
                new NodeClient(node.url, token(Duration.ofHours(1)))
                        .upload("/api/2.0/apps/stolen/deployments", packed, "application/gzip");
        var id = made.path("deployment_id").asText();
        TestNode.await(() -> deployment(path + id).equals("FAILED"));
        assertThat(node.admin().get(path + id).path("status").path("message").asText())
                .contains("only metastore admins");
        Files.delete(packed);
    }

    private static String deployment(String path) {
        return node.admin().get(path).path("status").path("state").asText();
    }

    private static void copy(Path from, Path to) throws IOException {
        try (var files = Files.walk(from, FileVisitOption.FOLLOW_LINKS)) {
            for (var file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    @Test
    void anAppThatEatsTooMuchIsKilledAndStartedAgain() throws Exception {
        assertThat(get("hungry", "/eat?20").body()).endsWith("has eaten 20");
        var before = restarts();
        assertThat(node.get("/metrics").body())
                .contains("lakemill_app_memory_bytes{app=\"hungry\"}");
        get("hungry", "/eat?300");
        TestNode.await(() -> restarts() > before);
        awaitAnswer("hungry", "/", "has eaten 0");
        assertThat(run(0, "app", "logs", "hungry"))
                .containsPattern("killed: it used [0-9]+ MB of memory, and may use 200 MB");
        assertThat(node.get("/metrics").body())
                .contains(
                        "lakemill_app_restarts_total{app=\"hungry\"} %.1f".formatted(before + 1.0));
    }

    private static int restarts() {
        return node.admin().get("/api/2.0/apps/hungry").path("restarts").asInt();
    }

    @Test
    void theLogGoesOnWithWhatTheAppWrites() throws Exception {
        awaitAnswer("hungry", "/say?before", "has eaten");
        var out = new StringWriter();
        var following =
                Thread.startVirtualThread(
                        () ->
                                Main.commandLine()
                                        .setOut(new PrintWriter(out, true))
                                        .setErr(new PrintWriter(out, true))
                                        .execute(
                                                "app",
                                                "logs",
                                                "hungry",
                                                "--follow",
                                                "--lines",
                                                "1",
                                                "--project",
                                                folder.toString()));
        TestNode.await(() -> !out.toString().isEmpty());
        for (var i = 0; i < 3; i++) {
            get("hungry", "/say?line" + i);
            var line = "said line" + i;
            TestNode.await(() -> out.toString().contains(line));
        }
        assertThat(following.isAlive()).isTrue();
        assertThat(out.toString()).containsSubsequence("line0", "line1", "line2");
        following.interrupt();
    }

    @Test
    void aStreamEndsWithItsTokenAndAnExpiredOneOpensNothing() throws Exception {
        letEveUse("hungry");
        var token = "Bearer " + token(Duration.ofSeconds(4));
        try (var events =
                AppHttp.open(node.url, "GET", host("hungry"), "/events", "Authorization", token)) {
            assertThat(events.head().status()).isEqualTo(200);
            var started = System.nanoTime();
            assertThat(events.ends()).isTrue();
            assertThat(Duration.ofNanos(System.nanoTime() - started))
                    .isLessThan(Duration.ofSeconds(60));
        }
        var late = AppHttp.get(node.url, host("hungry"), "/", "Authorization", token);
        assertThat(late.status()).as(late.body()).isEqualTo(401);
        assertThat(late.body()).doesNotContain("has eaten");
    }

    private static void letEveUse(String app) {
        node.node()
                .catalog()
                .grants()
                .change(
                        node.node().catalog().system(),
                        new Securable(SecurableType.APP, app),
                        List.of(new GrantChange(eve(), Set.of(Privilege.EXECUTE), Set.of())));
    }

    private static String eve() {
        var principals = node.node().catalog().principals();
        if (principals.find("eve").isEmpty()) {
            principals.create(
                    node.node().catalog().system(),
                    dev.lakemill.types.PrincipalKind.USER,
                    "eve",
                    "",
                    "");
        }
        return "eve";
    }

    private static String token(Duration timeToLive) {
        var principal = node.node().catalog().principals().find(eve()).orElseThrow().principal();
        return node.node()
                .identity()
                .tokens()
                .issue(
                        node.node().catalog().system(),
                        TokenRequest.of(principal).withTimeToLive(timeToLive))
                .text();
    }

    @Test
    void aFastApiAppKnowsItsUserAndStreams(@TempDir Path app) throws Exception {
        var python = python(folder.resolve("venv"));
        copy(APPS.resolve("python"), app);
        Files.writeString(
                app.resolve("app.yaml"),
                """
                command: [%s, -m, uvicorn, app:app, --port, $DATABRICKS_APP_PORT]
                lakemill: {health_path: /openapi.json}
                """
                        .formatted(python));
        run(0, "app", "deploy", app.toString(), "--name", "fast");
        var bearer = "Bearer " + node.adminToken();
        var answer =
                AppHttp.get(
                        node.url,
                        host("fast"),
                        "/me",
                        "Authorization",
                        bearer,
                        "X-Forwarded-Preferred-Username",
                        "mallory");
        var me = new ObjectMapper().readTree(answer.body());
        assertThat(me.path("user").asText()).as(answer.body()).doesNotContain("mallory");
        assertThat(me.path("host").asText()).isEqualTo(host("fast"));
        assertThat(me.path("authorization").isNull()).isTrue();
        assertThat(me.path("app").asText()).isEqualTo("fast");
        var posted =
                AppHttp.send(
                        node.url,
                        "POST",
                        host("fast"),
                        "/length",
                        "{\"text\": \"basil\"}",
                        "Authorization",
                        bearer,
                        "Content-Type",
                        "application/json");
        assertThat(posted.body()).isEqualTo("{\"length\":5}");
        try (var events =
                AppHttp.open(node.url, "GET", host("fast"), "/events", "Authorization", bearer)) {
            assertThat(events.head().status()).isEqualTo(200);
            var seen = new ArrayList<String>();
            while (seen.size() < 3) {
                var line = events.line();
                if (line.startsWith("data: ")) {
                    seen.add(line);
                }
            }
            assertThat(seen).containsExactly("data: 0", "data: 1", "data: 2");
        }
        run(0, "app", "delete", "fast");
    }

    /** A Python that apps' users may run, with FastAPI; the test is skipped where none is had. */
    private static String python(Path venv) throws Exception {
        var system = Path.of("/usr/bin/python3");
        assumeTrue(Files.isExecutable(system), "there is no /usr/bin/python3");
        var python = venv.resolve("bin/python").toString();
        var made = shell("%s -m venv %s".formatted(system, venv));
        assumeTrue(made.isEmpty(), "no virtual environment can be made: " + made);
        var installed =
                shell(
                        "%s -m pip install -q --retries 0 --timeout 15 --disable-pip-version-check %s"
                                .formatted(python, PACKAGES));
        assumeTrue(installed.isEmpty(), "pip does not install FastAPI: " + installed);
        return python;
    }

    /** What is wrong; empty when nothing is. */
    private static String shell(String command) throws Exception {
        var process = new ProcessBuilder("sh", "-c", command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(5, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            return "it takes more than five minutes";
        }
        return process.exitValue() == 0 ? "" : "code %d: %s".formatted(process.exitValue(), said);
    }

    @Test
    void aFollowedLogIsTheAppsManagersAlone() {
        letEveUse("hungry");
        var client = new NodeClient(node.url, token(Duration.ofHours(1)));
        assertThatThrownBy(() -> client.get("/api/2.0/apps/hungry/logs?follow=true"))
                .hasMessageContaining("MANAGE");
    }
}
