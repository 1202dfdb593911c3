package dev.lakemill.agents.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What starts runs: each change of a row, and each time of a schedule, once. */
final class AgentTriggersTest {
    @TempDir static Path folder;
    private static TestAgents agents;
    private static AgentTriggers triggers;

    @BeforeAll
    static void start() throws Exception {
        agents = new TestAgents(folder);
        triggers = new AgentTriggers(agents.postgres.owner(), Clock.systemUTC());
        agents.user("ada");
    }

    @AfterAll
    static void stop() {
        agents.close();
    }

    private static void watch(String name, String agent, String column, @Nullable String becomes) {
        triggers.onRowChange(
                "ada",
                name,
                agent,
                new AgentTriggers.RowChange(
                        "main." + agent + ".rows",
                        List.of(),
                        List.of("insert", "update", "delete"),
                        column,
                        becomes),
                TestAgents.JSON.createObjectNode().put("why", name));
    }

    private static List<String> inputs(String agent) throws SQLException {
        return agents.query(
                """
                SELECT concat_ws(' ', input ->> 'operation', input -> 'key' ->> 'id')
                FROM lakemill.agent_runs WHERE agent = '%s' ORDER BY 1
                """
                        .formatted(agent));
    }

    @Test
    void everyCommittedChangeStartsOneRun() throws Exception {
        var principal = agents.agent("watcher", "ada", AgentDefinition.Caps.USUAL);
        agents.table("watcher.rows", principal);
        agents.execute("INSERT INTO watcher.rows VALUES ('before', 'v')");
        watch("all-rows", "watcher", "", null);
        agents.execute("INSERT INTO watcher.rows VALUES ('a', 'v'), ('b', 'v')");
        agents.execute("UPDATE watcher.rows SET value = 'w' WHERE id = 'a'");
        agents.execute("DELETE FROM watcher.rows WHERE id = 'b'");
        try (var connection = agents.postgres.ownerUnpooled().getConnection()) {
            connection.setAutoCommit(false);
            TestAgents.query(
                    connection, "INSERT INTO watcher.rows VALUES ('lost', 'v') RETURNING id");
            var pid = TestAgents.query(connection, "SELECT pg_backend_pid()").getFirst();
            agents.query("SELECT pg_terminate_backend(" + pid + ")");
            assertThatThrownBy(connection::commit).isInstanceOf(SQLException.class);
        } catch (SQLException _) {
            // Its session is gone, as it should be.
        }
        agents.queryAs(
                "watcher-agent", "INSERT INTO watcher.rows VALUES ('own', 'v') RETURNING id");
        assertThat(inputs("watcher"))
                .containsExactly("delete b", "insert a", "insert b", "update a");
        agents.execute(
                "ALTER TABLE watcher.rows RENAME TO old; CREATE TABLE watcher.rows (LIKE watcher.old"
                        + " INCLUDING ALL)");
        assertThat(triggers.attach()).as("a table made anew").isEqualTo(1);
        agents.execute("INSERT INTO watcher.rows VALUES ('c', 'v')");
        assertThat(inputs("watcher")).contains("insert c").hasSize(5);
        assertThat(triggers.drop("all-rows")).isTrue();
        agents.execute("INSERT INTO watcher.rows VALUES ('d', 'v')");
        assertThat(inputs("watcher")).hasSize(5);
    }

    @Test
    void aConditionIsOnTheColumnThatChanges() throws Exception {
        agents.table("budget.rows", agents.agent("budget", "ada", AgentDefinition.Caps.USUAL));
        watch("committed", "budget", "value", "committed");
        agents.execute("INSERT INTO budget.rows VALUES ('a', 'draft'), ('b', 'committed')");
        agents.execute("UPDATE budget.rows SET value = 'committed'");
        assertThat(inputs("budget")).containsExactly("insert b", "update a");
        assertThatThrownBy(() -> watch("wrong", "budget", "colour", null))
                .hasMessageContaining("lacks a column");
        assertThat(triggers.list("budget")).hasSize(1);
    }

    @Test
    void aTimeThatComesStartsOneRunAndTimesGoneByComeOnce() throws Exception {
        agents.agent("nightly", "ada", AgentDefinition.Caps.USUAL);
        var evening = Instant.parse("2026-11-29T20:00:00Z");
        var input = TestAgents.JSON.createObjectNode();
        at(evening).schedule("ada", "night", "nightly", "0 3 * * *", "Europe/Berlin", input);
        assertThat(at(evening.plus(Duration.ofHours(5))).fire()).isZero();
        var late = at(evening.plus(Duration.ofHours(40)));
        assertThat(late.fire()).isEqualTo(1);
        assertThat(late.fire()).isZero();
        assertThat(
                        agents.query(
                                "SELECT input ->> 'scheduled_at' FROM lakemill.agent_runs"
                                        + " WHERE agent = 'nightly'"))
                .hasSize(1);
        agents.execute(
                "UPDATE lakemill.agent_triggers SET next_at = '2026-11-30 02:00+00' WHERE name ="
                        + " 'night'");
        late.fire();
        assertThat(agents.query("SELECT run_id FROM lakemill.agent_runs WHERE agent = 'nightly'"))
                .as("a node that died between the run and its note of it")
                .hasSize(1);
    }

    private static AgentTriggers at(Instant time) {
        return new AgentTriggers(agents.postgres.owner(), Clock.fixed(time, ZoneOffset.UTC));
    }
}
