package dev.lakemill.agents.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * An OpenAI-compatible server on a free port of loopback that answers by script: each request takes
 * the next answer of the script; when that is at its end, the default one. It keeps what it was
 * asked.
 */
public final class ScriptedModelServer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int INPUT_TOKENS = 11;
    private static final int OUTPUT_TOKENS = 7;
    private static final int ASKED_KEPT_MAX = 10_000;

    /** One answer of the script. */
    public sealed interface Answer {
        /** A text; to a request for a stream, as one of words. */
        record Text(String content) implements Answer {}

        /** A call of a tool. */
        record Tool(String name, String arguments) implements Answer {}

        /** A text without any count of tokens. */
        record Uncounted(String content) implements Answer {}

        /** The same as another, later. */
        record Slow(Duration pause, Answer then) implements Answer {}

        /** A status with OpenAI's error body; 429 with Retry-After when that is not zero. */
        record Status(int code, int retryAfterSeconds) implements Answer {}

        /** A status and a body as they are. */
        record Raw(int code, String body) implements Answer {}

        /** Where another address stands, as of a provider that moved. */
        record Redirect(String location) implements Answer {}

        /** Status 200 and half a JSON object. */
        record Malformed() implements Answer {}

        /** The first words of a stream, then the connection ends; of a whole answer, half of it. */
        record HalfStream(String content) implements Answer {}

        /** Headers and some words, then nothing until the server closes. */
        record NeverEnds() implements Answer {}

        /** What a function makes of the request. */
        record Computed(Function<JsonNode, Answer> answer) implements Answer {}
    }

    /** What it was asked. */
    public record Asked(String path, String authorization, JsonNode body) {}

    private final HttpServer server;
    private final Queue<Answer> script = new ConcurrentLinkedQueue<>();
    private final Deque<Asked> asked = new ConcurrentLinkedDeque<>();
    private final AtomicInteger askedCount = new AtomicInteger();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile Answer otherwise = new Answer.Text("Good day.");

    private ScriptedModelServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/v1/", this::answer);
        server.start();
    }

    public static ScriptedModelServer start() {
        try {
            return new ScriptedModelServer();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The base URL for a provider's config. */
    public URI url() {
        return URI.create("http://127.0.0.1:%d/v1".formatted(server.getAddress().getPort()));
    }

    /** The next requests get these, in their order. */
    public ScriptedModelServer script(Answer... answers) {
        script.addAll(List.of(answers));
        return this;
    }

    /** What requests beyond the script get; a text at first. */
    public ScriptedModelServer otherwise(Answer answer) {
        otherwise = answer;
        return this;
    }

    /** The newest {@value #ASKED_KEPT_MAX}, in the order of arrival. */
    public List<Asked> asked() {
        return List.copyOf(asked);
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            var text = exchange.getRequestBody().readAllBytes();
            var body = text.length == 0 ? JSON.createObjectNode() : JSON.readTree(text);
            var key = exchange.getRequestHeaders().getFirst("authorization");
            var path = exchange.getRequestURI().getPath();
            asked.add(new Asked(path, key == null ? "" : key, body));
            if (askedCount.incrementAndGet() > ASKED_KEPT_MAX) {
                asked.poll();
            }
            if (path.endsWith("/models")) {
                send(exchange, 200, models());
                return;
            }
            var next = script.poll();
            play(exchange, body, next == null ? otherwise : next);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void play(HttpExchange exchange, JsonNode body, Answer answer)
            throws IOException, InterruptedException {
        switch (answer) {
            case Answer.Text(var content) -> text(exchange, body, content, true);
            case Answer.Uncounted(var content) -> text(exchange, body, content, false);
            case Answer.Tool tool -> tool(exchange, body, tool);
            case Answer.Slow(var pause, var then) -> {
                Thread.sleep(pause);
                play(exchange, body, then);
            }
            case Answer.Status(var code, var seconds) -> {
                if (seconds > 0) {
                    exchange.getResponseHeaders().add("retry-after", String.valueOf(seconds));
                }
                send(exchange, code, error("scripted status " + code));
            }
            case Answer.Raw(var code, var raw) -> send(exchange, code, raw);
            case Answer.Redirect(var location) -> {
                exchange.getResponseHeaders().add("location", location);
                exchange.sendResponseHeaders(302, -1);
            }
            case Answer.Malformed() -> send(exchange, 200, "{\"choices\": [{\"mess");
            case Answer.HalfStream(var content) -> half(exchange, body, content);
            case Answer.NeverEnds() -> neverEnds(exchange, body);
            case Answer.Computed(var function) -> play(exchange, body, function.apply(body));
        }
    }

    private static void text(HttpExchange exchange, JsonNode body, String content, boolean counted)
            throws IOException {
        if (body.has("input")) {
            send(exchange, 200, embeddings(body));
        } else if (isStream(body)) {
            openStream(exchange);
            words(exchange, body, content);
            event(exchange, chunk(body, JSON.createObjectNode(), "stop").toString());
            if (counted && body.path("stream_options").path("include_usage").asBoolean()) {
                var last = chunk(body, JSON.createObjectNode(), "");
                last.putArray("choices");
                last.set("usage", usage());
                event(exchange, last.toString());
            }
            event(exchange, "[DONE]");
        } else {
            var message = JSON.createObjectNode().put("role", "assistant").put("content", content);
            send(exchange, 200, completion(body, message, "stop", counted).toString());
        }
    }

    private static void tool(HttpExchange exchange, JsonNode body, Answer.Tool tool)
            throws IOException {
        var message = JSON.createObjectNode().put("role", "assistant").putNull("content");
        var call = message.putArray("tool_calls").addObject();
        call.put("index", 0).put("id", "call_1").put("type", "function");
        call.putObject("function").put("name", tool.name()).put("arguments", tool.arguments());
        if (isStream(body)) {
            openStream(exchange);
            event(exchange, chunk(body, message, "").toString());
            event(exchange, chunk(body, JSON.createObjectNode(), "tool_calls").toString());
            event(exchange, "[DONE]");
        } else {
            send(exchange, 200, completion(body, message, "tool_calls", true).toString());
        }
    }

    private static void half(HttpExchange exchange, JsonNode body, String content)
            throws IOException {
        if (isStream(body)) {
            openStream(exchange);
            words(exchange, body, content);
        } else {
            var message = JSON.createObjectNode().put("role", "assistant").put("content", content);
            var whole = completion(body, message, "stop", true).toString();
            exchange.sendResponseHeaders(200, whole.length());
            exchange.getResponseBody()
                    .write(whole.substring(0, whole.length() / 2).getBytes(StandardCharsets.UTF_8));
            exchange.getResponseBody().flush();
        }
    }

    private void neverEnds(HttpExchange exchange, JsonNode body)
            throws IOException, InterruptedException {
        openStream(exchange);
        words(exchange, body, "one two");
        closed.await();
    }

    private static boolean isStream(JsonNode body) {
        return body.path("stream").asBoolean();
    }

    private static void openStream(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().add("content-type", "text/event-stream");
        exchange.sendResponseHeaders(200, 0);
    }

    private static void words(HttpExchange exchange, JsonNode body, String content)
            throws IOException {
        for (var word : content.split("(?<= )")) {
            var delta = JSON.createObjectNode().put("role", "assistant").put("content", word);
            event(exchange, chunk(body, delta, "").toString());
        }
    }

    private static void event(HttpExchange exchange, String data) throws IOException {
        exchange.getResponseBody()
                .write(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
        exchange.getResponseBody().flush();
    }

    private static ObjectNode head(JsonNode body, String object) {
        return JSON.createObjectNode()
                .put("id", "chatcmpl-scripted")
                .put("object", object)
                .put("created", 1_800_000_000)
                .put("model", body.path("model").asText());
    }

    private static ObjectNode chunk(JsonNode body, JsonNode delta, String finishReason) {
        var chunk = head(body, "chat.completion.chunk");
        var choice = chunk.putArray("choices").addObject().put("index", 0);
        choice.set("delta", delta);
        choice.put("finish_reason", finishReason.isEmpty() ? null : finishReason);
        return chunk;
    }

    private static ObjectNode completion(
            JsonNode body, JsonNode message, String finishReason, boolean counted) {
        var answer = head(body, "chat.completion");
        var choice = answer.putArray("choices").addObject().put("index", 0);
        choice.set("message", message);
        choice.put("finish_reason", finishReason);
        if (counted) {
            answer.set("usage", usage());
        }
        return answer;
    }

    private static ObjectNode usage() {
        return JSON.createObjectNode()
                .put("prompt_tokens", INPUT_TOKENS)
                .put("completion_tokens", OUTPUT_TOKENS)
                .put("total_tokens", INPUT_TOKENS + OUTPUT_TOKENS);
    }

    private static String embeddings(JsonNode body) {
        var answer = JSON.createObjectNode().put("object", "list");
        answer.put("model", body.path("model").asText());
        var data = answer.putArray("data");
        var inputs = body.path("input").isArray() ? body.path("input").size() : 1;
        for (int i = 0; i < inputs; i++) {
            var one = data.addObject().put("object", "embedding").put("index", i);
            one.putArray("embedding").add(0.25).add(-0.5);
        }
        answer.putObject("usage").put("prompt_tokens", INPUT_TOKENS).put("total_tokens", 11);
        return answer.toString();
    }

    private static String models() {
        var answer = JSON.createObjectNode().put("object", "list");
        answer.putArray("data").addObject().put("id", "scripted").put("object", "model");
        return answer.toString();
    }

    private static String error(String message) {
        var answer = JSON.createObjectNode();
        answer.putObject("error").put("message", message).put("type", "scripted");
        return answer.toString();
    }

    private static void send(HttpExchange exchange, int status, String body) throws IOException {
        var bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("content-type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }
}
