package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** State tables of a whole node, as SQL over the lake has them. */
@Timeout(300)
final class CaptureInNodeTest {
    @TempDir Path folder;

    @Test
    void changesOfStateTablesAreRowsOfTheLake() throws Exception {
        var settings = Map.of("LAKEMILL_CAPTURE_SCHEMAS", "shop.app");
        try (var node = new TestNode(folder, settings)) {
            TestNode.await(() -> streams(node));
            execute(node, "CREATE SCHEMA app");
            execute(node, "CREATE TABLE app.orders (id int PRIMARY KEY, note text, tags text[])");
            execute(node, "INSERT INTO app.orders VALUES (1, 'a', '{x,y}'), (2, 'b', NULL)");
            execute(node, "UPDATE app.orders SET note = 'B' WHERE id = 2");
            execute(node, "DELETE FROM app.orders WHERE id = 1");
            TestNode.await(
                    () ->
                            node.rows("id, note FROM shop.app.orders_current")
                                    .equals(List.of("2|B")));
            assertThat(node.rows("_pg_lsn > 0, _pg_change_type, id FROM shop.app.orders_history"))
                    .contains("true|delete|1");
            assertThat(node.admin().get("/api/status").path("capture").path("state").asText())
                    .isEqualTo("STREAMING");
            assertThat(node.get("/metrics").body()).contains("lakemill_capture_streaming 1.0");
            var lineage =
                    node.admin()
                            .get(
                                    "/api/2.0/lineage-tracking/table-lineage"
                                            + "?table_name=shop.app.orders_history");
            assertThat(lineage.toString()).contains("orders");
        }
    }

    private static boolean streams(TestNode node) {
        var capture = node.admin().get("/api/status").path("capture");
        return capture.path("state").asText().equals("STREAMING");
    }

    private static void execute(TestNode node, String sql) throws SQLException {
        try (var connection = node.node().postgres().owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
