package dev.lakemill.server.apps;

import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * The pages of a static app: exactly the files of its version, found by name in memory, so that no
 * path reaches anything else. Unknown paths get the index page, lost files do not.
 */
final class StaticSite {
    private static final String POLICY =
            "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline';"
                    + " img-src 'self' data:; font-src 'self' data:; object-src 'none';"
                    + " frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

    private static final Map<String, String> TYPES =
            Map.ofEntries(
                    Map.entry("html", "text/html; charset=utf-8"),
                    Map.entry("js", "text/javascript; charset=utf-8"),
                    Map.entry("mjs", "text/javascript; charset=utf-8"),
                    Map.entry("css", "text/css; charset=utf-8"),
                    Map.entry("json", "application/json"),
                    Map.entry("map", "application/json"),
                    Map.entry("webmanifest", "application/manifest+json"),
                    Map.entry("svg", "image/svg+xml"),
                    Map.entry("png", "image/png"),
                    Map.entry("jpg", "image/jpeg"),
                    Map.entry("jpeg", "image/jpeg"),
                    Map.entry("gif", "image/gif"),
                    Map.entry("webp", "image/webp"),
                    Map.entry("avif", "image/avif"),
                    Map.entry("ico", "image/x-icon"),
                    Map.entry("woff", "font/woff"),
                    Map.entry("woff2", "font/woff2"),
                    Map.entry("wasm", "application/wasm"),
                    Map.entry("txt", "text/plain; charset=utf-8"),
                    Map.entry("xml", "application/xml"),
                    Map.entry("pdf", "application/pdf"));

    private static final Set<String> COMPRESSED =
            Set.of("html", "js", "mjs", "css", "json", "map", "svg", "txt", "xml", "wasm");
    private static final int COMPRESSED_BYTES_MIN = 1 << 10;

    /** As bundlers put a hash of the content into a name: {@code index-B4xK9_dQ.js}. */
    private static final Pattern HASHED = Pattern.compile(".*[.-][A-Za-z0-9_-]{8,}\\.[a-z0-9]+");

    private record Page(Path path, boolean gzip, boolean brotli, String etag) {}

    private final Map<String, Page> pages = new HashMap<>();

    /**
     * @param digest of the version
     */
    StaticSite(Path folder, String digest) throws IOException {
        try (var walk = Files.walk(folder)) {
            for (var path : walk.filter(Files::isRegularFile).toList()) {
                var name = folder.relativize(path).toString().replace('\\', '/');
                if (!AppManifest.FILES.contains(name)) {
                    var etag = "\"%s-%x\"".formatted(digest.substring(0, 16), name.hashCode());
                    pages.put(name, new Page(path, is(path, ".gz"), is(path, ".br"), etag));
                }
            }
        }
    }

    private static boolean is(Path path, String suffix) {
        return Files.isRegularFile(path.resolveSibling(path.getFileName() + suffix));
    }

    /** Before a version is sealed: what is worth it gets a smaller copy beside it. */
    static void compress(Path folder) throws IOException {
        try (var walk = Files.walk(folder)) {
            for (var path : walk.filter(Files::isRegularFile).toList()) {
                if (COMPRESSED.contains(extension(path.toString()))
                        && Files.size(path) >= COMPRESSED_BYTES_MIN
                        && !is(path, ".gz")) {
                    var smaller = path.resolveSibling(path.getFileName() + ".gz");
                    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(smaller))) {
                        Files.copy(path, out);
                    }
                }
            }
        }
    }

    private static String extension(String name) {
        return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    }

    /**
     * @param path decoded, with a slash first
     */
    void serve(HttpServerRequest request, String path) {
        var response = request.response();
        response.putHeader("content-security-policy", POLICY)
                .putHeader("x-content-type-options", "nosniff")
                .putHeader("referrer-policy", "same-origin")
                .putHeader("cross-origin-opener-policy", "same-origin");
        if (!request.method().equals(HttpMethod.GET) && !request.method().equals(HttpMethod.HEAD)) {
            response.setStatusCode(405).putHeader("allow", "GET, HEAD").end();
            return;
        }
        var name = path.substring(1);
        var page = pages.get(name.isEmpty() ? "index.html" : name);
        if (page == null && !name.substring(name.lastIndexOf('/') + 1).contains(".")) {
            page = pages.get("index.html");
        }
        if (page == null) {
            response.setStatusCode(404)
                    .putHeader("content-type", "text/plain; charset=utf-8")
                    .putHeader("cache-control", "no-store")
                    .end("There is no such file in this app.\n");
            return;
        }
        send(request, page);
    }

    private static void send(HttpServerRequest request, Page page) {
        var response = request.response();
        var name = String.valueOf(page.path().getFileName());
        response.putHeader("etag", page.etag())
                .putHeader("vary", "accept-encoding")
                .putHeader(
                        "cache-control",
                        HASHED.matcher(name).matches()
                                ? "private, max-age=31536000, immutable"
                                : "private, no-cache");
        if (page.etag().equals(request.getHeader("if-none-match"))) {
            response.setStatusCode(304).end();
            return;
        }
        var type = TYPES.get(extension(name));
        response.putHeader("content-type", type == null ? "application/octet-stream" : type);
        var accepted = request.getHeader("accept-encoding");
        var file = page.path();
        var suffix = encoding(page, accepted);
        if (suffix != null) {
            file = file.resolveSibling(name + suffix);
        }
        response.putHeader(
                "content-encoding",
                suffix == null ? "identity" : suffix.equals(".br") ? "br" : "gzip");
        if (request.method().equals(HttpMethod.HEAD)) {
            response.end();
        } else {
            response.sendFile(file.toString());
        }
    }

    private static @Nullable String encoding(Page page, @Nullable String accepted) {
        if (accepted == null) {
            return null;
        }
        if (page.brotli() && accepted.contains("br")) {
            return ".br";
        }
        return page.gzip() && accepted.contains("gzip") ? ".gz" : null;
    }
}
