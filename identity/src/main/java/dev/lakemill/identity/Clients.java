package dev.lakemill.identity;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Authenticates clients: by HTTP Basic, by secret in the form, or public ones by their id. */
final class Clients {
    private record Credentials(String id, String secret) {}

    private final ClientSecrets secrets;

    Clients(ClientSecrets secrets) {
        this.secrets = secrets;
    }

    /** Throws invalid_client, the same whether the client is known or not. */
    Client authenticate(OAuthCall call) {
        var basic = basic(call.authorization());
        var id = call.find("client_id");
        var secret = call.find("client_secret");
        if (basic != null && secret.isPresent()) {
            throw new OAuthRefusal("invalid_request", "two kinds of client authentication");
        }
        if (basic != null) {
            if (id.isPresent() && !id.get().equals(basic.id())) {
                throw new OAuthRefusal("invalid_request", "two client ids");
            }
            return service(basic, call.peer());
        }
        if (secret.isPresent()) {
            return service(new Credentials(call.require("client_id"), secret.get()), call.peer());
        }
        if (id.isPresent() && Client.PUBLIC_IDS.contains(id.get())) {
            return new Client.Public(id.get());
        }
        throw unknown();
    }

    private Client service(Credentials credentials, Peer peer) {
        return secrets.check(credentials.id(), credentials.secret(), peer)
                .map(Client.Service::new)
                .orElseThrow(Clients::unknown);
    }

    private static OAuthRefusal unknown() {
        return new OAuthRefusal("invalid_client", "client_id and client_secret are not right");
    }

    /** Null when the header is absent or of another kind. */
    private static @Nullable Credentials basic(@Nullable String header) {
        if (header == null || !header.toLowerCase(Locale.ROOT).startsWith("basic ")) {
            return null;
        }
        try {
            var bytes = Base64.getDecoder().decode(header.substring(6).strip());
            var text = new String(bytes, StandardCharsets.UTF_8);
            var colon = text.indexOf(':');
            if (colon > 0) {
                return new Credentials(
                        decoded(text.substring(0, colon)), decoded(text.substring(colon + 1)));
            }
        } catch (IllegalArgumentException _) {
            // Told below, as any other credentials that are not right.
        }
        throw unknown();
    }

    /** RFC 6749 encodes both parts as a form; many clients do not. */
    private static String decoded(String part) {
        try {
            return URLDecoder.decode(part, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return part;
        }
    }
}
