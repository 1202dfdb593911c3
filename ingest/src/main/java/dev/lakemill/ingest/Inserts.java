package dev.lakemill.ingest;

import com.google.protobuf.ByteString;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Rows that come in single requests without a stream, as REST sends them. Each request is one
 * frame: durable as a whole when it is answered, or refused as a whole.
 *
 * <p>Requests with one token from one address for one table share a <i>session</i>, a stream that
 * nobody opens: its producer is authenticated, checked and audited once, again after every change
 * of grants, and it ends when nothing came for a while. Safe for use by many threads.
 */
final class Inserts {
    private static final int WAITING_MAX = 1_000;
    private static final int SESSIONS_MAX = 10_000;
    private static final int OPENING_MAX = 64;
    private static final long IDLE_NANOS_MAX = TimeUnit.SECONDS.toNanos(60);
    private static final long DURABLE_SECONDS_MAX = 30;

    private record Key(TableName table, @Nullable String authorization, String address) {}

    private final Streams streams;
    private final int requestBytesMax;
    private final Map<Key, Session> byKey = new ConcurrentHashMap<>();
    private final Map<UUID, Session> byId = new ConcurrentHashMap<>();
    private final Semaphore room = new Semaphore(WAITING_MAX);
    private final Lock[] opening =
            Stream.generate(ReentrantLock::new).limit(OPENING_MAX).toArray(Lock[]::new);

    Inserts(Streams streams, int requestBytesMax) {
        this.streams = streams;
        this.requestBytesMax = requestBytesMax;
    }

    /** The requests of one producer for one table. It stays until the last of them is answered. */
    private final class Session implements Sender {
        private final UUID id = UUID.randomUUID();
        private final Landing landing;
        private final ProducerAccess.Producer producer;
        private final Map<Long, CompletableFuture<Void>> waiting = new ConcurrentHashMap<>();
        private final AtomicLong nextOffset = new AtomicLong();
        private final LongAdder rows = new LongAdder();
        private final Pace pace;
        private final Object lock = new Object();
        private IngestHistory.@Nullable StreamInfo told;
        private long usedNanos = System.nanoTime();
        private boolean ended;
        // The request that opens it is in it from the beginning.
        private int requests = 1;

        private Session(Landing landing, InsertRequest request) {
            this.landing = landing;
            this.producer =
                    streams.access()
                            .authenticate("rest", request.authorization(), request.address(), id);
            this.pace = streams.rates().pace(landing.table().name(), producer.name());
        }

        private void opened() {
            producer.opened(table());
            told = streams.opened(id, landing, producer.name());
        }

        /** Whether another request may still come in; it is to leave then. */
        private boolean enter() {
            synchronized (lock) {
                if (!ended) {
                    requests++;
                }
                return !ended;
            }
        }

        private void leave() {
            boolean last;
            synchronized (lock) {
                usedNanos = System.nanoTime();
                requests--;
                last = ended && requests == 0;
            }
            if (last) {
                closed();
            }
        }

        private void end() {
            boolean last;
            synchronized (lock) {
                last = !ended && requests == 0;
                ended = true;
            }
            if (last) {
                closed();
            }
        }

        private boolean isIdle(long nowNanos) {
            synchronized (lock) {
                return requests == 0 && nowNanos - usedNanos > IDLE_NANOS_MAX;
            }
        }

        private void closed() {
            byId.remove(id);
            if (told != null) {
                producer.closed(table(), rows.sum());
                streams.closed(told, null);
            }
        }

        private TableName table() {
            return landing.table().name();
        }

        @Override
        public boolean durable(long offset) {
            // Requests of a session come in any order: each has its own answer.
            var done = waiting.remove(offset);
            if (done != null) {
                done.complete(null);
            }
            return false;
        }

        @Override
        public void acknowledge() {}

        private void failed(Refusal why) {
            waiting.values().forEach(done -> done.completeExceptionally(why));
        }
    }

    /**
     * Returns when the rows are durable. Blocks.
     *
     * @return how many they are
     * @throws LakemillException RESOURCE_EXHAUSTED when there is no room now; INVALID_ARGUMENT for
     *     bad rows; NOT_FOUND, UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE
     */
    int insert(InsertRequest request) {
        if (!room.tryAcquire()) {
            throw Refusal.limit(
                            "%d requests wait for the disk, which is the limit"
                                    .formatted(WAITING_MAX),
                            "send again later, or many rows in one request")
                    .exception();
        }
        try {
            return admit(request);
        } catch (Refusal e) {
            streams.countRefused();
            throw e.exception();
        } catch (LakemillException e) {
            streams.countRefused();
            throw e;
        } finally {
            room.release();
        }
    }

    private int admit(InsertRequest request) {
        streams.checkOpen();
        if (request.body().length > requestBytesMax) {
            throw Refusal.tooLarge(new Inbound.TooLarge(request.body().length, requestBytesMax));
        }
        var session = enter(request);
        try {
            return send(session, request);
        } finally {
            session.leave();
        }
    }

    private int send(Session session, InsertRequest request) {
        if (session.pace.waitNanos(System.nanoTime()) > 0) {
            throw session.pace.refusal();
        }
        var records = JsonRecords.split(request.body());
        var open = streams.openJson(session.landing, () -> session.id);
        var payload = payload(session, open, records);
        var offset = session.nextOffset.getAndIncrement();
        var done = new CompletableFuture<Void>();
        session.waiting.put(offset, done);
        try {
            var frame = payload.frame(session.landing.table().id(), session.id, offset);
            if (!streams.offer(session.landing, frame, payload.letter())) {
                throw Refusal.limit(
                        "there is no room for rows of %s now".formatted(session.table()),
                        "send again later; the server's disk or its tables are behind");
            }
            streams.count(payload.rows(), payload.bytes().length);
            session.pace.sent(payload.rows(), payload.bytes().length, System.nanoTime());
            await(done);
        } finally {
            session.waiting.remove(offset);
        }
        session.rows.add(payload.rows());
        return payload.rows();
    }

    private Payload payload(Session session, OpenTable open, List<ByteString> records) {
        try {
            return open.payload(records, RecordEncoder.NO_OFFSET);
        } catch (NewColumns e) {
            return e.evolve(
                            session.producer,
                            streams,
                            () -> session.id,
                            again -> again.payload(records, RecordEncoder.NO_OFFSET))
                    .payload();
        }
    }

    private Session enter(InsertRequest request) {
        var landing = streams.landing(Streams.parse(request.table()));
        var key = new Key(landing.table().name(), request.authorization(), request.address());
        var known = entered(key, landing);
        if (known != null) {
            return known;
        }
        // Requests that come at once open one session, not one each.
        var lock = opening[Math.floorMod(key.hashCode(), OPENING_MAX)];
        lock.lock();
        try {
            known = entered(key, landing);
            return known == null ? open(key, landing, request) : known;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Session entered(Key key, Landing landing) {
        var known = byKey.get(key);
        var usable =
                known != null
                        && known.landing == landing
                        && Instant.now().isBefore(known.producer.expires())
                        && known.enter();
        return usable ? known : null;
    }

    private Session open(Key key, Landing landing, InsertRequest request) {
        if (byKey.size() >= SESSIONS_MAX) {
            throw Refusal.limit(
                    "%d producers send single requests, which is the limit".formatted(SESSIONS_MAX),
                    "open a stream for many rows");
        }
        var session = new Session(landing, request);
        byId.put(session.id, session);
        // Known before it is checked, so that no change of grants slips between.
        var before = byKey.put(key, session);
        if (before != null) {
            before.end();
        }
        try {
            session.producer.require(landing.table().name());
            session.opened();
        } catch (RuntimeException e) {
            end(key, session);
            session.leave();
            throw e;
        }
        return session;
    }

    private static void await(CompletableFuture<Void> done) {
        try {
            done.get(DURABLE_SECONDS_MAX, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Refusal refusal
                    ? refusal
                    : Refusal.internal(String.valueOf(e.getCause()));
        } catch (TimeoutException e) {
            throw Refusal.unavailable(
                    "the rows were not on disk within %d s".formatted(DURABLE_SECONDS_MAX),
                    "they may become durable yet: sent again, they may stand there twice");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Refusal.unavailable("the server is shutting down", "send again later");
        }
    }

    Optional<Sender> find(UUID id) {
        return Optional.ofNullable(byId.get(id));
    }

    /** The log takes nothing more. */
    void failed(Refusal why) {
        byId.values().forEach(session -> session.failed(why));
    }

    /** After a change of grants or tokens: every producer is asked anew. May block. */
    void recheck() {
        byKey.forEach(this::endIfRefused);
    }

    private void endIfRefused(Key key, Session session) {
        try {
            session.producer.require(session.table());
        } catch (LakemillException e) {
            end(key, session);
        }
    }

    /** Ends the sessions that nobody uses. May block. */
    void endIdle() {
        var now = System.nanoTime();
        byKey.forEach(
                (key, session) -> {
                    if (session.isIdle(now)) {
                        end(key, session);
                    }
                });
    }

    /** Ends all, for the audit. */
    void close() {
        byKey.forEach(this::end);
    }

    private void end(Key key, Session session) {
        byKey.remove(key, session);
        session.end();
    }
}
