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
