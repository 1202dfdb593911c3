package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code log_tail('table')}: what is acknowledged and not in Delta yet. */
@Timeout(300)
final class LogTailFunctionTest {
    private static final TableName TABLE = TableName.parse("c.b.t");

    @TempDir Path folder;

    @Test
    void theTailIsReadAloneAndBesideItsTable() throws Exception {
        // Delta gets nothing while the node runs.
        try (var node = new TestNode(folder, Map.of("LAKEMILL_LANDING_INTERVAL_MS", "3600000"))) {
            node.register(
                    TABLE,
                    TableSchema.of(
                            Column.required("id", Primitive.LONG),
                            Column.nullable("name", Primitive.STRING)));
            assertThat(node.rows("* FROM log_tail('c.b.t')")).isEmpty();
            node.send("c.b.t", "{\"id\":1,\"name\":\"a\"}", "{\"id\":2}");
            assertThat(node.rows("name, id FROM log_tail('c.b.t')"))
                    .containsExactlyInAnyOrder("a|1", "null|2");
            assertThat(
                            node.rows(
                                    "count(*), count(DISTINCT _position), min(_position) > 0"
                                            + " FROM log_tail('c.b.t')"))
                    .isEqualTo(List.of("2|2|true"));
            assertThat(
                            node.rows(
                                    "t.id, tail.id FROM c.b.t LEFT JOIN log_tail('c.b.t') AS tail"
                                            + " ON t.id = tail.id"))
                    .isEqualTo(List.of("1|1", "2|2"));
            mistakesAreTold(node);
            rulesHold(node);
        }
        try (var node = new TestNode(folder, Map.of())) {
            assertThat(node.rows("* FROM c.b.t")).isEqualTo(List.of("1|a", "2|null"));
            TestNode.await(() -> node.rows("* FROM log_tail('c.b.t')").isEmpty());
        }
    }

    private static void mistakesAreTold(TestNode node) {
        assertThat(node.rows("* FROM log_tail('c.b.none')").toString()).contains("c.b.none");
        assertThat(node.rows("* FROM log_tail(1, 2)").toString()).contains("name of a table");
        assertThat(node.rows("* FROM log_tail('system.access.audit')").toString())
                .contains("takes no rows");
    }

    /** Those of the table. */
    private static void rulesHold(TestNode node) {
        var sql = new SqlClient(node.admin());
        sql.run("CREATE FUNCTION c.b.small(id BIGINT) RETURNS BOOLEAN RETURN id < 2");
        sql.run("ALTER TABLE c.b.t SET ROW FILTER c.b.small ON (id)");
        assertThat(node.rows("id FROM log_tail('c.b.t')")).isEqualTo(List.of("1"));
        assertThat(node.rows("id FROM c.b.t")).isEqualTo(List.of("1"));
        sql.run("ALTER TABLE c.b.t DROP ROW FILTER");
    }
}
