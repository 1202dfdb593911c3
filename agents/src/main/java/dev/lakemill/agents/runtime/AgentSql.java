package dev.lakemill.agents.runtime;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Calls of the journal's functions as the node, whose refusals become ours. */
final class AgentSql {
    static final ObjectMapper JSON =
            JsonMapper.builder()
                    .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                    .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
                    .build();

    private final DataSource database;

    AgentSql(DataSource database) {
        this.database = database;
    }

    /** Of one row and column; null for NULL and for no row. */
    @Nullable String value(String sql, @Nullable Object... values) {
        try (var connection = database.getConnection();
                var query = connection.prepareStatement(sql)) {
            bind(connection, query, values);
            try (var rows = query.executeQuery()) {
                return rows.next() ? rows.getString(1) : null;
            }
        } catch (SQLException e) {
            throw told(e);
        }
    }

    /** Of one row and column that is JSON. */
    JsonNode json(String sql, @Nullable Object... values) {
        var text = value(sql, values);
        return text == null ? JSON.nullNode() : parse(text);
    }

    int update(String sql, @Nullable Object... values) {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement(sql)) {
            bind(connection, update, values);
            return update.executeUpdate();
        } catch (SQLException e) {
            throw told(e);
        }
    }

    /** Lists become arrays of text. */
    static void bind(Connection connection, PreparedStatement query, @Nullable Object... values)
            throws SQLException {
        for (var i = 0; i < values.length; i++) {
            switch (values[i]) {
                case List<?> list ->
                        query.setArray(i + 1, connection.createArrayOf("text", list.toArray()));
                case JsonNode node -> query.setString(i + 1, text(node));
                case null -> query.setString(i + 1, null);
                default -> query.setObject(i + 1, values[i]);
            }
        }
    }

    static JsonNode parse(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Postgres gives bad JSON", e);
        }
    }

    static String text(JsonNode node) {
        try {
            return JSON.writeValueAsString(node).replace("\\u0000", "\\uFFFD");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    static LakemillException told(SQLException e) {
        var code =
                switch (String.valueOf(e.getSQLState())) {
                    case "42501" -> ErrorCode.PERMISSION_DENIED;
                    case "55000", "23503" -> ErrorCode.FAILED_PRECONDITION;
                    case "22023", "23514", "22P02", "22P05", "42P01", "42703" ->
                            ErrorCode.INVALID_ARGUMENT;
                    case "23505" -> ErrorCode.ALREADY_EXISTS;
                    case "LM001", "LM002", "LM003", "LM004", "LM005" ->
                            ErrorCode.FAILED_PRECONDITION;
                    default -> ErrorCode.UNAVAILABLE;
                };
        var lines = String.valueOf(e.getMessage()).replaceFirst("^ERROR: ", "").split("\n");
        var hint = "";
        for (var line : lines) {
            if (line.strip().startsWith("Hint: ")) {
                hint = line.strip().substring("Hint: ".length());
            }
        }
        return new LakemillException(code, lines[0], hint, e);
    }
}
