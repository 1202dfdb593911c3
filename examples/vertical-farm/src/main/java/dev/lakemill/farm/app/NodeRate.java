package dev.lakemill.farm.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/** How many rows a second the node takes, as it says; asked beside, every two seconds at most. */
final class NodeRate {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final long EVERY_NANOS = Duration.ofSeconds(2).toNanos();

    private final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
    private final URI status;
    private final Supplier<String> token;
    private final AtomicBoolean asking = new AtomicBoolean();
    private volatile String newest = "null";
    private volatile long askedNanos = System.nanoTime() - EVERY_NANOS;

    NodeRate(URI node, Supplier<String> token) {
        this.status = node.resolve("/api/status");
        this.token = token;
    }

    /** The newest answer as JSON; null before there is one. Does not wait. */
    String json() {
        if (System.nanoTime() - askedNanos >= EVERY_NANOS && asking.compareAndSet(false, true)) {
            askedNanos = System.nanoTime();
            Thread.ofVirtual().name("rate").start(this::ask);
        }
        return newest;
    }

    private void ask() {
        try {
            var request =
                    HttpRequest.newBuilder(status)
                            .timeout(TIMEOUT)
                            .header("authorization", "Bearer " + token.get())
                            .build();
            var answer = http.send(request, BodyHandlers.ofString());
            var rate = new ObjectMapper().readTree(answer.body()).path("rows_per_second");
            newest = rate.isNumber() ? rate.toString() : "null";
        } catch (IOException | LakemillException _) {
            newest = "null";
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            asking.set(false);
        }
    }
}
