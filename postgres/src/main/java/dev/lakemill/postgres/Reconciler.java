package dev.lakemill.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes Postgres what is wanted, as often as asked; one thread at a time. */
final class Reconciler {
    private static final Logger LOG = LoggerFactory.getLogger(Reconciler.class);
    private static final int STEPS_PER_TRANSACTION_MAX = 200;

    /** Who holds a table locked makes us try again, before others wait behind us. */
    private static final String SETTINGS =
            "SET lock_timeout = '250ms'; SET search_path = pg_catalog, pg_temp;"
                    + " SET application_name = 'lakemill projection'";

    /** A role that somebody makes meanwhile shows with its members and tables, or not at all. */
    private static final String ONE_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";

    private static final String END_SESSIONS =
            """
            SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
            JOIN pg_roles r ON r.oid = a.usesysid
            WHERE NOT r.rolcanlogin AND shobj_description(r.oid, 'pg_authid') LIKE 'lakemill %'
            """;

    private Set<Relation> seen = Set.of();
    private Set<String> complained = Set.of();

    /**
     * What was done.
     *
     * @param steps those that went well
     * @param onKnown those of them that were about what had been there the last time
     * @param complete whether nothing is left to do
     */
    record Outcome(List<Step> steps, List<Step> onKnown, boolean complete) {}

    /**
     * @param connection of a transaction that has not begun; nobody else uses it
     */
    Outcome reconcile(Connection connection, Wanted wanted) throws SQLException {
        execute(connection, SETTINGS);
        connection.commit();
        execute(connection, ONE_SNAPSHOT);
        var found = Found.read(connection, wanted);
        connection.commit();
        var reconciliation = new Reconciliation(wanted, found);
        var failed = new HashSet<String>();
        var done = new ArrayList<Step>();
        var steps = reconciliation.steps();
        for (var from = 0; from < steps.size(); from += STEPS_PER_TRANSACTION_MAX) {
            var to = Math.min(steps.size(), from + STEPS_PER_TRANSACTION_MAX);
            done.addAll(take(connection, steps.subList(from, to), failed));
        }
        execute(connection, END_SESSIONS);
        connection.commit();
        complain(reconciliation.foreign(), failed);
        var known = seen;
        seen = Set.copyOf(found.tables().keySet());
        return new Outcome(
                done,
                done.stream().filter(s -> s.table() == null || known.contains(s.table())).toList(),
                failed.isEmpty());
    }

    /** All at once; when that fails, each on its own, so that one does not hold up the others. */
    private static List<Step> take(Connection connection, List<Step> steps, Set<String> failed)
            throws SQLException {
        try {
            execute(connection, steps.stream().map(Step::sql).collect(Collectors.joining(";\n")));
            connection.commit();
            return steps;
        } catch (SQLException e) {
            connection.rollback();
            LOG.debug("steps are taken one by one", e);
        }
        var done = new ArrayList<Step>();
        for (var step : steps) {
            try {
                execute(connection, step.sql());
                connection.commit();
                done.add(step);
            } catch (SQLException e) {
                connection.rollback();
                failed.add("%s: %s".formatted(step.subject(), e.getMessage()));
            }
        }
        return done;
    }

    private void complain(Set<String> foreign, Set<String> failed) {
        var complaints = new HashSet<>(failed);
        foreign.forEach(
                name -> complaints.add("Postgres has a role %s of its own".formatted(name)));
        for (var complaint : complaints) {
            if (!complained.contains(complaint)) {
                LOG.warn("not carried to Postgres: {}", complaint);
            }
        }
        complained = complaints;
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
