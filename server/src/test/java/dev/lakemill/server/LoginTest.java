package dev.lakemill.server;

import static dev.lakemill.server.TestNode.OWN_PAGE;
import static dev.lakemill.server.TestNode.body;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** How people and commands get in, and that nobody else does. */
final class LoginTest {
    private static final String ME = "/api/2.0/preview/scim/v2/Me";
    private static final String PASSWORD = "a long password";

    @TempDir static Path folder;
    private static TestNode node;
    private static String firstCode = "";

    @BeforeAll
    static void start() throws Exception {
        node = new TestNode(folder, Map.of());
        var line =
                node.node().banner().stream()
                        .filter(text -> text.startsWith("log in"))
                        .findFirst()
                        .orElseThrow();
        firstCode = TestNode.parameter(line.split("\\s+")[2], "code");
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static HttpResponse<String> login(String name, String password, String target) {
        return node.form(
                "/login",
                Map.of("name", name, "password", password, "return_to", target),
                OWN_PAGE);
    }

    private static HttpResponse<String> redeem(String code, String password, String target) {
        return node.form(
                "/login/code",
                Map.of("code", code, "password", password, "return_to", target),
                OWN_PAGE);
    }

    private static String location(HttpResponse<String> answer) {
        return answer.headers().firstValue("location").orElse("");
    }

    @Test
    void nothingButHealthAndLoginWorksAnonymously() {
        for (var path :
                List.of(
                        "/api/status",
                        "/api/live?table=a.b",
                        "/api/pipelines/farm/audit",
                        "/api/unknown",
                        "/api/2.0/token/list",
                        "/api/2.0/preview/scim/v2/Users",
                        ME,
                        "/",
                        "/index.html")) {
            var answer = node.get(path);
            assertThat(answer.statusCode()).as(path).isEqualTo(401);
            assertThat(answer.headers().firstValue("www-authenticate")).as(path).isPresent();
        }
        assertThat(node.json("POST", "/api/2.0/token/create", "{}").statusCode()).isEqualTo(401);
        assertThat(node.json("POST", "/api/unknown", "{}").statusCode()).isEqualTo(401);
        for (var path : List.of("/livez", "/readyz", "/metrics", "/login", "/oidc/jwks")) {
            assertThat(node.get(path).statusCode()).as(path).isEqualTo(200);
        }
        for (var bad : List.of("Basic YWRtaW46YWRtaW4=", "Bearer", "Bearer x.y.z", "")) {
            assertThat(node.get(ME, "authorization", bad).statusCode()).as(bad).isEqualTo(401);
        }
    }

    @Test
    void browsersAreSentToTheLoginAndBack() {
        var answer = node.get("/tables?x=1", "accept", "text/html,*/*");
        assertThat(answer.statusCode()).isEqualTo(303);
        assertThat(location(answer)).isEqualTo("/login?return_to=%2Ftables%3Fx%3D1");
        var page = node.get(location(answer));
        assertThat(page.body()).contains("value=\"/tables?x=1\"", "autocomplete=\"username\"");
        assertThat(page.headers().firstValue("content-security-policy").orElse(""))
                .contains("frame-ancestors 'none'");
    }

    @Test
    void theFirstLoginOfTheAdminIsALinkThatWorksOnce() {
        var page = node.get("/login/code?code=" + firstCode);
        assertThat(page.body()).contains("<strong>admin</strong>", "Choose a password");
        assertThat(redeem(firstCode, "short", "/").statusCode()).isEqualTo(400);
        var answer = redeem(firstCode, PASSWORD, "/pipelines/farm");
        assertThat(location(answer)).isEqualTo("/pipelines/farm");
        var cookie = TestNode.cookie(answer);
        assertThat(body(node.get(ME, "cookie", cookie)).path("userName").asText())
                .isEqualTo("admin");
        assertThat(redeem(firstCode, "", "/").statusCode()).isEqualTo(401);
        assertThat(node.get("/login/code?code=" + firstCode).statusCode()).isEqualTo(401);
        assertThat(login("admin", PASSWORD, "/").statusCode()).isEqualTo(303);
        var onward = login("admin", PASSWORD, "/login/app?name=x&state=y");
        assertThat(onward.statusCode()).isEqualTo(200);
        assertThat(onward.headers().firstValue("set-cookie")).isPresent();
        assertThat(onward.body())
                .contains(
                        "http-equiv=\"refresh\" content=\"0; url=/login/app?name=x&amp;state=y\"");
        assertThat(login("admin", PASSWORD, "/apps/farm/").body())
                .contains("http-equiv=\"refresh\" content=\"0; url=/apps/farm/\"");
        assertThat(node.node().banner()).noneMatch(line -> line.startsWith("log in"));
    }

    @Test
    void theCookieCountsForOurOwnPagesAlone() {
        var answer = login(user("cookie@example.org"), PASSWORD, "/");
        assertThat(answer.headers().firstValue("set-cookie").orElse(""))
                .contains("HttpOnly", "SameSite=Lax", "Path=/")
                .doesNotContain("Secure");
        var cookie = TestNode.cookie(answer);
        assertThat(node.get("/api/status", "cookie", cookie).statusCode()).isEqualTo(200);
        assertThat(create(cookie, "sec-fetch-site", "same-origin")).isEqualTo(200);
        assertThat(create(cookie, "origin", node.url)).isEqualTo(200);
        assertThat(create(cookie, "sec-fetch-site", "cross-site")).isEqualTo(403);
        assertThat(create(cookie, "sec-fetch-site", "same-site")).isEqualTo(403);
        assertThat(create(cookie, "origin", "https://evil.example.org")).isEqualTo(403);
        assertThat(create(cookie, "origin", "null")).isEqualTo(403);
        assertThat(create(cookie, "x-nothing", "said")).isEqualTo(403);
        var token = cookie.substring(cookie.indexOf('=') + 1);
        assertThat(node.get(ME, "authorization", "Bearer " + token).statusCode())
                .as("a cookie is no bearer token")
                .isEqualTo(401);
        var bearer = body(created(cookie)).path("token_value").asText();
        var name = cookie.substring(0, cookie.indexOf('='));
        assertThat(node.get(ME, "cookie", name + "=" + bearer).statusCode())
                .as("a bearer token is no cookie")
                .isEqualTo(401);
    }

    private static String user(String name) {
        node.logIn(name, PASSWORD);
        return name;
    }

    private static HttpResponse<String> created(String cookie, String... header) {
        var headers = header.length == 0 ? OWN_PAGE : header;
        return node.json(
                "POST", "/api/2.0/token/create", "{}", "cookie", cookie, headers[0], headers[1]);
    }

    private static int create(String cookie, String... header) {
        return created(cookie, header).statusCode();
    }

    @Test
    void formsOfOtherSitesAreRefused() {
        var name = "forms@example.org";
        var fields = Map.of("name", name, "password", PASSWORD, "return_to", "/");
        assertThat(node.form("/login", fields).statusCode()).isEqualTo(403);
        assertThat(node.form("/login", fields, "sec-fetch-site", "cross-site").statusCode())
                .isEqualTo(403);
        assertThat(node.form("/login", fields, "origin", "https://x.example.org").statusCode())
                .isEqualTo(403);
    }

    @Test
    void whatIsTurnedAwayIsAudited() throws Exception {
        var cookie = node.logIn("turned");
        assertThat(create(cookie, "sec-fetch-site", "cross-site")).isEqualTo(403);
        assertThat(node.get(ME, "authorization", "Bearer x.y.z").statusCode()).isEqualTo(401);
        var large = "\"%s\"".formatted("x".repeat((int) Routes.BODY_BYTES_MAX));
        assertThat(node.json("POST", "/oidc/v1/revoke", large).statusCode()).isEqualTo(413);
        node.node().catalog().audit().flush();
        var refused =
                "count(*) > 0 FROM system.access.audit WHERE service_name = 'accounts'"
                        + " AND action_name = '%s' AND response.status_code = %d";
        TestNode.await(
                () -> node.rows(refused.formatted("httpRequest", 413)).equals(List.of("true")));
        assertThat(node.rows(refused.formatted("httpRequest", 403))).containsExactly("true");
        assertThat(node.rows(refused.formatted("tokenLogin", 401))).containsExactly("true");
    }

    @Test
    void logoutEndsTheSessionItself() {
        var cookie = node.logIn("out@example.org");
        var answer = node.form("/logout", Map.of(), "cookie", cookie, OWN_PAGE[0], OWN_PAGE[1]);
        assertThat(location(answer)).isEqualTo("/login");
        assertThat(answer.headers().firstValue("set-cookie").orElse("")).contains("Max-Age=0");
        assertThat(node.get(ME, "cookie", cookie).statusCode()).isEqualTo(401);
    }

    @Test
    void aDeactivatedUserIsOutAtOnce() {
        var cookie = node.logIn("gone@example.org");
        var id = body(node.get(ME, "cookie", cookie)).path("id").asText();
        node.admin()
                .patch(
                        "/api/2.0/preview/scim/v2/Users/" + id,
                        Map.of(
                                "Operations",
                                List.of(
                                        Map.of(
                                                "op", "replace", "path", "active", "value",
                                                false))));
        assertThat(node.get(ME, "cookie", cookie).statusCode()).isEqualTo(401);
    }

    @Test
    void allTokensOfAUserEndTogether() {
        var cookie = node.logIn("all@example.org");
        var token = body(created(cookie)).path("token_value").asText();
        assertThat(node.get(ME, "authorization", "Bearer " + token).statusCode()).isEqualTo(200);
        node.admin()
                .post("/api/2.0/identity/revoke-tokens", Map.of("principal", "all@example.org"));
        assertThat(node.get(ME, "authorization", "Bearer " + token).statusCode()).isEqualTo(401);
        assertThat(node.get(ME, "cookie", cookie).statusCode()).isEqualTo(401);
    }

    @Test
    void wrongPasswordsAndUnknownNamesLookTheSame() {
        var known = user("known@example.org");
        var first = login(known, "not the password", "/");
        var other = login("other@example.org", "not the password", "/");
        assertThat(first.statusCode()).isEqualTo(401);
        assertThat(other.statusCode()).isEqualTo(401);
        assertThat(other.body().replace("other@", "known@")).isEqualTo(first.body());
    }

    @Test
    void nobodyIsSentElsewhereAfterTheLoginAndNamesAreText() {
        for (var target :
                List.of("https://evil.example.org", "//evil.example.org", "/\\evil", "x", "/\nx")) {
            assertThat(LoginPages.target(target)).as(target).isEqualTo("/");
        }
        assertThat(LoginPages.target("/apps/farm/?a=b#c")).isEqualTo("/apps/farm/?a=b#c");
        var page = login("<script>alert(1)</script>", "not the password", "/\"><b>");
        assertThat(page.body()).doesNotContain("<script>", "\"><b>");
    }

    @Test
    void commandsLogInAsProgramsAndMakeTokens() throws Exception {
        var home = System.getProperty("user.home");
        System.setProperty("user.home", folder.resolve("home").toString());
        try {
            var made = run("principal", "create", "service", "reporter");
            var id = made.lines().findFirst().orElseThrow().replaceFirst(".*id ", "");
            var secret = made.lines().skip(1).findFirst().orElseThrow().replace("secret: ", "");
            assertThat(run("principal", "create", "group", "readers")).contains("group readers");
            run("principal", "add-member", "readers", "reporter");
            assertThat(run("principal", "list"))
                    .containsPattern("group +readers .*reporter")
                    .containsPattern("user +admin");
            var login = run("login", "--client-id", id, "--secret", secret);
            assertThat(login).contains("logged in at " + node.url);
            var file = folder.resolve("home/.lakemill/credentials");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("rw-------");
            var token = run("token", "--ttl", "PT5M", "--comment", "a test").strip();
            var who = body(node.get(ME, "authorization", "Bearer " + token));
            assertThat(who.path("displayName").asText()).isEqualTo("reporter");
            Files.delete(file);
            run("principal", "delete", "readers");
            assertThat(run("principal", "list")).doesNotContain("readers");
        } finally {
            System.setProperty("user.home", home);
        }
    }

    /** A command in this process, with its output. */
    private static String run(String... arguments) {
        var out = new StringWriter();
        var line = Main.commandLine();
        each(line, new PrintWriter(out));
        var words = new ArrayList<>(List.of(arguments));
        words.addAll(List.of("--project", folder.toString()));
        var exitCode = line.execute(words.toArray(String[]::new));
        assertThat(exitCode).as(out.toString()).isZero();
        return out.toString();
    }

    private static void each(CommandLine line, PrintWriter out) {
        line.setOut(out);
        line.setErr(out);
        line.getSubcommands().values().forEach(child -> each(child, out));
    }

    @Test
    void theTokenOfLocalCommandsIsPrivate() throws Exception {
        var file = LocalToken.file(node.data);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(node.admin().get(ME).path("userName").asText()).isEqualTo("admin");
    }
}
