package dev.lakemill.agents.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a principal remembers is its own, by whatever SQL another comes. */
final class AgentMemoryTest {
    private static final List<String> TABLES =
            List.of("agent_threads", "agent_messages", "agent_checkpoints", "agent_memories");

    @TempDir static Path folder;
    private static TestAgents agents;

    @BeforeAll
    static void start() throws Exception {
        agents = new TestAgents(folder);
        agents.user("ada");
        agents.user("eve");
        fill("ada");
        agents.reconcile();
    }

    @AfterAll
    static void stop() {
        agents.close();
    }

    private static void fill(String principal) throws SQLException {
        for (var sql :
                List.of(
                        "INSERT INTO lakemill.agent_threads (thread_id) VALUES ('t') RETURNING 1",
                        "INSERT INTO lakemill.agent_messages (thread_id, role, content) VALUES"
                                + " ('t', 'user', '\"hi\"') RETURNING 1",
                        "INSERT INTO lakemill.agent_checkpoints (thread_id, checkpoint_id, state)"
                                + " VALUES ('t', 'c', '{}') RETURNING 1",
                        "INSERT INTO lakemill.agent_memories (namespace, key, value) VALUES"
                                + " ('n', 'k', '\"secret\"') RETURNING 1")) {
            agents.queryAs(principal, sql);
        }
    }

    @Test
    void anotherSeesAndChangesNothing() throws Exception {
        for (var table : TABLES) {
            var name = "lakemill." + table;
            assertThat(agents.queryAs("ada", "SELECT 1 FROM " + name)).as(table).hasSize(1);
            for (var sql :
                    List.of(
                            "SELECT 1 FROM " + name,
                            "SELECT 1 FROM %s WHERE principal = 'ada'".formatted(name),
                            "UPDATE %s SET principal = 'eve' RETURNING 1".formatted(name),
                            "DELETE FROM %s RETURNING 1".formatted(name))) {
                assertThat(agents.queryAs("eve", sql)).as(sql).isEmpty();
            }
        }
        for (var sql :
                List.of(
                        "INSERT INTO lakemill.agent_memories (principal, namespace, key, value)"
                                + " VALUES ('ada', 'n', 'forged', '1') RETURNING 1",
                        "SET row_security = off; SELECT 1 FROM lakemill.agent_memories",
                        "SET ROLE ada; SELECT 1 FROM lakemill.agent_memories",
                        "ALTER TABLE lakemill.agent_memories DISABLE ROW LEVEL SECURITY",
                        "TRUNCATE lakemill.agent_memories")) {
            assertThatThrownBy(() -> agents.queryAs("eve", sql))
                    .as(sql)
                    .isInstanceOf(SQLException.class);
        }
        assertThat(agents.queryAs("ada", "SELECT value::text FROM lakemill.agent_memories"))
                .containsExactly("\"secret\"");
    }

    @Test
    void aReadOnlyLoginReadsItsPrincipalsAndWritesNothing() throws Exception {
        agents.projection.admitReadOnly(
                agents.catalog.principals().find("ada").orElseThrow().principal());
        try (var session = agents.login("ro:ada")) {
            assertThat(TestAgents.query(session, "SELECT 1 FROM lakemill.agent_memories"))
                    .hasSize(1);
            try (var statement = session.createStatement()) {
                statement.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE");
            }
            assertThat(
                            TestAgents.query(
                                    session,
                                    "UPDATE lakemill.agent_memories SET value = '1' RETURNING 1"))
                    .isEmpty();
            for (var insert :
                    List.of(
                            "INSERT INTO lakemill.agent_threads (thread_id) VALUES ('r')",
                            "INSERT INTO lakemill.agent_memories (namespace, key, value) VALUES"
                                    + " ('n', 'r', '1')")) {
                assertThatThrownBy(
                                () -> {
                                    try (var statement = session.createStatement()) {
                                        statement.execute(insert);
                                    }
                                })
                        .as(insert)
                        .hasMessageContaining("row-level security");
            }
        }
    }

    @Test
    void aReadOnlyLoginStartsNoAgent() throws Exception {
        agents.agent("starter", "ada", AgentDefinition.Caps.USUAL);
        agents.projection.admitReadOnly(
                agents.catalog.principals().find("ada").orElseThrow().principal());
        var start = "SELECT lakemill.agent_start('starter', '{}', '%s')";
        try (var session = agents.login("ro:ada");
                var statement = session.createStatement()) {
            statement.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE");
            assertThatThrownBy(() -> TestAgents.query(session, start.formatted("r")))
                    .hasMessageContaining("ro:ada is no active principal");
        }
        var runs = "SELECT trigger_key FROM lakemill.agent_runs WHERE agent = 'starter'";
        assertThat(agents.query(runs)).isEmpty();
        agents.queryAs("ada", start.formatted("w"));
        assertThat(agents.query(runs)).containsExactly("w");
    }

    @Test
    void aRunRemembersWhatTheOneBeforeIt() throws Exception {
        agents.agent("learner", "ada", AgentDefinition.Caps.USUAL);
        try (var _ =
                agents.worker(
                        "learner",
                        r -> {
                            var before = r.recall("counts", "runs").asInt();
                            r.remember("counts", "runs", before + 1);
                            return Map.of("before", before);
                        })) {
            for (var i = 0; i < 2; i++) {
                var run = agents.start("ada", "learner", "k" + i, "{}");
                agents.awaitStatus(run, "succeeded");
                assertThat(agents.show(run).at("/output/before").asInt()).isEqualTo(i);
            }
        }
        assertThat(
                        agents.query(
                                "SELECT DISTINCT user_email FROM lakemill.row_audit WHERE table_name"
                                        + " = 'agent_memories' AND old_row IS NOT NULL"))
                .containsExactly("learner-agent");
    }
}
