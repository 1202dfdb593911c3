package dev.lakemill.farm.app;

import com.sun.net.httpserver.HttpExchange;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Server-sent events to pages, each written by the thread of its request. A page sees what both the
 * app and its user may read.
 */
final class LiveStreams {
    static final int LOGINS_MAX = 16;

    /** The class of SQLSTATEs for it. */
    private static final String CONNECTION_LOST = "08";

    private static final long KEEP_ALIVE_MS = 5_000;

    private final Live live;
    private final Database database;

    /** By token, so that a login's streams end with it. Guarded by itself. */
    private final Map<String, UserWatch> watches = new HashMap<>();

    LiveStreams(Live live, Database database) {
        this.live = live;
        this.database = database;
    }

    /**
     * Until the page goes away, its user may not read a table any more, or the token ends.
     *
     * @throws LakemillException before anything is sent: PERMISSION_DENIED, or RESOURCE_EXHAUSTED
     *     when too many listen
     */
    void run(HttpExchange exchange, Visitor visitor, Set<LiveTable> tables)
            throws SQLException, IOException, InterruptedException {
        var listener = new LiveListener(tables);
        var watch = watched(visitor, listener);
        try {
            live.add(listener);
            send(exchange, listener);
        } finally {
            live.remove(listener);
            watch.remove(listener);
        }
    }

    private UserWatch watched(Visitor visitor, LiveListener listener) throws SQLException {
        UserWatch known;
        synchronized (watches) {
            known = watches.get(visitor.token());
            if (known == null && watches.size() >= LOGINS_MAX) {
                throw new LakemillException(
                        ErrorCode.RESOURCE_EXHAUSTED,
                        "%d people are here already".formatted(LOGINS_MAX),
                        "come again when somebody has closed the app");
            }
        }
        return known != null && adds(known, listener) ? known : made(visitor, listener);
    }

    /** False for one that has lost its connection, too. */
    private static boolean adds(UserWatch known, LiveListener listener) throws SQLException {
        try {
            return known.add(listener);
        } catch (SQLException e) {
            if (!String.valueOf(e.getSQLState()).startsWith(CONNECTION_LOST)) {
                throw e;
            }
            System.err.println("a watch has ended: " + e);
            return false;
        }
    }

    private UserWatch made(Visitor visitor, LiveListener listener) throws SQLException {
        var token = visitor.token();
        var made = new UserWatch(database.as(visitor), watch -> forget(token, watch));
        synchronized (watches) {
            watches.put(token, made);
        }
        try {
            made.add(listener);
        } finally {
            made.start(visitor.name());
        }
        return made;
    }

    private void forget(String token, UserWatch watch) {
        synchronized (watches) {
            watches.remove(token, watch);
        }
    }

    private static void send(HttpExchange exchange, LiveListener listener)
            throws IOException, InterruptedException {
        exchange.getResponseHeaders().set("content-type", "text/event-stream");
        exchange.getResponseHeaders().set("cache-control", "no-store");
        exchange.sendResponseHeaders(200, 0);
        var out = exchange.getResponseBody();
        out.write("retry: 1000\n\n".getBytes(StandardCharsets.UTF_8));
        out.flush();
        while (!listener.hasEnded()) {
            var events = listener.take(KEEP_ALIVE_MS);
            for (var event : events.isEmpty() ? List.of(": keep-alive\n\n") : events) {
                out.write(event.getBytes(StandardCharsets.UTF_8));
            }
            out.flush();
        }
    }
}
