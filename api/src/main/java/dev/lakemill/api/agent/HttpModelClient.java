package dev.lakemill.api.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** Models behind an OpenAI-compatible gateway, such as Lakemill's own. */
public final class HttpModelClient implements ModelClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ANSWER_BYTES_MAX = 4 << 20;
    private static final Set<String> FINAL = Set.of("budget_spent", "insufficient_quota");
    private static final Duration RETRY_AFTER_MAX = Duration.ofHours(1);

    private final URI completions;
    private final Supplier<String> token;
    private final Duration timeout;
    private final HttpClient http =
            HttpClient.newBuilder()
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .connectTimeout(Duration.ofSeconds(10))
                    .build();

    /**
     * A client.
     *
     * @param base for example {@code http://127.0.0.1:8080/v1}
     * @param token sent as a Bearer token, asked for before each call
     * @param timeout of one call
     */
    public HttpModelClient(URI base, Supplier<String> token, Duration timeout) {
        this.completions = URI.create(base.toString().replaceAll("/+$", "") + "/chat/completions");
        this.token = token;
        this.timeout = timeout;
    }

    @Override
    public Answer ask(Request request) throws Problem, InterruptedException {
        var answer = send(request);
        if (answer.statusCode() != 200) {
            throw new Problem(
                    "the gateway answers %d: %s".formatted(answer.statusCode(), start(answer)),
                    isRetriable(answer),
                    answer.headers().firstValue("retry-after").flatMap(HttpModelClient::seconds));
        }
        try {
            return read(JSON.readTree(answer.body()), request.endpoint());
        } catch (IOException e) {
            throw new Problem("the gateway's answer is no JSON", true, Optional.empty(), e);
        }
    }

    /** A budget that is spent passes, but not soon: 429 alone does not tell. */
    private static boolean isRetriable(HttpResponse<byte[]> answer) {
        var told = answer.headers().firstValue("x-should-retry");
        if (told.isPresent()) {
            return told.get().equals("true");
        }
        var status = answer.statusCode();
        return (status == 408 || status == 429 || status >= 500) && !FINAL.contains(code(answer));
    }

    private static String code(HttpResponse<byte[]> answer) {
        try {
            return JSON.readTree(answer.body()).at("/error/code").asText();
        } catch (IOException e) {
            return "";
        }
    }

    private static Answer read(JsonNode body, String endpoint) throws Problem {
        var content = body.at("/choices/0/message/content");
        if (!content.isTextual()) {
            throw new Problem("the gateway's answer has no message", true, Optional.empty());
        }
        return new Answer(
                content.asText(),
                body.path("model").asText(endpoint),
                body.at("/usage/prompt_tokens").asLong(),
                body.at("/usage/completion_tokens").asLong(),
                body.at("/lakemill/cost_micros").asLong());
    }

    private HttpResponse<byte[]> send(Request request) throws Problem, InterruptedException {
        var post =
                HttpRequest.newBuilder(completions)
                        .timeout(timeout)
                        .header("authorization", "Bearer " + token.get())
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body(request)))
                        .build();
        try {
            return http.send(
                    post,
                    _ ->
                            HttpResponse.BodySubscribers.limiting(
                                    HttpResponse.BodySubscribers.ofByteArray(), ANSWER_BYTES_MAX));
        } catch (IOException e) {
            throw new Problem("the gateway does not answer: " + e, true, Optional.empty(), e);
        }
    }

    private static String body(Request request) {
        var body = JSON.createObjectNode();
        body.put("model", request.endpoint());
        var messages = body.putArray("messages");
        for (var message : request.messages()) {
            messages.addObject().put("role", message.role()).put("content", message.content());
        }
        var format = body.putObject("response_format").put("type", "json_schema");
        format.putObject("json_schema")
                .put("name", "answer")
                .put("strict", true)
                .set("schema", request.schema());
        try {
            return JSON.writeValueAsString(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String start(HttpResponse<byte[]> answer) {
        var text = new String(answer.body(), java.nio.charset.StandardCharsets.UTF_8);
        return text.length() > 300 ? text.substring(0, 300) + "…" : text;
    }

    private static Optional<Duration> seconds(String text) {
        try {
            var given = Duration.ofSeconds(Math.max(0, Long.parseLong(text.strip())));
            return Optional.of(given.compareTo(RETRY_AFTER_MAX) > 0 ? RETRY_AFTER_MAX : given);
        } catch (NumberFormatException _) {
            return Optional.empty();
        }
    }
}
