package dev.lakemill.server.apps;

import dev.lakemill.identity.Peer;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import io.vertx.core.MultiMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Headers between the proxy and an app: Databricks' names, and nothing that a visitor made up. */
final class AppHeaders {
    private static final Set<String> OURS =
            Set.of(
                    "forwarded",
                    "x-real-ip",
                    "x-request-id",
                    "authorization",
                    "proxy-authorization");

    private static final Pattern DOMAIN = Pattern.compile("(?i);\\s*domain\\s*=[^;]*");

    private AppHeaders() {}

    /**
     * Who asks, and how.
     *
     * @param host as the visitor's browser calls it
     * @param prefix of the path that was taken off; empty for none
     * @param userToken null when the app gets none
     */
    record Visitor(
            Principal user,
            Peer peer,
            String host,
            String scheme,
            String prefix,
            @Nullable String userToken,
            String proxySecret) {}

    static void toApp(MultiMap headers, Visitor visitor) {
        for (var name : List.copyOf(headers.names())) {
            var lower = name.toLowerCase(Locale.ROOT).replace('_', '-');
            if (OURS.contains(lower)
                    || lower.startsWith("x-forwarded")
                    || lower.startsWith("x-lakemill")
                    || lower.startsWith("x-databricks")) {
                headers.remove(name);
            }
        }
        var cookies = cookies(headers.getAll("cookie"));
        headers.remove("cookie");
        if (!cookies.isEmpty()) {
            headers.set("cookie", String.join("; ", cookies));
        }
        var user = visitor.user();
        headers.set("X-Forwarded-Host", visitor.host());
        headers.set("X-Forwarded-Proto", visitor.scheme());
        headers.set("X-Forwarded-For", visitor.peer().address());
        headers.set("X-Forwarded-User", user.id().toString());
        headers.set("X-Forwarded-Preferred-Username", ascii(user.name()));
        if (user.kind() == PrincipalKind.USER && user.name().contains("@")) {
            headers.set("X-Forwarded-Email", ascii(user.name()));
        }
        headers.set("X-Real-Ip", visitor.peer().address());
        headers.set("X-Request-Id", visitor.peer().requestId());
        headers.set("X-Lakemill-Proxy-Secret", visitor.proxySecret());
        if (!visitor.prefix().isEmpty()) {
            headers.set("X-Forwarded-Prefix", visitor.prefix());
        }
        if (visitor.userToken() != null) {
            headers.set("X-Forwarded-Access-Token", visitor.userToken());
        }
    }

    /** Headers are ASCII: other characters are percent-encoded, as UTF-8. */
    private static String ascii(String text) {
        var plain = new StringBuilder();
        for (var b : text.getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
            if (b > 0x1f && b != 0x7f) {
                plain.append((char) b);
            } else {
                plain.append("%%%02X".formatted(b & 0xff));
            }
        }
        return plain.toString();
    }

    private static List<String> cookies(List<String> headers) {
        var kept = new ArrayList<String>();
        for (var header : headers) {
            for (var cookie : header.split(";")) {
                if (!cookie.isBlank() && !AppProxy.isOurs(cookie)) {
                    kept.add(cookie.strip());
                }
            }
        }
        return kept;
    }

    /** An app sets cookies of its own, for its own host. */
    static void fromApp(MultiMap headers, boolean hosted) {
        var set = headers.getAll("set-cookie");
        headers.remove("set-cookie");
        for (var cookie : set) {
            if (!AppProxy.isOurs(cookie) && hosted) {
                headers.add("set-cookie", DOMAIN.matcher(cookie).replaceAll(""));
            }
        }
        if (!headers.contains("content-encoding")) {
            // Compressing here would hold back the events of a stream.
            headers.set("content-encoding", "identity");
        }
        if (!hosted) {
            headers.set("content-security-policy", "sandbox");
            headers.set("x-content-type-options", "nosniff");
        }
    }
}
