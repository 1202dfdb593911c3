package dev.lakemill.agents.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Speaks OpenAI's protocol to providers. Follows no redirect: an answer from elsewhere would be of
 * someone whom nobody configured, and would have got the key. Safe to use from any thread.
 */
final class ProviderClient implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration CONNECT_MAX = Duration.ofSeconds(10);
    private static final Duration RETRY_AFTER_MAX = Duration.ofHours(1);
    private static final int ERROR_CHARS_MAX = 300;

    private final HttpClient http =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .connectTimeout(CONNECT_MAX)
                    .build();

    /**
     * Asks and waits for the whole answer.
     *
     * @throws ModelProblem when there is none
     */
    JsonNode post(
            ProviderConfig provider, String path, JsonNode body, Duration timeout, int bytesMax) {
        var answer =
                await(
                        provider,
                        http.sendAsync(
                                request(provider, path, body),
                                BodyHandlers.limiting(BodyHandlers.ofString(), bytesMax)),
                        timeout);
        if (answer.statusCode() != 200) {
            throw refused(provider, answer, answer.body());
        }
        try {
            return JSON.readTree(answer.body());
        } catch (JsonProcessingException e) {
            throw new ModelProblem(
                    ModelProblem.Kind.BAD_ANSWER,
                    "provider %s answered what is not JSON".formatted(provider.name()),
                    "see that base_url leads to an OpenAI-compatible server");
        }
    }

    /**
     * Asks for a stream, and waits for its beginning; the caller closes it.
     *
     * @throws ModelProblem when there is none
     */
    OpenStream stream(
            ProviderConfig provider, String path, JsonNode body, Duration timeout, int bytesMax) {
        var lines = new OpenStream();
        var begins = new CompletableFuture<HttpResponse.ResponseInfo>();
        HttpResponse.BodyHandler<Void> handler =
                head -> {
                    begins.complete(head);
                    return HttpResponse.BodySubscribers.fromLineSubscriber(lines);
                };
        var whole =
                http.sendAsync(
                        request(provider, path, body), BodyHandlers.limiting(handler, bytesMax));
        whole.whenComplete(
                (_, failure) -> {
                    if (failure != null) {
                        begins.completeExceptionally(failure);
                        lines.onError(failure);
                    }
                });
        try {
            var head = await(provider, begins, timeout);
            if (head.statusCode() != 200) {
                throw refused(provider, head.statusCode(), retryAfter(head.headers()), text(lines));
            }
            return lines;
        } catch (RuntimeException e) {
            lines.close();
            whole.cancel(true);
            throw e;
        }
    }

    @Override
    public void close() {
        http.shutdownNow();
    }

    private static HttpRequest request(ProviderConfig provider, String path, JsonNode body) {
        ProviderAddress.check(provider.baseUrl());
        var request =
                HttpRequest.newBuilder(URI.create(provider.baseUrl() + path))
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body.toString()));
        var key = provider.key().get();
        if (!key.isEmpty()) {
            request.header("authorization", "Bearer " + key);
        }
        return request.build();
    }

    private static <T> T await(
            ProviderConfig provider, CompletableFuture<T> answer, Duration timeout) {
        try {
            return answer.get(Math.max(1, timeout.toMillis()), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            answer.cancel(true);
            Thread.currentThread().interrupt();
            throw unavailable(provider, "the wait was interrupted");
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw unavailable(provider, "did not answer within " + timeout.toMillis() + " ms");
        } catch (ExecutionException e) {
            throw unavailable(provider, "broke off: " + reason(e));
        }
    }

    private static String reason(ExecutionException failure) {
        var cause = failure.getCause() == null ? failure : failure.getCause();
        var message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }

    private static String text(OpenStream lines) {
        var text = new StringBuilder();
        try {
            for (var line = lines.next(CONNECT_MAX);
                    line != null && text.length() < 100 * ERROR_CHARS_MAX;
                    line = lines.next(CONNECT_MAX)) {
                text.append(line).append('\n');
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (ModelProblem _) {
            // What came until then tells enough.
        }
        return text.toString();
    }

    private static ModelProblem refused(
            ProviderConfig provider, HttpResponse<?> answer, String body) {
        return refused(provider, answer.statusCode(), retryAfter(answer.headers()), body);
    }

    private static ModelProblem refused(
            ProviderConfig provider, int status, @Nullable Duration retryAfter, String body) {
        var told = "provider %s: %d %s".formatted(provider.name(), status, message(provider, body));
        return switch (status) {
            case 429 ->
                    new ModelProblem(
                            ModelProblem.Kind.LIMITED,
                            told,
                            "wait, or raise its limit",
                            retryAfter);
            case 408, 500, 502, 503, 504, 529 ->
                    new ModelProblem(
                            ModelProblem.Kind.UNAVAILABLE, told, "ask again later", retryAfter);
            case 400, 413, 422 ->
                    new ModelProblem(ModelProblem.Kind.INVALID_REQUEST, told, "change the request");
            case 301, 302, 303, 307, 308 ->
                    new ModelProblem(
                            ModelProblem.Kind.REFUSED,
                            told + ", which is not followed",
                            "set base_url to where the provider is now");
            default ->
                    new ModelProblem(
                            ModelProblem.Kind.REFUSED,
                            told,
                            "check base_url, model and api_key of the provider");
        };
    }

    /** What the provider says, shortened, without our key. */
    private static String message(ProviderConfig provider, String body) {
        var text = body;
        try {
            var node = JSON.readTree(body);
            var error = node == null ? null : node.path("error");
            text =
                    error == null || error.isMissingNode()
                            ? body
                            : error.isTextual() ? error.asText() : error.path("message").asText();
        } catch (IOException _) {
            text = body;
        }
        var key = provider.key().get();
        var clean = key.isEmpty() ? text : text.replace(key, "***");
        var line = clean.replaceAll("\\s+", " ").strip();
        return line.length() > ERROR_CHARS_MAX ? line.substring(0, ERROR_CHARS_MAX) + "…" : line;
    }

    private static @Nullable Duration retryAfter(java.net.http.HttpHeaders headers) {
        try {
            var seconds = headers.firstValueAsLong("retry-after");
            if (seconds.isPresent() && seconds.getAsLong() >= 0) {
                var asked = Duration.ofSeconds(Math.min(seconds.getAsLong(), 86_400));
                return asked.compareTo(RETRY_AFTER_MAX) > 0 ? RETRY_AFTER_MAX : asked;
            }
        } catch (NumberFormatException _) {
            // A date, which nobody of those who answer so sends.
        }
        return null;
    }

    private static ModelProblem unavailable(ProviderConfig provider, String problem) {
        return new ModelProblem(
                ModelProblem.Kind.UNAVAILABLE,
                "provider %s %s".formatted(provider.name(), problem),
                "ask again later");
    }
}
