package dev.lakemill.farm.app;

import com.sun.net.httpserver.HttpExchange;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/** The pages that a bundler built, kept in memory, and packed once. */
final class Pages {
    private static final String POLICY =
            "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self';"
                    + " font-src 'self'; object-src 'none';"
                    + " frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

    private static final Map<String, String> TYPES =
            Map.of(
                    "html", "text/html; charset=utf-8",
                    "js", "text/javascript; charset=utf-8",
                    "css", "text/css; charset=utf-8",
                    "json", "application/json",
                    "webmanifest", "application/manifest+json",
                    "svg", "image/svg+xml",
                    "png", "image/png",
                    "ico", "image/x-icon",
                    "woff2", "font/woff2");

    private static final Set<String> PACKED =
            Set.of("html", "js", "css", "json", "webmanifest", "svg");
    private static final int PACKED_BYTES_MIN = 1 << 10;
    private static final long BYTES_MAX = 64L << 20;
    private static final String INDEX = "index.html";

    /** As bundlers put a hash of the content into a name: {@code index-B4xK9_dQ.js}. */
    private static final Pattern HASHED = Pattern.compile(".*[.-][A-Za-z0-9_-]{8,}\\.[a-z0-9]+");

    /** What a bundler puts out, or nobody does; an application's own paths may have dots too. */
    private static final Pattern FILE =
            Pattern.compile("assets/.*|[^/]+\\.[a-z0-9]+|(.*/)?\\.\\..*");

    private record Page(byte[] plain, byte @Nullable [] gzip, String type, String etag) {}

    private final Map<String, Page> pages = new HashMap<>();

    private Pages() {}

    /** Fails where there is no index.html, or more than {@value #BYTES_MAX} bytes. */
    static Pages read(Path folder) throws IOException {
        var read = new Pages();
        long bytes = 0;
        try (var walk = Files.walk(folder)) {
            for (var file : walk.filter(Files::isRegularFile).sorted().toList()) {
                bytes += Files.size(file);
                if (bytes > BYTES_MAX) {
                    throw new IOException("%s has more than %d bytes".formatted(folder, BYTES_MAX));
                }
                var name = folder.relativize(file).toString().replace('\\', '/');
                read.pages.put(name, page(name, Files.readAllBytes(file)));
            }
        }
        if (!read.pages.containsKey(INDEX)) {
            throw new IOException(folder + " has no index.html: build the pages (npm run build)");
        }
        return read;
    }

    private static Page page(String name, byte[] content) throws IOException {
        var extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        var type = TYPES.getOrDefault(extension, "application/octet-stream");
        var sum = new CRC32();
        sum.update(content);
        var etag = "\"" + HexFormat.of().toHexDigits(sum.getValue()) + "\"";
        var isPacked = PACKED.contains(extension) && content.length >= PACKED_BYTES_MIN;
        return new Page(content, isPacked ? gzip(content) : null, type, etag);
    }

    private static byte[] gzip(byte[] content) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(bytes)) {
            out.write(content);
        }
        return bytes.toByteArray();
    }

    /** Paths that are no file's are the application's own, and get its page. */
    void serve(HttpExchange exchange) throws IOException {
        var name = exchange.getRequestURI().getPath().substring(1);
        var page = pages.get(name.isEmpty() ? INDEX : name);
        if (page == null && !FILE.matcher(name).matches()) {
            name = INDEX;
            page = pages.get(INDEX);
        }
        var headers = exchange.getResponseHeaders();
        headers.set("content-security-policy", POLICY);
        headers.set("x-content-type-options", "nosniff");
        headers.set("referrer-policy", "same-origin");
        headers.set("cross-origin-opener-policy", "same-origin");
        if (page == null) {
            headers.set("cache-control", "no-store");
            exchange.sendResponseHeaders(404, -1);
            return;
        }
        headers.set("etag", page.etag());
        headers.set("vary", "accept-encoding");
        headers.set(
                "cache-control",
                HASHED.matcher(name).matches()
                        ? "private, max-age=31536000, immutable"
                        : "private, no-cache");
        if (page.etag().equals(exchange.getRequestHeaders().getFirst("if-none-match"))) {
            exchange.sendResponseHeaders(304, -1);
            return;
        }
        send(exchange, page);
    }

    private static void send(HttpExchange exchange, Page page) throws IOException {
        var accepted = exchange.getRequestHeaders().getFirst("accept-encoding");
        var packed = accepted != null && accepted.contains("gzip") ? page.gzip() : null;
        if (packed != null) {
            exchange.getResponseHeaders().set("content-encoding", "gzip");
        }
        exchange.getResponseHeaders().set("content-type", page.type());
        var body = packed == null ? page.plain() : packed;
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(200, -1);
        } else {
            exchange.sendResponseHeaders(200, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
