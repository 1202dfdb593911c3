package dev.lakemill.api;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The requests of a stream that are not acknowledged yet. Not thread-safe: the stream's lock guards
 * it.
 *
 * <p>Two offsets name a request. The stream's counts from 0 for ever and is what the caller sees.
 * The connection's counts from 0 on each connection and is what the wire carries. Invariant: {@code
 * sent} then {@code unsent} are the requests {@code acked + 1 ... next - 1} in order, and the first
 * one of {@code sent} has the connection offset {@code acked + 1 - base}.
 */
final class RequestQueue {
    /** A request on its way out: its stream offset, and whether an earlier connection had it. */
    record Outgoing(Request request, long offset, long connectionOffset, boolean again) {}

    private final boolean persistent;
    private final ArrayDeque<Request> sent = new ArrayDeque<>();
    private final ArrayDeque<Request> unsent = new ArrayDeque<>();
    private long next;
    private long acked = -1;
    private long base;

    /** Requests up to this stream offset were on an earlier connection. */
    private long sentBefore = -1;

    private long rows;
    private long bytes;

    /**
     * @param persistent whether the wire carries the stream's offsets
     */
    RequestQueue(boolean persistent) {
        this.persistent = persistent;
    }

    /** Returns the request's stream offset. */
    long add(Request request) {
        unsent.add(request);
        rows += request.rows();
        bytes += request.bytes();
        return next++;
    }

    /** Takes the next request to send on this connection; null when all are sent. */
    @Nullable Outgoing send() {
        var request = unsent.poll();
        if (request == null) {
            return null;
        }
        var offset = acked + 1 + sent.size();
        sent.add(request);
        return new Outgoing(request, offset, offset - base, !persistent && offset <= sentBefore);
    }

    /** A new connection begins: everything not acknowledged goes out (again), from offset 0. */
    void rewind() {
        sentBefore = Math.max(sentBefore, acked + sent.size());
        while (!sent.isEmpty()) {
            unsent.addFirst(sent.removeLast());
        }
        base = persistent ? 0 : acked + 1;
    }

    /**
     * The server has a persistent stream up to an offset: drops that, before anything is sent on
     * the connection. Returns how many requests, which are acknowledged so; -1 when the server has
     * less than it acknowledged.
     */
    int resume(long lastOffset) {
        if (lastOffset < acked) {
            return -1;
        }
        int count = 0;
        while (acked < lastOffset) {
            var request = unsent.poll();
            if (request == null) {
                // Sent by a process before this one.
                acked = lastOffset;
                next = lastOffset + 1;
                return count;
            }
            rows -= request.rows();
            bytes -= request.bytes();
            acked++;
            count++;
        }
        return count;
    }

    /** Whether the server may acknowledge this: it was sent on this connection. */
    boolean mayAck(long connectionOffset) {
        return connectionOffset + base <= acked + sent.size();
    }

    /** The stream offset of a connection offset. */
    long streamOffset(long connectionOffset) {
        return connectionOffset + base;
    }

    /** Drops what is durable up to and with a connection offset. Returns how many requests. */
    int ack(long connectionOffset) {
        int count = 0;
        while (acked < connectionOffset + base) {
            var request = sent.remove();
            rows -= request.rows();
            bytes -= request.bytes();
            acked++;
            count++;
        }
        return count;
    }

    boolean hasRoom(Request request, StreamOptions options) {
        return isEmpty()
                || (rows + request.rows() <= options.inFlightRowsMax()
                        && bytes + request.bytes() <= options.inFlightBytesMax());
    }

    /** Whether something was sent on this connection and waits for its acknowledgement. */
    boolean awaitsAck() {
        return !sent.isEmpty();
    }

    boolean isEmpty() {
        return sent.isEmpty() && unsent.isEmpty();
    }

    long acked() {
        return acked;
    }

    long last() {
        return next - 1;
    }

    long rows() {
        return rows;
    }

    List<byte[]> records() {
        var records = new ArrayList<byte[]>();
        sent.forEach(request -> request.records().forEach(r -> records.add(r.toByteArray())));
        unsent.forEach(request -> request.records().forEach(r -> records.add(r.toByteArray())));
        return records;
    }
}
