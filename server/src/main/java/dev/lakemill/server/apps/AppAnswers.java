package dev.lakemill.server.apps;

import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpServerResponse;

/** What the node itself answers at an app's host. */
final class AppAnswers {
    private static final String POLICY =
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

    private AppAnswers() {}

    static int status(LakemillException failure) {
        return switch (failure.code()) {
            case INVALID_ARGUMENT -> 400;
            case UNAUTHENTICATED -> 401;
            case PERMISSION_DENIED -> 403;
            case NOT_FOUND -> 404;
            case ALREADY_EXISTS, FAILED_PRECONDITION -> 409;
            case RESOURCE_EXHAUSTED -> 429;
            case UNIMPLEMENTED -> 501;
            case UNAVAILABLE -> 503;
            case DATA_LOSS, INTERNAL -> 500;
        };
    }

    /** A page for people, JSON for programs. */
    static void problem(
            HttpServerResponse response, boolean html, int status, String title, String text) {
        if (response.headWritten() || response.closed()) {
            return;
        }
        response.setStatusCode(status)
                .putHeader("cache-control", "no-store")
                .putHeader("x-content-type-options", "nosniff")
                .putHeader("content-security-policy", POLICY)
                .putHeader("content-type", html ? "text/html; charset=utf-8" : "application/json");
        response.end(html ? page(status, title, text) : json(status, title + ": " + text));
    }

    private static String json(int status, String message) {
        var code =
                switch (status) {
                    case 401 -> "UNAUTHENTICATED";
                    case 403 -> "PERMISSION_DENIED";
                    case 404 -> "NOT_FOUND";
                    case 413 -> "INVALID_ARGUMENT";
                    default -> "UNAVAILABLE";
                };
        return io.vertx.core.json.JsonObject.of("error_code", code, "message", message).encode();
    }

    private static String page(int status, String title, String text) {
        return """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><title>%2$s</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <style>:root { color-scheme: light dark }
        body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto;
          padding: 0 16px } code { font-size: .9em }</style></head>
        <body><h1>%2$s</h1><p>%3$s</p><p><small>%1$d</small></p></body></html>
        """
                .formatted(status, escaped(title), escaped(text));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
