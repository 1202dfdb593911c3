package dev.lakemill.identity;

import dev.lakemill.types.Principal;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Set;

/** Who asks for tokens: a program on its own account, or one on behalf of the person at it. */
sealed interface Client {
    String id();

    /** A service principal that has shown its secret. */
    record Service(Principal principal) implements Client {
        @Override
        public String id() {
            return principal.id().toString();
        }
    }

    /** A command line, which cannot keep a secret: PKCE stands in for one (RFC 8252). */
    record Public(String id) implements Client {}

    /** Ours, and the one of Databricks' command line. */
    Set<String> PUBLIC_IDS = Set.of("lakemill-cli", "databricks-cli");

    /** Public clients listen on the machine of the person at them, on any port. */
    static boolean isLoopback(String redirect) {
        try {
            var uri = new URI(redirect);
            var host = uri.getHost();
            return "http".equals(uri.getScheme())
                    && ("127.0.0.1".equals(host)
                            || "localhost".equals(host)
                            || "[::1]".equals(host))
                    && uri.getUserInfo() == null
                    && uri.getFragment() == null;
        } catch (URISyntaxException e) {
            return false;
        }
    }
}
