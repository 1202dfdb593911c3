package dev.lakemill.identity;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.text.ParseException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Reads tokens of one type, and checks a signature once: it takes a millisecond of a processor, and
 * callers show the same token again and again. Those whose signature was right are known by their
 * SHA-256 while their key is. Safe to use from any thread.
 */
final class SignedTokens {
    private static final int KNOWN_MAX = 4_096;

    private record Known(String key, JWTClaimsSet claims) {}

    /** The one that was shown the longest ago goes first. */
    private static final class Recent extends LinkedHashMap<ByteBuffer, Known> {
        private static final long serialVersionUID = 1L;

        private Recent() {
            super(16, 0.75f, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Known> eldest) {
            return size() > KNOWN_MAX;
        }
    }

    private final JOSEObjectType type;
    private final SigningKeys keys;
    private final AtomicLong checked = new AtomicLong();

    /** Guarded by itself. */
    private final Recent known = new Recent();

    SignedTokens(JOSEObjectType type, SigningKeys keys) {
        this.type = type;
        this.keys = keys;
    }

    /** What a token says whose form and signature are right; UNAUTHENTICATED for another. */
    JWTClaimsSet read(String token) throws ParseException, JOSEException {
        var digest = ByteBuffer.wrap(sha256(token));
        var before = find(digest);
        if (before != null && keys.find(before.key()).isPresent()) {
            return before.claims();
        }
        var jwt = SignedJWT.parse(token);
        var header = jwt.getHeader();
        if (!JWSAlgorithm.ES256.equals(header.getAlgorithm()) || !type.equals(header.getType())) {
            throw Tokens.refused("it is not an access token");
        }
        var id = String.valueOf(header.getKeyID());
        var key = keys.find(id).orElseThrow(() -> Tokens.refused("its signature is unknown"));
        checked.incrementAndGet();
        if (!jwt.verify(new ECDSAVerifier(key))) {
            throw Tokens.refused("its signature is wrong");
        }
        synchronized (known) {
            known.put(digest, new Known(id, jwt.getJWTClaimsSet()));
        }
        return jwt.getJWTClaimsSet();
    }

    private @Nullable Known find(ByteBuffer digest) {
        synchronized (known) {
            return known.get(digest);
        }
    }

    /** How many signatures were checked. */
    long checked() {
        return checked.get();
    }

    private static byte[] sha256(String token) {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
