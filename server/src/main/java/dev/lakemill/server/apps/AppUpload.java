package dev.lakemill.server.apps;

import io.vertx.core.Context;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A request's body into a file, one piece at a time, for a thread that blocks. */
final class AppUpload {
    private static final long PIECE_SECONDS_MAX = 60;

    private final HttpServerRequest request;
    private final Context context;

    /** Empty at the end, and when the connection broke. */
    private final BlockingQueue<Optional<Buffer>> pieces = new LinkedBlockingQueue<>();

    private volatile boolean whole;

    /** On the event loop, before anything of the body was read. */
    AppUpload(HttpServerRequest request, Context context) {
        this.request = request;
        this.context = context;
        request.pause();
        request.handler(piece -> pieces.add(Optional.of(piece)));
        request.endHandler(
                _ -> {
                    whole = true;
                    pieces.add(Optional.empty());
                });
        request.exceptionHandler(_ -> pieces.add(Optional.empty()));
    }

    /** Reads the rest and forgets it, so that the sender comes to read the answer. */
    void discard() {
        context.runOnContext(
                _ -> {
                    if (whole) {
                        return;
                    }
                    var left = new AtomicLong(AppArchive.UPLOAD_BYTES_MAX);
                    request.handler(
                            piece -> {
                                if (left.addAndGet(-piece.length()) < 0) {
                                    request.connection().close();
                                }
                            });
                    request.resume();
                });
    }

    /**
     * INVALID_ARGUMENT when it is too large or breaks off; the file is for the caller to delete.
     */
    void into(Path file, long bytesMax) throws InterruptedException {
        try (var out =
                Files.newOutputStream(
                        file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            var bytes = 0L;
            while (true) {
                context.runOnContext(_ -> request.fetch(1));
                var piece = pieces.poll(PIECE_SECONDS_MAX, TimeUnit.SECONDS);
                if (piece == null || (piece.isEmpty() && !whole)) {
                    throw Problems.invalid("the upload broke off", "send it again");
                }
                if (piece.isEmpty()) {
                    return;
                }
                bytes += piece.get().length();
                if (bytes > bytesMax) {
                    throw Problems.invalid(
                            "the upload has more than %d MB".formatted(bytesMax >> 20),
                            "leave out what the app does not need to run");
                }
                out.write(piece.get().getBytes());
            }
        } catch (IOException e) {
            throw Problems.disk("cannot keep the upload", e);
        }
    }
}
