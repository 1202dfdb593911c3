package dev.lakemill.api;

import dev.lakemill.api.zerobus.CreateIngestStreamRequest;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One call to the server: it opens the stream, sends what is unsent and takes acknowledgements,
 * until one side ends it. Its fields are guarded by the stream's lock.
 *
 * <p>It goes through: waiting for the server's answer, open, drained (the server asked to end:
 * nothing more is sent, acknowledgements still come), half-closed, ended.
 */
final class Connection<Q, R> extends ClientCall.Listener<R> {
    private final StreamState state;
    private final Protocol<Q, R> protocol;
    private final ClientCall<Q, R> call;
    private final long startedNanos = System.nanoTime();

    private boolean open;
    private boolean draining;
    private boolean halfClosed;
    private boolean sending;
    private long drainUntilNanos;
    private long heardNanos = System.nanoTime();
    private @Nullable String cancelled;
    private @Nullable Status end;

    Connection(StreamState state, Protocol<Q, R> protocol, ClientCall<Q, R> call) {
        this.state = state;
        this.protocol = protocol;
        this.call = call;
    }

    /** Starts the call and asks for the stream. Without the lock: gRPC may call back at once. */
    void start(CreateIngestStreamRequest create, @Nullable String stream, Metadata headers) {
        call.start(this, headers);
        call.request(Integer.MAX_VALUE);
        call.sendMessage(protocol.open(create, stream));
    }

    /** Sends what may be sent now. Under the lock. */
    void sendUnsent() {
        if (sending || !open || draining || halfClosed) {
            return;
        }
        sending = true;
        try {
            sendWhileReady();
        } finally {
            sending = false;
        }
    }

    private void sendWhileReady() {
        long againFirst = -1;
        long againLast = -1;
        long againRows = 0;
        var idle = !state.queue.awaitsAck();
        while (end == null && call.isReady()) {
            var outgoing = state.queue.send();
            if (outgoing == null) {
                break;
            }
            if (outgoing.again()) {
                againFirst = againRows == 0 ? outgoing.offset() : againFirst;
                againLast = outgoing.offset();
                againRows += outgoing.request().rows();
            }
            call.sendMessage(protocol.request(outgoing.request(), outgoing.connectionOffset()));
        }
        if (idle) {
            heardNanos = System.nanoTime();
        }
        if (againRows > 0) {
            state.resent(againFirst, againLast, againRows);
        }
    }

    @Override
    public void onReady() {
        state.lock();
        try {
            sendUnsent();
        } finally {
            state.unlock();
        }
    }

    @Override
    public void onMessage(R response) {
        state.lock();
        try {
            if (end == null) {
                heardNanos = System.nanoTime();
                take(protocol.answer(response));
            }
        } finally {
            state.unlock();
        }
    }

    private void take(Protocol.Answer answer) {
        switch (answer) {
            case Protocol.Answer.Created created -> {
                open = true;
                state.opened(created.stream());
                sendUnsent();
            }
            case Protocol.Answer.Resumed resumed -> {
                open = true;
                state.resumed(resumed.lastOffset());
                sendUnsent();
            }
            case Protocol.Answer.Acked acked -> takeAck(acked.offset());
            case Protocol.Answer.Closing closing -> drain(closing.grace());
            case Protocol.Answer.Nothing _ -> {}
        }
    }

    /** An acknowledgement of what was never sent is no acknowledgement: nothing of it is taken. */
    private void takeAck(long connectionOffset) {
        if (connectionOffset == Protocol.NO_OFFSET || !state.queue.mayAck(connectionOffset)) {
            cancel("the server acknowledged an offset that was not sent");
            return;
        }
        state.acked(connectionOffset);
        if (draining && !state.queue.awaitsAck()) {
            halfClose();
        }
    }

    private void drain(Duration grace) {
        draining = true;
        drainUntilNanos = System.nanoTime() + grace.toNanos();
        if (!state.queue.awaitsAck()) {
            halfClose();
        }
        state.signalChange();
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
        state.lock();
        try {
            end = status;
            RejectedRows.of(trailers).ifPresent(rows -> state.rejected(inStream(rows)));
            state.signalChange();
        } finally {
            state.unlock();
        }
    }

    /** The server counts on this connection, the caller in the stream. */
    private RejectedRows inStream(RejectedRows rows) {
        return new RejectedRows(state.queue.streamOffset(rows.offset()), rows.problems());
    }

    /** Says that nothing more follows. Under the lock. */
    void halfClose() {
        if (!halfClosed && end == null) {
            halfClosed = true;
            call.halfClose();
        }
    }

    /** Ends the call at once; {@link #end} follows. */
    void cancel(String why) {
        if (cancelled == null && end == null) {
            cancelled = why;
            call.cancel(why, null);
        }
    }

    /**
     * Cancels when an answer is overdue. Returns nanoseconds until there is reason to look again.
     */
    long checkDeadlines() {
        var now = System.nanoTime();
        if (!open) {
            return check(
                    startedNanos, state.options.openTimeout(), now, "the stream was not opened");
        }
        if (draining) {
            if (now - drainUntilNanos >= 0) {
                cancel("the server asked for the stream's end");
            }
            return Math.max(drainUntilNanos - now, TimeUnit.MILLISECONDS.toNanos(100));
        }
        return state.queue.awaitsAck()
                ? check(heardNanos, state.options.ackTimeout(), now, "nothing was acknowledged")
                : state.options.ackTimeout().toNanos();
    }

    private long check(long fromNanos, Duration timeout, long now, String what) {
        var left = fromNanos + timeout.toNanos() - now;
        if (left <= 0) {
            cancel("%s within %d ms".formatted(what, timeout.toMillis()));
        }
        return Math.max(left, TimeUnit.MILLISECONDS.toNanos(100));
    }

    boolean isOpen() {
        return open;
    }

    /** Whether the server asked for the end, so that the next connection may follow at once. */
    boolean isDraining() {
        return draining;
    }

    /** How the call ended; null while it lasts. */
    @Nullable Status end() {
        var why = cancelled;
        var ended = end;
        return ended == null || why == null ? ended : Status.UNAVAILABLE.withDescription(why);
    }
}
