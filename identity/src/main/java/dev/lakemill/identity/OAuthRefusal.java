package dev.lakemill.identity;

import java.util.Map;

/** An OAuth error (RFC 6749, 5.2). */
final class OAuthRefusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String error;
    private final String description;

    OAuthRefusal(String error, String description) {
        super(error + ": " + description);
        this.error = error;
        this.description = description;
    }

    int status() {
        return error.equals("invalid_client") ? 401 : 400;
    }

    String description() {
        return description;
    }

    OAuthAnswer answer() {
        return answer(status(), error, description);
    }

    static OAuthAnswer answer(int status, String error, String description) {
        var headers =
                status == 401
                        ? Map.of("www-authenticate", "Basic realm=\"lakemill\"")
                        : Map.<String, String>of();
        return new OAuthAnswer(
                status, headers, Map.of("error", error, "error_description", description));
    }
}
