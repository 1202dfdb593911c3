package dev.lakemill.farm.procurement;

import java.sql.Connection;
import java.sql.SQLException;

/** One statement that writes. */
final class Sql {
    private Sql() {}

    /**
     * Writes.
     *
     * @return how many rows
     */
    static int write(Connection connection, String sql, Object... values) throws SQLException {
        try (var statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            return statement.executeUpdate();
        }
    }
}
