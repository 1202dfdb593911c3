package dev.lakemill.server.rest;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;

/** Stands between the clients and the server, and holds every answer against openapi.yaml. */
final class CheckingProxy implements AutoCloseable {
    private final OpenApi api = new OpenApi();
    private final HttpClient client = HttpClient.newHttpClient();
    private final int target;
    private final HttpServer server;
    private final List<String> faults = new CopyOnWriteArrayList<>();

    CheckingProxy(int target) throws IOException {
        this.target = target;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::forward);
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** Answers since the last call that openapi.yaml does not promise. */
    List<String> faults() {
        var found = List.copyOf(faults);
        faults.clear();
        return found;
    }

    private void forward(HttpExchange exchange) throws IOException {
        var uri = exchange.getRequestURI();
        var method = exchange.getRequestMethod();
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + target + uri));
        for (var name : List.of("authorization", "content-type", "user-agent")) {
            var value = exchange.getRequestHeaders().getFirst(name);
            if (value != null) {
                request.header(name, value);
            }
        }
        var body = exchange.getRequestBody().readAllBytes();
        request.method(method, HttpRequest.BodyPublishers.ofByteArray(body));
        try {
            var answer = client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            check(method, uri, answer);
            answer.headers()
                    .firstValue("content-type")
                    .ifPresent(type -> exchange.getResponseHeaders().set("content-type", type));
            var length = answer.body().length == 0 ? -1 : answer.body().length;
            exchange.sendResponseHeaders(answer.statusCode(), length);
            if (length > 0) {
                exchange.getResponseBody().write(answer.body());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            exchange.close();
        }
    }

    private void check(String method, URI uri, HttpResponse<byte[]> answer) {
        var text = new String(answer.body(), StandardCharsets.UTF_8);
        var found = api.faults(method, uri.getRawPath(), answer.statusCode(), text);
        if (!found.isEmpty()) {
            faults.add(
                    "%s %s -> %d %s: %s".formatted(method, uri, answer.statusCode(), text, found));
        }
    }

    @Override
    public void close() {
        server.stop(0);
        client.close();
    }
}
