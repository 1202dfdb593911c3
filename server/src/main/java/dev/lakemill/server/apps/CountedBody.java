package dev.lakemill.server.apps;

import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.streams.ReadStream;
import org.jspecify.annotations.Nullable;

/** A request's body that fails beyond a limit, whatever its sender said of its length. */
final class CountedBody implements ReadStream<Buffer> {
    static final class TooLarge extends RuntimeException {
        private static final long serialVersionUID = 1;

        TooLarge(long bytesMax) {
            super("the request has more than %d bytes".formatted(bytesMax));
        }
    }

    private final ReadStream<Buffer> body;
    private final long bytesMax;
    private final Runnable onTooLarge;
    private @Nullable Handler<Throwable> failed;
    private long bytes;

    CountedBody(ReadStream<Buffer> body, long bytesMax, Runnable onTooLarge) {
        this.body = body;
        this.bytesMax = bytesMax;
        this.onTooLarge = onTooLarge;
    }

    @Override
    public ReadStream<Buffer> exceptionHandler(@Nullable Handler<Throwable> handler) {
        failed = handler;
        body.exceptionHandler(handler);
        return this;
    }

    @Override
    public ReadStream<Buffer> handler(@Nullable Handler<Buffer> handler) {
        body.handler(handler == null ? null : chunk -> pass(chunk, handler));
        return this;
    }

    private void pass(Buffer chunk, Handler<Buffer> handler) {
        var before = bytes;
        bytes += chunk.length();
        if (bytes <= bytesMax) {
            handler.handle(chunk);
        } else if (before <= bytesMax) {
            onTooLarge.run();
            if (failed != null) {
                failed.handle(new TooLarge(bytesMax));
            }
        }
    }

    @Override
    public ReadStream<Buffer> pause() {
        body.pause();
        return this;
    }

    @Override
    public ReadStream<Buffer> resume() {
        body.resume();
        return this;
    }

    @Override
    public ReadStream<Buffer> fetch(long amount) {
        body.fetch(amount);
        return this;
    }

    @Override
    public ReadStream<Buffer> endHandler(@Nullable Handler<Void> handler) {
        body.endHandler(handler);
        return this;
    }
}
