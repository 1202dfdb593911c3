package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;

/** Calls of a server's REST API by one bearer token. */
final class RestClient {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** An answer; the body is an empty object when there is none. */
    record Answer(int status, JsonNode body) {
        boolean ok() {
            return status / 100 == 2;
        }
    }

    private final HttpClient http = HttpClient.newHttpClient();
    private final String url;
    private final String token;

    RestClient(String url, String token) {
        this.url = url;
        this.token = token;
    }

    String token() {
        return token;
    }

    Answer get(String path) throws IOException, InterruptedException {
        return send(request(path).GET().build());
    }

    Answer post(String path, Object body) throws IOException, InterruptedException {
        return send(request(path).POST(json(body)).build());
    }

    Answer put(String path, Object body) throws IOException, InterruptedException {
        return send(request(path).PUT(json(body)).build());
    }

    Answer patch(String path, Object body) throws IOException, InterruptedException {
        return send(request(path).method("PATCH", json(body)).build());
    }

    Answer delete(String path) throws IOException, InterruptedException {
        return send(request(path).DELETE().build());
    }

    /** Runs a statement, and fails unless it succeeds. */
    void run(String statement) throws IOException, InterruptedException {
        var answer = statement(statement);
        if (!answer.body().at("/status/state").asText().equals("SUCCEEDED")) {
            throw new IOException(statement + ": " + answer.body());
        }
    }

    Answer statement(String statement) throws IOException, InterruptedException {
        return post(
                "/api/2.0/sql/statements", Map.of("statement", statement, "wait_timeout", "50s"));
    }

    /** The same server by the token of a service principal. */
    RestClient login(String client, String secret) throws IOException, InterruptedException {
        var basic = Base64.getEncoder().encodeToString((client + ":" + secret).getBytes(UTF));
        var answer =
                send(
                        HttpRequest.newBuilder(URI.create(url + "/oidc/v1/token"))
                                .header("authorization", "Basic " + basic)
                                .header("content-type", "application/x-www-form-urlencoded")
                                .POST(
                                        BodyPublishers.ofString(
                                                "grant_type=client_credentials&scope=all-apis"))
                                .build());
        if (!answer.ok()) {
            throw new IOException("no token for " + client + ": " + answer.body());
        }
        return new RestClient(url, answer.body().get("access_token").asText());
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, UTF).replace("+", "%20");
    }

    private static final java.nio.charset.Charset UTF = StandardCharsets.UTF_8;

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url + path))
                .timeout(Duration.ofMinutes(3))
                .header("content-type", "application/json")
                .header("authorization", "Bearer " + token);
    }

    private static HttpRequest.BodyPublisher json(Object body) throws IOException {
        return BodyPublishers.ofString(JSON.writeValueAsString(body));
    }

    private Answer send(HttpRequest request) throws IOException, InterruptedException {
        var response = http.send(request, BodyHandlers.ofString());
        var text = response.body();
        return new Answer(
                response.statusCode(),
                text.isBlank() ? JSON.createObjectNode() : JSON.readTree(text));
    }
}
