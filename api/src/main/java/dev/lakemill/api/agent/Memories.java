package dev.lakemill.api.agent;

import java.sql.Connection;
import java.sql.SQLException;

/** The session's principal's own rows of {@code lakemill.agent_memories}. */
final class Memories {
    static final String GET =
            "SELECT value FROM lakemill.agent_memories WHERE namespace = ? AND key = ?";
    private static final String PUT =
            """
            INSERT INTO lakemill.agent_memories (namespace, key, value) VALUES (?, ?, ?::jsonb)
            ON CONFLICT (principal, namespace, key)
            DO UPDATE SET value = excluded.value, updated_at = now()
            """;

    private Memories() {}

    static int put(Connection connection, String namespace, String key, String json)
            throws SQLException {
        try (var insert = connection.prepareStatement(PUT)) {
            insert.setString(1, namespace);
            insert.setString(2, key);
            insert.setString(3, json);
            return insert.executeUpdate();
        }
    }
}
