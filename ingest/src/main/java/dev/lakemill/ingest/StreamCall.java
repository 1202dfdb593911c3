package dev.lakemill.ingest;

import dev.lakemill.api.zerobus.CreateIngestStreamRequest;
import dev.lakemill.api.zerobus.ResumeIngestStreamRequest;
import dev.lakemill.ingest.ProducerAccess.Producer;
import dev.lakemill.types.LakemillException;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One producer's stream.
 *
 * <p>Requests come on the connection's event loop, one at a time: the next is asked for only when
 * the log took the last. A request that the log or the table has no room for is kept and offered
 * again when there is. Acknowledgements come from who commits: one for all that a group commit made
 * durable.
 *
 * <p>States: new, open (after create_stream), ending (the producer is done, was refused or has to
 * go: nothing more is read, but what was taken is still acknowledged), closed. The lock guards the
 * state and every use of the call, which is not thread-safe; nothing foreign runs under it.
 */
final class StreamCall<R> extends InboundCall implements Sender {
    private final ServerCall<Inbound, R> call;
    private final Messages<R> messages;
    private final Opening opening;
    private final Streams streams;
    private final UUID connection = UUID.randomUUID();
    private final Object lock = new Object();

    /** Set together, before the first record is asked for; the table again when it evolved. */
    private volatile @Nullable OpenTable table;

    private volatile @Nullable Producer producer;

    /** What is told of it; set when it is answered. */
    private volatile IngestHistory.@Nullable StreamInfo told;

    /** Of a persistent stream. */
    private volatile PersistentStreams.@Nullable Stream stream;

    /** How fast it may send; set with its table. */
    private volatile Pace pace = Pace.FREE;

    /** Guarded by the lock, as are all below. */
    private @Nullable WaitingRequest waiting;

    private boolean paced;

    /** Whether a request waits for its table to get columns. */
    private boolean evolving;

    private long rows;
    private boolean expiring;
    private boolean answered;
    private long offered = -1;
    private long durable = -1;
    private long acked = -1;
    private @Nullable StreamEnd end;
    private boolean closed;

    StreamCall(
            ServerCall<Inbound, R> call, Messages<R> messages, Opening opening, Streams streams) {
        this.call = call;
        this.messages = messages;
        this.opening = opening;
        this.streams = streams;
    }

    /** Names the call, and in the log the frames of an ephemeral stream. */
    UUID connection() {
        return connection;
    }

    /** Names the stream, to its producer and in the log. */
    private UUID id() {
        var persistent = stream;
        return persistent == null ? connection : persistent.id();
    }

    @Override
    void open(CreateIngestStreamRequest request) {
        var open = admit(() -> streams.open(request, opening.table(), this::id));
        if (messages.persistent()) {
            stream = streams.persistent().create(open.landing(), open.json(), this);
        }
        answer(messages.created(id()));
    }

    @Override
    void open(Inbound.ArrowSchema schema) {
        admit(() -> streams.open(schema, opening.table()));
        answer(messages.created(id()));
    }

    @Override
    void resume(ResumeIngestStreamRequest request) {
        var open = admit(() -> streams.reopen(request, opening.table(), this::id));
        var id = PersistentStreams.id(request.getStreamId());
        var resumed = streams.persistent().resume(open.landing(), id, open.json(), this);
        stream = resumed;
        synchronized (lock) {
            offered = resumed.durable();
            durable = offered;
            acked = offered;
            answer(messages.resumed(offered));
        }
    }

    private OpenTable admit(Supplier<OpenTable> opener) {
        var who =
                streams.access()
                        .authenticate(
                                "grpc", opening.authorization(), opening.address(), connection);
        var open = NewColumns.evolving(who, opener);
        // Known before it is checked, so that no change of grants slips between.
        producer = who;
        table = open;
        pace = streams.rates().pace(open.landing().table().name(), who.name());
        who.require(open.landing().table().name());
        who.opened(open.landing().table().name());
        return open;
    }

    /** The stream is open: asks for its first record. */
    private void answer(R response) {
        var who = producer;
        var open = table;
        if (who != null && open != null) {
            told = streams.opened(id(), open, who.name(), messages.protocol());
        }
        synchronized (lock) {
            answered = true;
            opened();
            if (!closed) {
                call.sendMessage(response);
            }
            // The producer may have been done before it was answered.
            finishWhenDone();
        }
        readNext();
    }

    /** Asks for a request; later, when the producer is ahead of its rate. */
    private void readNext() {
        long wait = pace.waitNanos(System.nanoTime());
        if (wait > streams.stallNanosMax()) {
            endSoon(pace.refusal());
        }
        synchronized (lock) {
            paced = wait > 0;
            if (!paced && !closed) {
                call.request(1);
            }
        }
        if (wait > 0) {
            streams.rates().after(wait, this::readNext);
        }
    }

    /** Ends the stream when its producer may not write the table any more. May block. */
    void recheck() {
        var who = producer;
        var open = table;
        if (who != null && open != null && isReading()) {
            try {
                who.require(open.landing().table().name());
            } catch (LakemillException e) {
                refuse(e);
            }
        }
    }

    /**
     * Asks the producer for a stream with a newer token when this one's ends within {@code grace},
     * and ends the stream when it has ended: in a way after which producers come again.
     */
    void expire(Instant now, Duration grace) {
        var who = producer;
        if (who == null || now.plus(grace).isBefore(who.expires())) {
            return;
        }
        boolean first;
        synchronized (lock) {
            first = !expiring;
            expiring = true;
        }
        if (first) {
            signalClose(grace);
        } else if (now.isAfter(who.expires())) {
            endSoon(Refusal.expired());
        }
    }

    @Override
    void take(Inbound.Numbered request) {
        var open = table;
        if (open == null) {
            throw Refusal.notOpen();
        }
        checkOffset(request);
        try {
            offer(open, open.payload(request), request.offset());
        } catch (NewColumns e) {
            synchronized (lock) {
                evolving = true;
            }
            besides(() -> evolve(e, request));
        }
    }

    private void checkOffset(Inbound.Numbered request) {
        long expected;
        synchronized (lock) {
            expected = offered + 1;
        }
        if (!request.hasOffset() || request.offset() != expected) {
            throw Refusal.badOffset(request, expected);
        }
    }

    /** Takes a request whose table needs columns for it; the next is read when it has them. */
    private void evolve(NewColumns news, Inbound.Numbered request) {
        var who = producer;
        try {
            if (who != null && mayTake()) {
                var evolved = news.evolve(who, streams, this::id, open -> open.payload(request));
                table = evolved.table();
                offer(evolved.table(), evolved.payload(), request.offset());
            }
        } catch (RuntimeException e) {
            refuse(e);
        } finally {
            synchronized (lock) {
                evolving = false;
                finishWhenDone();
            }
        }
    }

    /** Whether a request that came counts: also when its producer is done since. */
    private boolean mayTake() {
        synchronized (lock) {
            return !closed && (end == null || end.status().isOk());
        }
    }

    private void offer(OpenTable open, Payload payload, long offset) {
        var request =
                new WaitingRequest(
                        payload.frame(open.landing().table().id(), id(), offset),
                        payload,
                        System.nanoTime());
        if (offer(open, request)) {
            readNext();
        } else {
            synchronized (lock) {
                waiting = mayTake() ? streams.waiting().begin(request) : null;
            }
            streams.whenRoom(open.landing(), payload.letter(), this::offerAgain);
        }
    }

    /** Offers a request; its offset counts as offered before the log may say it is durable. */
    private boolean offer(OpenTable open, WaitingRequest request) {
        var frame = request.frame();
        var persistent = stream;
        if (persistent != null && !persistent.offering(this, frame.offset())) {
            return true; // The stream goes on elsewhere, and this call ends.
        }
        synchronized (lock) {
            offered = frame.offset();
            messages.offering(offered, request.payload().rows());
        }
        boolean taken = false;
        try {
            taken = streams.offer(open.landing(), frame, request.payload().letter());
        } finally {
            if (taken) {
                streams.count(request.payload().rows(), frame.payload().length);
                pace.sent(request.payload().rows(), frame.payload().length, System.nanoTime());
                synchronized (lock) {
                    rows += request.payload().rows();
                }
            } else {
                if (persistent != null) {
                    persistent.notTaken(frame.offset());
                }
                synchronized (lock) {
                    offered = frame.offset() - 1;
                    messages.notTaken();
                    finishWhenDone();
                }
            }
        }
        return taken;
    }

    /** There may be room now. On any thread; never twice at once, as one request waits at most. */
    private void offerAgain() {
        WaitingRequest request;
        synchronized (lock) {
            request = waiting;
        }
        var open = table;
        if (request == null || open == null) {
            return;
        }
        try {
            if (!offer(open, request)) {
                streams.whenRoom(open.landing(), request.payload().letter(), this::offerAgain);
                return;
            }
        } catch (RuntimeException e) {
            refuse(e);
            return;
        }
        synchronized (lock) {
            waiting = streams.waiting().end(waiting);
            finishWhenDone();
        }
        readNext();
    }

    @Override
    public boolean durable(long offset) {
        synchronized (lock) {
            if (!answered) {
                return false; // Of an earlier connection, whose offsets the stream goes on from.
            }
            var first = durable == acked;
            durable = offset;
            return !closed && (first || end != null);
        }
    }

    /** Tells the producer what is durable; later, when it does not read. */
    @Override
    public void acknowledge() {
        synchronized (lock) {
            if (!closed && call.isReady()) {
                sendAck();
            }
            finishWhenDone();
        }
    }

    private void sendAck() {
        if (durable > acked) {
            acked = durable;
            call.sendMessage(messages.acknowledged(acked));
        }
    }

    @Override
    public void onReady() {
        acknowledge();
    }

    @Override
    public void onHalfClose() {
        end(new StreamEnd(Status.OK, new Metadata()));
    }

    @Override
    public void onCancel() {
        synchronized (lock) {
            closed = true;
            waiting = streams.waiting().end(waiting);
        }
        leave();
    }

    @Override
    public void onComplete() {
        leave();
    }

    private void leave() {
        var who = producer;
        var open = table;
        var persistent = stream;
        if (persistent != null) {
            persistent.leave(this);
        }
        if (streams.remove(this) && who != null && open != null) {
            synchronized (lock) {
                long sent = rows;
                Thread.startVirtualThread(() -> who.closed(open.landing().table().name(), sent));
                streams.closed(told, end == null ? null : end.error());
            }
        }
    }

    /** Asks the producer to end the stream within some seconds. */
    void signalClose(Duration grace) {
        synchronized (lock) {
            if (answered && !closed && end == null) {
                call.sendMessage(messages.closing(grace));
            }
        }
    }

    @Override
    void refuse(RuntimeException why) {
        streams.countRefused();
        endSoon(Refusal.of(why, this));
    }

    /** Ends the stream once what the log took is acknowledged; a request that waits is given up. */
    void endSoon(Refusal why) {
        synchronized (lock) {
            waiting = streams.waiting().end(waiting);
        }
        end(StreamEnd.of(why));
    }

    /** Ends the stream at once: what is not acknowledged never will be. */
    void abort(Refusal why) {
        synchronized (lock) {
            waiting = streams.waiting().end(waiting);
            end = StreamEnd.of(why);
            close(end);
        }
        leave();
    }

    private void end(StreamEnd how) {
        synchronized (lock) {
            if (end == null || !how.status().isOk()) {
                end = how;
            }
            finishWhenDone();
        }
    }

    private void finishWhenDone() {
        var how = end;
        if (how != null && !closed && !evolving && waiting == null && durable == offered) {
            sendAck();
            close(how);
        }
    }

    private void close(StreamEnd how) {
        if (!closed) {
            closed = true;
            call.close(how.status(), how.trailers());
        }
    }

    @Override
    public String toString() {
        return "stream " + id();
    }

    @Override
    boolean isReading() {
        synchronized (lock) {
            return !closed && end == null;
        }
    }

    boolean isOf(Landing landing) {
        var open = table;
        return open != null && open.landing() == landing;
    }

    boolean isWaiting() {
        synchronized (lock) {
            return !closed && (paced || waiting != null);
        }
    }

    /** Whether a request has been waiting for room since before an instant of System.nanoTime. */
    boolean waitsSince(long nanos) {
        synchronized (lock) {
            return waiting != null && waiting.sinceNanos() - nanos < 0;
        }
    }
}
