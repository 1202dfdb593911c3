package dev.lakemill.api;

import dev.lakemill.api.zerobus.CreateIngestStreamRequest;
import dev.lakemill.api.zerobus.RecordType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a stream connected: one virtual thread that connects, waits for the end of the connection,
 * waits a while and connects again, until the stream closes or fails.
 *
 * <p>The wait doubles from {@link StreamOptions#backoffMin} to the maximum and is drawn from its
 * upper half, so that many producers of a restarted server do not come back at the same moment.
 */
final class Connector<Q, R> implements Runnable {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final Metadata.Key<String> TABLE =
            Metadata.Key.of("x-databricks-zerobus-table-name", Metadata.ASCII_STRING_MARSHALLER);
    private static final int READY_BYTES = 1 << 20;

    private final ManagedChannel channel;
    private final Supplier<String> token;
    private final RandomGenerator random;
    private final StreamState state;
    private final Protocol<Q, R> protocol;
    private final CreateIngestStreamRequest create;

    /** The connection in use; guarded by the stream's lock. */
    private @Nullable Connection<Q, R> connection;

    /** The way to the server. */
    record Route(ManagedChannel channel, Supplier<String> token, RandomGenerator random) {}

    Connector(
            Route route,
            StreamState state,
            Protocol<Q, R> protocol,
            CreateIngestStreamRequest create) {
        this.channel = route.channel();
        this.token = route.token();
        this.random = route.random();
        this.state = state;
        this.protocol = protocol;
        this.create = create;
    }

    static CreateIngestStreamRequest create(TableName table, RecordFormat format) {
        var create = CreateIngestStreamRequest.newBuilder().setTableName(table.toString());
        return switch (format) {
            case RecordFormat.Json _ -> create.setRecordType(RecordType.JSON).build();
            case RecordFormat.Proto proto ->
                    create.setRecordType(RecordType.PROTO)
                            .setDescriptorProto(proto.type().toByteString())
                            .build();
        };
    }

    /** The connection in use. Under the stream's lock. */
    @Nullable Connection<Q, R> connection() {
        return connection;
    }

    @Override
    public void run() {
        try {
            keepConnected();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            fail(failure(Status.CANCELLED.withDescription("the stream's thread was interrupted")));
        } catch (RuntimeException e) {
            fail(
                    new LakemillException(
                            ErrorCode.INTERNAL, "the stream failed: " + e, "report this", e));
        }
    }

    private void keepConnected() throws InterruptedException {
        int attempt = 0;
        while (true) {
            var current = connect();
            var end = current == null ? noToken() : awaitEnd(current);
            if (end == null) {
                return;
            }
            if (isFinal(end) || channel.isShutdown()) {
                fail(failure(end));
                return;
            }
            attempt = current != null && current.isOpen() ? 1 : attempt + 1;
            if (attempt > state.options.reconnectsMax()) {
                fail(failure(end));
                return;
            }
            var soon = current != null && current.isDraining();
            if (!sleep(attempt, soon ? shortWait() : backoff(attempt), end)) {
                return;
            }
        }
    }

    static Metadata headers(TableName table, String bearer) {
        var headers = new Metadata();
        headers.put(AUTHORIZATION, "Bearer " + bearer);
        headers.put(TABLE, table.toString());
        return headers;
    }

    private static Status noToken() {
        return Status.UNAVAILABLE.withDescription("the token supplier gave no token");
    }

    /** Starts a connection; null when the token supplier failed. */
    private @Nullable Connection<Q, R> connect() {
        Metadata headers;
        try {
            headers = headers(TableName.parse(create.getTableName()), token.get());
        } catch (RuntimeException e) {
            return null;
        }
        channel.resetConnectBackoff();
        var options = CallOptions.DEFAULT.withOnReadyThreshold(READY_BYTES);
        var call = channel.newCall(protocol.method(), options);
        var started = new Connection<>(state, protocol, call);
        @Nullable String stream;
        state.lock();
        try {
            state.queue.rewind();
            connection = started;
            stream = protocol.persistent() ? state.streamId() : null;
        } finally {
            state.unlock();
        }
        started.start(create, stream, headers);
        return started;
    }

    /** Waits for the connection's end; null when the stream was closed with nothing left to do. */
    private @Nullable Status awaitEnd(Connection<Q, R> current) throws InterruptedException {
        state.lock();
        try {
            while (current.end() == null) {
                if (state.isDone()) {
                    current.halfClose();
                }
                state.awaitChange(current.checkDeadlines());
            }
            connection = null;
            return state.isDone() ? null : current.end();
        } finally {
            state.unlock();
        }
    }

    /** Waits before the next attempt; false when the stream was closed meanwhile. */
    private boolean sleep(int attempt, Duration wait, Status end) throws InterruptedException {
        state.lock();
        try {
            state.reconnecting(attempt, wait, describe(end));
            var left = wait.toNanos();
            while (left > 0 && !state.isDone()) {
                left = state.awaitChange(left);
            }
            return !state.isDone();
        } finally {
            state.unlock();
        }
    }

    private Duration backoff(int attempt) {
        var doubled = state.options.backoffMin().toNanos() << Math.min(attempt - 1, 20);
        var nanos = Math.min(doubled, state.options.backoffMax().toNanos());
        return Duration.ofNanos(nanos - (long) (random.nextDouble() * (nanos / 2.0)));
    }

    /** Spreads the producers of a server that sent them all away at once. */
    private Duration shortWait() {
        return Duration.ofNanos(
                (long) (random.nextDouble() * state.options.backoffMin().toNanos()));
    }

    private void fail(LakemillException error) {
        state.lock();
        try {
            state.fail(error);
        } finally {
            state.unlock();
        }
    }

    private static boolean isFinal(Status status) {
        return switch (status.getCode()) {
            case INVALID_ARGUMENT,
                    UNAUTHENTICATED,
                    PERMISSION_DENIED,
                    OUT_OF_RANGE,
                    UNIMPLEMENTED,
                    NOT_FOUND ->
                    true;
            default -> false;
        };
    }

    private LakemillException failure(Status status) {
        return failure(TableName.parse(create.getTableName()), status);
    }

    static LakemillException failure(TableName table, Status status) {
        var code =
                switch (status.getCode()) {
                    case INVALID_ARGUMENT, OUT_OF_RANGE -> ErrorCode.INVALID_ARGUMENT;
                    case UNAUTHENTICATED -> ErrorCode.UNAUTHENTICATED;
                    case PERMISSION_DENIED -> ErrorCode.PERMISSION_DENIED;
                    case UNIMPLEMENTED -> ErrorCode.UNIMPLEMENTED;
                    case NOT_FOUND -> ErrorCode.NOT_FOUND;
                    case RESOURCE_EXHAUSTED -> ErrorCode.RESOURCE_EXHAUSTED;
                    default -> ErrorCode.UNAVAILABLE;
                };
        var problem = "the stream to %s failed: %s".formatted(table, describe(status));
        var cause = status.getCause();
        return cause == null
                ? new LakemillException(code, problem, "")
                : new LakemillException(code, problem, "", cause);
    }

    private static String describe(Status status) {
        var description = status.getDescription();
        var cause = status.getCause();
        return status.getCode()
                + (description == null ? "" : ": " + description)
                + (cause == null ? "" : " (" + cause.getMessage() + ")");
    }
}
