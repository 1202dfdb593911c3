package dev.lakemill.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
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

    private static final String LOCK_TIMEOUT = "55P03";
    private static final long HELD_NANOS_MAX = TimeUnit.SECONDS.toNanos(5);

    /** Of principals alone, and with what may be in a step's way: its tables, a GRANT's lock. */
    private static final String END_HOLDERS =
            """
            SELECT pg_terminate_backend(a.pid, 1000) FROM pg_stat_activity a
            JOIN pg_roles r ON r.oid = a.usesysid
            WHERE a.datname = current_database()
                AND a.xact_start < clock_timestamp() - interval '1 s'
                AND shobj_description(r.oid, 'pg_authid') LIKE 'lakemill %'
                AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted
                    AND (l.relation IN (to_regclass(nullif(?, '')), to_regclass(nullif(?, '')))
                        OR l.relation IN (SELECT c.oid FROM pg_class c
                            WHERE c.relnamespace = '"lakemill locks"'::regnamespace
                                AND (c.relname = 'names' OR starts_with(c.relname, 'grants_')))))
            """;

    private Set<Relation> seen = Set.of();
    private Set<String> complained = Set.of();

    /** When steps were first found to wait for others' locks, by what they are about. */
    private Map<String, Long> heldSince = Map.of();

    /**
     * What was done.
     *
     * @param steps those that went well
     * @param onKnown those of them that were about what had been there the last time
     * @param complete whether nothing is left to do
     * @param held whether others' locks are in the way
     */
    record Outcome(List<Step> steps, List<Step> onKnown, boolean complete, boolean held) {}

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
        var held = new HashMap<String, Long>();
        var steps = reconciliation.steps();
        for (var from = 0; from < steps.size(); from += STEPS_PER_TRANSACTION_MAX) {
            var to = Math.min(steps.size(), from + STEPS_PER_TRANSACTION_MAX);
            done.addAll(take(connection, steps.subList(from, to), failed, held));
        }
        heldSince = held;
        execute(connection, END_SESSIONS);
        connection.commit();
        complain(reconciliation.foreign(), failed);
        var known = seen;
        seen = Set.copyOf(found.tables().keySet());
        return new Outcome(
                done,
                done.stream().filter(s -> s.table() == null || known.contains(s.table())).toList(),
                failed.isEmpty(),
                !held.isEmpty());
    }

    /** All at once; when that fails, each on its own, so that one does not hold up the others. */
    private List<Step> take(
            Connection connection, List<Step> steps, Set<String> failed, Map<String, Long> held)
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
                if (LOCK_TIMEOUT.equals(e.getSQLState())) {
                    held.put(step.subject(), endHolders(connection, step));
                }
            }
        }
        return done;
    }

    /**
     * Nobody keeps a right by an open transaction: who holds a step up for seconds is ended, and
     * the next time it goes well. Returns since when it has been held up.
     */
    private long endHolders(Connection connection, Step step) throws SQLException {
        var now = System.nanoTime();
        long since = heldSince.getOrDefault(step.subject(), now);
        if (now - since >= HELD_NANOS_MAX) {
            LOG.warn("ending the sessions of principals that hold up {}", step.subject());
            var table = step.table();
            try (var end = connection.prepareStatement(END_HOLDERS)) {
                end.setString(1, table == null ? "" : table.sql());
                end.setString(2, table == null ? "" : table.hidden().sql());
                end.execute();
            }
            connection.commit();
        }
        return since;
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
