package dev.lakemill.identity;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;

/** Secrets of ours: 256 random bits as text that needs no escaping anywhere. */
final class RandomText {
    private static final int BYTES = 32;

    private RandomText() {}

    static String make(SecureRandom random) {
        var bytes = new byte[BYTES];
        random.nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /**
     * What is kept of it where it is looked up by. A plain hash is enough for what nobody can
     * guess.
     */
    static byte[] hash(String text) {
        return Verifier.sha256(text.getBytes(StandardCharsets.UTF_8));
    }
}
