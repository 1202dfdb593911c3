package dev.lakemill.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** REST of a node on this machine, as whoever runs it. */
final class LiveNode {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long WAIT_SECONDS_MAX = 300;

    private final HttpClient http = HttpClient.newHttpClient();
    private final String url;
    private final String token;

    LiveNode(Path data) throws Exception {
        this.url = JSON.readTree(data.resolve("run.json").toFile()).get("http").asText();
        this.token = Files.readString(data.resolve("cli-token")).strip();
    }

    JsonNode get(String path) throws Exception {
        return send(request(path).GET());
    }

    /** The answer as soon as it contains the text. */
    JsonNode await(String path, String text) throws Exception {
        var end = System.nanoTime() + WAIT_SECONDS_MAX * 1_000_000_000L;
        var answer = get(path);
        while (!answer.toString().contains(text) && System.nanoTime() < end) {
            Thread.sleep(500);
            answer = get(path);
        }
        assertThat(answer.toString()).contains(text);
        return answer;
    }

    JsonNode sql(String statement) throws Exception {
        var body = JSON.writeValueAsString(Map.of("statement", statement, "wait_timeout", "50s"));
        return send(
                request("/api/2.0/sql/statements")
                        .header("content-type", "application/json")
                        .POST(BodyPublishers.ofString(body)));
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url + path))
                .header("authorization", "Bearer " + token);
    }

    private JsonNode send(HttpRequest.Builder request) throws Exception {
        var answer = http.send(request.build(), BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return JSON.readTree(answer.body());
    }
}
