package dev.lakemill.server;

import static dev.lakemill.server.TestNode.OWN_PAGE;
import static dev.lakemill.server.TestNode.body;
import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.nimbusds.oauth2.sdk.AuthorizationCode;
import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.AuthorizationGrant;
import com.nimbusds.oauth2.sdk.AuthorizationRequest;
import com.nimbusds.oauth2.sdk.AuthorizationResponse;
import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.RefreshTokenGrant;
import com.nimbusds.oauth2.sdk.ResponseType;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenIntrospectionRequest;
import com.nimbusds.oauth2.sdk.TokenIntrospectionResponse;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.TokenRevocationRequest;
import com.nimbusds.oauth2.sdk.auth.ClientAuthentication;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.ClientSecretPost;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.oauth2.sdk.pkce.CodeChallengeMethod;
import com.nimbusds.oauth2.sdk.pkce.CodeVerifier;
import com.nimbusds.oauth2.sdk.token.AccessToken;
import com.nimbusds.oauth2.sdk.token.BearerAccessToken;
import com.nimbusds.oauth2.sdk.token.RefreshToken;
import com.nimbusds.oauth2.sdk.token.TokenTypeURI;
import com.nimbusds.oauth2.sdk.token.Tokens;
import com.nimbusds.oauth2.sdk.tokenexchange.TokenExchangeGrant;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** OAuth as clients use it: Nimbus' library, and Zerobus' calls as they are on the wire. */
final class OAuthTest {
    private static final ClientID CLI = new ClientID("lakemill-cli");
    private static final URI REDIRECT = URI.create("http://127.0.0.1:34567/back");
    private static final String EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

    @TempDir static Path folder;
    private static TestNode node;
    private static HttpServer provider;
    private static RSAKey providerKey;
    private static String providerUrl = "";
    private static String client = "";
    private static String secret = "";
    private static String cookie = "";

    @BeforeAll
    static void start() throws Exception {
        providerKey = new RSAKeyGenerator(2048).keyID("theirs").generate();
        provider = provider();
        providerUrl = "http://127.0.0.1:" + provider.getAddress().getPort();
        node =
                new TestNode(
                        folder,
                        Map.of(
                                "LAKEMILL_OIDC_ISSUER",
                                providerUrl,
                                "LAKEMILL_OIDC_AUDIENCE",
                                "lakemill-here"));
        var made =
                node.admin()
                        .post(
                                "/api/2.0/preview/scim/v2/ServicePrincipals",
                                Map.of("displayName", "producer"));
        client = made.path("applicationId").asText();
        secret = newSecret(client);
        cookie = node.logIn("ada@example.org");
    }

    private static String newSecret(String id) {
        return node.admin()
                .post(
                        "/api/2.0/accounts/servicePrincipals/%s/credentials/secrets".formatted(id),
                        Map.of("lifetime", "3600s"))
                .path("secret")
                .asText();
    }

    private static HttpServer provider() throws IOException {
        var server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(
                "/",
                exchange -> {
                    var url = "http://127.0.0.1:" + server.getAddress().getPort();
                    var text =
                            exchange.getRequestURI().getPath().equals("/keys")
                                    ? new JWKSet(providerKey).toString()
                                    : "{\"issuer\":\"%s\",\"jwks_uri\":\"%s/keys\"}"
                                            .formatted(url, url);
                    var bytes = text.getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(200, bytes.length);
                    exchange.getResponseBody().write(bytes);
                    exchange.close();
                });
        server.start();
        return server;
    }

    @AfterAll
    static void stop() {
        node.close();
        provider.stop(0);
    }

    private static URI uri(String path) {
        return URI.create(node.url + path);
    }

    private static TokenResponse ask(ClientAuthentication authentication, AuthorizationGrant grant)
            throws Exception {
        var request =
                new TokenRequest.Builder(uri("/oidc/v1/token"), authentication, grant)
                        .scope(new Scope("all-apis"))
                        .build();
        return TokenResponse.parse(request.toHTTPRequest().send());
    }

    private static TokenResponse ask(AuthorizationGrant grant) throws Exception {
        var request = new TokenRequest.Builder(uri("/oidc/v1/token"), CLI, grant).build();
        return TokenResponse.parse(request.toHTTPRequest().send());
    }

    private static ClientSecretBasic basic() {
        return new ClientSecretBasic(new ClientID(client), new Secret(secret));
    }

    private static Tokens tokens(TokenResponse answer) {
        assertThat(answer.indicatesSuccess()).as(answer.toString()).isTrue();
        return answer.toSuccessResponse().getTokens();
    }

    private static String error(TokenResponse answer) {
        assertThat(answer.indicatesSuccess()).isFalse();
        return answer.toErrorResponse().getErrorObject().getCode();
    }

    private static HttpResponse<String> me(String token) {
        return node.get("/api/2.0/preview/scim/v2/Me", "authorization", "Bearer " + token);
    }

    @Test
    void aProgramLogsInByHeaderAndByForm() throws Exception {
        var byHeader = tokens(ask(basic(), new ClientCredentialsGrant()));
        assertThat(byHeader.getAccessToken().getLifetime()).isEqualTo(3600);
        assertThat(byHeader.getRefreshToken()).isNull();
        var form = new ClientSecretPost(new ClientID(client), new Secret(secret));
        var byForm = tokens(ask(form, new ClientCredentialsGrant()));
        for (var token : Set.of(byHeader.getAccessToken(), byForm.getAccessToken())) {
            assertThat(body(me(token.getValue())).path("displayName").asText())
                    .isEqualTo("producer");
        }
    }

    @Test
    void unknownClientsAndWrongSecretsAreTheSameAnswer() {
        var wrongSecret = credentials(client, "lms_AAAAAAAAAAAAAAAAAAAAAA_" + "A".repeat(43));
        var unknownClient = credentials("nobody", "lms_AAAAAAAAAAAAAAAAAAAAAA_" + "A".repeat(43));
        var shortSecret = credentials(client, "x");
        for (var answer : Set.of(wrongSecret, unknownClient, shortSecret)) {
            assertThat(answer.statusCode()).isEqualTo(401);
            assertThat(answer.headers().firstValue("www-authenticate").orElse(""))
                    .startsWith("Basic");
            assertThat(answer.body()).isEqualTo(wrongSecret.body());
        }
        assertThat(body(wrongSecret).path("error").asText()).isEqualTo("invalid_client");
    }

    private static HttpResponse<String> credentials(String id, String text) {
        return node.form(
                "/oidc/v1/token",
                Map.of(
                        "grant_type", "client_credentials",
                        "client_id", id,
                        "client_secret", text));
    }

    /** As zerobus-sdk-rs sends it; facts of the wire, not of a library. */
    private static HttpResponse<String> zerobus(String details) {
        var basic =
                java.util.Base64.getEncoder()
                        .encodeToString((client + ":" + secret).getBytes(StandardCharsets.UTF_8));
        return node.form(
                "/oidc/v1/token",
                Map.of(
                        "grant_type", "client_credentials",
                        "scope", "all-apis",
                        "resource", "api://databricks/workspaces/127/zerobusDirectWriteApi",
                        "authorization_details", details),
                "authorization",
                "Basic " + basic);
    }

    @Test
    void zerobusClientsGetATokenForTheirTableAlone() {
        var answer =
                body(
                        zerobus(
                                """
                                [{"type":"unity_catalog_privileges","privileges":["USE CATALOG"],
                                  "object_type":"CATALOG","object_full_path":"farm"},
                                 {"type":"unity_catalog_privileges","privileges":["USE SCHEMA"],
                                  "object_type":"SCHEMA","object_full_path":"farm.bronze"},
                                 {"type":"unity_catalog_privileges",
                                  "privileges":["SELECT","MODIFY"],"object_type":"TABLE",
                                  "object_full_path":"farm.bronze.quotes",
                                  "operations":["zerobuswrite"]}]
                                """));
        var token = answer.path("access_token").asText();
        assertThat(answer.path("expires_in").asInt()).isEqualTo(3600);
        assertThat(answer.path("authorization_details")).hasSize(3);
        assertThat(me(token).statusCode()).as("it is for gRPC alone").isEqualTo(401);
        var told = introspect(token);
        assertThat(told.path("aud").asText()).isEqualTo("lakemill/grpc");
        assertThat(told.path("authorization_details").get(2).path("object_full_path").asText())
                .isEqualTo("farm.bronze.quotes");
    }

    private static com.fasterxml.jackson.databind.JsonNode introspect(String token) {
        try {
            return body(
                    node.form(
                            "/oidc/v1/introspect",
                            Map.of("token", token),
                            "authorization",
                            "Bearer " + node.adminToken()));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void detailsAndResourcesThatAreNoneAreRefused() {
        for (var details : new String[] {"", "{}", "[]", "[{\"type\":\"x\"}]", "no json"}) {
            var answer = zerobus(details);
            if (!details.isEmpty()) {
                assertThat(answer.statusCode()).as(details).isEqualTo(400);
                assertThat(body(answer).path("error").asText())
                        .isEqualTo("invalid_authorization_details");
            }
        }
        var answer = exchange(accessToken(), Map.of("resource", "https://elsewhere.example.org"));
        assertThat(body(answer).path("error").asText()).isEqualTo("invalid_target");
    }

    private static String accessToken() {
        return body(credentials(client, secret)).path("access_token").asText();
    }

    private static HttpResponse<String> exchange(String token, Map<String, String> more) {
        var fields = new LinkedHashMap<String, String>();
        fields.put("grant_type", EXCHANGE);
        fields.put("subject_token", token);
        fields.put("subject_token_type", "urn:ietf:params:oauth:token-type:access_token");
        fields.putAll(more);
        return node.form("/oidc/v1/token", fields);
    }

    @Test
    void aTokenThatIsNarrowedIsNotTakenByRest() {
        var details =
                """
                [{"type":"unity_catalog_privileges","privileges":["SELECT"],
                  "object_type":"TABLE","object_full_path":"farm.bronze.quotes"}]
                """;
        var narrowed = body(exchange(accessToken(), Map.of("authorization_details", details)));
        var token = narrowed.path("access_token").asText();
        assertThat(me(token).statusCode()).isEqualTo(403);
        var wider = details.replace("SELECT", "MODIFY");
        var answer = exchange(token, Map.of("authorization_details", wider));
        assertThat(body(answer).path("error").asText()).isEqualTo("invalid_authorization_details");
        assertThat(body(exchange(token, Map.of())).path("authorization_details")).hasSize(1);
    }

    @Test
    void aCookieIsNoMoreThanTheTokenThatItWasMadeOf() {
        var details =
                """
                [{"type":"unity_catalog_privileges","privileges":["SELECT"],
                  "object_type":"TABLE","object_full_path":"farm.bronze.quotes"}]
                """;
        var whole = accessToken();
        var narrowed = body(exchange(whole, Map.of("authorization_details", details)));
        var refused = cookieFor(narrowed.path("access_token").asText());
        assertThat(refused.statusCode()).as(refused.body()).isEqualTo(403);
        assertThat(refused.headers().firstValue("set-cookie")).isEmpty();

        var given = cookieFor(whole);
        assertThat(given.statusCode()).as(given.body()).isEqualTo(200);
        var age = given.headers().firstValue("set-cookie").orElseThrow();
        var seconds = age.replaceFirst(".*Max-Age=(\\d+).*", "$1");
        assertThat(Integer.parseInt(seconds)).isBetween(3000, 3600);
        var path = "/api/2.0/preview/scim/v2/Me";
        var of = TestNode.cookie(given);
        assertThat(node.get(path, "cookie", of).statusCode()).isEqualTo(200);
        node.form("/oidc/v1/revoke", Map.of("token", whole));
        assertThat(node.get(path, "cookie", of).statusCode()).isEqualTo(401);
    }

    /** As Unity Catalog's pages log a browser in. */
    private static HttpResponse<String> cookieFor(String token) {
        var type = "urn:ietf:params:oauth:token-type:access_token";
        return node.form(
                "/api/1.0/unity-control/auth/tokens?ext=cookie",
                Map.of("grant_type", EXCHANGE, "subject_token", token, "subject_token_type", type),
                OWN_PAGE);
    }

    @Test
    void aTokenThatIsRevokedWhileTheBodyComesIsNotGoodAtItsEnd() throws IOException {
        var token = accessToken();
        var before = personalTokens();
        var text = "{\"comment\": \"kept\", \"lifetime_seconds\": 600}";
        try (var http =
                AppHttp.open(
                        node.url,
                        "POST",
                        URI.create(node.url).getAuthority(),
                        "/api/2.0/token/create",
                        "Authorization",
                        "Bearer " + token,
                        "Content-Length",
                        String.valueOf(text.length()),
                        "Expect",
                        "100-continue")) {
            assertThat(http.head().status()).as("the caller is admitted").isEqualTo(100);
            http.write(text.substring(0, 10));
            node.form("/oidc/v1/revoke", Map.of("token", token));
            http.write(text.substring(10));
            assertThat(http.answer().status()).isEqualTo(401);
        }
        assertThat(personalTokens()).isEqualTo(before);
    }

    private static String personalTokens() {
        var answer = node.get("/api/2.0/token/list", "authorization", "Bearer " + accessToken());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return answer.body();
    }

    @Test
    void anExchangedTokenReachesNoFurtherThanTheFirst() {
        var postgres = body(exchange(accessToken(), Map.of("audience", "lakemill/postgres")));
        var token = postgres.path("access_token").asText();
        assertThat(postgres.path("issued_token_type").asText()).endsWith(":access_token");
        assertThat(introspect(token).path("aud").asText()).isEqualTo("lakemill/postgres");
        assertThat(me(token).statusCode()).isEqualTo(401);
        var back = exchange(token, Map.of("audience", "lakemill"));
        assertThat(body(back).path("error").asText()).isEqualTo("invalid_target");
        var unknown = exchange("a.b.c", Map.of());
        assertThat(body(unknown).path("error").asText()).isEqualTo("invalid_grant");
    }

    private static AuthorizationRequest authorization(CodeVerifier verifier, State state) {
        return new AuthorizationRequest.Builder(new ResponseType("code"), CLI)
                .endpointURI(uri("/oidc/v1/authorize"))
                .redirectionURI(REDIRECT)
                .scope(new Scope("all-apis", "offline_access", "openid"))
                .state(state)
                .codeChallenge(verifier, CodeChallengeMethod.S256)
                .build();
    }

    /** What a person does in a browser: opens the link, and allows it. */
    private static AuthorizationCode consent(AuthorizationRequest request, String decision)
            throws Exception {
        var page = node.get(request.toURI().toString(), "cookie", cookie);
        assertThat(page.body()).contains("lakemill-cli", "ada@example.org", "Allow");
        var fields = new LinkedHashMap<String, String>();
        request.toParameters().forEach((name, values) -> fields.put(name, values.getFirst()));
        fields.put("decision", decision);
        var answer =
                node.form("/oidc/v1/authorize", fields, "cookie", cookie, OWN_PAGE[0], OWN_PAGE[1]);
        assertThat(answer.statusCode()).isEqualTo(303);
        var response =
                AuthorizationResponse.parse(
                        URI.create(answer.headers().firstValue("location").orElseThrow()));
        assertThat(response.getState()).isEqualTo(request.getState());
        assertThat(response.getIssuer().getValue()).isEqualTo(node.url);
        if (!response.indicatesSuccess()) {
            assertThat(response.toErrorResponse().getErrorObject().getCode())
                    .isEqualTo("access_denied");
            return new AuthorizationCode("none");
        }
        return response.toSuccessResponse().getAuthorizationCode();
    }

    private static Tokens login() throws Exception {
        var verifier = new CodeVerifier();
        var code = consent(authorization(verifier, new State()), "allow");
        return tokens(ask(new AuthorizationCodeGrant(code, REDIRECT, verifier)));
    }

    @Test
    void aPersonLogsInByTheBrowserWithPkce() throws Exception {
        var verifier = new CodeVerifier();
        var code = consent(authorization(verifier, new State()), "allow");
        var answer = ask(new AuthorizationCodeGrant(code, REDIRECT, verifier));
        var tokens = tokens(answer);
        assertThat(tokens.getRefreshToken()).isNotNull();
        var who = body(me(tokens.getAccessToken().getValue()));
        assertThat(who.path("userName").asText()).isEqualTo("ada@example.org");
        var idToken =
                SignedJWT.parse(
                        (String) answer.toSuccessResponse().getCustomParameters().get("id_token"));
        assertThat(idToken.getJWTClaimsSet().getAudience()).containsExactly("lakemill-cli");
        assertThat(me(idToken.serialize()).statusCode()).isEqualTo(401);

        var replayed = ask(new AuthorizationCodeGrant(code, REDIRECT, verifier));
        assertThat(error(replayed)).isEqualTo("invalid_grant");
        assertThat(me(tokens.getAccessToken().getValue()).statusCode())
                .as("a code that is shown twice was stolen")
                .isEqualTo(401);
        assertThat(error(ask(new RefreshTokenGrant(tokens.getRefreshToken()))))
                .isEqualTo("invalid_grant");
    }

    @Test
    void aCodeNeedsItsVerifierItsClientAndItsAddress() throws Exception {
        var verifier = new CodeVerifier();
        var request = authorization(verifier, new State());
        var first = consent(request, "allow");
        assertThat(error(ask(new AuthorizationCodeGrant(first, REDIRECT, new CodeVerifier()))))
                .isEqualTo("invalid_grant");
        assertThat(error(ask(new AuthorizationCodeGrant(first, REDIRECT, verifier))))
                .as("it is used up")
                .isEqualTo("invalid_grant");
        var elsewhere = URI.create("http://127.0.0.1:1/");
        var second = consent(request, "allow");
        assertThat(error(ask(new AuthorizationCodeGrant(second, elsewhere, verifier))))
                .isEqualTo("invalid_grant");
        var third = consent(request, "allow");
        var other = basic();
        assertThat(error(ask(other, new AuthorizationCodeGrant(third, REDIRECT, verifier))))
                .isEqualTo("invalid_grant");
        assertThat(consent(request, "deny").getValue()).isEqualTo("none");
    }

    @Test
    void nobodyIsSentToAnUnknownAddressOrWithoutPkce() {
        for (var redirect :
                new String[] {
                    "https://evil.example.org/",
                    "http://127.0.0.1.evil.example.org/",
                    "http://user@127.0.0.1/",
                    "javascript:alert(1)",
                    ""
                }) {
            var answer = authorize("lakemill-cli", redirect, "S256");
            assertThat(answer.statusCode()).as(redirect).isEqualTo(400);
            assertThat(answer.headers().firstValue("location")).isEmpty();
        }
        assertThat(authorize("unknown", REDIRECT.toString(), "S256").statusCode()).isEqualTo(400);
        var plain = authorize("lakemill-cli", REDIRECT.toString(), "plain");
        assertThat(plain.headers().firstValue("location").orElse(""))
                .startsWith(REDIRECT.toString())
                .contains("error=invalid_request");
    }

    private static HttpResponse<String> authorize(String id, String redirect, String method) {
        return node.get(
                "/oidc/v1/authorize?response_type=code&client_id=%s&redirect_uri=%s&code_challenge=%s&code_challenge_method=%s"
                        .formatted(id, TestNode.encoded(redirect), "A".repeat(43), method),
                "cookie",
                cookie);
    }

    @Test
    void aRefreshTokenWorksOnceAndASecondUseEndsTheSession() throws Exception {
        var first = login();
        var second = tokens(ask(new RefreshTokenGrant(first.getRefreshToken())));
        assertThat(second.getRefreshToken()).isNotEqualTo(first.getRefreshToken());
        assertThat(me(second.getAccessToken().getValue()).statusCode()).isEqualTo(200);
        assertThat(error(ask(new RefreshTokenGrant(first.getRefreshToken()))))
                .isEqualTo("invalid_grant");
        for (var token : Set.of(first.getAccessToken(), second.getAccessToken())) {
            assertThat(me(token.getValue()).statusCode()).isEqualTo(401);
        }
        assertThat(error(ask(new RefreshTokenGrant(second.getRefreshToken()))))
                .isEqualTo("invalid_grant");
        assertThat(error(ask(new RefreshTokenGrant(new RefreshToken("unknown")))))
                .isEqualTo("invalid_grant");
    }

    @Test
    void aRefreshThatAsksWronglyLeavesTheTokenGood() throws Exception {
        var token = login().getRefreshToken().getValue();
        for (var wrong :
                Map.of(
                                "scope", "root",
                                "resource", "https://elsewhere.example.org",
                                "authorization_details", "no json")
                        .entrySet()) {
            var fields = new LinkedHashMap<>(refresh(token));
            fields.put(wrong.getKey(), wrong.getValue());
            var answer = node.form("/oidc/v1/token", fields);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
        }
        var wider = new LinkedHashMap<>(refresh(token));
        wider.put("scope", "all-apis profile");
        assertThat(body(node.form("/oidc/v1/token", wider)).path("error").asText())
                .isEqualTo("invalid_scope");
        var honest = node.form("/oidc/v1/token", refresh(token));
        assertThat(honest.statusCode()).as(honest.body()).isEqualTo(200);
        assertThat(me(body(honest).path("access_token").asText()).statusCode()).isEqualTo(200);
    }

    private static Map<String, String> refresh(String token) {
        return Map.of(
                "grant_type", "refresh_token", "client_id", CLI.getValue(), "refresh_token", token);
    }

    @Test
    void whoEverHasATokenMayEndIt() throws Exception {
        var session = login();
        var revocation =
                new TokenRevocationRequest(uri("/oidc/v1/revoke"), CLI, session.getRefreshToken());
        assertThat(revocation.toHTTPRequest().send().getStatusCode()).isEqualTo(200);
        assertThat(me(session.getAccessToken().getValue()).statusCode()).isEqualTo(401);

        var access = accessToken();
        assertThat(node.form("/oidc/v1/revoke", Map.of("token", access)).statusCode())
                .isEqualTo(200);
        assertThat(me(access).statusCode()).isEqualTo(401);
        assertThat(node.form("/oidc/v1/revoke", Map.of("token", "unknown")).statusCode())
                .isEqualTo(200);
    }

    @Test
    void introspectionTellsClientsOfTheirOwnTokensAlone() throws Exception {
        var own = new BearerAccessToken(accessToken());
        assertThat(introspectAsClient(own).indicatesSuccess()).isTrue();
        assertThat(introspectAsClient(own).toSuccessResponse().isActive()).isTrue();
        var ofAda = login().getAccessToken();
        assertThat(introspectAsClient(ofAda).toSuccessResponse().isActive()).isFalse();
        assertThat(introspect(ofAda.getValue()).path("username").asText())
                .isEqualTo("ada@example.org");
        assertThat(introspect("x.y.z").path("active").asBoolean(true)).isFalse();
        assertThat(node.form("/oidc/v1/introspect", Map.of("token", "x")).statusCode())
                .isEqualTo(401);
    }

    private static TokenIntrospectionResponse introspectAsClient(AccessToken token)
            throws Exception {
        var request = new TokenIntrospectionRequest(uri("/oidc/v1/introspect"), basic(), token);
        return TokenIntrospectionResponse.parse(request.toHTTPRequest().send());
    }

    @Test
    void othersVerifyTokensByWhatDiscoveryTells() throws Exception {
        for (var path :
                new String[] {
                    "/.well-known/openid-configuration",
                    "/oidc/.well-known/oauth-authorization-server"
                }) {
            var metadata = OIDCProviderMetadata.parse(node.get(path).body());
            assertThat(metadata.getIssuer().getValue()).isEqualTo(node.url);
            assertThat(metadata.getTokenEndpointURI()).isEqualTo(uri("/oidc/v1/token"));
            var processor = new DefaultJWTProcessor<SecurityContext>();
            processor.setJWSTypeVerifier(
                    new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt")));
            processor.setJWSKeySelector(
                    new JWSVerificationKeySelector<>(
                            JWSAlgorithm.ES256,
                            JWKSourceBuilder.create(metadata.getJWKSetURI().toURL()).build()));
            var claims = processor.process(accessToken(), null);
            assertThat(claims.getSubject()).isEqualTo(client);
            assertThat(claims.getStringClaim("preferred_username")).isEqualTo("producer");
            assertThat(claims.getAudience()).containsExactly("lakemill");
        }
    }

    private static String theirs(String issuer, String audience, String email, RSAKey key)
            throws Exception {
        var claims =
                new JWTClaimsSet.Builder()
                        .issuer(issuer)
                        .audience(audience)
                        .subject("subject-1")
                        .claim("email", email)
                        .issueTime(Date.from(Instant.now()))
                        .expirationTime(Date.from(Instant.now().plusSeconds(600)))
                        .build();
        var jwt =
                new SignedJWT(
                        new JWSHeader.Builder(JWSAlgorithm.RS256).keyID("theirs").build(), claims);
        jwt.sign(new RSASSASigner(key));
        return jwt.serialize();
    }

    @Test
    void tokensOfTheTrustedProviderAreExchanged() throws Exception {
        var good = theirs(providerUrl, "lakemill-here", "ada@example.org", providerKey);
        var answer = unityCatalog(good);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        var token = body(answer).path("access_token").asText();
        assertThat(body(me(token)).path("userName").asText()).isEqualTo("ada@example.org");

        var other = new RSAKeyGenerator(2048).keyID("theirs").generate();
        for (var bad :
                Set.of(
                        theirs(providerUrl, "another-service", "ada@example.org", providerKey),
                        theirs(providerUrl + "/", "lakemill-here", "ada@example.org", providerKey),
                        theirs(providerUrl, "lakemill-here", "nobody@example.org", providerKey),
                        theirs(providerUrl, "lakemill-here", "admin", providerKey),
                        theirs(providerUrl, "lakemill-here", "ada@example.org", other))) {
            assertThat(body(unityCatalog(bad)).path("error").asText()).isEqualTo("invalid_grant");
        }
        assertThat(me(good).statusCode()).as("it is not taken as it is").isEqualTo(401);
    }

    /** As Unity Catalog's command line asks. */
    private static HttpResponse<String> unityCatalog(String token) {
        return node.form(
                "/api/1.0/unity-control/auth/tokens",
                Map.of(
                        "grant_type",
                        EXCHANGE,
                        "requested_token_type",
                        "urn:ietf:params:oauth:token-type:access_token",
                        "subject_token_type",
                        "urn:ietf:params:oauth:token-type:id_token",
                        "subject_token",
                        token));
    }

    @Test
    void nimbusExchangesTokensToo() throws Exception {
        var grant =
                new TokenExchangeGrant(
                        new BearerAccessToken(accessToken()), TokenTypeURI.ACCESS_TOKEN);
        var exchanged = tokens(ask(grant));
        assertThat(me(exchanged.getAccessToken().getValue()).statusCode()).isEqualTo(200);
    }

    @Test
    void whatIsNoGrantIsRefused() {
        var unknown = node.form("/oidc/v1/token", Map.of("grant_type", "password"));
        assertThat(body(unknown).path("error").asText()).isEqualTo("unsupported_grant_type");
        var none = node.form("/oidc/v1/token", Map.of("scope", "all-apis"));
        assertThat(body(none).path("error").asText()).isEqualTo("invalid_request");
        var open =
                node.form(
                        "/oidc/v1/token",
                        Map.of("grant_type", "client_credentials", "client_id", "lakemill-cli"));
        assertThat(body(open).path("error").asText()).isEqualTo("unauthorized_client");
        var scope =
                node.form(
                        "/oidc/v1/token",
                        Map.of(
                                "grant_type",
                                "client_credentials",
                                "client_id",
                                client,
                                "client_secret",
                                secret,
                                "scope",
                                "root"));
        assertThat(body(scope).path("error").asText()).isEqualTo("invalid_scope");
    }
}
