package dev.lakemill.identity;

import com.nimbusds.jose.Algorithm;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import dev.lakemill.catalog.Transactions;
import dev.lakemill.types.LakemillException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys that sign tokens (ES256), in Postgres, sealed by a {@link KeyFile}.
 *
 * <p>The newest key signs; it is replaced after {@link #SIGNS}, and goes on verifying until the
 * last token that it signed has ended. All are in memory, so that tokens are made and verified
 * while Postgres is away. Keys that the key file does not open are left alone.
 */
final class SigningKeys {
    private static final Logger log = LoggerFactory.getLogger(SigningKeys.class);
    static final Duration SIGNS = Duration.ofDays(30);
    private static final Duration VERIFIES = SIGNS.plus(Tokens.TTL_MAX);

    private record Key(ECKey jwk, Instant createdAt) {}

    private final DataSource database;
    private final KeyFile file;
    private final SecureRandom random;
    private final Clock clock;

    /** The newest first. Replaced whole, under the lock. */
    private volatile List<Key> keys = List.of();

    SigningKeys(DataSource database, KeyFile file, SecureRandom random, Clock clock) {
        this.database = database;
        this.file = file;
        this.random = random;
        this.clock = clock;
        keys = Transactions.run(database, this::read);
        if (keys.isEmpty()) {
            rotate();
        }
    }

    /** The key that signs, now. */
    ECKey signer() {
        var newest = keys.getFirst();
        if (newest.createdAt().plus(SIGNS).isBefore(clock.instant())) {
            try {
                rotate();
            } catch (LakemillException e) {
                log.warn("the signing key is overdue: {}", e.getMessage());
            }
        }
        return keys.getFirst().jwk();
    }

    Optional<ECKey> find(String id) {
        return keys.stream().map(Key::jwk).filter(key -> key.getKeyID().equals(id)).findFirst();
    }

    /** The public halves, as a JSON Web Key Set. */
    Map<String, Object> published() {
        return new JWKSet(List.copyOf(keys.stream().map(Key::jwk).toList())).toJSONObject(true);
    }

    /** Makes a new key that signs from now on, and forgets those whose tokens have all ended. */
    synchronized void rotate() {
        var key = new Key(generate(), clock.instant().truncatedTo(ChronoUnit.MICROS));
        var oldest = key.createdAt().minus(VERIFIES);
        Transactions.run(database, connection -> write(connection, key, oldest));
        var kept = new ArrayList<Key>();
        kept.add(key);
        keys.stream().filter(k -> k.createdAt().isAfter(oldest)).forEach(kept::add);
        keys = List.copyOf(kept);
    }

    private ECKey generate() {
        try {
            return new ECKeyGenerator(Curve.P_256)
                    .keyUse(KeyUse.SIGNATURE)
                    .algorithm((Algorithm) JWSAlgorithm.ES256)
                    .keyID(UUID.randomUUID().toString())
                    .secureRandom(random)
                    .generate();
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    private List<Key> read(Connection connection) throws SQLException {
        var sql = "SELECT id, sealed, created_at FROM lakemill.signing_keys";
        var found = new ArrayList<Key>();
        try (var query = connection.prepareStatement(sql);
                var rows = query.executeQuery()) {
            while (rows.next()) {
                var createdAt = rows.getTimestamp(3).toInstant();
                unseal(rows.getString(1), rows.getBytes(2))
                        .ifPresent(jwk -> found.add(new Key(jwk, createdAt)));
            }
        }
        found.removeIf(key -> key.createdAt().isBefore(clock.instant().minus(VERIFIES)));
        found.sort(Comparator.comparing(Key::createdAt).reversed());
        return List.copyOf(found);
    }

    private Optional<ECKey> unseal(String id, byte[] sealed) {
        try {
            var text = new String(file.unseal(id, sealed), StandardCharsets.UTF_8);
            return Optional.of(ECKey.parse(text));
        } catch (GeneralSecurityException | ParseException e) {
            log.warn("the key file does not open the signing key {}: its tokens have ended", id);
            return Optional.empty();
        }
    }

    private int write(Connection connection, Key key, Instant oldest) throws SQLException {
        var jwk = key.jwk();
        var sql = "INSERT INTO lakemill.signing_keys (id, sealed, created_at) VALUES (?, ?, ?)";
        try (var insert = connection.prepareStatement(sql);
                var delete =
                        connection.prepareStatement(
                                "DELETE FROM lakemill.signing_keys WHERE created_at < ?")) {
            insert.setString(1, jwk.getKeyID());
            insert.setBytes(
                    2,
                    file.seal(jwk.getKeyID(), jwk.toJSONString().getBytes(StandardCharsets.UTF_8)));
            insert.setTimestamp(3, Timestamp.from(key.createdAt()));
            delete.setTimestamp(1, Timestamp.from(oldest));
            delete.executeUpdate();
            return insert.executeUpdate();
        }
    }
}
