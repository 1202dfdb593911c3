package dev.lakemill.postgres;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The passwords by which the door logs in as a role where there is no peer authentication: an HMAC
 * of the role's name by one random secret, which is a file of mode 0600. Nobody else knows them,
 * and Postgres is given their SCRAM verifiers alone.
 */
final class FrontDoorPasswords {
    private static final String ALGORITHM = "HmacSHA256";

    private final SecretKeySpec secret;

    FrontDoorPasswords(Path file) throws IOException {
        var text = Secret.readOrCreate(file);
        this.secret = new SecretKeySpec(text.getBytes(StandardCharsets.UTF_8), ALGORITHM);
    }

    String of(String role) {
        try {
            var mac = Mac.getInstance(ALGORITHM);
            mac.init(secret);
            var bytes = mac.doFinal(role.getBytes(StandardCharsets.UTF_8));
            return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has " + ALGORITHM, e);
        }
    }
}
