package dev.lakemill.bench;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Who decides what the agent asks, by SQL through the front door, whenever that is there. */
final class AgentsDesk {
    private static final int PAUSE_MS = 150;

    private final AgentsFixture fixture;
    private final Random random;
    private final CountDownLatch ending = new CountDownLatch(1);

    /** By approval: what was decided, when Postgres had said yes. */
    private final Map<String, Boolean> decided = new ConcurrentHashMap<>();

    private final Thread thread;

    private AgentsDesk(AgentsFixture fixture, long seed) {
        this.fixture = fixture;
        this.random = new Random(seed);
        this.thread = Thread.ofVirtual().name("desk").unstarted(this::work);
    }

    static AgentsDesk start(AgentsFixture fixture, long seed) {
        var desk = new AgentsDesk(fixture, seed);
        desk.thread.start();
        return desk;
    }

    private void work() {
        try {
            while (!ending.await(PAUSE_MS, TimeUnit.MILLISECONDS)) {
                try (var connection = fixture.desk()) {
                    while (!ending.await(PAUSE_MS, TimeUnit.MILLISECONDS)) {
                        decide(connection);
                    }
                } catch (SQLException | RuntimeException _) {
                    // The node is away; a decision whose answer was lost is not counted as one.
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /** Four of five are accepted. */
    private void decide(Connection connection) throws SQLException {
        for (var id : waiting(connection)) {
            var accept = random.nextInt(5) > 0;
            try (var call =
                    connection.prepareStatement(
                            "SELECT lakemill.agent_decide(?::uuid, ?, NULL, '')")) {
                call.setString(1, id);
                call.setString(2, accept ? "accept" : "ignore");
                call.execute();
            }
            decided.put(id, accept);
        }
    }

    private static List<String> waiting(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var rows =
                        statement.executeQuery(
                                "SELECT approval_id::text FROM lakemill.agent_inbox LIMIT 40")) {
            var found = new ArrayList<String>();
            while (rows.next()) {
                found.add(rows.getString(1));
            }
            return found;
        }
    }

    /** Whether it was accepted, by approval. */
    Map<String, Boolean> decided() {
        return Map.copyOf(decided);
    }

    /** Returns when it decides no more. */
    void stop() throws InterruptedException {
        ending.countDown();
        thread.join();
    }
}
