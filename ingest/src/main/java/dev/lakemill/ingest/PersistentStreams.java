package dev.lakemill.ingest;

import dev.lakemill.types.TableName;
import dev.lakemill.wal.Durable;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The streams that outlive their connections: each request of one stands in Bronze exactly once,
 * however often its connection or this process ends.
 *
 * <p>A stream's last durable offset is the greater of two: what Delta has, as the version of the
 * stream's own application, written in the very commit of its rows (offset + 1, so 0 says that the
 * stream exists); and what the log has. Nothing else is kept, so nothing can disagree. One
 * connection at a time owns a stream: a later one takes it over, and begins when all that the
 * earlier one gave to the log is durable.
 */
final class PersistentStreams {
    /** Streams that were used since the start; those at rest give way to others. */
    private static final int STREAMS_MAX = 20_000;

    private static final Duration SETTLE_MAX = Duration.ofSeconds(10);

    /** In Delta, instead of the requests of a stream that has ended for good. */
    static final long RETIRED = Long.MAX_VALUE;

    /** In a UUID: the bits that say version 8, and among the free ones the record type. */
    private static final int VERSION = 8;

    private final Map<UUID, Stream> streams = new ConcurrentHashMap<>();
    private final Map<UUID, Long> replayed = new ConcurrentHashMap<>();

    /** Whether a stream's id is that of a persistent one. */
    static boolean isPersistent(UUID stream) {
        return stream.version() == VERSION;
    }

    /** Reads a stream's id; INVALID_ARGUMENT for what is none. */
    static UUID id(String text) {
        try {
            return UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            throw Refusal.badRequest(
                    "%s is not a stream_id".formatted(RefusedRow.shown(text)),
                    "send the stream_id that create_stream was answered with");
        }
    }

    /** The Delta application whose version is how many requests of the stream there are. */
    static String application(UUID stream) {
        return "lakemill-stream/" + stream;
    }

    /** The last offset of each persistent stream among frames, which are in order. */
    static Map<UUID, Long> lastOffsets(List<PendingRows.Arrival> frames) {
        var offsets = new HashMap<UUID, Long>();
        for (var arrival : frames) {
            var frame = arrival.frame().frame();
            if (isPersistent(frame.stream())) {
                offsets.put(frame.stream(), frame.offset());
            }
        }
        return offsets;
    }

    /** One stream. Its monitor guards everything. */
    static final class Stream {
        private final UUID id;
        private final Landing landing;
        private @Nullable StreamCall<?> owner;
        private long offered;
        private long durable;

        /** Also when it cannot be written down: who retires it tries again. */
        private boolean retiring;

        private Stream(UUID id, Landing landing, long durable) {
            this.id = id;
            this.landing = landing;
            this.durable = durable;
            this.offered = durable;
        }

        UUID id() {
            return id;
        }

        synchronized long durable() {
            return durable;
        }

        /** Notes an offset on its way into the log; false when the call owns the stream no more. */
        synchronized boolean offering(StreamCall<?> call, long offset) {
            if (owner != call) {
                return false;
            }
            offered = offset;
            return true;
        }

        /** The log did not take it. */
        synchronized void notTaken(long offset) {
            offered = offset - 1;
            notifyAll();
        }

        synchronized void leave(StreamCall<?> call) {
            if (owner == call) {
                owner = null;
            }
        }

        private synchronized void durable(long offset) {
            durable = offset;
            notifyAll();
        }

        private synchronized @Nullable StreamCall<?> owner() {
            return owner;
        }

        private synchronized boolean isAtRest() {
            return owner == null && offered == durable;
        }

        /**
         * Gives the stream to a call, or to nobody any more: it is being retired, and rows of a
         * later call would bring it back. The one that had it has lost it then.
         */
        private void own(@Nullable StreamCall<?> call) {
            StreamCall<?> before;
            synchronized (this) {
                if (retiring && call != null) {
                    throw retired(id);
                }
                retiring = call == null;
                before = owner;
                owner = call;
            }
            if (before != null) {
                before.endSoon(
                        Refusal.takenOver(
                                "another connection took stream %s over".formatted(id),
                                "one connection at a time sends a persistent stream"));
            }
        }

        /** Waits until all that was given to the log is durable. */
        private synchronized void settle() {
            var until = System.nanoTime() + SETTLE_MAX.toNanos();
            try {
                while (offered != durable) {
                    var left = (until - System.nanoTime()) / 1_000_000;
                    if (left <= 0) {
                        throw unsettled(id);
                    }
                    wait(left);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw unsettled(id);
            }
        }
    }

    /** Notes a frame that the log held at the start. */
    void replayed(Durable frame) {
        var stream = frame.frame().stream();
        if (isPersistent(stream)) {
            replayed.merge(stream, frame.frame().offset(), Math::max);
        }
    }

    /** Makes a stream that stands in Delta before this returns. */
    Stream create(Landing landing, boolean json, StreamCall<?> owner) {
        var id = newId(json);
        landing.setRequestsOf(id, 0);
        makeRoom();
        var stream = new Stream(id, landing, -1);
        stream.own(owner);
        streams.put(id, stream);
        return stream;
    }

    /**
     * Gives a stream to a call, which goes on after {@link Stream#durable}.
     *
     * @throws Refusal NOT_FOUND for an unknown or retired stream or one of another table;
     *     INVALID_ARGUMENT for another record type; UNAVAILABLE when the log does not settle
     */
    Stream resume(Landing landing, UUID id, boolean json, StreamCall<?> owner) {
        if (isPersistent(id) && isJson(id) != json) {
            throw Refusal.badRequest(
                    "stream %s was created for %s records"
                            .formatted(id, isJson(id) ? "JSON" : "PROTO"),
                    "resume it with that record_type");
        }
        var stream = find(landing, id);
        stream.own(owner);
        stream.settle();
        return stream;
    }

    /** Ends a stream for good; one that has ended already stays as it is. */
    void retire(Landing landing, UUID id) {
        if (isRetired(landing, id)) {
            return;
        }
        var stream = find(landing, id);
        stream.own(null);
        stream.settle();
        awaitDelta(stream);
        landing.setRequestsOf(id, RETIRED);
        streams.remove(id);
    }

    /** The call that owns the stream of a durable frame. One thread at a time. */
    Optional<StreamCall<?>> durable(UUID id, long offset) {
        var stream = streams.get(id);
        if (stream == null) {
            return Optional.empty();
        }
        stream.durable(offset);
        return Optional.ofNullable(stream.owner());
    }

    private Stream find(Landing landing, UUID id) {
        var known = streams.get(id);
        if (known == null && isPersistent(id)) {
            var requests = landing.requestsOf(id);
            if (requests.isPresent() && requests.getAsLong() != RETIRED) {
                makeRoom();
                var durable = Math.max(requests.getAsLong() - 1, replayed.getOrDefault(id, -1L));
                known = streams.computeIfAbsent(id, _ -> new Stream(id, landing, durable));
            }
        }
        if (known == null || known.landing != landing) {
            throw unknown(id, landing.table().name());
        }
        return known;
    }

    private static boolean isRetired(Landing landing, UUID id) {
        return landing.requestsOf(id).equals(Bronze.RETIRED);
    }

    /** Waits for the commit of the stream's last rows, after which none writes its version. */
    private static void awaitDelta(Stream stream) {
        var until = System.nanoTime() + SETTLE_MAX.toNanos();
        while (stream.landing.requestsOf(stream.id()).orElse(0) != stream.durable() + 1) {
            if (System.nanoTime() - until > 0) {
                throw unsettled(stream.id());
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw unsettled(stream.id());
            }
        }
    }

    /** Forgets streams at rest whose rows are all in Delta, which remembers them. */
    private void makeRoom() {
        if (streams.size() < STREAMS_MAX) {
            return;
        }
        streams.values()
                .removeIf(
                        s ->
                                s.isAtRest()
                                        && s.landing.requestsOf(s.id).orElse(0) == s.durable() + 1);
        if (streams.size() >= STREAMS_MAX) {
            throw Refusal.limit(
                    "%d persistent streams are in use, which is the limit".formatted(STREAMS_MAX),
                    "send more rows through fewer streams");
        }
    }

    private static UUID newId(boolean json) {
        var random = UUID.randomUUID();
        var high = (random.getMostSignificantBits() & ~0xffffL) | 0x8000L | (json ? 2 : 1);
        return new UUID(high, random.getLeastSignificantBits());
    }

    private static boolean isJson(UUID stream) {
        return (stream.getMostSignificantBits() & 0xfff) == 2;
    }

    private static Refusal unknown(UUID id, TableName table) {
        return Refusal.noSuchStream(
                "%s has no persistent stream %s".formatted(table, id),
                "create one, or resume it on the table that it was created for");
    }

    private static Refusal retired(UUID id) {
        return Refusal.noSuchStream(
                "stream %s is retired".formatted(id), "create another one for more rows");
    }

    private static Refusal unsettled(UUID id) {
        return Refusal.unavailable(
                "rows of stream %s are still on their way to disk".formatted(id),
                "try again shortly");
    }
}
