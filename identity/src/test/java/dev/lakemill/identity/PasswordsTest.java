package dev.lakemill.identity;

import static dev.lakemill.identity.Here.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.lakemill.catalog.AuditFilter;
import dev.lakemill.catalog.AuditReader;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.Principal;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Passwords, one-time codes and client secrets. */
final class PasswordsTest {
    private static final String PASSWORD = "correct horse battery";

    @TempDir static Path folder;
    private static Here here;
    private static Identity identity;
    private static Passwords passwords;
    private static Principal ada;

    @BeforeAll
    static void start() throws Exception {
        here = new Here(folder);
        identity = here.open();
        passwords = identity.passwords();
        ada = here.newUser();
        var code = passwords.newCode(here.system(), ada.id(), Duration.ofHours(1));
        assertThat(passwords.redeem(code, PASSWORD, peer("10.0.0.1"))).isEqualTo(ada);
    }

    @AfterAll
    static void stop() {
        identity.close();
        here.close();
    }

    private static Peer peer(String address) {
        return new Peer("rest", address, "request", "a test");
    }

    @Test
    void theRightPasswordLogsInUnderAnyCaseOfTheName() {
        var name = ada.name().toUpperCase(java.util.Locale.ROOT);
        assertThat(passwords.login(name, PASSWORD, peer("10.0.0.2"))).isEqualTo(ada);
    }

    @Test
    void everyReasonToRefuseIsTheSameAnswer() {
        var withoutPassword = here.newUser();
        var service = here.newService();
        var answers =
                IntStream.range(0, 4)
                        .mapToObj(
                                i ->
                                        switch (i) {
                                            case 0 -> ada.name();
                                            case 1 -> "nobody-of-this-name";
                                            case 2 -> withoutPassword.name();
                                            default -> service.name();
                                        })
                        .map(
                                name ->
                                        catchThrowable(
                                                () ->
                                                        passwords.login(
                                                                name,
                                                                "not the password",
                                                                peer("10.0.0.3"))))
                        .map(Throwable::getMessage)
                        .distinct();
        assertThat(answers).hasSize(1);
    }

    @Test
    void failuresAreLimitedByNameWhetherItExistsOrNot() {
        var known = here.newUser().name();
        for (var name : new String[] {known, "unknown-name"}) {
            for (var i = 0; i < 10; i++) {
                var address = "10.1.0." + i;
                refused(
                        () -> passwords.login(name, "wrong", peer(address)),
                        ErrorCode.UNAUTHENTICATED);
            }
            refused(
                    () -> passwords.login(name, "wrong", peer("10.1.1.1")),
                    ErrorCode.RESOURCE_EXHAUSTED);
        }
        here.clock.forward(Duration.ofSeconds(31));
        refused(() -> passwords.login(known, "wrong", peer("10.1.1.2")), ErrorCode.UNAUTHENTICATED);
    }

    @Test
    void aCodeWorksOnceAndANewerOneEndsIt() {
        var user = here.newUser();
        var first = passwords.newCode(here.system(), user.id(), Duration.ofHours(1));
        var second = passwords.newCode(here.system(), user.id(), Duration.ofHours(1));
        var peer = peer("10.0.0.4");
        refused(() -> passwords.redeem(first, null, peer), ErrorCode.UNAUTHENTICATED);
        refused(() -> passwords.redeem(second, "short", peer), ErrorCode.INVALID_ARGUMENT);
        assertThat(passwords.peek(second, peer)).contains(user);
        assertThat(passwords.redeem(second, null, peer)).isEqualTo(user);
        assertThat(passwords.exists(user.id())).isFalse();
        refused(() -> passwords.redeem(second, null, peer), ErrorCode.UNAUTHENTICATED);
    }

    @Test
    void aCodeUsedByManyAtOnceLogsOneIn() throws Exception {
        var user = here.newUser();
        var code = passwords.newCode(here.system(), user.id(), Duration.ofHours(1));
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var tries =
                    threads.invokeAll(
                            IntStream.range(0, 8)
                                    .mapToObj(
                                            i ->
                                                    (Callable<Boolean>)
                                                            () -> redeems(code, "10.0.1." + i))
                                    .toList());
            var successes = 0;
            for (var one : tries) {
                successes += one.get() ? 1 : 0;
            }
            assertThat(successes).isEqualTo(1);
        }
    }

    private static boolean redeems(String code, String address) {
        return catchThrowable(() -> passwords.redeem(code, null, peer(address))) == null;
    }

    @Test
    void anExpiredCodeAndAnInactiveUsersCodeAreRefused() {
        var user = here.newUser();
        var code = passwords.newCode(here.system(), user.id(), Duration.ofMinutes(5));
        here.setActive(user, false);
        refused(() -> passwords.redeem(code, null, peer("10.0.0.5")), ErrorCode.UNAUTHENTICATED);
        here.setActive(user, true);
        here.clock.forward(Duration.ofMinutes(5));
        refused(() -> passwords.redeem(code, null, peer("10.0.0.5")), ErrorCode.UNAUTHENTICATED);
    }

    @Test
    void onlyAdminsMakeCodesAndSecrets() {
        var caller = peer("10.0.0.6").caller(here.newUser());
        var service = here.newService();
        refused(
                () -> passwords.newCode(caller, ada.id(), Duration.ofHours(1)),
                ErrorCode.PERMISSION_DENIED);
        refused(
                () -> identity.secrets().create(caller, service.id(), Duration.ofDays(1)),
                ErrorCode.PERMISSION_DENIED);
        refused(() -> identity.secrets().list(caller, service.id()), ErrorCode.PERMISSION_DENIED);
    }

    @Test
    void aPasswordIsChangedByWhoKnowsTheOldOne() {
        var user = here.newUser();
        var peer = peer("10.0.0.7");
        var code = passwords.newCode(here.system(), user.id(), Duration.ofHours(1));
        passwords.redeem(code, PASSWORD, peer);
        refused(
                () -> passwords.change(user, "not it, but long", "another long one", peer),
                ErrorCode.UNAUTHENTICATED);
        passwords.change(user, PASSWORD, "another long one", peer);
        refused(() -> passwords.login(user.name(), PASSWORD, peer), ErrorCode.UNAUTHENTICATED);
        assertThat(passwords.login(user.name(), "another long one", peer)).isEqualTo(user);
    }

    @Test
    void theFirstStartMakesAnAdminWhoChoosesAPassword() {
        var admin = identity.administrator().orElseThrow();
        assertThat(here.principals().isAdmin(admin.id())).isTrue();
        var unused = identity.firstLogin().orElseThrow();
        var code = identity.firstLogin().orElseThrow();
        var peer = peer("10.0.0.8");
        refused(() -> passwords.redeem(unused, null, peer), ErrorCode.UNAUTHENTICATED);
        refused(() -> passwords.redeem(code, "admin", peer), ErrorCode.INVALID_ARGUMENT);
        passwords.redeem(code, PASSWORD, peer);
        assertThat(identity.firstLogin()).isEmpty();
        assertThat(identity.administrator()).contains(admin);
    }

    @Test
    void aServicePrincipalHasSeveralSecretsWhichEnd() {
        var service = here.newService();
        var secrets = identity.secrets();
        var peer = peer("10.0.0.9");
        var id = service.id().toString();
        var one = secrets.create(here.system(), service.id(), Duration.ofDays(1));
        var other = secrets.create(here.system(), service.id(), Duration.ofDays(10));
        assertThat(secrets.check(id, one.text(), peer)).contains(service);
        assertThat(secrets.check(service.name(), other.text(), peer)).contains(service);
        assertThat(secrets.check(id, one.text() + "x", peer)).isEmpty();
        assertThat(secrets.check(here.newService().name(), one.text(), peer)).isEmpty();
        assertThat(secrets.check(id, "", peer)).isEmpty();
        here.clock.forward(Duration.ofDays(2));
        assertThat(secrets.check(id, one.text(), peer)).isEmpty();
        assertThat(secrets.list(here.system(), service.id())).containsExactly(other.secret());
        secrets.delete(here.system(), service.id(), other.secret().id());
        assertThat(secrets.check(id, other.text(), peer)).isEmpty();
        assertThat(one.toString()).doesNotContain(one.text());
        for (var i = 0; i < ClientSecrets.SECRETS_MAX; i++) {
            secrets.create(here.system(), service.id(), Duration.ofDays(1));
        }
        refused(
                () -> secrets.create(here.system(), service.id(), Duration.ofDays(1)),
                ErrorCode.RESOURCE_EXHAUSTED);
    }

    @Test
    void loginsRefusalsAndSecretsAreAuditedWithoutTheSecrets() {
        var user = here.newUser();
        var service = here.newService();
        var peer = peer("10.77.0.1");
        var code = passwords.newCode(peer.caller(admin()), user.id(), Duration.ofHours(1));
        passwords.redeem(code, PASSWORD, peer);
        passwords.login(user.name(), PASSWORD, peer);
        refused(
                () -> passwords.login(user.name(), "not it, but long", peer),
                ErrorCode.UNAUTHENTICATED);
        var secret =
                identity.secrets().create(peer.caller(admin()), service.id(), Duration.ofHours(1));
        identity.secrets().delete(peer.caller(admin()), service.id(), secret.secret().id());
        here.catalog.audit().flush();
        var told =
                new AuditReader(here.postgres.owner())
                                .events(AuditFilter.ALL, AuditReader.PAGE_RECORDS_MAX, "")
                                .records()
                                .stream()
                                .filter(record -> record.toString().contains("10.77.0.1"))
                                .toList();
        assertThat(told.stream().map(record -> record.action() + " " + record.status()))
                .containsExactlyInAnyOrder(
                        "createLoginCode 200",
                        "changePassword 200",
                        "login 200",
                        "login 200",
                        "login 401",
                        "createServicePrincipalSecret 200",
                        "deleteServicePrincipalSecret 200");
        assertThat(told.toString()).doesNotContain(PASSWORD, code, secret.text(), "not it");
    }

    private static Principal admin() {
        return here.system().principal();
    }

    @Test
    void aVerifierIsWhatPostgresWouldStore() {
        var random = new SecureRandom();
        var verifier = Verifier.of("pässword", 4_096, random);
        assertThat(verifier.toString()).matches("SCRAM-SHA-256\\$4096:[^$:]+\\$[^$:]+:[^$:]+");
        var read = Verifier.parse(verifier.toString());
        assertThat(read.matches("pässword")).isTrue();
        assertThat(read.matches("password")).isFalse();
        assertThat(read.matches("")).isFalse();
        assertThat(read.toString()).isEqualTo(verifier.toString());
    }

    @Test
    void postgresItselfAcceptsTheVerifier() throws Exception {
        var verifier = Verifier.of("by scram alone", 4_096, new SecureRandom()).toString();
        try (var connection = here.postgres.owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute("CREATE ROLE scrammed LOGIN PASSWORD '%s'".formatted(verifier));
            try (var rows =
                    statement.executeQuery(
                            "SELECT rolpassword FROM pg_authid WHERE rolname = 'scrammed'")) {
                rows.next();
                assertThat(rows.getString(1)).isEqualTo(verifier);
            }
        }
    }
}
