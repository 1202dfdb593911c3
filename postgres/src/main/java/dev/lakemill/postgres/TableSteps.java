package dev.lakemill.postgres;

import static dev.lakemill.postgres.Relation.literal;
import static dev.lakemill.postgres.Relation.quoted;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The commands that bring one table to the form and the privileges that are wanted.
 *
 * <p>A row filter is row security on the table. Masks move the table, with its indexes, sequences
 * and triggers, to a hidden schema, and a view of the same name takes its place in the same
 * transaction: one that reads with its owner's rights and lets no condition of a reader's run
 * before its own. What policy or view was made of, and how Postgres tells it back, is kept beside,
 * so that a change of either is found.
 */
final class TableSteps {
    /** Waits for the syncs' transactions, which look up where tables lie. */
    private static final String LOCK_LAYOUT =
            "LOCK TABLE \"lakemill locks\".layout IN EXCLUSIVE MODE";

    /** Of a view that was moved in: what it reads needs its readers' own grants. */
    private static final String READER_RIGHTS = "security_invoker=true";

    private final Relation name;
    private final Found found;
    private final List<String> commands = new ArrayList<>();

    private TableSteps(Relation name, Found found) {
        this.name = name;
        this.found = found;
    }

    /** What stands under the name, the table itself or a view before it, becomes as wanted. */
    static List<String> toward(Relation name, Wanted.Table wanted, Found found) {
        var steps = new TableSteps(name, found);
        if (wanted.masks().isEmpty()) {
            steps.plain(wanted);
        } else if (name.canHide()) {
            steps.masked(wanted);
        } else {
            steps.close(name);
        }
        return steps.commands;
    }

    /** What is no table of the catalog is nobody's. */
    static List<String> close(Relation name, Found found) {
        var steps = new TableSteps(name, found);
        steps.close(name);
        return steps.commands;
    }

    private void close(Relation relation) {
        var table = found.tables().get(relation);
        if (table != null) {
            own(relation, table, Roles.OBJECTS);
            privileges(relation, table, Acl.empty());
        }
    }

    private void plain(Wanted.Table wanted) {
        var front = found.tables().get(name);
        var base = found.tables().get(name.hidden());
        if (base != null && (front == null || front.isView())) {
            commands.add(LOCK_LAYOUT);
            if (front != null) {
                commands.add("DROP VIEW " + name.sql());
            }
            commands.add(
                    "ALTER TABLE %s SET SCHEMA %s"
                            .formatted(name.hidden().sql(), quoted(name.schema())));
            front = base;
        }
        if (front == null) {
            return;
        }
        if (front.isView() && front.form().contains(READER_RIGHTS) && wanted.filter().isEmpty()) {
            own(name, front, Roles.OBJECTS);
            privileges(name, front, wanted.acl());
            return;
        }
        if (!front.isTable()) {
            close(name);
            return;
        }
        own(name, front, wanted.owner());
        filter(front, wanted.filter());
        privileges(name, front, wanted.acl());
    }

    private void filter(Found.Table table, String filter) {
        var wanted = filter.isEmpty() ? "" : "filter " + filter;
        if (found.isProjected(name, wanted, table.form())) {
            return;
        }
        commands.add("SELECT lakemill.drop_policies(%s)".formatted(literal(name.sql())));
        if (!filter.isEmpty()) {
            commands.add("ALTER TABLE %s ENABLE ROW LEVEL SECURITY".formatted(name.sql()));
            commands.add("CREATE POLICY lakemill_rows ON %s USING (true)".formatted(name.sql()));
            commands.add(
                    "CREATE POLICY lakemill_filter ON %s AS RESTRICTIVE USING %s WITH CHECK %2$s"
                            .formatted(name.sql(), filter));
        }
        remember(wanted);
    }

    private void masked(Wanted.Table wanted) {
        var front = found.tables().get(name);
        var hidden = name.hidden();
        var base = found.tables().get(hidden);
        if (base != null && (front == null || front.isView())) {
            own(hidden, base, Roles.OBJECTS);
            privileges(hidden, base, Acl.empty());
            var view = view(wanted, base);
            if (front == null || !found.isProjected(name, view, front.form())) {
                commands.add(LOCK_LAYOUT);
                commands.add("DROP VIEW IF EXISTS " + name.sql());
                show(wanted, view);
            } else {
                own(name, front, Roles.OBJECTS);
                privileges(name, front, wanted.acl());
            }
        } else if (front != null && front.isTable() && base == null) {
            commands.add(LOCK_LAYOUT);
            own(name, front, Roles.OBJECTS);
            commands.add("SELECT lakemill.drop_policies(%s)".formatted(literal(name.sql())));
            commands.add(
                    "CREATE SCHEMA IF NOT EXISTS %s AUTHORIZATION %s"
                            .formatted(quoted(hidden.schema()), Roles.OBJECTS));
            commands.add(
                    "ALTER TABLE %s SET SCHEMA %s".formatted(name.sql(), quoted(hidden.schema())));
            privileges(hidden, front, Acl.empty());
            show(wanted, view(wanted, front));
        } else {
            close(name);
            close(hidden);
        }
    }

    private void show(Wanted.Table wanted, String view) {
        commands.add(view);
        commands.add("ALTER VIEW %s OWNER TO %s".formatted(name.sql(), Roles.OBJECTS));
        commands.addAll(wanted.acl().from(Acl.empty(), "TABLE " + name.sql()));
        remember(view);
    }

    /** Columns that are computed cannot be written; a view of nothing else takes no check. */
    private String view(Wanted.Table wanted, Found.Table base) {
        var columns =
                base.columns().stream()
                        .map(
                                column -> {
                                    var mask = wanted.masks().get(column.name());
                                    return mask == null
                                            ? quoted(column.name())
                                            : "CAST(%s AS %s) AS %s"
                                                    .formatted(
                                                            mask,
                                                            column.type(),
                                                            quoted(column.name()));
                                })
                        .collect(Collectors.joining(", "));
        var writable = base.columns().stream().anyMatch(c -> !wanted.masks().containsKey(c.name()));
        var checked = writable && !wanted.filter().isEmpty() ? ", check_option = cascaded" : "";
        var rows = wanted.filter().isEmpty() ? "" : " WHERE " + wanted.filter();
        return "CREATE VIEW %s WITH (security_barrier = true%s) AS SELECT %s FROM %s%s"
                .formatted(name.sql(), checked, columns, name.hidden().sql(), rows);
    }

    private void own(Relation relation, Found.Table table, String owner) {
        if (!table.owner().equals(owner)) {
            commands.add("ALTER TABLE %s OWNER TO %s".formatted(relation.sql(), quoted(owner)));
        }
    }

    private void privileges(Relation relation, Found.Table table, Acl acl) {
        for (var revoke : table.columnRevokes()) {
            commands.add(revoke.replace(Found.TABLE, relation.sql()));
        }
        commands.addAll(acl.from(table.acl(), "TABLE " + relation.sql()));
    }

    private void remember(String wanted) {
        commands.add(
                "SELECT lakemill.remember_policies(%s, %s, %s)"
                        .formatted(literal(name.schema()), literal(name.name()), literal(wanted)));
    }
}
