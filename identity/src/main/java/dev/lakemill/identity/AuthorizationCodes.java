package dev.lakemill.identity;

import dev.lakemill.types.Principal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;

/**
 * Codes that stand for a consent, for a minute, until the client fetches its tokens. In memory: a
 * login that a restart interrupts is begun again.
 */
final class AuthorizationCodes {
    private static final Duration TTL = Duration.ofMinutes(1);
    private static final int CODES_MAX = 10_000;

    /**
     * @param session that the tokens belong to
     * @param generation of the principal's tokens, when it was given
     */
    record Consent(
            AuthorizationRequest request, Principal principal, String session, long generation) {}

    /** What became of a code that was shown. */
    sealed interface Outcome {
        record Good(Consent consent) implements Outcome {}

        /** Somebody has two copies of it: the tokens of its session are to end. */
        record Replayed(Consent consent) implements Outcome {}

        record Unknown() implements Outcome {}
    }

    private record Kept(Consent consent, Instant expiresAt, boolean used) {}

    private final SecureRandom random;
    private final Clock clock;

    /** By code; guarded by itself; the oldest is first, and gives way. */
    private final Map<String, Kept> entries =
            new LinkedHashMap<>() {
                @Override
                protected boolean removeEldestEntry(Map.Entry<String, Kept> eldest) {
                    return size() > CODES_MAX;
                }
            };

    AuthorizationCodes(SecureRandom random, Clock clock) {
        this.random = random;
        this.clock = clock;
    }

    String make(AuthorizationRequest request, Principal principal, long generation) {
        var code = RandomText.make(random);
        var consent = new Consent(request, principal, UUID.randomUUID().toString(), generation);
        var now = clock.instant();
        synchronized (entries) {
            entries.values().removeIf(entry -> !entry.expiresAt().isAfter(now));
            entries.put(code, new Kept(consent, now.plus(TTL), false));
        }
        return code;
    }

    /** A code is used up by whoever shows it, also when the rest is not right. */
    Outcome use(String code) {
        synchronized (entries) {
            var entry = entries.get(code);
            if (entry == null || !entry.expiresAt().isAfter(clock.instant())) {
                return new Outcome.Unknown();
            }
            entries.put(code, new Kept(entry.consent(), entry.expiresAt(), true));
            return entry.used()
                    ? new Outcome.Replayed(entry.consent())
                    : new Outcome.Good(entry.consent());
        }
    }

    /** Whether the verifier is the one that the challenge was made from (RFC 7636, 4.6). */
    static boolean isProof(String challenge, String verifier) {
        var hash = Verifier.sha256(verifier.getBytes(StandardCharsets.US_ASCII));
        var made = Base64.getUrlEncoder().withoutPadding().encode(hash);
        return verifier.length() >= 43
                && verifier.length() <= 128
                && MessageDigest.isEqual(made, challenge.getBytes(StandardCharsets.US_ASCII));
    }
}
