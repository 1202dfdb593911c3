package dev.lakemill.ingest;

import dev.lakemill.api.zerobus.CreateIngestStreamRequest;
import dev.lakemill.api.zerobus.ResumeIngestStreamRequest;
import dev.lakemill.api.zerobus.RetireStreamRequest;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.wal.Durable;
import dev.lakemill.wal.Frame;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All open streams: admits them, has their frames offered to the log, brings back its word. */
final class Streams {
    private static final Logger LOG = LoggerFactory.getLogger(Streams.class);

    /** How long before its token's end a producer is asked to come again. */
    private static final Duration EXPIRY_GRACE = Duration.ofSeconds(20);

    private final Map<UUID, StreamCall<?>> open = new ConcurrentHashMap<>();
    private final Landings landings;
    private final GrpcConfig config;
    private final ProducerAccess access;
    private final RowPolicies policies;
    private final IngestHistory history;
    private final Clock clock;
    private final PersistentStreams persistent = new PersistentStreams();
    private final Rates rates;
    private final Inserts inserts;
    private final WaitingBytes waiting;
    private final LongAdder rows = new LongAdder();
    private final LongAdder requests = new LongAdder();
    private final LongAdder bytes = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final LongAdder opened = new LongAdder();

    /** Told when the last stream is gone. */
    private final Object ending = new Object();

    /** Of the running group: who is to be told. */
    private final List<Sender> touched = new ArrayList<>();

    private final LogOffers offers = new LogOffers();

    private volatile @Nullable Refusal closing;
    private volatile @Nullable LakemillException failure;

    Streams(Landings landings, GrpcConfig config, Ingest.Surroundings surroundings) {
        this.landings = landings;
        this.config = config;
        this.access = surroundings.access();
        this.policies = surroundings.policies();
        this.history = surroundings.history();
        this.clock = surroundings.clock();
        this.rates = new Rates(config.rates());
        this.inserts = new Inserts(this, config.messageBytesMax());
        this.waiting = new WaitingBytes(2 * config.stalledBytesMax());
    }

    /** Their frames' way into the log. */
    LogOffers offers() {
        return offers;
    }

    /**
     * Lets a new stream in.
     *
     * @throws Refusal when there are too many, or none are taken now
     */
    void admit(StreamCall<?> stream) {
        checkOpen();
        if (open.size() >= config.streamsMax()) {
            throw Refusal.limit(
                    "%d streams are open, which is the limit".formatted(config.streamsMax()),
                    "send more rows through fewer streams");
        }
        open.put(stream.connection(), stream);
        opened.increment();
    }

    /**
     * @throws Refusal when no rows are taken any more
     */
    void checkOpen() {
        var why = closing;
        if (why != null) {
            throw why;
        }
    }

    /** Rows without a stream. */
    Inserts inserts() {
        return inserts;
    }

    /** How fast who may send. */
    Rates rates() {
        return rates;
    }

    /** What requests hold that wait for room. */
    WaitingBytes waiting() {
        return waiting;
    }

    /** How long a stream may wait. */
    long stallNanosMax() {
        return config.stallMax().toNanos();
    }

    PersistentStreams persistent() {
        return persistent;
    }

    /** Notes that a stream was opened. */
    IngestHistory.StreamInfo opened(
            UUID id, OpenTable of, String producer, IngestHistory.Protocol protocol) {
        var stream =
                new IngestHistory.StreamInfo(
                        id,
                        of.landing().table(),
                        producer,
                        protocol,
                        of.dataFormat(),
                        clock.instant());
        history.stream(
                new IngestHistory.StreamEvent(
                        stream, stream.opened(), Optional.empty(), Optional.empty()));
        return stream;
    }

    /** The same of a session of single requests. */
    IngestHistory.StreamInfo opened(UUID id, Landing landing, String producer) {
        var of = OpenTable.ofJson(landing, RowPolicy.REFUSE, BadRows.refused());
        return opened(id, of, producer, IngestHistory.Protocol.HTTP);
    }

    /** Notes that a stream has ended, and why if that was no wish of its producer. */
    void closed(IngestHistory.@Nullable StreamInfo stream, @Nullable String error) {
        if (stream == null) {
            return; // It was never opened.
        }
        var now = clock.instant();
        history.stream(
                new IngestHistory.StreamEvent(
                        stream, now, Optional.of(now), Optional.ofNullable(error)));
    }

    ProducerAccess access() {
        return access;
    }

    /** Ends the streams of those who may not write any more. May block. */
    void recheck() {
        open.values().forEach(StreamCall::recheck);
        inserts.recheck();
    }

    /** Has producers whose tokens end come again with new ones. */
    void expire(Instant now) {
        open.values().forEach(stream -> stream.expire(now, EXPIRY_GRACE));
    }

    /** False when it was gone already. */
    boolean remove(StreamCall<?> stream) {
        var removed = open.remove(stream.connection()) != null;
        if (closing != null && open.isEmpty()) {
            synchronized (ending) {
                ending.notifyAll();
            }
        }
        return removed;
    }

    /** Waits until no stream is open; false after the timeout. */
    boolean awaitNone(Duration timeout) throws InterruptedException {
        var until = System.nanoTime() + timeout.toNanos();
        synchronized (ending) {
            var left = until - System.nanoTime();
            while (!open.isEmpty() && left > 0) {
                ending.wait(left / 1_000_000 + 1);
                left = until - System.nanoTime();
            }
        }
        return open.isEmpty();
    }

    /**
     * Checks what a stream is opened for.
     *
     * @throws Refusal when table, header, record type or descriptor do not fit
     */
    OpenTable open(
            CreateIngestStreamRequest request,
            @Nullable String headerTable,
            Supplier<UUID> stream) {
        var landing = landing(tableName(request, headerTable));
        // A record type of a later protocol arrives as an unknown field: absent, thus PROTO.
        if (!request.hasRecordType()) {
            return ofProto(landing, request, stream);
        }
        return switch (request.getRecordType()) {
            case JSON -> openJson(landing, stream);
            case PROTO -> ofProto(landing, request, stream);
            case RECORD_TYPE_UNSPECIFIED ->
                    throw Refusal.badRequest(
                            "record_type is RECORD_TYPE_UNSPECIFIED", "choose PROTO or JSON");
        };
    }

    /**
     * Checks the schema of a stream of Arrow's batches, whose table the header alone names.
     *
     * @throws Refusal when table or schema do not fit
     */
    OpenTable open(Inbound.ArrowSchema schema, @Nullable String headerTable) {
        var landing = landing(parse(named(headerTable)));
        return OpenTable.ofArrow(landing, schema.header(), policies.of(landing.table()));
    }

    private static String named(@Nullable String headerTable) {
        if (headerTable == null) {
            throw Refusal.badRequest(
                    "the header %s is absent".formatted(Opening.TABLE_HEADER),
                    "name the table in it");
        }
        return headerTable;
    }

    /**
     * As {@link #open}, for a persistent stream, whose table the header alone names.
     *
     * @throws Refusal when table, record type or descriptor do not fit
     */
    OpenTable reopen(
            ResumeIngestStreamRequest request,
            @Nullable String headerTable,
            Supplier<UUID> stream) {
        var create =
                CreateIngestStreamRequest.newBuilder()
                        .setTableName(headerTable == null ? "" : headerTable);
        if (request.hasDescriptorProto()) {
            create.setDescriptorProto(request.getDescriptorProto());
        }
        if (request.hasRecordType()) {
            create.setRecordType(request.getRecordType());
        }
        return open(create.build(), headerTable, stream);
    }

    /** Ends a persistent stream for good. May block. */
    void retire(RetireStreamRequest request, Opening opening) {
        var id = PersistentStreams.id(request.getStreamId());
        var who = access.authenticate("grpc", opening.authorization(), opening.address(), id);
        var landing = landing(parse(request.getTableName()));
        who.require(landing.table().name());
        persistent.retire(landing, id);
    }

    /** The table of a name; Refusal NOT_FOUND. */
    Landing landing(TableName name) {
        return landings.find(name).orElseThrow(() -> noSuchTable(name));
    }

    /** A table for JSON records, as its policy says. */
    OpenTable openJson(Landing landing, Supplier<UUID> stream) {
        var policy = policies.of(landing.table());
        return OpenTable.ofJson(landing, policy, badRows(landing, policy, true, stream));
    }

    private BadRows badRows(
            Landing landing, RowPolicy policy, boolean json, Supplier<UUID> stream) {
        return BadRows.of(landing, policy, json, policy.deadLetters().map(this::landing), stream);
    }

    private OpenTable ofProto(
            Landing landing, CreateIngestStreamRequest request, Supplier<UUID> stream) {
        if (!request.hasDescriptorProto()) {
            throw Refusal.badRequest(
                    "a stream of PROTO records has no descriptor_proto",
                    "send the DescriptorProto of the record, or set record_type to JSON");
        }
        var policy = policies.of(landing.table());
        return OpenTable.ofProto(
                landing,
                request.getDescriptorProto(),
                policy,
                badRows(landing, policy, false, stream));
    }

    private static TableName tableName(
            CreateIngestStreamRequest request, @Nullable String headerTable) {
        var name = request.getTableName();
        if (headerTable == null || !headerTable.equals(name)) {
            throw Refusal.badRequest(
                    "the header %s is %s, but create_stream names the table %s"
                            .formatted(
                                    Opening.TABLE_HEADER,
                                    headerTable == null ? "absent" : RefusedRow.shown(headerTable),
                                    RefusedRow.shown(name)),
                    "send the same table in both");
        }
        return parse(name);
    }

    static TableName parse(String name) {
        try {
            return TableName.parse(name);
        } catch (LakemillException e) {
            throw Refusal.of(e);
        }
    }

    private Refusal noSuchTable(TableName name) {
        var names = landings.names();
        var known =
                names.stream().limit(10).map(TableName::toString).collect(Collectors.joining(", "));
        return Refusal.noSuchTable(
                "there is no table %s that takes rows".formatted(name),
                names.isEmpty()
                        ? "declare it with CREATE TABLE in a pipeline's SQL"
                        : "declare it with CREATE TABLE, or use one of " + known);
    }

    /**
     * Gives a frame to the log; false when the table or the log has no room.
     *
     * @throws LakemillException when the log takes nothing more, or nothing so large
     * @throws Refusal when the table takes nothing more
     */
    boolean offer(Landing landing, Frame frame, DeadLetters.@Nullable Letter letter) {
        // Before the rows that fit: when those are acknowledged, these are durable, too.
        if (letter != null && !letter.isTaken()) {
            if (!offers.offer(letter.landing(), letter.frame())) {
                return false;
            }
            letter.taken();
            count(letter.rows(), letter.frame().payload().length);
        }
        return offers.offer(landing, frame);
    }

    /** Runs the action when both the table and the log have room again. */
    void whenRoom(Landing of, DeadLetters.@Nullable Letter letter, Runnable action) {
        var landing = letter == null || letter.isTaken() ? of : letter.landing();
        offers.whenRoom(landing, action);
    }

    /** Tells the streams what is durable; first all of it, then one acknowledgement each. */
    void durable(List<Durable> group) {
        for (var frame : group) {
            var stream = senderOf(frame.frame());
            if (stream != null && stream.durable(frame.frame().offset())) {
                touched.add(stream);
            }
        }
        touched.forEach(Streams::acknowledge);
        touched.clear();
    }

    private @Nullable Sender senderOf(Frame frame) {
        if (PersistentStreams.isPersistent(frame.stream())) {
            return persistent.durable(frame.stream(), frame.offset()).orElse(null);
        }
        var stream = open.get(frame.stream());
        return stream == null ? inserts.find(frame.stream()).orElse(null) : stream;
    }

    private static void acknowledge(Sender stream) {
        try {
            stream.acknowledge();
        } catch (RuntimeException e) {
            LOG.warn("{} cannot be told of its rows", stream, e);
        }
    }

    /** The log takes nothing more: ends all streams. */
    void failed(LakemillException cause) {
        failure = cause;
        var why =
                Refusal.unavailable(
                        "the server's log has failed: " + cause.problem(), cause.hint());
        closing = why;
        open.values().forEach(stream -> stream.abort(why));
        inserts.failed(why);
    }

    Optional<LakemillException> failure() {
        return Optional.ofNullable(failure);
    }

    /** Admits no more streams and asks those that are open to end. */
    void drain(Duration grace) {
        closing = Refusal.unavailable("the server is shutting down", "try again shortly");
        open.values().forEach(stream -> stream.signalClose(grace));
    }

    /** Ends all streams, each after its last acknowledgement. */
    void endAll() {
        var why = Refusal.unavailable("the server is shutting down", "try again shortly");
        open.values().forEach(stream -> stream.endSoon(why));
    }

    /** Ends the streams of a table that is no more. */
    void endOf(Landing landing) {
        var why = noSuchTable(landing.table().name());
        open.values().stream().filter(s -> s.isOf(landing)).forEach(s -> s.endSoon(why));
    }

    /** Ends streams that wait for room so long that their producers would give up by themselves. */
    void endStalled() {
        var since = System.nanoTime() - config.stallMax().toNanos();
        var why =
                Refusal.limit(
                        "the server had no room for a request in %d s"
                                .formatted(config.stallMax().toSeconds()),
                        "look at its disk and log; sending goes on when there is room");
        open.values().stream().filter(s -> s.waitsSince(since)).forEach(s -> s.endSoon(why));
    }

    /** Ends streams that nobody opens: without a token they would hold the places of others. */
    void endUnopened() {
        var since = System.nanoTime() - config.openingMax().toNanos();
        var why =
                Refusal.unavailable(
                        "the stream was not opened within %d s"
                                .formatted(config.openingMax().toSeconds()),
                        "send its first message at once: create_stream, or a schema of Arrow's");
        open.values().stream().filter(s -> s.isUnopenedSince(since)).forEach(s -> s.endSoon(why));
    }

    void count(int rowCount, int byteCount) {
        rows.add(rowCount);
        requests.increment();
        bytes.add(byteCount);
    }

    void countRefused() {
        refused.increment();
    }

    IngestTotals totals() {
        long stalled = open.values().stream().filter(StreamCall::isWaiting).count();
        return new IngestTotals(
                rows.sum(),
                requests.sum(),
                bytes.sum(),
                refused.sum(),
                opened.sum(),
                open.size(),
                stalled,
                landings.status().stream().mapToLong(TableStatus::pendingBytes).sum(),
                offers.logBytes());
    }
}
