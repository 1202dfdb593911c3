package dev.lakemill.farm.app;

import com.sun.net.httpserver.Headers;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * Who sits before the page, as the node's proxy says.
 *
 * @param name of the principal
 * @param email empty where the name is none
 * @param token good for Postgres, as that principal
 */
record Visitor(String name, String email, String token) {
    /** Headers are ASCII: the proxy writes every byte beyond it, and control characters, so. */
    private static final Pattern ENCODED =
            Pattern.compile("(?:%(?:[89A-F][0-9A-F]|[01][0-9A-F]|7F))+");

    /** UNAUTHENTICATED when the proxy says nothing. */
    static Visitor of(Headers headers) {
        var name = headers.getFirst("X-Forwarded-Preferred-Username");
        var token = headers.getFirst("X-Forwarded-Access-Token");
        if (name == null || token == null) {
            throw new LakemillException(
                    ErrorCode.UNAUTHENTICATED,
                    "the request names no user",
                    "open the app at its own address, where the node logs you in");
        }
        var email = headers.getFirst("X-Forwarded-Email");
        return new Visitor(decoded(name), email == null ? "" : decoded(email), token);
    }

    private static String decoded(String text) {
        return ENCODED.matcher(text)
                .replaceAll(found -> java.util.regex.Matcher.quoteReplacement(utf8(found.group())));
    }

    private static String utf8(String encoded) {
        var bytes = new byte[encoded.length() / 3];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(encoded.substring(3 * i + 1, 3 * i + 3), 16);
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Without the token. */
    @Override
    public String toString() {
        return name;
    }
}
