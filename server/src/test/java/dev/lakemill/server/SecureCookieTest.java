package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The session of a browser at a node that stands behind TLS. */
final class SecureCookieTest {
    private static final String HOST = "lake.example.org";
    private static final String STATUS = "/api/status";

    @Test
    void noNeighbourOfTheNodeCanSetItsCookie(@TempDir Path folder) throws Exception {
        var settings = Map.of("LAKEMILL_HTTP_PUBLIC_URL", "https://" + HOST);
        try (var node = new TestNode(folder, settings)) {
            var set = logIn(node, HOST);
            assertThat(set)
                    .startsWith("__Host-lakemill=")
                    .contains("; Path=/;", "; Secure")
                    .doesNotContain("Domain");
            var cookie = set.split(";")[0];
            assertThat(AppHttp.get(node.url, HOST, STATUS, "Cookie", cookie).status())
                    .isEqualTo(200);
            var plain = cookie.replace("__Host-", "");
            assertThat(AppHttp.get(node.url, HOST, STATUS, "Cookie", plain).status())
                    .as("the name that a neighbour could set")
                    .isEqualTo(401);

            var here = URI.create(node.url).getAuthority();
            assertThat(logIn(node, here)).startsWith("lakemill=").doesNotContain("Secure");
        }
    }

    @Test
    void noNeighbourOfAnAppCanSetTheStateOfALogin(@TempDir Path folder) throws Exception {
        var settings = Map.of("LAKEMILL_HTTP_PUBLIC_URL", "https://" + HOST);
        try (var node = new TestNode(folder, settings)) {
            node.admin().post("/api/2.0/apps", Map.of("name", "till"));
            var session = logIn(node, HOST).split(";")[0];
            var app = "till." + HOST;
            var away = AppHttp.get(node.url, app, "/x", "Accept", "text/html");
            var state = away.header("set-cookie");
            assertThat(state)
                    .startsWith("__Host-lakemill_state=")
                    .contains("; Path=/;", "; Secure")
                    .doesNotContain("Domain");
            var cookie = state.split(";")[0];
            var back = back(node, away.header("location"), session);
            assertThat(
                            AppHttp.get(
                                            node.url,
                                            app,
                                            back,
                                            "Cookie",
                                            cookie.replace("__Host-", ""))
                                    .status())
                    .as("the name that a neighbour could set")
                    .isEqualTo(401);
            var in = AppHttp.get(node.url, app, back, "Cookie", cookie);
            assertThat(in.status()).isEqualTo(303);
            assertThat(in.all("set-cookie").getFirst()).startsWith("__Host-lakemill_app=");
            assertThat(in.all("set-cookie").getLast())
                    .startsWith("__Host-lakemill_state=;")
                    .contains("Max-Age=0");
        }
    }

    /** Where the node's login sends the browser of a session. */
    private static String back(TestNode node, String login, String session) throws IOException {
        var there = URI.create(login);
        var path = there.getRawPath() + "?" + there.getRawQuery();
        var answer = AppHttp.get(node.url, HOST, path, "Cookie", session);
        assertThat(answer.status()).as(answer.body()).isEqualTo(303);
        var app = URI.create(answer.header("location"));
        return app.getRawPath() + "?" + app.getRawQuery();
    }

    private static String logIn(TestNode node, String host) throws IOException {
        var link = node.admin().post("/api/2.0/identity/login-links", Map.of("user", "admin"));
        var code = TestNode.parameter(link.path("url").asText(), "code");
        var form = "code=%s&password=&return_to=%%2F".formatted(TestNode.encoded(code));
        return AppHttp.send(
                        node.url,
                        "POST",
                        host,
                        "/login/code",
                        form,
                        "Content-Type",
                        "application/x-www-form-urlencoded",
                        "Sec-Fetch-Site",
                        "same-origin")
                .header("set-cookie");
    }
}
