package dev.lakemill.farm.app;

import com.sun.net.httpserver.HttpExchange;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Set;

/**
 * Server-sent events to one page, written by the thread of its request.
 *
 * <p>A page sees what both the app and its user may read. The user's own connection says so, at
 * first and then every two seconds; with the user's token it ends after ten minutes at most, and
 * the stream with it, whereupon the page opens the next one.
 */
final class LiveStream {
    private static final long INBOX_EVERY_MS = 500;
    private static final long RIGHTS_EVERY_MS = 2_000;
    private static final long KEEP_ALIVE_MS = 10_000;

    private final Live live;
    private final Database database;
    private final Set<LiveTable> tables;
    private final LiveTable inbox;
    private final boolean hasInbox;
    private String inboxShown = "";
    private long inboxChanges;

    LiveStream(Live live, Database database, Set<LiveTable> tables) {
        this.live = live;
        this.database = database;
        this.tables = tables;
        this.inbox = LiveTable.named(Set.of("procurement.inbox")).iterator().next();
        this.hasInbox = tables.contains(inbox);
    }

    /**
     * Until the page goes away, its user may not read a table any more, or the token ends.
     *
     * @throws LakemillException PERMISSION_DENIED, before anything is sent
     */
    void run(HttpExchange exchange, Visitor visitor) throws SQLException, IOException {
        try (var user = database.as(visitor)) {
            requireRights(user);
            var listener = new LiveListener(tables);
            live.add(listener);
            try {
                send(exchange, user, listener);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            } finally {
                live.remove(listener);
            }
        }
    }

    private void send(HttpExchange exchange, Connection user, LiveListener listener)
            throws IOException, InterruptedException {
        exchange.getResponseHeaders().set("content-type", "text/event-stream");
        exchange.getResponseHeaders().set("cache-control", "no-store");
        exchange.sendResponseHeaders(200, 0);
        var out = exchange.getResponseBody();
        out.write("retry: 1000\n\n".getBytes(StandardCharsets.UTF_8));
        out.flush();
        long sentAtMs = System.currentTimeMillis();
        long rightsAtMs = sentAtMs;
        long inboxAtMs = 0;
        while (!listener.hasEnded()) {
            var events = listener.take(INBOX_EVERY_MS);
            var now = System.currentTimeMillis();
            if (events.isEmpty() && now - sentAtMs >= KEEP_ALIVE_MS) {
                events = java.util.List.of(": keep-alive\n\n");
            }
            for (var event : events) {
                out.write(event.getBytes(StandardCharsets.UTF_8));
            }
            if (!events.isEmpty()) {
                out.flush();
                sentAtMs = now;
            }
            try {
                if (hasInbox && now - inboxAtMs >= INBOX_EVERY_MS) {
                    inboxAtMs = now;
                    look(user, listener);
                }
                if (now - rightsAtMs >= RIGHTS_EVERY_MS) {
                    rightsAtMs = now;
                    requireRights(user);
                }
            } catch (SQLException | LakemillException _) {
                return;
            }
        }
    }

    private void look(Connection user, LiveListener listener) throws SQLException {
        var content = Live.content(user, inbox);
        if (!content.equals(inboxShown)) {
            inboxShown = content;
            inboxChanges++;
            listener.offer(
                    inbox.name(),
                    "event: table\ndata: %s,\"batch\":%d}\n\n".formatted(content, inboxChanges));
        }
    }

    private void requireRights(Connection user) throws SQLException {
        try (var query = user.prepareStatement("SELECT has_table_privilege(?, 'SELECT')")) {
            for (var table : tables) {
                query.setString(
                        1, table.kind() == LiveTable.Kind.INBOX ? "procurement.rfq" : table.name());
                try (var rows = query.executeQuery()) {
                    rows.next();
                    if (!rows.getBoolean(1)) {
                        throw new LakemillException(
                                ErrorCode.PERMISSION_DENIED,
                                "you may not read %s".formatted(table.name()),
                                "its owner can GRANT SELECT on it to you, or to a group of yours");
                    }
                }
            }
        }
    }
}
