package dev.lakemill.postgres;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Commands that bring one thing of Postgres to what the catalog wants, all or none.
 *
 * @param subject what it is about, for people: {@code table gold.stock}
 * @param table when it is about one
 * @param granted the table or schema whose grants it changes, as principals' own GRANT locks it;
 *     empty for none
 */
record Step(String subject, @Nullable Relation table, String granted, List<String> commands) {
    Step {
        commands = List.copyOf(commands);
    }

    /** The commands, behind what keeps a principal's GRANT from meeting them. */
    String sql() {
        var all = new ArrayList<String>();
        if (!granted.isEmpty()) {
            all.add("SELECT lakemill.lock_grants(%s)".formatted(Relation.literal(granted)));
        }
        all.addAll(commands);
        return String.join(";\n", all);
    }
}
