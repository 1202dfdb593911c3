package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Synced tables as pages see them, on a whole node. */
final class LiveTablesTest {
    @Test
    void whoLogsOutEndsNobodyElsesStream(@TempDir Path folder) throws Exception {
        try (var node = new TestNode(folder, Map.of())) {
            node.register(
                    TableName.parse("shop.raw.orders"),
                    TableSchema.of(Column.required("id", Primitive.LONG)));
            node.send("shop.raw.orders", "{\"id\": 41}");
            var ann = node.logIn("ann@example.org");
            var bob = node.logIn("bob@example.org");
            run(
                    node,
                    "CREATE SYNCED TABLE shop.serving.orders FROM shop.raw.orders PRIMARY KEY (id)"
                            + " WITH (mode = 'continuous')",
                    "GRANT ALL PRIVILEGES ON CATALOG shop TO `ann@example.org`",
                    "GRANT ALL PRIVILEGES ON CATALOG shop TO `bob@example.org`");
            TestNode.await(() -> copied(node) == 1);
            try (var stays = stream(node, ann);
                    var leaves = stream(node, bob)) {
                assertThat(table(stays)).contains("[41]");
                assertThat(table(leaves)).contains("[41]");
                node.form(
                        "/logout",
                        Map.of(),
                        "cookie",
                        bob,
                        TestNode.OWN_PAGE[0],
                        TestNode.OWN_PAGE[1]);
                next(leaves, "0"::equals); // the last chunk
                node.send("shop.raw.orders", "{\"id\": 42}");
                TestNode.await(() -> copied(node) == 2);
                // Somebody who comes brings all others what is new.
                try (var comes = stream(node, ann)) {
                    assertThat(table(comes)).contains("[41]", "[42]");
                    assertThat(table(stays)).contains("[41]", "[42]");
                }
            }
        }
    }

    private static void run(TestNode node, String... statements) {
        for (var statement : statements) {
            new SqlClient(node.admin()).run(statement);
        }
    }

    private static long copied(TestNode node) {
        try (var connection = node.node().postgres().owner().getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT count(*) FROM serving.orders")) {
            rows.next();
            return rows.getLong(1);
        } catch (java.sql.SQLException e) {
            return 0;
        }
    }

    private static AppHttp stream(TestNode node, String cookie) throws IOException {
        var host = URI.create(node.url).getAuthority();
        var stream =
                AppHttp.open(
                        node.url, "GET", host, "/api/live?table=serving.orders", "Cookie", cookie);
        assertThat(stream.head().status()).isEqualTo(200);
        return stream;
    }

    /** The next that is told of the table. */
    private static String table(AppHttp stream) throws IOException {
        return next(stream, line -> line.startsWith("data: ") && line.contains("\"rows\""));
    }

    private static String next(AppHttp stream, Predicate<String> wanted) throws IOException {
        for (int i = 0; i < 100; i++) {
            var line = stream.line();
            if (wanted.test(line)) {
                return line;
            }
        }
        throw new AssertionError("it does not come");
    }
}
