package dev.lakemill.identity;

import static dev.lakemill.identity.Here.PEER;
import static dev.lakemill.identity.Here.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.Principal;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a person agreed to, and the sessions that came of it, when all of it is revoked. */
final class SessionsTest {
    private static final String VERIFIER = "v".repeat(43);
    private static final String REDIRECT = "http://127.0.0.1:34567/back";

    @TempDir static Path folder;
    private static Here here;
    private static Identity identity;

    @BeforeAll
    static void start() throws Exception {
        here = new Here(folder);
        identity = here.open();
    }

    @AfterAll
    static void stop() {
        identity.close();
        here.close();
    }

    @Test
    void aCodeEndsWithAllTokensOfItsPerson() {
        var user = here.newUser();
        var code = code(user);
        identity.tokens().revokeAll(here.system(), user.id());
        var answer = redeemed(code);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body()).containsEntry("error", "invalid_grant");
        assertThat(redeemed(code(user)).status()).isEqualTo(200);
    }

    @Test
    void aRefreshThatMeetsTheRevocationGivesNothing() throws Exception {
        var user = here.newUser();
        var token = logIn(user);
        sql("CREATE TABLE lakemill.before AS SELECT * FROM lakemill.refresh_tokens");
        identity.tokens().revokeAll(here.system(), user.id());
        // As a transaction writes it that began before the revocation and ends after it.
        sql("INSERT INTO lakemill.refresh_tokens OVERRIDING USER VALUE TABLE lakemill.before");
        sql("DROP TABLE lakemill.before");
        var answer = refreshed(identity, token);
        assertThat(answer.body()).containsEntry("error", "invalid_grant");
        assertThat(refreshed(identity, logIn(user)).status()).isEqualTo(200);
    }

    @Test
    void nothingIsMadeOfATokenOfAnOlderGeneration() {
        var user = here.newUser();
        var request = TokenRequest.of(user);
        var old = identity.tokens().issue(here.system(), request).info().generation();
        identity.tokens().revokeAll(here.system(), user.id());
        refused(
                () -> identity.tokens().issue(here.system(), request, old),
                ErrorCode.UNAUTHENTICATED);
    }

    @Test
    void sessionsOfAnOlderLakemillGoOn() throws Exception {
        var user = here.newUser();
        identity.tokens().revokeAll(here.system(), user.id());
        var token = logIn(user);
        sql("ALTER TABLE lakemill.refresh_tokens DROP COLUMN generation");
        sql("DELETE FROM lakemill.migrations WHERE component = 'identity' AND number = 2");
        try (var next = here.open()) {
            assertThat(refreshed(next, token).status()).isEqualTo(200);
        }
    }

    private static String code(Principal person) {
        var hash = Verifier.sha256(VERIFIER.getBytes(StandardCharsets.US_ASCII));
        var parameters =
                Map.of(
                        "response_type", "code",
                        "client_id", "lakemill-cli",
                        "redirect_uri", REDIRECT,
                        "scope", "all-apis offline_access",
                        "code_challenge",
                                Base64.getUrlEncoder().withoutPadding().encodeToString(hash),
                        "code_challenge_method", "S256");
        var asked = (OAuth.Authorization.Asks) identity.oauth().authorize(parameters);
        var location = identity.oauth().agree(asked.request(), person, PEER);
        return URI.create(location).getQuery().replaceFirst(".*code=([^&]+).*", "$1");
    }

    private static OAuthAnswer redeemed(String code) {
        return identity.oauth()
                .token(
                        new OAuthCall(
                                Map.of(
                                        "grant_type", "authorization_code",
                                        "client_id", "lakemill-cli",
                                        "redirect_uri", REDIRECT,
                                        "code", code,
                                        "code_verifier", VERIFIER),
                                null,
                                PEER));
    }

    /** Its refresh token. */
    private static String logIn(Principal person) {
        return String.valueOf(redeemed(code(person)).body().get("refresh_token"));
    }

    private static OAuthAnswer refreshed(Identity with, String token) {
        return with.oauth()
                .token(
                        new OAuthCall(
                                Map.of(
                                        "grant_type", "refresh_token",
                                        "client_id", "lakemill-cli",
                                        "refresh_token", token),
                                null,
                                PEER));
    }

    private static void sql(String text) throws SQLException {
        try (var connection = here.postgres.owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(text);
        }
    }
}
