package dev.lakemill.api.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A session with the journal in Postgres: the functions {@code lakemill.agent_*}, which check whose
 * run it is, whether it may go on, and its caps. For one thread.
 */
final class Journal implements AutoCloseable {
    static final ObjectMapper JSON =
            JsonMapper.builder()
                    .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                    .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
                    .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
                    .build();

    /**
     * A run that this worker has.
     *
     * @param input as Postgres gives it: what cannot be read is the run's failure, not the worker's
     */
    record Claim(
            UUID run,
            long fence,
            String input,
            String onBehalfOf,
            String triggerKind,
            int failures,
            Instant createdAt) {}

    /** A step that was recorded. */
    record Step(int seq, String kind, String name, String inputHash, JsonNode output) {}

    private static final String STATEMENTS_END = "SET idle_in_transaction_session_timeout = '60s'";

    private final Connection connection;

    private Journal(Connection connection) {
        this.connection = connection;
    }

    static Journal open(ConnectionSource connections) throws SQLException {
        var connection = connections.open();
        try (var statement = connection.createStatement()) {
            statement.execute(STATEMENTS_END);
            return new Journal(connection);
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    Connection connection() {
        return connection;
    }

    boolean isUsable() {
        try {
            return connection.isValid(5);
        } catch (SQLException e) {
            return false;
        }
    }

    Optional<Claim> claim(String agent, String worker, long leaseMillis) throws SQLException {
        var sql =
                """
                SELECT run_id, fence, input::text, on_behalf_of, trigger_kind, failures, created_at
                FROM lakemill.agent_claim(?, ?, ?)
                """;
        try (var query = connection.prepareStatement(sql)) {
            query.setString(1, agent);
            query.setString(2, worker);
            query.setLong(3, leaseMillis);
            try (var rows = query.executeQuery()) {
                if (!rows.next()) {
                    return Optional.empty();
                }
                return Optional.of(
                        new Claim(
                                rows.getObject(1, UUID.class),
                                rows.getLong(2),
                                rows.getString(3),
                                rows.getString(4),
                                rows.getString(5),
                                rows.getInt(6),
                                rows.getTimestamp(7).toInstant()));
            }
        }
    }

    /** Returns the runs that are to be left. */
    List<UUID> renew(List<Claim> claims, long leaseMillis) throws SQLException {
        var left = new ArrayList<UUID>();
        try (var query = connection.prepareStatement("SELECT lakemill.agent_renew(?, ?, ?)")) {
            var runs = claims.stream().map(Claim::run).toArray();
            var fences = claims.stream().map(Claim::fence).toArray();
            query.setArray(1, connection.createArrayOf("uuid", runs));
            query.setArray(2, connection.createArrayOf("bigint", fences));
            query.setLong(3, leaseMillis);
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    left.add(rows.getObject(1, UUID.class));
                }
            }
        }
        return left;
    }

    List<Step> steps(Claim claim) throws SQLException {
        var sql =
                """
                SELECT seq, kind, name, input_hash, output::text
                FROM lakemill.agent_journal(?, ?) ORDER BY seq
                """;
        var steps = new ArrayList<Step>();
        try (var query = connection.prepareStatement(sql)) {
            bind(query, claim);
            try (var rows = query.executeQuery()) {
                while (rows.next()) {
                    steps.add(
                            new Step(
                                    rows.getInt(1),
                                    rows.getString(2),
                                    rows.getString(3),
                                    rows.getString(4),
                                    parse(rows.getString(5))));
                }
            }
        }
        return steps;
    }

    void check(Claim claim, boolean forModel) throws SQLException {
        call(claim, "agent_check(?, ?, ?)", forModel);
    }

    /** Returns the step's output as it is kept, and so as a replay gives it. */
    JsonNode record(Claim claim, ObjectNode step, List<String> readTables) throws SQLException {
        var sql =
                """
                SELECT (s -> 'output')::text, lakemill.agent_record(?, ?, s, ?)
                FROM (SELECT ?::jsonb AS s) x
                """;
        try (var query = connection.prepareStatement(sql)) {
            bind(query, claim);
            query.setArray(3, connection.createArrayOf("text", readTables.toArray()));
            query.setString(4, text(step));
            try (var rows = query.executeQuery()) {
                rows.next();
                return parse(rows.getString(1));
            }
        }
    }

    /** The receipt when the effect was done before; the transaction goes on. */
    Optional<JsonNode> effect(Claim claim, int seq, String name, String key, boolean outside)
            throws SQLException {
        var found = call(claim, "agent_effect(?, ?, ?, ?, ?, ?)::text", seq, name, key, outside);
        return Optional.ofNullable(found).map(Journal::parse);
    }

    void effectDone(Claim claim, String key, JsonNode receipt) throws SQLException {
        call(claim, "agent_effect_done(?, ?, ?, ?::jsonb)", key, text(receipt));
    }

    void ask(Claim claim, int seq, ObjectNode ask) throws SQLException {
        call(claim, "agent_ask(?, ?, ?, ?::jsonb)", seq, text(ask));
    }

    /** Whether it needs nobody. */
    boolean mail(Claim claim, int seq, ObjectNode mail) throws SQLException {
        return "t".equals(call(claim, "agent_mail(?, ?, ?, ?::jsonb)", seq, text(mail)));
    }

    void sleep(Claim claim, ObjectNode step, Instant until) throws SQLException {
        call(claim, "agent_sleep(?, ?, ?::jsonb, ?)", text(step), Timestamp.from(until));
    }

    /** The step's output; empty when the run has to wait for a message. */
    Optional<JsonNode> receive(Claim claim, ObjectNode step, Instant until) throws SQLException {
        var taken =
                call(
                        claim,
                        "agent_receive(?, ?, ?::jsonb, ?)::text",
                        text(step),
                        Timestamp.from(until));
        return Optional.ofNullable(taken).map(Journal::parse);
    }

    void succeed(Claim claim, JsonNode output) throws SQLException {
        call(claim, "agent_succeed(?, ?, ?::jsonb)", text(output));
    }

    void fail(Claim claim, String code, String problem) throws SQLException {
        call(claim, "agent_fail(?, ?, ?, ?, NULL)", code, problem);
    }

    void retry(Claim claim, String code, String problem, long afterMillis) throws SQLException {
        call(claim, "agent_fail(?, ?, ?, ?, ?)", code, problem, afterMillis);
    }

    void release(Claim claim) throws SQLException {
        call(claim, "agent_release(?, ?)");
    }

    /** Names of tables that the transaction has read so far. */
    List<String> touched() throws SQLException {
        var names = new ArrayList<String>();
        try (var query =
                        connection.prepareStatement(
                                "SELECT table_name FROM lakemill.agent_touched() WHERE reads");
                var rows = query.executeQuery()) {
            while (rows.next()) {
                names.add(rows.getString(1));
            }
        }
        return names;
    }

    private @Nullable String call(Claim claim, String function, Object... values)
            throws SQLException {
        try (var query = connection.prepareStatement("SELECT lakemill." + function)) {
            bind(query, claim);
            for (var i = 0; i < values.length; i++) {
                query.setObject(i + 3, values[i]);
            }
            try (var rows = query.executeQuery()) {
                rows.next();
                return rows.getString(1);
            }
        }
    }

    private static void bind(java.sql.PreparedStatement query, Claim claim) throws SQLException {
        query.setObject(1, claim.run());
        query.setLong(2, claim.fence());
    }

    /**
     * @throws LakemillException INVALID_ARGUMENT for what Postgres keeps and is beyond our limits
     */
    static JsonNode parse(@Nullable String json) {
        try {
            return json == null ? JSON.nullNode() : JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the journal has JSON that cannot be read: " + e.getOriginalMessage(),
                    "give numbers of at most 1000 characters, and nest at most 1000 deep",
                    e);
        }
    }

    static String text(JsonNode node) {
        try {
            return JSON.writeValueAsString(node).replace("\\u0000", "\\uFFFD");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
