package dev.lakemill.postgres;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Commands that bring one thing of Postgres to what the catalog wants, all or none.
 *
 * @param subject what it is about, for people: {@code table gold.stock}
 * @param table when it is about one
 */
record Step(String subject, @Nullable Relation table, List<String> commands) {
    Step {
        commands = List.copyOf(commands);
    }
}
