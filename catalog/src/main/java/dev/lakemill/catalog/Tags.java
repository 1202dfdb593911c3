package dev.lakemill.catalog;

import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/** Tags, kept in Postgres, answered from memory. Changing them needs APPLY TAG. Audited. */
public final class Tags {
    /** How many tags a securable, and each column of a table, may have. */
    public static final int TAGS_MAX = 50;

    private final Changes changes;
    private final Access access;

    Tags(Changes changes, Access access) {
        this.changes = changes;
        this.access = access;
    }

    /** Of the securable and, of a table, of its columns; by column and key. */
    public List<Tag> on(Securable securable) {
        return changes.read(
                model -> {
                    var found = new ArrayList<Tag>();
                    addAll(found, model, model.require(securable));
                    return List.copyOf(found);
                });
    }

    public List<Tag> all() {
        return changes.read(
                model -> {
                    var found = new ArrayList<Tag>();
                    for (var id : model.tags.keySet()) {
                        addAll(found, model, model.securable(id).orElseThrow());
                    }
                    return List.copyOf(found);
                });
    }

    private static void addAll(List<Tag> found, Model model, SecurableInfo info) {
        model.tags
                .getOrDefault(info.id(), Map.of())
                .forEach(
                        (column, tags) ->
                                tags.forEach(
                                        (key, value) ->
                                                found.add(
                                                        new Tag(
                                                                info.securable(),
                                                                column,
                                                                key,
                                                                value))));
    }

    /**
     * @param column empty for the securable itself
     */
    public void set(Caller caller, Securable on, String column, Map<String, String> tags) {
        tags.forEach(Names::checkTag);
        changes.change(
                model -> {
                    var info = require(model, caller, on);
                    var exact = column(model, info, column);
                    var after = new TreeMap<>(tagsOf(model, info, exact));
                    after.putAll(tags);
                    if (after.size() > TAGS_MAX) {
                        throw Refusals.exhausted(
                                "%s would have %d tags".formatted(Model.named(on), after.size()),
                                "there may be %d".formatted(TAGS_MAX));
                    }
                    changes.commit(
                            event(caller, "createEntityTagAssignment", on, exact, tags.keySet()),
                            connection -> {
                                for (var tag : tags.entrySet()) {
                                    Statements.update(
                                            connection,
                                            """
                                            INSERT INTO lakemill.tags
                                                (securable_id, column_name, key, value)
                                            VALUES (?, ?, ?, ?)
                                            ON CONFLICT (securable_id, column_name, key)
                                            DO UPDATE SET value = EXCLUDED.value
                                            """,
                                            info.id(),
                                            exact,
                                            tag.getKey(),
                                            tag.getValue());
                                }
                            },
                            shown -> tags.forEach((k, v) -> shown.putTag(info.id(), exact, k, v)));
                    return true;
                });
    }

    /** Keys that are not there are no error. */
    public void unset(Caller caller, Securable on, String column, Set<String> keys) {
        changes.change(
                model -> {
                    var info = require(model, caller, on);
                    var exact = column(model, info, column);
                    changes.commit(
                            event(caller, "deleteEntityTagAssignment", on, exact, keys),
                            connection ->
                                    Statements.update(
                                            connection,
                                            """
                                            DELETE FROM lakemill.tags WHERE securable_id = ?
                                            AND column_name = ? AND key = ANY (?)
                                            """,
                                            info.id(),
                                            exact,
                                            List.copyOf(keys)),
                            shown -> keys.forEach(key -> shown.removeTag(info.id(), exact, key)));
                    return true;
                });
    }

    /** Of columns that are gone. */
    static void forget(Connection connection, UUID table, List<String> columns)
            throws SQLException {
        Statements.update(
                connection,
                "DELETE FROM lakemill.tags WHERE securable_id = ? AND column_name = ANY (?)",
                table,
                columns);
    }

    private SecurableInfo require(Model model, Caller caller, Securable on) {
        if (!Privileges.acting(on.type()).contains(Privilege.APPLY_TAG)) {
            throw Refusals.invalid("the metastore has no tags", "tag a catalog");
        }
        access.require(caller, Privilege.APPLY_TAG, on);
        return model.require(on);
    }

    /** Its name as the table spells it. */
    private static String column(Model model, SecurableInfo info, String column) {
        if (column.isEmpty()) {
            return column;
        }
        var table = model.tables.get(info.id());
        if (table == null) {
            throw Refusals.invalid(
                    "%s has no columns".formatted(Model.named(info.securable())),
                    "leave the column out");
        }
        return Policies.column(table, column).name();
    }

    private static Map<String, String> tagsOf(Model model, SecurableInfo info, String column) {
        return model.tags.getOrDefault(info.id(), Map.of()).getOrDefault(column, Map.of());
    }

    private static AuditEvent event(
            Caller caller, String action, Securable on, String column, Set<String> keys) {
        return AuditEvent.done(
                caller,
                "unityCatalog",
                action,
                Map.of(
                        "entity_type", on.type().name(),
                        "entity_name", on.name(),
                        "column", column,
                        "tag_keys", String.join(", ", keys.stream().sorted().toList())));
    }
}
