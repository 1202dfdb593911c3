package dev.lakemill.identity;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Principals;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** A real Postgres with a catalog, for the tests of one class. */
final class Here implements AutoCloseable {
    static final String ISSUER = "http://127.0.0.1:8080";
    static final Peer PEER = new Peer("rest", "10.1.2.3", "request-1", "a test");

    private static final AtomicInteger numbers = new AtomicInteger();

    final Postgres postgres;
    final Catalog catalog;
    final HandClock clock = new HandClock();
    final Path folder;

    Here(Path folder) throws IOException {
        // Postgres runs as another user where we are root.
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        this.folder = folder;
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
        catalog = Catalog.open(postgres.owner());
    }

    Identity open() {
        return open("identity.key", ISSUER);
    }

    Identity open(String keyFile, String issuer) {
        var config = new IdentityConfig(() -> issuer, folder.resolve(keyFile), Optional.empty());
        return Identity.open(postgres.owner(), catalog, config, clock, 1_000);
    }

    /** With a name of its own. */
    Principal newUser() {
        return create(PrincipalKind.USER, "user-" + numbers.incrementAndGet() + "@example.org");
    }

    Principal newService() {
        return create(PrincipalKind.SERVICE_PRINCIPAL, "service-" + numbers.incrementAndGet());
    }

    private Principal create(PrincipalKind kind, String name) {
        return principals().create(catalog.system(), kind, name, name, "").principal();
    }

    void setActive(Principal principal, boolean active) {
        principals().update(catalog.system(), principal.id(), p -> p.withActive(active));
    }

    Principals principals() {
        return catalog.principals();
    }

    Caller system() {
        return catalog.system();
    }

    static void refused(Runnable action, ErrorCode code) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e ->
                                org.assertj.core.api.Assertions.assertThat(e.code())
                                        .as(e.getMessage())
                                        .isEqualTo(code));
    }

    @Override
    public void close() {
        postgres.close();
    }
}
