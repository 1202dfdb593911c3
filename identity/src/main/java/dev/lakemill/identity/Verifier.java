package dev.lakemill.identity;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * By what a password is known again: a SCRAM-SHA-256 verifier (RFC 5803) in the form that Postgres
 * has, {@code SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey}.
 *
 * <p>SCRAM rather than Argon2id: PBKDF2 comes with the JDK, so that there is no library to trust,
 * and Postgres takes the same text for a role's native password.
 */
final class Verifier {
    /** For what people choose; OWASP's number for PBKDF2 with SHA-256. */
    static final int PASSWORD_ITERATIONS = 600_000;

    /** For secrets of ours: nobody guesses 256 random bits, so that more would protect nothing. */
    static final int SECRET_ITERATIONS = 4_096;

    private static final String SCHEME = "SCRAM-SHA-256";
    private static final int SALT_BYTES = 16;
    private static final int KEY_BITS = 256;

    private final int iterations;
    private final byte[] salt;
    private final byte[] storedKey;
    private final byte[] serverKey;

    private Verifier(int iterations, byte[] salt, byte[] storedKey, byte[] serverKey) {
        this.iterations = iterations;
        this.salt = salt;
        this.storedKey = storedKey;
        this.serverKey = serverKey;
    }

    static Verifier of(String password, int iterations, SecureRandom random) {
        var salt = new byte[SALT_BYTES];
        random.nextBytes(salt);
        var salted = salted(password, salt, iterations);
        var storedKey = sha256(hmac(salted, "Client Key"));
        return new Verifier(iterations, salt, storedKey, hmac(salted, "Server Key"));
    }

    /**
     * One that nothing matches, made at once; to check against it costs what it costs with others.
     */
    static Verifier ofNobody(int iterations, SecureRandom random) {
        var bytes = new byte[SALT_BYTES + 2 * KEY_BITS / 8];
        random.nextBytes(bytes);
        var keys = SALT_BYTES + KEY_BITS / 8;
        return new Verifier(
                iterations,
                Arrays.copyOf(bytes, SALT_BYTES),
                Arrays.copyOfRange(bytes, SALT_BYTES, keys),
                Arrays.copyOfRange(bytes, keys, bytes.length));
    }

    static Verifier parse(String text) {
        var parts = text.split("[$:]");
        if (parts.length != 5 || !parts[0].equals(SCHEME)) {
            throw new IllegalArgumentException("not a verifier");
        }
        var base64 = Base64.getDecoder();
        return new Verifier(
                Integer.parseInt(parts[1]),
                base64.decode(parts[2]),
                base64.decode(parts[3]),
                base64.decode(parts[4]));
    }

    /** Takes the same time whether it matches or not. */
    boolean matches(String password) {
        var candidate = sha256(hmac(salted(password, salt, iterations), "Client Key"));
        return MessageDigest.isEqual(candidate, storedKey);
    }

    @Override
    public String toString() {
        var base64 = Base64.getEncoder();
        return "%s$%d:%s$%s:%s"
                .formatted(
                        SCHEME,
                        iterations,
                        base64.encodeToString(salt),
                        base64.encodeToString(storedKey),
                        base64.encodeToString(serverKey));
    }

    /** An empty password costs as much as any. */
    private static byte[] salted(String password, byte[] salt, int iterations) {
        var normal =
                Normalizer.normalize(password.isEmpty() ? " " : password, Normalizer.Form.NFKC);
        try {
            return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(
                            new PBEKeySpec(normal.toCharArray(), salt, iterations, KEY_BITS))
                    .getEncoded();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.US_ASCII));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
