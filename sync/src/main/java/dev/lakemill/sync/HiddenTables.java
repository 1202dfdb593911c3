package dev.lakemill.sync;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;

/** Where tables lie whose columns are masked. */
final class HiddenTables {
    private HiddenTables() {}

    /** Tells them where they lie, which stays so until the end of the transaction. */
    static void locate(Connection connection, List<Target> targets) throws SQLException {
        var hidden = new HashMap<List<String>, String>();
        try (var query = connection.prepareStatement("SELECT * FROM lakemill.hidden_tables()");
                var rows = query.executeQuery()) {
            while (rows.next()) {
                hidden.put(List.of(rows.getString(1), rows.getString(2)), rows.getString(3));
            }
        }
        for (var target : targets) {
            var spec = target.spec();
            var name = List.of(spec.postgresSchema(), spec.postgresTable());
            target.sql().lieIn(hidden.getOrDefault(name, spec.postgresSchema()));
        }
    }
}
