package dev.lakemill.agents.gateway;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The lines of an answer as they arrive, to be taken one by one; the peer is asked for as many as
 * fit, so that it waits for a slow reader.
 */
final class OpenStream implements Flow.Subscriber<String>, AutoCloseable {
    private static final int WAITING_LINES_MAX = 64;

    /** What has arrived. */
    private sealed interface Arrived {
        record Line(String text) implements Arrived {}

        record End(@Nullable Throwable failure) implements Arrived {}
    }

    private final LinkedBlockingQueue<Arrived> arrived = new LinkedBlockingQueue<>();
    private volatile Flow.@Nullable Subscription subscription;
    private volatile boolean closed;

    @Override
    public void onSubscribe(Flow.Subscription given) {
        subscription = given;
        if (closed) {
            given.cancel();
        } else {
            given.request(WAITING_LINES_MAX);
        }
    }

    @Override
    public void onNext(String line) {
        arrived.add(new Arrived.Line(line));
    }

    @Override
    public void onError(Throwable failure) {
        arrived.add(new Arrived.End(failure));
    }

    @Override
    public void onComplete() {
        arrived.add(new Arrived.End(null));
    }

    /**
     * The next line; null at the end.
     *
     * @throws ModelProblem UNAVAILABLE when the connection broke, or nothing came in time
     */
    @Nullable String next(Duration idleMax) throws InterruptedException {
        var next = arrived.poll(Math.max(1, idleMax.toMillis()), TimeUnit.MILLISECONDS);
        switch (next) {
            case null ->
                    throw broken(
                            "the provider sent nothing for %d ms".formatted(idleMax.toMillis()));
            case Arrived.Line(var text) -> {
                var open = subscription;
                if (open != null) {
                    open.request(1);
                }
                return text;
            }
            case Arrived.End(var failure) -> {
                arrived.add(next);
                if (failure != null) {
                    throw broken("the provider's answer broke off: " + failure.getMessage());
                }
                return null;
            }
        }
    }

    private static ModelProblem broken(String problem) {
        return new ModelProblem(ModelProblem.Kind.UNAVAILABLE, problem, "ask again");
    }

    /** Nobody reads any more: whoever waits for a line is told, and the peer need not go on. */
    void abandon() {
        close();
        arrived.add(new Arrived.End(new IOException("nobody reads it")));
    }

    /** The peer need not go on. */
    @Override
    public void close() {
        closed = true;
        var open = subscription;
        if (open != null) {
            open.cancel();
        }
    }
}
