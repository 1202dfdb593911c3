package dev.lakemill.server.apps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.identity.Audience;
import dev.lakemill.identity.Identity;
import dev.lakemill.identity.IdentityConfig;
import dev.lakemill.identity.Peer;
import dev.lakemill.identity.TokenRequest;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an app has to act for its users, by a clock that is moved by hand. */
final class AppLoginsTest {
    private static final Peer PEER = new Peer("rest", "10.1.2.3", "request-1", "a test");
    private static final Set<String> SCOPES = Set.of("sql");

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
    private final InstantSource source = now::get;
    private final Clock clock = source.withZone(ZoneOffset.UTC);

    @Test
    void aTokenForAUserLivesTenMinutesAndIsReplacedHalfWay(@TempDir Path folder) throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        try (var postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0))) {
            var catalog = Catalog.open(postgres.owner());
            var config =
                    new IdentityConfig(
                            () -> "http://127.0.0.1:8080",
                            folder.resolve("identity.key"),
                            Optional.empty());
            try (var identity = Identity.open(postgres.owner(), catalog, config, clock)) {
                var tokens = identity.tokens();
                var user = create(catalog, PrincipalKind.USER, "ada@example.org");
                var service = create(catalog, PrincipalKind.SERVICE_PRINCIPAL, "app-one");
                var app = app(folder, service);
                var logins = new AppLogins(tokens, clock);

                var revoked = tokens.issue(catalog.system(), TokenRequest.of(user)).info();
                var code = logins.newCode(app, revoked);
                tokens.revokeAll(catalog.system(), user.id());
                assertThat(logins.redeem(app, code, PEER)).isEmpty();

                var session = tokens.issue(catalog.system(), TokenRequest.of(user)).info();
                var first = logins.forUser(app, session, SCOPES, PEER);
                assertThat(first.info().expiresAt())
                        .isBetween(
                                clock.instant().plusSeconds(599), clock.instant().plusSeconds(600));
                forward(Duration.ofMinutes(4));
                assertThat(logins.forUser(app, session, SCOPES, PEER)).isSameAs(first);
                forward(Duration.ofMinutes(2));
                var second = logins.forUser(app, session, SCOPES, PEER);
                assertThat(second.text()).isNotEqualTo(first.text());
                assertThat(tokens.verify(first.text(), Audience.REST, SCOPES).principal())
                        .as("who has it still uses it to its end")
                        .isEqualTo(user);
                forward(Duration.ofMinutes(4));
                assertThatThrownBy(() -> tokens.verify(first.text(), Audience.REST, SCOPES))
                        .hasMessageContaining("expired");
                assertThat(tokens.isGood(second.info())).isTrue();
            }
        }
    }

    private void forward(Duration time) {
        now.updateAndGet(instant -> instant.plus(time));
    }

    private static Principal create(Catalog catalog, PrincipalKind kind, String name) {
        return catalog.principals().create(catalog.system(), kind, name, name, "").principal();
    }

    private static HostedApp app(Path folder, Principal principal) {
        var row = new AppRow(UUID.randomUUID(), "one", principal.id(), 1, true, null);
        return new HostedApp(
                row,
                principal,
                AppUser.of(58_000),
                new AppLog(folder.resolve("log"), Clock.systemUTC()),
                "secret");
    }
}
