package dev.lakemill.sync;

import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Builds and drops secondary indexes of tables that have rows, on a thread and a connection of its
 * own, so that neither readers nor the sync wait. It ends when all is as wanted; what fails is
 * tried again after a while, and the table's status says why.
 */
final class IndexBuilder implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(IndexBuilder.class);

    /** Without limit, it waits for transactions that are open; a lost node's ends by itself. */
    private static final String SETTINGS =
            "SET lock_timeout = 0; SET maintenance_work_mem = '128MB';"
                    + " SET client_connection_check_interval = '2s'; "
                    + Session.SEARCH_PATH;

    private static final long CANCEL_AGAIN_MILLIS = 500;

    private final String group;
    private final DataSource owner;
    private final Patience patience;
    private final CountDownLatch closing = new CountDownLatch(1);
    private @Nullable Thread thread;
    private volatile @Nullable Connection connection;
    private boolean cancelled;

    IndexBuilder(String group, DataSource owner, Patience patience) {
        this.group = group;
        this.owner = owner;
        this.patience = patience;
    }

    /** Begins, unless it is at work already; called by one thread. */
    void tend(List<Target> targets) {
        if (thread == null || !thread.isAlive()) {
            thread =
                    Thread.ofPlatform()
                            .daemon()
                            .name("index-" + group)
                            .unstarted(() -> run(targets));
            thread.start();
        }
    }

    private void run(List<Target> targets) {
        try {
            do {
                if (build(targets)) {
                    return;
                }
            } while (!closing.await(patience.againNanos(), TimeUnit.NANOSECONDS));
        } catch (InterruptedException e) {
            LOG.warn("the indexes of {} are not built: interrupted", group);
        }
    }

    /** Whether all are as wanted. */
    private boolean build(List<Target> targets) {
        var isWhole = true;
        try (var opened = owner.getConnection();
                var statement = opened.createStatement()) {
            connection = opened;
            statement.execute(SETTINGS);
            for (var target : targets) {
                if (target.isActive() && closing.getCount() > 0) {
                    isWhole &= build(opened, target);
                }
            }
            return isWhole;
        } catch (SQLException | LakemillException e) {
            LOG.debug("the indexes of {} are looked at again", group, e);
            return false;
        } finally {
            connection = null;
        }
    }

    private boolean build(Connection opened, Target target) throws SQLException {
        var mine = new Target(target.spec(), 0);
        HiddenTables.locate(opened, List.of(mine));
        var registry = new Registry(opened, group);
        var indexes = new TargetIndexes(opened, registry, mine.spec(), mine.sql());
        try {
            if (indexes.areToBeBuilt()) {
                indexes.build();
                LOG.info("indexes of {} are as they should be", target.name());
            }
            target.setIndexProblem("");
            return true;
        } catch (SQLException e) {
            if (closing.getCount() > 0) {
                LOG.warn("an index of {} is not built: {}", target.name(), e.getMessage());
                target.setIndexProblem("an index is not built: " + e.getMessage());
            }
            return false;
        }
    }

    /** Ends what is being built; the next one cleans up after it. */
    @Override
    public void close() throws SQLException {
        closing.countDown();
        var working = thread;
        if (working == null) {
            return;
        }
        try {
            do {
                cancel();
            } while (!working.join(Duration.ofMillis(CANCEL_AGAIN_MILLIS)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Asks Postgres to end the command; when it does not answer, the connection ends. */
    private void cancel() throws SQLException {
        var working = connection;
        if (working != null && !cancelled) {
            cancelled = true;
            working.unwrap(PGConnection.class).cancelQuery();
        } else if (working != null) {
            working.abort(Runnable::run);
        }
    }
}
