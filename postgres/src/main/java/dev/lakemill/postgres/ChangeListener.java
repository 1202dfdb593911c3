package dev.lakemill.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hears, on a connection and thread of its own, what SQL changed in the catalog's tables; several
 * changes at once when they come close together. A lost connection is replaced, and counts as a
 * change.
 */
final class ChangeListener implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ChangeListener.class);
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final DataSource database;
    private final Runnable changed;
    private final Thread thread;
    private volatile @Nullable Connection connection;
    private volatile boolean closed;

    ChangeListener(DataSource database, Runnable changed) {
        this.database = database;
        this.changed = changed;
        this.thread = Thread.ofVirtual().name("projection-listener").start(this::run);
    }

    private void run() {
        while (!closed) {
            try (var listening = database.getConnection()) {
                connection = listening;
                listen(listening);
            } catch (SQLException e) {
                if (!closed) {
                    LOG.debug("listening again", e);
                    LockSupport.parkNanos(RETRY_NANOS);
                }
            }
        }
    }

    private void listen(Connection listening) throws SQLException {
        try (var statement = listening.createStatement()) {
            statement.execute("LISTEN lakemill_governance");
        }
        var events = listening.unwrap(PGConnection.class);
        while (!closed) {
            tell();
            events.getNotifications(0);
        }
    }

    private void tell() {
        try {
            changed.run();
        } catch (RuntimeException e) {
            LOG.warn("changes by SQL are not seen yet: {}", e.getMessage());
        }
    }

    @Override
    public void close() throws SQLException {
        closed = true;
        var listening = connection;
        if (listening != null) {
            listening.abort(Runnable::run);
        }
        try {
            thread.join(TimeUnit.SECONDS.toMillis(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
