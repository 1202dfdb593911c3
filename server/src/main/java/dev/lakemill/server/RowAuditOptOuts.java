package dev.lakemill.server;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.postgres.RowAudit;
import dev.lakemill.server.NodeStatus.RowAuditState;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tables whose owners said that their rows are not audited, as they were a moment ago: who asks
 * never waits for Postgres.
 */
final class RowAuditOptOuts {
    private static final Logger log = LoggerFactory.getLogger(RowAuditOptOuts.class);
    private static final Duration FRESH = Duration.ofSeconds(1);

    private final DataSource database;
    private final Catalog catalog;
    private final AtomicBoolean reading = new AtomicBoolean();
    private volatile List<RowAuditState> known = List.of();
    private volatile long readNanos = System.nanoTime() - FRESH.toNanos();

    RowAuditOptOuts(DataSource database, Catalog catalog) {
        this.database = database;
        this.catalog = catalog;
    }

    List<RowAuditState> get() {
        var isOld = System.nanoTime() - readNanos >= FRESH.toNanos();
        if (isOld && reading.compareAndSet(false, true)) {
            Thread.ofVirtual().name("row-audit-opt-outs").start(this::read);
        }
        return known;
    }

    private void read() {
        try (var connection = database.getConnection()) {
            known = RowAudit.optOuts(connection).stream().map(this::state).toList();
        } catch (SQLException e) {
            log.debug("tables without row audit are not read now: {}", e.getMessage());
        } finally {
            readNanos = System.nanoTime();
            reading.set(false);
        }
    }

    /** Under the catalog's name; under Postgres' own when it knows the table no more. */
    private RowAuditState state(RowAudit.OptOut out) {
        var postgres = out.schema() + "." + out.table();
        var name =
                catalog.list().stream()
                        .filter(table -> table.location().equals("postgres:" + postgres))
                        .map(table -> table.name().toString())
                        .findFirst()
                        .orElse(postgres);
        return new RowAuditState(name, out.reason(), out.changedBy(), out.changedAt().toString());
    }
}
