package dev.lakemill.ingest;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Frame;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.apache.arrow.vector.BigIntVector;

/**
 * A Delta table in memory with what was promised to its producers, for {@link DrainSimulation}: its
 * commits are atomic and never lost, but some are refused, and of some the answer is. One
 * persistent and one ephemeral stream write it; a request that was not acknowledged is forgotten by
 * its producer, and the stream goes on with the next offset that the log does not have.
 */
final class SimulatedTable implements Bronze {
    private static final String TROUBLE = "the store does not answer";

    private final String application;
    private final Random random;
    private final UUID persistent = new UUID(0x8000L, 0x8000_0000_0000_0001L);
    private final Map<String, Long> transactions = new HashMap<>();
    private final List<Long> stored = new ArrayList<>();
    private final Set<Long> offered = new HashSet<>();
    private final Set<Long> acknowledged = new HashSet<>();
    private long lastPosition;
    private double troubleShare;
    private long commits;
    private long failures;

    /** Of the persistent stream. */
    private long nextOffset;

    private long acknowledgedOffset = -1;

    SimulatedTable(String application, Random random) {
        this.application = application;
        this.random = random;
    }

    /** From now on this share of commits goes wrong. */
    void trouble(double share) {
        troubleShare = share;
    }

    /** Whether it is a failure that a life may end with. */
    boolean isTrouble(Exception e) {
        return e instanceof IOException
                || (e instanceof LakemillException known && known.code() == ErrorCode.UNAVAILABLE);
    }

    long rowCount() {
        return stored.size();
    }

    long commits() {
        return commits;
    }

    long failures() {
        return failures;
    }

    /** The producers' request. */
    Frame offered(UUID table, List<Long> ids, byte[] payload) {
        offered.addAll(ids);
        return random.nextBoolean()
                ? new Frame(table, persistent, nextOffset++, payload)
                : new Frame(table, ephemeral(), 0, payload);
    }

    /** An id of version 4. */
    private UUID ephemeral() {
        return new UUID((random.nextLong() & ~0xF000L) | 0x4000L, random.nextLong());
    }

    void acknowledged(Frame frame) {
        acknowledged.addAll(ids(frame));
        if (frame.stream().equals(persistent)) {
            acknowledgedOffset = Math.max(acknowledgedOffset, frame.offset());
        }
    }

    /** The stream goes on behind what Delta has; the log's frames are told next. */
    void restarted() {
        nextOffset = transactions.getOrDefault(streamApplication(), 0L);
    }

    void replayed(Frame frame) {
        if (frame.stream().equals(persistent)) {
            nextOffset = Math.max(nextOffset, frame.offset() + 1);
        }
    }

    private String streamApplication() {
        return PersistentStreams.application(persistent);
    }

    private static List<Long> ids(Frame frame) {
        var ids = new ArrayList<Long>();
        var in = new WireReader().on(frame.payload(), 0, frame.payload().length);
        while (in.hasMore()) {
            in.length();
            in.tag();
            ids.add(in.varint());
        }
        return ids;
    }

    @Override
    public DeltaTable.Commit append(List<Rows> rows, long[] positions, Txn txn) {
        boolean fails = random.nextDouble() < troubleShare;
        if (fails && random.nextBoolean()) {
            failures++;
            throw new LakemillException(ErrorCode.UNAVAILABLE, TROUBLE, "");
        }
        var repeated = transactions.getOrDefault(txn.application(), 0L) >= txn.version();
        if (!repeated) {
            commit(rows, positions, txn);
        }
        if (fails) {
            failures++;
            throw new LakemillException(ErrorCode.UNAVAILABLE, TROUBLE, "");
        }
        return repeated
                ? new DeltaTable.Commit.Repeated(commits)
                : new DeltaTable.Commit.Done(commits);
    }

    private void commit(List<Rows> rows, long[] positions, Txn txn) {
        require(
                positions.length == 0 || positions[0] > lastPosition,
                "%d positions begin at or below %d",
                positions.length,
                lastPosition);
        for (long position : positions) {
            require(position >= lastPosition, "position %d follows %d", position, lastPosition);
            lastPosition = position;
        }
        commits++;
        transactions.put(txn.application(), txn.version());
        txn.also().forEach(this::note);
        for (var batch : rows) {
            var ids = (BigIntVector) batch.vector(0);
            for (int i = 0; i < batch.count(); i++) {
                stored.add(ids.get(i));
            }
        }
    }

    private void note(String stream, long version) {
        var before = transactions.put(stream, version);
        require(before == null || before <= version, "offset %d follows %d", version, before);
    }

    @Override
    public void widen(TableSchema schema) {}

    @Override
    public OptionalLong transaction(String of) {
        var version = transactions.get(of);
        return version == null ? OptionalLong.empty() : OptionalLong.of(version);
    }

    @Override
    public void compact() {}

    @Override
    public void vacuum(Duration retention) {}

    /** Holds what is stored against what was promised; everything is in Delta by now. */
    void check() {
        long before = -1;
        for (long id : stored) {
            require(id > before, "row %d follows %d", id, before);
            require(offered.contains(id), "row %d was never sent, behind %d", id, before);
            before = id;
        }
        var there = new HashSet<>(stored);
        for (long id : acknowledged) {
            require(there.contains(id), "row %d is lost, of %d", id, acknowledged.size());
        }
        long offset = transactions.getOrDefault(streamApplication(), 0L) - 1;
        require(
                offset >= acknowledgedOffset,
                "the stream is known up to %d, but is acknowledged up to %d",
                offset,
                acknowledgedOffset);
        require(
                transactions.getOrDefault(application, 0L) >= lastPosition,
                "the transaction is behind position %d of %d rows",
                lastPosition,
                stored.size());
    }

    private static void require(boolean holds, String problem, Object a, Object b) {
        if (!holds) {
            throw new IllegalStateException(problem.formatted(a, b));
        }
    }
}
