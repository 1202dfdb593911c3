package dev.lakemill.bench;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.Projection;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * What it costs to carry a whole catalog to Postgres: to a Postgres that knows nothing of it, at a
 * start where all is as it should be, and after one change.
 */
final class ProjectionBench {
    private static final int RECONCILE_SECONDS_MAX = 10;
    private static final int CHANGE_SECONDS_MAX = 1;

    private ProjectionBench() {}

    /**
     * @param catalog of tables in Postgres that are not there yet
     * @param principal one that a grant of {@code on} is new to
     */
    static void measure(
            Postgres postgres,
            Catalog catalog,
            Securable on,
            String principal,
            Report.Builder report)
            throws SQLException {
        makeTables(postgres, catalog);
        var first = start(postgres, catalog);
        var again = start(postgres, catalog);
        report.figure("first_reconcile_seconds_10k", first);
        report.figure("reconcile_seconds_10k", again);
        report.check(
                "reconcile_within_10_seconds",
                first <= RECONCILE_SECONDS_MAX && again <= RECONCILE_SECONDS_MAX);
        try (var projection = Projection.start(postgres, catalog, Duration.ofMinutes(10))) {
            var grant = new GrantChange(principal, Set.of(Privilege.SELECT), Set.of());
            catalog.grants().change(catalog.system(), on, List.of(grant));
            var started = System.nanoTime();
            var complete = projection.reconcile();
            var seconds = (System.nanoTime() - started) / 1e9;
            report.figure("change_seconds_10k", seconds);
            report.check("change_within_1_second", complete && seconds <= CHANGE_SECONDS_MAX);
        }
    }

    private static double start(Postgres postgres, Catalog catalog) {
        var started = System.nanoTime();
        Projection.start(postgres, catalog, Duration.ofMinutes(10)).close();
        return (System.nanoTime() - started) / 1e9;
    }

    private static void makeTables(Postgres postgres, Catalog catalog) throws SQLException {
        try (var connection = postgres.ownerUnpooled().getConnection();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            var count = 0;
            for (var table : catalog.list()) {
                var name = table.location().substring("postgres:".length());
                var schema = name.substring(0, name.indexOf('.'));
                statement.addBatch("CREATE SCHEMA IF NOT EXISTS " + schema);
                statement.addBatch("CREATE TABLE %s (id bigint)".formatted(name));
                if (++count % 200 == 0) {
                    statement.executeBatch();
                    connection.commit();
                }
            }
            statement.executeBatch();
            connection.commit();
        }
    }
}
