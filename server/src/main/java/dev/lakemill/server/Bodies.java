package dev.lakemill.server;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Bodies of requests in memory: none is larger than its route takes, all together are no more than
 * there is room for, and none stands still on its way or takes for ever.
 *
 * <p>What is not wanted is read on and forgotten for a while, so that its sender comes to read the
 * answer. A body counts until it is released. Each is read on the event loop of its request.
 */
final class Bodies {
    private static final String BODY = "lakemill.body";
    private static final long FORGOTTEN_BYTES_MAX = 64 << 20;
    private static final int LOOKS_PER_IDLE = 10;

    /** Answers a request whose body was not taken. */
    interface Refused {
        void answer(int status, LakemillException why);
    }

    private final long bytesMax;
    private final long idleMsMax;
    private final long takesMsMax;
    private final AtomicLong bytes = new AtomicLong();

    /**
     * @param bytesMax of all bodies together
     * @param idleMsMax for how long nothing of a body may come
     * @param takesMsMax for how long a body may come
     */
    Bodies(long bytesMax, long idleMsMax, long takesMsMax) {
        this.bytesMax = bytesMax;
        this.idleMsMax = idleMsMax;
        this.takesMsMax = takesMsMax;
    }

    /** The request's body, which was read; empty when it has none. */
    static Buffer of(RoutingContext context) {
        return Objects.requireNonNullElseGet(context.<Buffer>get(BODY), Buffer::buffer);
    }

    /** Whether the request says that a body comes. */
    static boolean isComing(HttpServerRequest request) {
        return !request.isEnded()
                && (request.version() == HttpVersion.HTTP_2
                        || request.headers().contains("transfer-encoding")
                        || length(request) != 0);
    }

    private static long length(HttpServerRequest request) {
        var length = request.getHeader("content-length");
        // Whether it is a number was checked before.
        return length == null ? 0 : Long.parseLong(length);
    }

    /** Reads the body, then calls the next handler. */
    void read(RoutingContext context, long bodyBytesMax, Refused refused) {
        new Body(context, bodyBytesMax, refused).read();
    }

    /** Of a request that is answered already. */
    void forget(RoutingContext context) {
        var body = new Body(context, 0, (_, _) -> {});
        body.unwanted = true;
        body.start();
    }

    /** Gives back the room of the request's body. */
    void release(RoutingContext context) {
        Buffer body = context.remove(BODY);
        if (body != null) {
            bytes.addAndGet(-body.length());
        }
    }

    private final class Body {
        private final RoutingContext context;
        private final HttpServerRequest request;
        private final long bodyBytesMax;
        private final Refused refused;
        private Buffer kept = Buffer.buffer();
        private long forgottenBytes;
        private final long beganNanos = System.nanoTime();
        private long cameNanos = beganNanos;
        private long timer;
        private boolean unwanted;
        private boolean ended;

        Body(RoutingContext context, long bodyBytesMax, Refused refused) {
            this.context = context;
            this.request = context.request();
            this.bodyBytesMax = bodyBytesMax;
            this.refused = refused;
        }

        void read() {
            if (length(request) > bodyBytesMax) {
                tooLarge();
            } else if ("100-continue".equalsIgnoreCase(request.getHeader("expect"))) {
                request.response().writeContinue();
            }
            start();
        }

        void start() {
            if (request.isEnded()) {
                ended();
                return;
            }
            timer = context.vertx().setPeriodic(1 + idleMsMax / LOOKS_PER_IDLE, _ -> look());
            request.exceptionHandler(this::broke);
            request.handler(this::piece).endHandler(_ -> ended()).resume();
        }

        private void piece(Buffer piece) {
            cameNanos = System.nanoTime();
            if (unwanted) {
                forgottenBytes += piece.length();
                if (forgottenBytes > FORGOTTEN_BYTES_MAX) {
                    end();
                }
            } else if (kept.length() + piece.length() > bodyBytesMax) {
                tooLarge();
            } else if (bytes.addAndGet(piece.length()) > bytesMax) {
                bytes.addAndGet(-piece.length());
                refuse(
                        429,
                        ErrorCode.RESOURCE_EXHAUSTED,
                        "requests of %d bytes are under way already".formatted(bytesMax),
                        "send again later");
            } else {
                kept.appendBuffer(piece);
            }
        }

        private void tooLarge() {
            refuse(
                    413,
                    ErrorCode.INVALID_ARGUMENT,
                    "the request has more than %d bytes".formatted(bodyBytesMax),
                    "send less in one request");
        }

        private void look() {
            var now = System.nanoTime();
            var idleMs = TimeUnit.NANOSECONDS.toMillis(now - cameNanos);
            var tookMs = TimeUnit.NANOSECONDS.toMillis(now - beganNanos);
            if (idleMs >= idleMsMax) {
                tooSlow("nothing more of the request came for %d ms".formatted(idleMs));
            } else if (tookMs >= takesMsMax) {
                tooSlow("the request was not whole after %d ms".formatted(tookMs));
            }
        }

        private void tooSlow(String problem) {
            if (unwanted) {
                end();
                return;
            }
            var response = request.response();
            if (request.version() != HttpVersion.HTTP_2 && !response.headWritten()) {
                response.putHeader("connection", "close");
            }
            refuse(408, ErrorCode.UNAVAILABLE, problem, "send it again, faster or in parts");
        }

        /** The connection is gone, or what came is not the form that it should be. */
        private void broke(Throwable why) {
            if (unwanted || request.response().closed()) {
                stop();
                forgetKept();
            } else {
                refuse(
                        400,
                        ErrorCode.INVALID_ARGUMENT,
                        "the body cannot be read: " + why.getMessage(),
                        "send a form");
            }
        }

        private void refuse(int status, ErrorCode code, String problem, String hint) {
            unwanted = true;
            forgetKept();
            refused.answer(status, new LakemillException(code, problem, hint));
        }

        private void forgetKept() {
            bytes.addAndGet(-kept.length());
            kept = Buffer.buffer();
        }

        private void ended() {
            if (ended) {
                return;
            }
            stop();
            if (!unwanted) {
                context.put(BODY, kept);
                context.next();
            }
        }

        private void stop() {
            ended = true;
            context.vertx().cancelTimer(timer);
        }

        private void end() {
            stop();
            if (request.version() == HttpVersion.HTTP_2) {
                request.response().reset();
            } else {
                request.connection().close();
            }
        }
    }
}
