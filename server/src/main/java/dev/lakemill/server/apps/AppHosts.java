package dev.lakemill.server.apps;

import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which host is which app: each has an origin of its own, so that a browser keeps the pages of one
 * from the cookies, storage and answers of the others and of the node.
 */
final class AppHosts {
    private static final Pattern ADDRESS = Pattern.compile("[0-9.]+|\\[.*");

    private AppHosts() {}

    /** The domain below which apps are; empty when the node has an address and no name. */
    static Optional<String> domain(Apps.Parts parts) {
        if (!parts.domain().isEmpty()) {
            return Optional.of(parts.domain().toLowerCase(Locale.ROOT));
        }
        var host = URI.create(parts.publicUrl().get()).getHost();
        if (host == null || host.equals("[::1]") || host.startsWith("127.")) {
            return Optional.of("localhost");
        }
        return ADDRESS.matcher(host).matches() ? Optional.empty() : Optional.of(host);
    }

    /** Where browsers find the app; its path on the node when it can have no host. */
    static String url(Apps.Parts parts, String name) {
        var node = URI.create(parts.publicUrl().get());
        var port = node.getPort() < 0 ? "" : ":" + node.getPort();
        return domain(parts)
                .map(domain -> "%s://%s.%s%s".formatted(node.getScheme(), name, domain, port))
                .orElse("%s/apps/%s".formatted(parts.publicUrl().get(), name));
    }

    /** The name that a host has of an app; null for every other host. */
    static @Nullable String app(Apps.Parts parts, @Nullable String host) {
        if (host == null) {
            return null;
        }
        var end = domain(parts).map(domain -> "." + domain).orElse("");
        var lower = host.toLowerCase(Locale.ROOT);
        if (end.isEmpty() || !lower.endsWith(end) || lower.length() == end.length()) {
            return null;
        }
        var name = lower.substring(0, lower.length() - end.length());
        return name.contains(".") ? null : name;
    }
}
