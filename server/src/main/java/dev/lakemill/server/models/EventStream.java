package dev.lakemill.server.models;

import dev.lakemill.agents.gateway.Gateway;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A response of server-sent events; each is on its way before the next is taken. */
final class EventStream implements Gateway.Sink {
    private static final long WRITE_SECONDS_MAX = 30;

    private final HttpServerResponse response;

    EventStream(HttpServerResponse response) {
        this.response = response;
    }

    @Override
    public void begin(String requestId, String provider) {
        response.setChunked(true)
                .putHeader("content-type", "text/event-stream")
                .putHeader("cache-control", "no-store")
                .putHeader("content-encoding", "identity")
                .putHeader("x-request-id", requestId)
                .putHeader("x-lakemill-provider", provider);
    }

    @Override
    public void send(String data) throws IOException {
        if (response.closed()) {
            throw new IOException("the connection is closed");
        }
        try {
            response.write("data: " + data + "\n\n")
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get(WRITE_SECONDS_MAX, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("the reader does not take the answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("the wait for the reader was interrupted");
        }
    }

    @Override
    public void onClosed(Runnable action) {
        response.closeHandler(_ -> action.run());
        if (response.closed()) {
            action.run();
        }
    }

    @Override
    public boolean isClosed() {
        return response.closed();
    }
}
