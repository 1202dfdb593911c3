package dev.lakemill.server.apps;

import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/** What the token of an app's user can be good for: Databricks' names, as far as we have them. */
public final class AppScopes {
    static final Set<String> KNOWN =
            new TreeSet<>(
                    Set.of("sql", "postgres", "unity-catalog", "iam.current-user:read", "serving"));

    private AppScopes() {}

    /** Of the cookie of a browser at one app: it opens that app alone. */
    static String ofApp(UUID app) {
        return "app:" + app;
    }

    /** The scopes of which one is enough for a path of REST, beside the one for everything. */
    public static Set<String> forPath(String path) {
        if (path.startsWith("/api/2.0/sql/statements")) {
            return Set.of("sql");
        }
        if (path.startsWith("/api/2.1/unity-catalog/")) {
            return Set.of("unity-catalog");
        }
        if (path.startsWith("/serving-endpoints") || path.startsWith("/v1/")) {
            return Set.of("serving");
        }
        return path.equals("/api/2.0/preview/scim/v2/Me")
                ? Set.of("iam.current-user:read")
                : Set.of();
    }
}
