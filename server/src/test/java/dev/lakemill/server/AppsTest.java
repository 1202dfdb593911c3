package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.security.auth.module.UnixSystem;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Apps on a whole node, with real programs: one node for all of it. */
final class AppsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path APPS = Path.of("src/test/resources/apps");
    private static final boolean ROOT = new UnixSystem().getUid() == 0;
    private static final String ADA = "ada@example.com";

    @TempDir static Path folder;
    private static TestNode node;
    private static String port = "";
    private static String nodeCookie = "";

    @BeforeAll
    static void start() throws Exception {
        // Whoever keeps a node's data in a JavaScript project does not change what apps are.
        Files.writeString(folder.resolve("package.json"), "{\"type\": \"module\"}");
        node = new TestNode(folder, Map.of());
        port = Integer.toString(URI.create(node.url).getPort());
        var schema = TableSchema.of(Column.required("id", Primitive.LONG));
        node.register(TableName.parse("shop.sales.orders"), schema);
        node.register(TableName.parse("shop.sales.salaries"), schema);
        nodeCookie = node.logIn(ADA);
        deploy("node", "one");
        deploy("node", "two");
        for (var app : List.of("one", "two")) {
            grant(app, ADA);
        }
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static void grant(String app, String principal) {
        change(app, new GrantChange(principal, Set.of(Privilege.EXECUTE), Set.of()));
    }

    private static void change(String app, GrantChange change) {
        node.node()
                .catalog()
                .grants()
                .change(
                        node.node().catalog().system(),
                        new Securable(SecurableType.APP, app),
                        List.of(change));
    }

    private static String run(int expected, String... arguments) {
        return node.run(expected, arguments);
    }

    private static String deploy(String kind, String name) {
        return run(0, "app", "deploy", APPS.resolve(kind).toString(), "--name", name);
    }

    private static String host(String app) {
        return app + ".localhost:" + port;
    }

    /** As the app's own page would: the cookie of a browser that was sent to the login and back. */
    private static String cookie(String app) throws IOException {
        var away = AppHttp.get(node.url, host(app), "/told", "Accept", "text/html");
        assertThat(away.status()).as(away.body()).isEqualTo(303);
        var state = away.header("set-cookie").split(";")[0];
        var login = URI.create(away.header("location"));
        var back = node.get(login.getRawPath() + "?" + login.getRawQuery(), "cookie", nodeCookie);
        assertThat(back.statusCode()).as(back.body()).isEqualTo(303);
        var there = URI.create(back.headers().firstValue("location").orElseThrow());
        assertThat(there.getAuthority()).isEqualTo(host(app));
        var path = there.getRawPath() + "?" + there.getRawQuery();
        // Another browser cannot be logged in by the link.
        assertThat(AppHttp.get(node.url, host(app), path).status()).isEqualTo(401);
        var again = node.get(login.getRawPath() + "?" + login.getRawQuery(), "cookie", nodeCookie);
        there = URI.create(again.headers().firstValue("location").orElseThrow());
        path = there.getRawPath() + "?" + there.getRawQuery();
        var in = AppHttp.get(node.url, host(app), path, "Cookie", state);
        assertThat(in.status()).isEqualTo(303);
        assertThat(in.header("location")).isEqualTo("/told");
        assertThat(in.header("set-cookie")).contains("HttpOnly").doesNotContain("Domain");
        assertThat(AppHttp.get(node.url, host(app), path, "Cookie", state).status()).isEqualTo(401);
        return in.header("set-cookie").split(";")[0];
    }

    private static JsonNode told(String app, String... headers) throws IOException {
        var answer = AppHttp.get(node.url, host(app), "/told", headers);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        return JSON.readTree(answer.body());
    }

    private static String bearer() throws IOException {
        return "Bearer " + node.adminToken();
    }

    private static JsonNode status(String app) {
        return node.admin().get("/api/2.0/apps/" + app);
    }

    private static String state(String app) {
        return status(app).path("app_status").path("state").asText();
    }

    @Test
    void anAppGetsDatabricksEnvironmentAndItsOwnPrincipal() throws IOException {
        var told = told("one", "Authorization", bearer());
        var env = told.path("env");
        assertThat(env.path("DATABRICKS_APP_NAME").asText()).isEqualTo("one");
        assertThat(env.path("DATABRICKS_HOST").asText()).isEqualTo(node.url);
        assertThat(env.path("GREETING").asText()).isEqualTo("hello");
        assertThat(env.path("ORDERS").asText()).isEqualTo("shop.sales.orders");
        assertThat(env.path("PGUSER").asText()).isEqualTo("app-one");
        assertThat(env.path("PGSSLMODE").asText()).isEqualTo("require");
        assertThat(told.path("arguments").path(1).asText())
                .isEqualTo(env.path("DATABRICKS_APP_PORT").asText());
        assertThat(env.has("LAKEMILL_TOKEN")).isFalse();
        if (ROOT) {
            assertThat(told.path("uid").asInt()).isGreaterThanOrEqualTo(58000);
        }
        var token = token(env);
        var orders = "/api/2.1/unity-catalog/tables/shop.sales.orders";
        assertThat(node.get(orders, "authorization", token).statusCode()).isEqualTo(200);
        var salaries = "/api/2.1/unity-catalog/tables/shop.sales.salaries";
        assertThat(node.get(salaries, "authorization", token).statusCode()).isEqualTo(404);
        assertThat(
                        sql(token, "SELECT count(*) FROM shop.sales.orders")
                                .path("status")
                                .path("state")
                                .asText())
                .isEqualTo("SUCCEEDED");
        assertThat(sql(token, "SELECT count(*) FROM shop.sales.salaries").toString())
                .contains("PERMISSION_DENIED");
    }

    /** As an app logs in by its client's secret. */
    private static String token(JsonNode env) {
        var basic =
                java.util.Base64.getEncoder()
                        .encodeToString(
                                "%s:%s"
                                        .formatted(
                                                env.path("DATABRICKS_CLIENT_ID").asText(),
                                                env.path("DATABRICKS_CLIENT_SECRET").asText())
                                        .getBytes(StandardCharsets.UTF_8));
        var answer =
                node.form(
                        "/oidc/v1/token",
                        Map.of("grant_type", "client_credentials", "scope", "all-apis"),
                        "authorization",
                        "Basic " + basic);
        return "Bearer " + TestNode.body(answer).path("access_token").asText();
    }

    private static JsonNode claims(String token) throws IOException {
        return JSON.readTree(java.util.Base64.getUrlDecoder().decode(token.split("\\.")[1]));
    }

    private static JsonNode sql(String token, String statement) {
        var body = "{\"statement\": \"%s\", \"wait_timeout\": \"50s\"}".formatted(statement);
        return TestNode.body(
                node.json("POST", "/api/2.0/sql/statements", body, "authorization", token));
    }

    @Test
    void whatAVisitorSaysOfItselfIsTakenOffAndSaidAnew() throws IOException {
        var cookie = cookie("one");
        var headers =
                told(
                                "one",
                                "Cookie",
                                "theirs=1; " + cookie + "; " + nodeCookie,
                                "X-Forwarded-User",
                                "root",
                                "X_Forwarded_Email",
                                "root@example.com",
                                "X-Forwarded-Access-Token",
                                "forged",
                                "X-Forwarded-For",
                                "8.8.8.8",
                                "Forwarded",
                                "for=8.8.8.8",
                                "X-Real-IP",
                                "8.8.8.8",
                                "X-Request-Id",
                                "mine",
                                "X-Lakemill-Proxy-Secret",
                                "guess")
                        .path("headers");
        assertThat(headers.path("x-forwarded-preferred-username").asText()).isEqualTo(ADA);
        assertThat(headers.path("x-forwarded-email").asText()).isEqualTo(ADA);
        assertThat(headers.path("x-forwarded-host").asText()).isEqualTo(host("one"));
        assertThat(headers.path("x-real-ip").asText()).isEqualTo("127.0.0.1");
        assertThat(headers.path("cookie").asText()).isEqualTo("theirs=1");
        var claims = claims(headers.path("x-forwarded-access-token").asText());
        assertThat(claims.path("exp").asLong() - claims.path("iat").asLong()).isEqualTo(600);
        assertThat(headers.has("x_forwarded_email")).isFalse();
        assertThat(headers.toString()).doesNotContain("8.8.8.8", "\"root", "guess", "\"mine");
        var token = headers.path("x-forwarded-access-token").asText();
        var me = node.get("/api/2.0/preview/scim/v2/Me", "authorization", "Bearer " + token);
        assertThat(TestNode.body(me).path("userName").asText()).isEqualTo(ADA);
        assertThat(sql("Bearer " + token, "SELECT 1").path("status").path("state").asText())
                .isEqualTo("SUCCEEDED");
        for (var beyond :
                List.of(
                        "/api/2.1/unity-catalog/catalogs",
                        "/api/2.0/apps",
                        "/api/2.0/sql/statements/../../../token/list",
                        "/api/2.0/token/list")) {
            assertThat(
                            AppHttp.get(
                                            node.url,
                                            "127.0.0.1:" + port,
                                            beyond,
                                            "Authorization",
                                            "Bearer " + token)
                                    .status())
                    .as(beyond)
                    .isEqualTo(401);
        }
        var exchange =
                node.form(
                        "/oidc/v1/token",
                        Map.of(
                                "grant_type",
                                "urn:ietf:params:oauth:grant-type:token-exchange",
                                "subject_token",
                                token,
                                "subject_token_type",
                                "urn:ietf:params:oauth:token-type:access_token"));
        assertThat(exchange.statusCode()).as(exchange.body()).isBetween(400, 401);
    }

    @Test
    void aCookieOpensItsAppAloneAndForItsOwnPagesAlone() throws IOException {
        var cookie = cookie("one");
        assertThat(AppHttp.get(node.url, host("two"), "/told", "Cookie", cookie).status())
                .isEqualTo(401);
        assertThat(node.get("/api/2.0/apps", "cookie", cookie).statusCode()).isEqualTo(401);
        var asNode = nodeCookie.split("=")[0] + "=" + cookie.split("=", 2)[1];
        assertThat(node.get("/api/2.0/apps", "cookie", asNode).statusCode()).isEqualTo(401);
        var nodesToken = cookie.split("=")[0] + "=" + nodeCookie.split("=", 2)[1];
        assertThat(AppHttp.get(node.url, host("one"), "/told", "Cookie", nodesToken).status())
                .isEqualTo(401);
        var asBearer = "Bearer " + cookie.split("=", 2)[1];
        assertThat(AppHttp.get(node.url, host("one"), "/told", "Authorization", asBearer).status())
                .isEqualTo(401);
        for (var site : List.of("same-site", "cross-site")) {
            assertThat(
                            AppHttp.get(
                                            node.url,
                                            host("one"),
                                            "/told",
                                            "Cookie",
                                            cookie,
                                            "Sec-Fetch-Site",
                                            site,
                                            "Sec-Fetch-Mode",
                                            "cors")
                                    .status())
                    .isEqualTo(403);
        }
        assertThat(
                        AppHttp.send(
                                        node.url,
                                        "POST",
                                        host("one"),
                                        "/length",
                                        "x",
                                        "Cookie",
                                        cookie,
                                        "Origin",
                                        "http://" + host("two"))
                                .status())
                .isEqualTo(403);
        var set = AppHttp.get(node.url, host("one"), "/cookies", "Cookie", cookie);
        assertThat(set.all("set-cookie")).containsExactly("own=1; Path=/");
        node.node().catalog().audit().flush();
        assertThat(
                        node.rows(
                                "count(*) > 2 FROM system.access.audit WHERE action_name = 'useApp'"
                                        + " AND user_identity.email = 'anonymous'"))
                .containsExactly("true");
    }

    @Test
    void whoMayNotUseItDoesNotAndIsAudited() throws Exception {
        var grace = node.logIn("grace");
        var answer = node.get("/login/app?name=one&state=x&return_to=/", "cookie", grace);
        assertThat(answer.statusCode()).isEqualTo(403);
        assertThat(answer.body()).contains("GRANT EXECUTE ON APP");
        assertThat(node.get("/api/2.0/apps/one", "cookie", grace).statusCode()).isEqualTo(404);
        assertThat(AppHttp.get(node.url, host("one"), "/told").status()).isEqualTo(401);
        assertThat(
                        AppHttp.get(
                                        node.url,
                                        host("one"),
                                        "/told",
                                        "Authorization",
                                        "Bearer no.no.no")
                                .status())
                .isEqualTo(401);
        assertThat(AppHttp.get(node.url, host("none"), "/").status()).isEqualTo(404);
        node.node().catalog().audit().flush();
        assertThat(node.rows("count(*) > 0 FROM system.access.audit WHERE action_name = 'useApp'"))
                .containsExactly("true");
    }

    @Test
    void aPathIsForProgramsAndLeadsBrowsersToTheHost() throws IOException {
        var local = "127.0.0.1:" + port;
        var page =
                AppHttp.get(
                        node.url,
                        local,
                        "/apps/one/told?x=1",
                        "Accept",
                        "text/html",
                        "Cookie",
                        nodeCookie);
        assertThat(page.status()).isEqualTo(303);
        assertThat(page.header("location")).isEqualTo("http://" + host("one") + "/told?x=1");
        assertThat(AppHttp.get(node.url, local, "/apps/one/told", "Cookie", nodeCookie).status())
                .isEqualTo(401);
        var told = AppHttp.get(node.url, local, "/apps/one/told?x=1", "Authorization", bearer());
        var body = JSON.readTree(told.body());
        assertThat(body.path("url").asText()).isEqualTo("/told?x=1");
        assertThat(body.path("headers").path("x-forwarded-prefix").asText()).isEqualTo("/apps/one");
        assertThat(body.path("headers").has("authorization")).isFalse();
        assertThat(told.header("content-security-policy")).isEqualTo("sandbox");
    }

    @Test
    void socketsAndEventsPassUnbufferedAndEndWithTheirToken() throws Exception {
        var cookie = cookie("one");
        var origin = "http://" + host("one");
        try (var foreign = socket(cookie, "http://" + host("two"))) {
            assertThat(foreign.head().status()).isEqualTo(403);
        }
        try (var socket = socket(cookie, origin);
                var events =
                        AppHttp.open(
                                node.url,
                                "GET",
                                host("one"),
                                "/events",
                                "Cookie",
                                cookie,
                                "Accept-Encoding",
                                "gzip")) {
            assertThat(socket.head().status()).isEqualTo(101);
            assertThat(socket.line()).isEqualTo(ADA);
            for (int i = 0; i < 3; i++) {
                socket.write("ping " + i + "\n");
                assertThat(socket.line()).isEqualTo("ping " + i);
            }
            assertThat(events.head().status()).isEqualTo(200);
            var first = "";
            while (!first.startsWith("data: ")) {
                first = events.line();
            }
            assertThat(first).isEqualTo("data: first");
            var me = node.node().catalog().principals().find(ADA).orElseThrow().principal();
            revoke(me);
            assertThat(events.ends()).isTrue();
            assertThat(socket.ends()).isTrue();
        }
        assertThat(AppHttp.get(node.url, host("one"), "/told", "Cookie", cookie).status())
                .isEqualTo(401);
    }

    @Test
    void socketsEndWithTheRightToUseTheApp() throws Exception {
        try (var socket = socket(cookie("one"), "http://" + host("one"))) {
            assertThat(socket.head().status()).isEqualTo(101);
            assertThat(socket.line()).isEqualTo(ADA);
            change("one", new GrantChange(ADA, Set.of(), Set.of(Privilege.EXECUTE)));
            assertThat(socket.ends()).isTrue();
        } finally {
            grant("one", ADA);
        }
    }

    private static AppHttp socket(String cookie, String origin) throws IOException {
        return AppHttp.open(
                node.url,
                "GET",
                host("one"),
                "/socket",
                "Cookie",
                cookie,
                "Origin",
                origin,
                "Connection",
                "Upgrade",
                "Upgrade",
                "websocket",
                "Sec-WebSocket-Version",
                "13",
                "Sec-WebSocket-Key",
                "dGhlIHNhbXBsZSBub25jZQ==");
    }

    private static void revoke(Principal user) {
        node.admin().post("/api/2.0/identity/revoke-tokens", Map.of("principal", user.name()));
        var link = node.admin().post("/api/2.0/identity/login-links", Map.of("user", user.name()));
        var code = TestNode.parameter(link.path("url").asText(), "code");
        nodeCookie =
                TestNode.cookie(
                        node.form(
                                "/login/code",
                                Map.of("code", code, "password", "", "return_to", "/"),
                                TestNode.OWN_PAGE));
    }

    @Test
    void whatIsTooLargeTooSlowOrBrokenIsToldClearly() throws IOException {
        var large = "x".repeat((1 << 20) + 1);
        var known =
                AppHttp.send(
                        node.url, "POST", host("one"), "/length", large, "Authorization", bearer());
        assertThat(known.status()).isEqualTo(413);
        var fits = "x".repeat(1 << 20);
        assertThat(
                        AppHttp.send(
                                        node.url,
                                        "POST",
                                        host("one"),
                                        "/length",
                                        fits,
                                        "Authorization",
                                        bearer())
                                .body())
                .isEqualTo(Integer.toString(1 << 20));
        try (var chunked =
                AppHttp.open(
                        node.url,
                        "POST",
                        host("one"),
                        "/length",
                        "Authorization",
                        bearer(),
                        "Transfer-Encoding",
                        "chunked")) {
            try {
                for (int i = 0; i < 40; i++) {
                    chunked.write("8000\r\n" + "x".repeat(0x8000) + "\r\n");
                }
            } catch (IOException _) {
                // It was cut off while it sent, which is as good.
            }
            assertThat(chunked.head().status()).isEqualTo(413);
        }
        var slow = AppHttp.get(node.url, host("one"), "/slow", "Authorization", bearer());
        assertThat(slow.status()).isEqualTo(504);
        assertThat(slow.body()).contains("response_seconds_max");
        var broken =
                AppHttp.get(
                        node.url,
                        host("one"),
                        "/break",
                        "Authorization",
                        bearer(),
                        "Accept",
                        "text/html");
        assertThat(broken.status()).isEqualTo(502);
        assertThat(broken.body()).contains("<h1>one broke off</h1>");
    }

    @Test
    void whoLeavesBeforeTheAnswerIsNoErrorOfTheApp() throws Exception {
        var before = run(0, "app", "logs", "two");
        try (var _ =
                AppHttp.open(node.url, "GET", host("two"), "/slow", "Authorization", bearer())) {
            TestNode.await(() -> run(0, "app", "logs", "two").contains("slow: here"));
        }
        TestNode.await(() -> run(0, "app", "logs", "two").contains("slow: gone"));
        assertThat(run(0, "app", "logs", "two").substring(before.length()))
                .doesNotContain("the proxy:");
    }

    @Test
    void appsCannotReadEachOtherNorTheNodesData() throws IOException {
        org.junit.jupiter.api.Assumptions.assumeTrue(ROOT, "apps have users of their own");
        var two = told("two", "Authorization", bearer());
        var pid = status("two").path("pid").asInt();
        var home = two.path("env").path("HOME").asText();
        for (var path :
                List.of(
                        home,
                        home + "/../versions/1",
                        "/proc/%d/environ".formatted(pid),
                        node.data.resolve("tables").toString(),
                        node.data.resolve("identity.key").toString(),
                        node.data.resolve("cli-token").toString(),
                        node.data.resolve("postgres").toString(),
                        node.data.resolve("postgres/owner.secret").toString())) {
            var answer =
                    AppHttp.get(node.url, host("one"), "/read?" + path, "Authorization", bearer());
            assertThat(answer.body()).as(path).matches("EACCES|EPERM");
        }
        var own =
                AppHttp.get(
                        node.url,
                        host("one"),
                        "/read?"
                                + told("one", "Authorization", bearer())
                                        .path("env")
                                        .path("HOME")
                                        .asText(),
                        "Authorization",
                        bearer());
        assertThat(own.body()).startsWith("READ");
    }

    @Test
    void aDeploymentThatFailsTouchesNothing(@TempDir Path broken) throws IOException {
        Files.writeString(
                broken.resolve("app.yaml"), "command: [sh, -c, 'echo no luck; exit 4']\n");
        var failed = run(1, "app", "deploy", broken.toString(), "--name", "two");
        assertThat(failed).contains("ended with code 4 while starting", "no luck");
        Files.writeString(broken.resolve("app.yaml"), "comand: [x]\n");
        assertThat(run(1, "app", "deploy", broken.toString(), "--name", "two"))
                .contains("app.yaml:1:1: 'comand' is not a key here");
        var before = status("two");
        assertThat(before.path("app_status").path("state").asText()).isEqualTo("RUNNING");
        assertThat(before.path("active_version").asInt()).isEqualTo(1);
        told("two", "Authorization", bearer());
        var grants = grants("app-two");
        assertThat(grants).contains("SELECT on shop.sales.orders").hasSize(3);
    }

    private static List<String> grants(String principal) {
        return node.node().catalog().grants().all().stream()
                .filter(grant -> grant.principal().name().equals(principal))
                .map(grant -> grant.privilege().sql() + " on " + grant.on().name())
                .toList();
    }

    @Test
    void versionsGoForwardAndBackWithTheirGrants(@TempDir Path next) throws Exception {
        deploy("java", "moving");
        assertThat(AppHttp.get(node.url, host("moving"), "/", "Authorization", bearer()).body())
                .startsWith("java greets ");
        assertThat(grants("app-moving")).isEmpty();
        deploy("node", "moving");
        told("moving", "Authorization", bearer());
        assertThat(grants("app-moving")).contains("SELECT on shop.sales.orders");
        assertThat(run(0, "app", "rollback", "moving")).contains("version 1");
        assertThat(AppHttp.get(node.url, host("moving"), "/", "Authorization", bearer()).body())
                .startsWith("java greets ");
        TestNode.await(() -> grants("app-moving").isEmpty());
        TestNode.await(() -> !status("moving").path("changing").asBoolean());
        assertThat(run(0, "app", "versions", "moving"))
                .containsPattern("(?m)^\\* +1 ")
                .containsPattern("(?m)^ +2 +SUCCEEDED");
        assertThat(run(0, "app", "logs", "moving"))
                .contains("java listens", "listening", "draining", "version 1 is active")
                .doesNotContain("ended with code");
        run(0, "app", "stop", "moving");
        var stopped = AppHttp.get(node.url, host("moving"), "/", "Authorization", bearer());
        assertThat(stopped.status()).isEqualTo(503);
        assertThat(run(1, "app", "status", "moving")).contains("UNAVAILABLE", "it is stopped");
        run(0, "app", "start", "moving");
        TestNode.await(() -> state("moving").equals("RUNNING"));
        var home = folder.resolve(".lakemill/apps").resolve(status("moving").path("id").asText());
        assertThat(home.resolve("versions/2/server.js")).exists();
        run(0, "app", "delete", "moving");
        assertThat(home).doesNotExist();
        assertThat(node.node().catalog().principals().find("app-moving")).isEmpty();
        assertThat(run(1, "app", "status", "moving")).contains("there is no app 'moving'");
    }

    @Test
    void whoDeploysGrantsByTheirOwnRight() throws Exception {
        var system = node.node().catalog().system();
        node.node()
                .catalog()
                .grants()
                .change(
                        system,
                        Securable.METASTORE,
                        List.of(new GrantChange(ADA, Set.of(Privilege.CREATE_APP), Set.of())));
        var packed = AppPacker.pack(APPS.resolve("node"));
        var made =
                new NodeClient(node.url, userToken())
                        .upload("/api/2.0/apps/adas/deployments", packed, "application/gzip");
        var path = "/api/2.0/apps/adas/deployments/" + made.path("deployment_id").asText();
        TestNode.await(
                () ->
                        node.admin()
                                .get(path)
                                .path("status")
                                .path("state")
                                .asText()
                                .equals("FAILED"));
        assertThat(node.admin().get(path).path("status").path("message").asText())
                .contains("lacks");
        assertThat(grants("app-adas")).isEmpty();
        assertThatThrownBy(
                        () ->
                                new NodeClient(node.url, userToken())
                                        .upload(
                                                "/api/2.0/apps/two/deployments",
                                                packed,
                                                "application/gzip"))
                .hasMessageContaining("MANAGE");
        assertThatThrownBy(
                        () ->
                                node.admin()
                                        .upload(
                                                "/api/2.0/apps/..%2fx/deployments",
                                                packed, "application/gzip"))
                .hasMessageContaining("is no name of an app");
        Files.delete(packed);
        run(0, "app", "delete", "adas");
    }

    private static String userToken() {
        var ada = node.node().catalog().principals().find(ADA).orElseThrow().principal();
        return node.node()
                .identity()
                .tokens()
                .issue(node.node().catalog().system(), dev.lakemill.identity.TokenRequest.of(ada))
                .text();
    }

    @Test
    void anAppThatIsKilledComesBackAndOneThatCrashesOnStaysDown() throws Exception {
        deploy("node", "mortal");
        var pid = status("mortal").path("pid").asLong();
        var child = ProcessHandle.of(pid).orElseThrow().children().toList();
        assertThat(child).isNotEmpty();
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        TestNode.await(
                () -> {
                    var now = status("mortal");
                    return now.path("pid").asLong() != pid
                            && now.path("app_status").path("state").asText().equals("RUNNING");
                });
        TestNode.await(() -> child.stream().noneMatch(AppsTest::lives));
        told("mortal", "Authorization", bearer());
        for (int i = 0; !state("mortal").equals("CRASHED"); i++) {
            assertThat(i).as("%s", status("mortal")).isLessThan(100);
            TestNode.await(() -> Set.of("RUNNING", "CRASHED").contains(state("mortal")));
            if (state("mortal").equals("RUNNING")) {
                AppHttp.get(node.url, host("mortal"), "/crash", "Authorization", bearer());
            }
        }
        assertThat(run(1, "app", "status", "mortal")).contains("in a row");
        assertThat(
                        AppHttp.get(node.url, host("mortal"), "/told", "Authorization", bearer())
                                .status())
                .isEqualTo(503);
        run(0, "app", "start", "mortal");
        TestNode.await(() -> state("mortal").equals("RUNNING"));
        run(0, "app", "delete", "mortal");
    }

    /** One that ended may wait for its parent to look. */
    private static boolean lives(ProcessHandle process) {
        try {
            return !Files.readString(Path.of("/proc/%d/stat".formatted(process.pid())))
                    .contains(") Z ");
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void pagesAreServedFromTheirVersionAlone() throws IOException {
        deploy("site", "site");
        grant("site", ADA);
        var in = bearer();
        var index = AppHttp.get(node.url, host("site"), "/some/route", "Authorization", in);
        assertThat(index.body()).contains("<title>site</title>");
        assertThat(index.header("content-security-policy")).contains("default-src 'self'");
        assertThat(index.header("cache-control")).isEqualTo("private, no-cache");
        var script =
                AppHttp.get(
                        node.url,
                        host("site"),
                        "/assets/app-0a1b2c3d.js",
                        "Authorization",
                        in,
                        "Accept-Encoding",
                        "gzip");
        assertThat(script.header("content-encoding")).isEqualTo("gzip");
        assertThat(script.header("cache-control")).contains("immutable");
        assertThat(Integer.parseInt(script.header("content-length"))).isLessThan(500);
        for (var trick :
                List.of(
                        "/../../../identity.key",
                        "/..%2f..%2f..%2fidentity.key",
                        "/assets/..%5c..%5capp.yaml",
                        "/app.yaml",
                        "//etc/passwd.txt",
                        "/%2e%2e/%2e%2e/home.x",
                        "/%zz.js")) {
            assertThat(AppHttp.get(node.url, host("site"), trick, "Authorization", in).status())
                    .as(trick)
                    .isIn(400, 404);
        }
        assertThat(
                        AppHttp.get(
                                        node.url,
                                        host("site"),
                                        "/api/2.0/preview/scim/v2/Me",
                                        "Authorization",
                                        in)
                                .body())
                .contains("admin");
        assertThat(
                        AppHttp.get(node.url, host("site"), "/api/2.0/apps", "Authorization", in)
                                .status())
                .isEqualTo(403);
    }
}
