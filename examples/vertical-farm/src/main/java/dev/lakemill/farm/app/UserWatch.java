package dev.lakemill.farm.app;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * One connection of one login, for all pages that it has open: it says whether they still may read
 * what those show, and what waits for their decision. With the token it ends after ten minutes at
 * most, and the streams with it, whereupon the pages open the next ones.
 */
final class UserWatch {
    static final LiveTable INBOX = LiveTable.named(List.of("procurement.inbox")).iterator().next();

    private static final long LOOK_MS = 500;
    private static final int RIGHTS_EVERY_LOOKS = 4;

    private final Connection user;
    private final Consumer<UserWatch> ended;
    private final CopyOnWriteArrayList<LiveListener> listeners = new CopyOnWriteArrayList<>();

    /** Guarded by this, as is the next. */
    private String inboxEvent = "";

    private boolean closed;

    /** Used by the watching thread alone. */
    private String inboxShown = "";

    private long inboxChanges;

    /**
     * @param ended told once, when it watches no more
     */
    UserWatch(Connection user, Consumer<UserWatch> ended) {
        this.user = user;
        this.ended = ended;
    }

    void start(String name) {
        Thread.ofVirtual().name("watch " + name).start(this::watch);
    }

    /**
     * Shows it what the person may see; false when this watch has ended.
     *
     * @throws LakemillException PERMISSION_DENIED when they may not
     */
    boolean add(LiveListener listener) throws SQLException {
        synchronized (this) {
            if (closed) {
                return false;
            }
            // From here on the connection stays open: somebody listens.
            listeners.add(listener);
        }
        var may = false;
        try {
            requireRights(listener.tables());
            may = true;
        } finally {
            if (!may) {
                listeners.remove(listener);
            }
        }
        synchronized (this) {
            if (listener.tables().contains(INBOX) && !inboxEvent.isEmpty()) {
                listener.offer(INBOX.name(), inboxEvent);
            }
        }
        return true;
    }

    void remove(LiveListener listener) {
        listeners.remove(listener);
    }

    private void watch() {
        try (var connection = user) {
            for (long look = 0; ; look++) {
                if (closesUnused()) {
                    return;
                }
                if (listeners.stream().anyMatch(l -> l.tables().contains(INBOX))) {
                    inbox(connection);
                }
                if (look % RIGHTS_EVERY_LOOKS == 0) {
                    rights();
                }
                Thread.sleep(LOOK_MS);
            }
        } catch (SQLException _) {
            // The token has ended, or Postgres has: the pages come again.
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            close();
        }
    }

    private synchronized boolean closesUnused() {
        closed = listeners.isEmpty();
        return closed;
    }

    private void close() {
        synchronized (this) {
            closed = true;
        }
        ended.accept(this);
        listeners.forEach(LiveListener::end);
    }

    private void inbox(Connection connection) throws SQLException {
        var content = Live.content(connection, INBOX);
        if (content.equals(inboxShown)) {
            return;
        }
        inboxShown = content;
        inboxChanges++;
        synchronized (this) {
            inboxEvent =
                    "event: table\ndata: %s,\"batch\":%d}\n\n".formatted(content, inboxChanges);
            for (var listener : listeners) {
                if (listener.tables().contains(INBOX)) {
                    listener.offer(INBOX.name(), inboxEvent);
                }
            }
        }
    }

    private void rights() throws SQLException {
        for (var listener : listeners) {
            try {
                requireRights(listener.tables());
            } catch (LakemillException _) {
                listener.end();
                listeners.remove(listener);
            }
        }
    }

    private void requireRights(Set<LiveTable> tables) throws SQLException {
        var read = tables.stream().flatMap(table -> table.reads().stream()).distinct().toList();
        try (var query = user.prepareStatement("SELECT has_table_privilege(?, 'SELECT')")) {
            for (var name : read) {
                query.setString(1, name);
                try (var rows = query.executeQuery()) {
                    rows.next();
                    if (!rows.getBoolean(1)) {
                        throw new LakemillException(
                                ErrorCode.PERMISSION_DENIED,
                                "you may not read %s".formatted(name),
                                "its owner can GRANT SELECT on it to you, or to a group of yours");
                    }
                }
            }
        }
    }
}
