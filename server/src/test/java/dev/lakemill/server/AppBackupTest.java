package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.security.auth.module.UnixSystem;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Apps whose node's data folder is destroyed, and made again out of its backup. */
final class AppBackupTest {
    private static final String SERVER =
            """
            const http = require('http');
            const fs = require('fs');
            const {execFileSync} = require('child_process');
            const file = process.env.HOME + '/deep/kept';
            fs.mkdirSync(process.env.HOME + '/deep', {recursive: true});
            http.createServer((q, r) => {
              if (q.url === '/add') fs.appendFileSync(file, 'x');
              const kept = fs.existsSync(file) ? fs.readFileSync(file) : '';
              r.end('TEXT ' + execFileSync('./tool.sh') + kept + ' ' + process.env.KEY);
            }).listen(process.env.DATABRICKS_APP_PORT, '127.0.0.1');
            """;
    private static final String MANIFEST =
            """
            command: [node, server.js]
            env: [{name: KEY, valueFrom: key}]
            resources: [{name: key, secret: {scope: s, key: k, permission: READ}}]
            """;

    @TempDir Path folder;

    @Test
    void versionsHomesAndSecretsComeBackAndStillBelongToTheirApp() throws Exception {
        Files.writeString(
                folder.resolve("lakemill.yml"),
                "data: first\nbackup: {folder: kept, interval_s: 1}\n");
        try (var node = new TestNode(folder, Map.of())) {
            var secret = node.data.resolve("secrets/s/k");
            Files.createDirectories(secret.resolveSibling(""));
            Files.writeString(secret, "geheim");
            deploy("old");
            deploy("new");
            assertThat(get(node, "/add")).isEqualTo("new tool x geheim");
            run("backup");
            assertThat(get(node, "/add")).isEqualTo("new tool xx geheim");
            awaitMark(node);
        }
        delete(folder.resolve("first"));
        run("restore");
        try (var node = new TestNode(folder, Map.of())) {
            TestNode.await(() -> state(node).equals("RUNNING"));
            // Homes are those of the newest base backup.
            assertThat(get(node, "/")).isEqualTo("new tool x geheim");
            assertThat(get(node, "/add")).isEqualTo("new tool xx geheim");
            run("app", "rollback", "app");
            assertThat(get(node, "/")).isEqualTo("old tool xx geheim");
            assertClosed(node);
        }
    }

    /** As after a deployment: nobody but the app and the node reads what is the app's. */
    private static void assertClosed(TestNode node) throws IOException {
        var id = node.admin().get("/api/2.0/apps/app").path("id").asText();
        var app = node.data.resolve("apps").resolve(id);
        assertThat(mode(app.resolve("versions/1"))).isEqualTo("rwxr-x---");
        assertThat(mode(app.resolve("versions/1/tool.sh"))).isEqualTo("r-xr-x---");
        assertThat(mode(app.resolve("versions/1/server.js"))).isEqualTo("r--r-----");
        assertThat(mode(app.resolve("home/deep"))).isEqualTo("rwx------");
        assertThat(mode(node.data.resolve("secrets/s/k"))).isEqualTo("rw-------");
        if (new UnixSystem().getUid() == 0) {
            var owner = (int) Files.getAttribute(app.resolve("home"), "unix:uid");
            assertThat(owner).isPositive();
            assertThat(Files.getAttribute(app.resolve("home/deep/kept"), "unix:uid"))
                    .isEqualTo(owner);
            assertThat(Files.getAttribute(app.resolve("versions/2/server.js"), "unix:gid"))
                    .isEqualTo(owner);
        }
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    private void deploy(String text) throws IOException {
        var source = Files.createDirectories(folder.resolve("source"));
        Files.writeString(source.resolve("server.js"), SERVER.replace("TEXT", text));
        Files.writeString(source.resolve("app.yaml"), MANIFEST);
        var tool = source.resolve("tool.sh");
        Files.writeString(tool, "#!/bin/sh\nprintf 'tool '\n");
        Files.setPosixFilePermissions(tool, PosixFilePermissions.fromString("rwxr-xr-x"));
        run("app", "deploy", source.toString(), "--name", "app");
    }

    private static String state(TestNode node) {
        return node.admin().get("/api/2.0/apps/app").at("/app_status/state").asText();
    }

    private static String get(TestNode node, String path) throws IOException {
        var host = "app.localhost:" + URI.create(node.url).getPort();
        var bearer = "Bearer " + node.adminToken();
        return AppHttp.get(node.url, host, path, "Authorization", bearer).body();
    }

    private static void awaitMark(TestNode node) throws InterruptedException {
        var before = mark(node);
        TestNode.await(() -> !mark(node).equals(before));
    }

    private static String mark(TestNode node) {
        return node.admin().get("/api/2.0/backups").path("last_mark").asText();
    }

    private void run(String... arguments) {
        var line = Main.commandLine();
        var out = new StringWriter();
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(out, true));
        var all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--project", folder.toString()));
        assertThat(line.execute(all.toArray(String[]::new))).as("%s", out).isZero();
    }

    private static void delete(Path tree) throws IOException {
        try (var paths = Files.walk(tree)) {
            for (var path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
