package dev.lakemill.farm.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The application's HTTP, for the node's proxy alone: each request shows the proxy's secret, but
 * for {@code /health}. A thread of its own serves each.
 */
final class AppServer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int BODY_BYTES_MAX = 64 << 10;
    private static final int STOP_SECONDS_MAX = 5;
    private static final String HEALTH = "/health";
    private static final String APPROVALS = "/api/approvals/";

    /** What requests are answered from. */
    record Parts(Pages pages, LiveStreams streams, Database database, Models models) {}

    private final HttpServer http;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final byte[] secret;
    private final Parts parts;

    private AppServer(HttpServer http, String secret, Parts parts) {
        this.http = http;
        this.secret = secret.getBytes(StandardCharsets.UTF_8);
        this.parts = parts;
    }

    static AppServer start(InetSocketAddress address, String secret, Parts parts)
            throws IOException {
        var server = new AppServer(HttpServer.create(address, 128), secret, parts);
        server.http.setExecutor(server.threads);
        server.http.createContext("/", server::handle);
        server.http.start();
        return server;
    }

    int port() {
        return http.getAddress().getPort();
    }

    @Override
    public void close() {
        http.stop(STOP_SECONDS_MAX);
        threads.shutdownNow();
    }

    private void handle(HttpExchange exchange) {
        try (exchange) {
            try {
                route(exchange);
            } catch (SQLException e) {
                problem(exchange, Database.problem(e));
            } catch (LakemillException e) {
                problem(exchange, e);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            } catch (RuntimeException e) {
                e.printStackTrace();
                problem(
                        exchange,
                        new LakemillException(
                                ErrorCode.INTERNAL, "a defect of the app: " + e, "see its log"));
            }
        } catch (IOException _) {
            // The visitor has gone.
        }
    }

    private void route(HttpExchange exchange)
            throws IOException, SQLException, InterruptedException {
        var path = exchange.getRequestURI().getPath();
        if (path.equals(HEALTH)) {
            exchange.sendResponseHeaders(204, -1);
            return;
        }
        requireProxy(exchange);
        var method = exchange.getRequestMethod();
        if (method.equals("POST")) {
            post(exchange, path);
        } else if (!method.equals("GET") && !method.equals("HEAD")) {
            exchange.getResponseHeaders().set("allow", "GET, HEAD, POST");
            exchange.sendResponseHeaders(405, -1);
        } else if (path.startsWith("/api/")) {
            get(exchange, path);
        } else {
            parts.pages().serve(exchange);
        }
    }

    /** Whoever comes past the proxy could call itself anybody. */
    private void requireProxy(HttpExchange exchange) {
        var shown = exchange.getRequestHeaders().getFirst("X-Lakemill-Proxy-Secret");
        if (shown == null
                || !MessageDigest.isEqual(shown.getBytes(StandardCharsets.UTF_8), secret)) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "the request did not come through the node",
                    "open the app at its own address");
        }
    }

    private void get(HttpExchange exchange, String path)
            throws IOException, SQLException, InterruptedException {
        var visitor = Visitor.of(exchange.getRequestHeaders());
        var asked = new Query(exchange.getRequestURI().getRawQuery());
        switch (path) {
            case "/api/live" -> {
                var tables = LiveTable.named(asked.all("table"));
                parts.streams().run(exchange, visitor, tables);
            }
            case "/api/me" -> {
                try (var user = parts.database().as(visitor)) {
                    answer(exchange, 200, Decisions.rights(user, visitor));
                }
            }
            case "/api/models" -> {
                try (var user = parts.database().as(visitor)) {
                    answer(exchange, 200, parts.models().drafter(user));
                }
            }
            case "/api/prices" -> {
                try (var user = parts.database().as(visitor)) {
                    answer(exchange, 200, Prices.of(user, asked.one("sku")));
                }
            }
            case "/api/trace" -> {
                try (var user = parts.database().as(visitor)) {
                    user.setReadOnly(true);
                    answer(exchange, 200, new Trace(user).of(asked.one("kind"), asked.one("id")));
                }
            }
            default -> throw missing(path);
        }
    }

    private void post(HttpExchange exchange, String path) throws IOException, SQLException {
        var headers = exchange.getRequestHeaders();
        var type = headers.getFirst("content-type");
        if (!"lakemill".equals(headers.getFirst("X-Requested-With"))
                || type == null
                || !type.startsWith("application/json")) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "a page of another site may have sent this",
                    "send X-Requested-With: lakemill, and application/json");
        }
        var visitor = Visitor.of(headers);
        var body = Body.read(exchange.getRequestBody(), BODY_BYTES_MAX);
        try (var user = parts.database().as(visitor)) {
            if (path.equals("/api/rfqs")) {
                answer(exchange, 201, Requests.make(user, body));
            } else if (path.equals("/api/variances")) {
                answer(exchange, 200, Decisions.variance(user, body));
            } else if (path.startsWith(APPROVALS)) {
                var id = path.substring(APPROVALS.length());
                answer(exchange, 200, Decisions.approval(user, id, body));
            } else {
                throw missing(path);
            }
        }
    }

    private static LakemillException missing(String path) {
        return new LakemillException(ErrorCode.NOT_FOUND, "there is no " + path, "");
    }

    private static void answer(HttpExchange exchange, int status, Object content)
            throws IOException {
        var body = JSON.writeValueAsBytes(content);
        exchange.getResponseHeaders().set("content-type", "application/json");
        exchange.getResponseHeaders().set("cache-control", "no-store");
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(status, -1);
        } else {
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private static void problem(HttpExchange exchange, LakemillException e) throws IOException {
        if (exchange.getResponseCode() != -1) {
            return;
        }
        var error = new LinkedHashMap<String, Object>();
        error.put("code", e.code().name());
        error.put("message", e.problem());
        error.put("hint", e.hint());
        answer(exchange, status(e.code()), Map.of("error", error));
    }

    private static int status(ErrorCode code) {
        return switch (code) {
            case INVALID_ARGUMENT -> 400;
            case UNAUTHENTICATED -> 401;
            case PERMISSION_DENIED -> 403;
            case NOT_FOUND -> 404;
            case ALREADY_EXISTS, FAILED_PRECONDITION -> 409;
            case RESOURCE_EXHAUSTED, UNAVAILABLE -> 503;
            case UNIMPLEMENTED, DATA_LOSS, INTERNAL -> 500;
        };
    }

    /** What stands behind the question mark. */
    private record Query(Map<String, List<String>> values) {
        Query(String raw) {
            this(new LinkedHashMap<>());
            for (var pair : raw == null ? new String[0] : raw.split("&")) {
                var cut = pair.indexOf('=');
                if (cut > 0) {
                    values.computeIfAbsent(decoded(pair.substring(0, cut)), _ -> new ArrayList<>())
                            .add(decoded(pair.substring(cut + 1)));
                }
            }
        }

        private static String decoded(String text) {
            return java.net.URLDecoder.decode(text, StandardCharsets.UTF_8);
        }

        List<String> all(String name) {
            return values.getOrDefault(name, List.of());
        }

        String one(String name) {
            var all = all(name);
            if (all.size() != 1) {
                throw new LakemillException(
                        ErrorCode.INVALID_ARGUMENT, "give one " + name, "as in ?" + name + "=…");
            }
            return all.getFirst();
        }
    }
}
