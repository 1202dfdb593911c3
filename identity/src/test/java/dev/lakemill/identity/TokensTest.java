package dev.lakemill.identity;

import static dev.lakemill.identity.Here.PEER;
import static dev.lakemill.identity.Here.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens: who gets in with what, and who does not any more. */
final class TokensTest {
    @TempDir static Path folder;
    private static Here here;
    private static Identity identity;
    private static Tokens tokens;

    @BeforeAll
    static void start() throws Exception {
        here = new Here(folder);
        identity = here.open();
        tokens = identity.tokens();
    }

    @AfterAll
    static void stop() {
        identity.close();
        here.close();
    }

    private static IssuedToken issue(Principal principal) {
        return tokens.issue(here.system(), TokenRequest.of(principal));
    }

    private static void unauthenticated(String token) {
        refused(() -> tokens.verify(token, Audience.REST), ErrorCode.UNAUTHENTICATED);
    }

    @Test
    void aTokenSaysWhoseItIs() {
        var user = here.newUser();
        var issued = issue(user);
        var info = tokens.verify(issued.text(), Audience.REST);
        assertThat(info).isEqualTo(issued.info());
        assertThat(info.principal()).isEqualTo(user);
        assertThat(info.expiresAt()).isEqualTo(here.clock.instant().plus(Duration.ofHours(1)));
        assertThat(issued.toString()).doesNotContain(issued.text());
    }

    @Test
    void aSignatureIsCheckedOnceAndEverythingElseEachTime() {
        var issued = issue(here.newUser());
        var text = issued.text();
        tokens.verify(text, Audience.REST);
        var checked = tokens.signaturesChecked();
        tokens.verify(text, Audience.REST);
        assertThat(tokens.signaturesChecked()).isEqualTo(checked);

        var other = text.charAt(text.length() / 2) == 'A' ? 'B' : 'A';
        var middle = text.length() / 2;
        unauthenticated(text.substring(0, middle) + other + text.substring(middle + 1));
        tokens.revoke(here.system(), issued.info());
        unauthenticated(text);
    }

    @Test
    void aTokenEndsWhenItsTimeIsOver() {
        var issued = issue(here.newUser());
        here.clock.forward(Duration.ofMinutes(59));
        assertThat(tokens.isGood(issued.info())).isTrue();
        here.clock.forward(Duration.ofMinutes(1));
        unauthenticated(issued.text());
        assertThat(tokens.isGood(issued.info())).isFalse();
    }

    @Test
    void whatAPersonalTokenWasExchangedForDiesWithIt() {
        var caller = PEER.caller(here.newUser());
        var personal = identity.personalTokens().create(caller, "", Duration.ofDays(1));
        var first = exchanged(personal.text());
        var second = exchanged(first);
        tokens.verify(second, Audience.REST);
        identity.personalTokens().delete(caller, personal.info().id());
        unauthenticated(first);
        unauthenticated(second);
    }

    private static String exchanged(String token) {
        var form =
                Map.of(
                        "grant_type", "urn:ietf:params:oauth:grant-type:token-exchange",
                        "subject_token", token,
                        "subject_token_type", "urn:ietf:params:oauth:token-type:access_token");
        var answer = identity.oauth().token(new OAuthCall(form, null, PEER));
        return String.valueOf(answer.body().get("access_token"));
    }

    @Test
    void whatATokenGaveOutStaysRevokedBeyondItsEnd() {
        var user = here.newUser();
        var request = TokenRequest.of(user);
        var brief = tokens.issue(here.system(), request.withTimeToLive(Duration.ofMinutes(5)));
        var made = tokens.issue(here.system(), request.withSession(brief.info().family()));
        tokens.revoke(here.system(), brief.info());
        here.clock.forward(Duration.ofMinutes(10));
        tokens.revoke(here.system(), issue(user).info());
        unauthenticated(made.text());
    }

    @Test
    void livesThatAreTooLongOrNoneAreRefused() {
        var request = TokenRequest.of(here.newUser());
        for (var life : List.of(Duration.ofDays(31), Duration.ZERO, Duration.ofHours(-1))) {
            refused(
                    () -> tokens.issue(here.system(), request.withTimeToLive(life)),
                    ErrorCode.INVALID_ARGUMENT);
        }
    }

    @Test
    void aTokenOpensOnlyTheDoorsThatItIsFor() {
        var user = here.newUser();
        for (var audience : Audience.values()) {
            var issued =
                    tokens.issue(here.system(), TokenRequest.of(user).forAudience(audience)).text();
            for (var door : List.of(Audience.REST, Audience.GRPC, Audience.POSTGRES)) {
                if (audience == Audience.ALL || audience == door) {
                    assertThat(tokens.verify(issued, door).principal()).isEqualTo(user);
                } else {
                    refused(() -> tokens.verify(issued, door), ErrorCode.UNAUTHENTICATED);
                }
            }
        }
        var everywhere = issue(user).text();
        refused(() -> tokens.verify(everywhere, Audience.BROWSER), ErrorCode.UNAUTHENTICATED);
    }

    @Test
    void aTokenWithoutTheScopeOpensNothing() {
        var request =
                new TokenRequest(
                        here.newUser(),
                        Audience.ALL,
                        Duration.ofHours(1),
                        Set.of("openid"),
                        List.of(),
                        "");
        unauthenticated(tokens.issue(here.system(), request).text());
    }

    @Test
    void whatIsNotATokenOfOursIsRefused() throws Exception {
        var text = issue(here.newUser()).text();
        var good = SignedJWT.parse(text);
        var claims = good.getJWTClaimsSet();
        var key = new ECKeyGenerator(Curve.P_256).keyID(good.getHeader().getKeyID()).generate();
        var forged = new SignedJWT(good.getHeader(), claims);
        forged.sign(new ECDSASigner(key));
        unauthenticated(forged.serialize());

        unauthenticated(new PlainJWT(claims).serialize());
        var symmetric =
                new SignedJWT(
                        new JWSHeader.Builder(JWSAlgorithm.HS256)
                                .type(new JOSEObjectType("at+jwt"))
                                .keyID(good.getHeader().getKeyID())
                                .build(),
                        claims);
        symmetric.sign(new MACSigner(new byte[32]));
        unauthenticated(symmetric.serialize());

        var parts = text.split("\\.");
        var other =
                new JWTClaimsSet.Builder(claims).subject(here.newUser().id().toString()).build();
        var body =
                Base64.getUrlEncoder()
                        .withoutPadding()
                        .encodeToString(other.toString().getBytes(StandardCharsets.UTF_8));
        unauthenticated(parts[0] + "." + body + "." + parts[2]);
        unauthenticated(parts[0] + "." + parts[1] + ".");
        unauthenticated("");
        unauthenticated("a.b.c");
        unauthenticated("x".repeat(20_000));
    }

    @Test
    void anIdTokenOpensNoDoor() {
        var access = issue(here.newUser()).info();
        unauthenticated(tokens.idToken(access, "lakemill-cli", "nonce"));
    }

    @Test
    void anotherIssuersTokensAreRefusedEvenWithTheSameKeys() {
        try (var elsewhere = here.open("identity.key", "https://lake.example.org")) {
            var issued = elsewhere.tokens().issue(here.system(), TokenRequest.of(here.newUser()));
            unauthenticated(issued.text());
        }
    }

    @Test
    void aRevokedTokenEndsAndOthersStay() {
        var user = here.newUser();
        var one = issue(user);
        var other = issue(user);
        tokens.revoke(here.system(), one.info());
        unauthenticated(one.text());
        assertThat(tokens.isGood(one.info())).isFalse();
        assertThat(tokens.isGood(other.info())).isTrue();
    }

    @Test
    void aRevokedSessionEndsAllOfItsTokens() {
        var request = TokenRequest.of(here.newUser()).withSession("a-session");
        var one = tokens.issue(here.system(), request);
        var other = tokens.issue(here.system(), request);
        tokens.revoke(here.system(), one.info());
        unauthenticated(other.text());
    }

    @Test
    void allTokensOfAPrincipalEndAndNewOnesAreGood() {
        var user = here.newUser();
        var before = issue(user);
        var ofAnother = issue(here.newUser());
        tokens.revokeAll(here.system(), user.id());
        unauthenticated(before.text());
        assertThat(tokens.isGood(ofAnother.info())).isTrue();
        assertThat(tokens.isGood(issue(user).info())).isTrue();
    }

    @Test
    void revocationOutlivesTheProcess() {
        var user = here.newUser();
        var one = issue(user);
        tokens.revoke(here.system(), one.info());
        var other = here.newUser();
        var all = issue(other);
        tokens.revokeAll(here.system(), other.id());
        var kept = issue(user);
        try (var next = here.open()) {
            for (var gone : List.of(one, all)) {
                refused(
                        () -> next.tokens().verify(gone.text(), Audience.REST),
                        ErrorCode.UNAUTHENTICATED);
            }
            assertThat(next.tokens().verify(kept.text(), Audience.REST).principal())
                    .isEqualTo(user);
        }
    }

    @Test
    void anInactiveOrDeletedPrincipalHasNoGoodTokens() {
        var user = here.newUser();
        var issued = issue(user);
        here.setActive(user, false);
        unauthenticated(issued.text());
        refused(() -> issue(user), ErrorCode.UNAUTHENTICATED);
        here.setActive(user, true);
        assertThat(tokens.isGood(issued.info())).isTrue();
        here.principals().delete(here.system(), user.id());
        unauthenticated(issued.text());
    }

    @Test
    void whoHoldsAConnectionIsToldOfRevocationsAndOfPrincipals() throws Exception {
        var user = here.newUser();
        var revoked = issue(user);
        var told = new CountDownLatch(1);
        try (var _ =
                tokens.onRevoked(
                        () -> {
                            if (!tokens.isGood(revoked.info())) {
                                told.countDown();
                            }
                        })) {
            tokens.revoke(here.system(), revoked.info());
            assertThat(told.await(2, TimeUnit.MINUTES)).isTrue();
        }
        var deactivated = issue(user);
        var toldAgain = new CountDownLatch(1);
        try (var _ =
                tokens.onRevoked(
                        () -> {
                            if (!tokens.isGood(deactivated.info())) {
                                toldAgain.countDown();
                            }
                        })) {
            here.setActive(user, false);
            assertThat(toldAgain.await(2, TimeUnit.MINUTES)).isTrue();
        }
    }

    @Test
    void keysAreReplacedAndTheOldOneVerifiesUntilItsLastTokenHasEnded() {
        var before = keyCount();
        var request = TokenRequest.of(here.newUser()).withTimeToLive(Tokens.TTL_MAX);
        var old = tokens.issue(here.system(), request);
        here.clock.forward(Duration.ofDays(29));
        tokens.rotateKeys();
        assertThat(keyCount()).isEqualTo(before + 1);
        var young = tokens.issue(here.system(), request);
        assertThat(keyOf(young)).isNotEqualTo(keyOf(old));
        assertThat(tokens.isGood(old.info())).isTrue();
        assertThat(tokens.verify(old.text(), Audience.REST)).isEqualTo(old.info());

        here.clock.forward(SigningKeys.SIGNS.plusDays(1));
        var third = tokens.issue(here.system(), request);
        assertThat(keyOf(third)).as("replaced by itself").isNotEqualTo(keyOf(young));
        here.clock.forward(SigningKeys.SIGNS.plusDays(1));
        issue(here.newUser());
        assertThat(tokens.publicKeys().toString()).doesNotContain(keyOf(old));
        assertThatThrownBy(() -> tokens.verify(old.text()))
                .as("though it was known")
                .hasMessageContaining("its signature is unknown");
    }

    private static int keyCount() {
        return ((List<?>) tokens.publicKeys().getOrDefault("keys", List.of())).size();
    }

    private static String keyOf(IssuedToken token) {
        try {
            return SignedJWT.parse(token.text()).getHeader().getKeyID();
        } catch (java.text.ParseException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void privateKeysAreTheFilesAlone() throws Exception {
        assertThat(tokens.publicKeys().toString())
                .containsPattern("[{ ]x=")
                .doesNotContainPattern("[{ ]d=");
        try (var connection = here.postgres.owner().getConnection();
                var rows =
                        connection
                                .createStatement()
                                .executeQuery("SELECT sealed FROM lakemill.signing_keys")) {
            assertThat(rows.next()).isTrue();
            assertThat(new String(rows.getBytes(1), StandardCharsets.ISO_8859_1))
                    .doesNotContain("P-256");
        }
        var file = folder.resolve("identity.key");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
    }

    @Test
    void withAnotherKeyFileOldTokensEndAndNewOnesAreMade() {
        var user = here.newUser();
        var old = issue(user);
        try (var other = here.open("another.key", Here.ISSUER)) {
            refused(
                    () -> other.tokens().verify(old.text(), Audience.REST),
                    ErrorCode.UNAUTHENTICATED);
            var made = other.tokens().issue(here.system(), TokenRequest.of(user));
            assertThat(other.tokens().verify(made.text(), Audience.REST).principal())
                    .isEqualTo(user);
        }
        assertThat(tokens.isGood(old.info())).isTrue();
    }

    @Test
    void aKeyFileThatOthersMayReadIsRefused() throws Exception {
        here.open("open.key", Here.ISSUER).close();
        Files.setPosixFilePermissions(
                folder.resolve("open.key"), PosixFilePermissions.fromString("rw-r-----"));
        assertThatThrownBy(() -> here.open("open.key", Here.ISSUER))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("chmod 600");
    }

    @Test
    void aNarrowedTokenReachesItsTablesAlone() {
        var table = Securable.table(TableName.parse("farm.bronze.quotes"));
        var details =
                AuthorizationDetail.parse(
                        """
                        [{"type":"unity_catalog_privileges","privileges":["USE CATALOG"],
                          "object_type":"CATALOG","object_full_path":"farm"},
                         {"type":"unity_catalog_privileges","privileges":["SELECT","MODIFY"],
                          "object_type":"TABLE","object_full_path":"farm.bronze.quotes",
                          "operations":["zerobuswrite"]}]
                        """);
        var request = TokenRequest.of(here.newUser()).withDetails(details);
        var info = tokens.verify(tokens.issue(here.system(), request).text(), Audience.GRPC);
        assertThat(info.isNarrowed()).isTrue();
        assertThat(info.allows(Privilege.MODIFY, table)).isTrue();
        assertThat(info.allows(Privilege.MANAGE, table)).isFalse();
        assertThat(info.allows(Privilege.USE_CATALOG, Securable.catalog("FARM"))).isTrue();
        assertThat(info.allows(Privilege.USE_SCHEMA, Securable.schema("farm", "bronze"))).isFalse();
        var other = Securable.table(TableName.parse("farm.bronze.other"));
        assertThat(info.allows(Privilege.SELECT, other)).isFalse();
        assertThat(issue(here.newUser()).info().allows(Privilege.SELECT, other)).isTrue();
    }

    @Test
    void refusalsAreAuditedAndBounded() throws Exception {
        var peer = new Peer("rest", "10.9.9.9", "request-2", "a stranger");
        for (var i = 0; i < 200; i++) {
            refused(() -> tokens.verify("a.b.c", Audience.REST, peer), ErrorCode.UNAUTHENTICATED);
        }
        assertThat(count("tokenLogin", "10.9.9.9")).isBetween(1L, 60L);
        assertThat(PEER.door()).isEqualTo("rest");
    }

    private static long count(String action, String address) throws Exception {
        here.catalog.audit().flush();
        var sql =
                "SELECT count(*) FROM lakemill.audit WHERE action_name = ?"
                        + " AND source_ip_address = ?";
        try (var connection = here.postgres.owner().getConnection();
                var query = connection.prepareStatement(sql)) {
            query.setString(1, action);
            query.setString(2, address);
            try (var rows = query.executeQuery()) {
                rows.next();
                return rows.getLong(1);
            }
        }
    }
}
