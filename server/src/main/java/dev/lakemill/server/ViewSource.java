package dev.lakemill.server;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.ViewDefinition;
import dev.lakemill.delta.DeltaReader;
import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.delta.HeldFiles;
import dev.lakemill.delta.SnapshotDifference;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.pipeline.LakeQuery;
import dev.lakemill.pipeline.StoredRows;
import dev.lakemill.plan.Function;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.sync.SourceSnapshot;
import dev.lakemill.sync.SyncSource;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A view of the lake, as a synced table reads it: evaluated whole, from one version of each Delta
 * table below it.
 *
 * <p>Its version is a number made of those versions and of the texts of all views on the way, so
 * that after a restart, too, it is known whether anything is new. After an evaluation it rests as
 * long as that took, at least {@link #REST_MIN}.
 *
 * <p>Whoever reads the copy is not who reads the view: a view of whose rows or values depends on
 * the reader is not copied.
 */
final class ViewSource implements SyncSource {
    static final Duration REST_MIN = Duration.ofSeconds(1);
    private static final Duration REST_AFTER_FAILURE = Duration.ofSeconds(5);
    private static final long TURN_SECONDS_MAX = 60;

    private static final LakeQuery.Person NOBODY = new LakeQuery.Person("", List.of());

    private record Failure(Instant at, LakemillException problem) {}

    private final TableName name;
    private final LakeSource.Parts lake;
    private final LakePlanner planner;
    private final SyncSources.Limits limits;
    private final Semaphore turn;
    private final Clock clock = Clock.systemUTC();
    private volatile @Nullable Seen seen;
    private volatile @Nullable Failure failure;
    private volatile @Nullable LakeQuery running;
    private volatile Instant restedAt = Instant.EPOCH;
    private volatile boolean cancelled;

    ViewSource(
            TableName name,
            LakeSource.Parts lake,
            LakePlanner planner,
            SyncSources.Limits limits,
            Semaphore turn) {
        this.name = name;
        this.lake = lake;
        this.planner = planner;
        this.limits = limits;
        this.turn = turn;
    }

    @Override
    public TableName name() {
        return name;
    }

    @Override
    public TableSchema schema() {
        return view().schema();
    }

    /**
     * @throws LakemillException FAILED_PRECONDITION for a view that cannot be copied, or that
     *     cannot be read any more
     */
    LakePlan plan() {
        var plan = planner.plan(view());
        plan.scanned().values().forEach(this::requireSameForAll);
        if (queries(plan).anyMatch(ViewSource::asksWhoReads)) {
            throw refused(
                    "it asks current_user() or is_account_group_member(), which are not those of"
                            + " who reads the copy",
                    "set a row filter or masks on the synced table instead");
        }
        return plan;
    }

    /** Whether its rows change with the time alone. */
    static boolean usesNow(LakePlan plan) {
        return queries(plan).anyMatch(Relations::usesNow);
    }

    private static boolean asksWhoReads(Relation query) {
        return Relations.calls(query, Function.CURRENT_USER)
                || Relations.calls(query, Function.IS_MEMBER);
    }

    private static Stream<Relation> queries(LakePlan plan) {
        var views =
                plan.scanned().values().stream()
                        .filter(LakePlan.View.class::isInstance)
                        .map(s -> ((LakePlan.View) s).query());
        return Stream.concat(Stream.of(plan.relation()), views);
    }

    private void requireSameForAll(LakePlan.Scanned scanned) {
        switch (scanned) {
            case LakePlan.Delta(var table) -> {
                var held = lake.catalog().policies().on(table.name()).told();
                if (!held.isEmpty()) {
                    throw refused(
                            "it reads %s, which is under %s, which the copy would not have"
                                    .formatted(table.name(), String.join(" and ", held)),
                            "set them on the synced table instead");
                }
            }
            case LakePlan.OfSystem(var table) ->
                    throw refused(
                            "it reads %s, of which everybody sees other rows"
                                    .formatted(table.name()),
                            "read tables in it");
            case LakePlan.View _, LakePlan.Tail _ -> {}
        }
    }

    private LakemillException refused(String why, String hint) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "the view %s cannot be copied: %s".formatted(name, why),
                hint);
    }

    private CatalogTable view() {
        return lake.catalog()
                .find(name)
                .filter(t -> lake.catalog().view(t.name()).isPresent())
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "the source %s is gone".formatted(name),
                                        "make it again, or drop the synced table"));
    }

    /** What cannot be looked at is told by who reads it. */
    @Override
    public boolean hasNewer(long version) {
        try {
            var known = seen;
            if (known == null || known.isMoved(lake)) {
                known = look().seen();
                seen = known;
            }
            return known.version() != version;
        } catch (LakemillException e) {
            return true;
        }
    }

    @Override
    public boolean isDelta() {
        return false;
    }

    @Override
    public boolean isResting() {
        return failure == null && clock.instant().isBefore(restedAt);
    }

    @Override
    public Optional<TableFeed> feed() {
        return Optional.empty();
    }

    @Override
    public void cancel() {
        cancelled = true;
        var query = running;
        if (query != null) {
            query.cancel();
        }
    }

    @Override
    public SourceSnapshot snapshot() {
        var plan = plan();
        var looked = look();
        requireRested();
        var sources = new LinkedHashMap<TableName, LakeQuery.Source>();
        plan.scanned().forEach((table, scanned) -> sources.put(table, pinned(scanned, looked)));
        takeTurn();
        var begun = clock.instant();
        boolean evaluated = false;
        try (var _ = HeldFiles.of(looked.snapshots().values())) {
            var query = new LakeQuery(limits.query(), limits.temporaryFolder(), lake.allocator());
            running = query;
            if (cancelled) {
                query.cancel();
            }
            var rows = query.keep(plan.relation(), sources, NOBODY, begun);
            evaluated = true;
            failure = null;
            seen = looked.seen();
            return new Evaluated(looked, rows, () -> rest(begun));
        } catch (LakemillException e) {
            failure = new Failure(clock.instant(), e);
            throw e;
        } finally {
            running = null;
            if (!evaluated) {
                rest(begun);
            }
        }
    }

    private void rest(Instant begun) {
        turn.release();
        var now = clock.instant();
        var taken = Duration.between(begun, now);
        restedAt = now.plus(taken.compareTo(REST_MIN) > 0 ? taken : REST_MIN);
    }

    /** What took an evaluation to fail is not tried again at once. */
    private void requireRested() {
        var last = failure;
        if (last != null && clock.instant().isBefore(last.at().plus(REST_AFTER_FAILURE))) {
            throw last.problem();
        }
    }

    private void takeTurn() {
        try {
            for (int waited = 0; waited < TURN_SECONDS_MAX && !cancelled; waited++) {
                if (turn.tryAcquire(1, TimeUnit.SECONDS)) {
                    return;
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        throw new LakemillException(
                ErrorCode.UNAVAILABLE,
                "the view %s waits for the evaluation of another view".formatted(name),
                "it is tried again by itself");
    }

    private LakeQuery.Source pinned(LakePlan.Scanned scanned, Looked looked) {
        return switch (scanned) {
            case LakePlan.Delta(var table) -> {
                var snapshot = looked.snapshots().get(table.name());
                if (snapshot == null) {
                    throw new LakemillException(
                            ErrorCode.UNAVAILABLE,
                            "the view %s changed while it was read".formatted(name),
                            "it is read again by itself");
                }
                yield new LakeQuery.Table(
                        table.schema(),
                        LakeTable.opening(snapshot, table),
                        Optional.empty(),
                        Map.of());
            }
            case LakePlan.View(var view, var query) -> new LakeQuery.View(view.name(), query);
            case LakePlan.OfSystem _, LakePlan.Tail _ ->
                    throw new IllegalStateException("refused before: " + scanned);
        };
    }

    private Looked look() {
        var views = new TreeMap<TableName, ViewDefinition>();
        var snapshots = new TreeMap<TableName, DeltaSnapshot>();
        var tables = new HashMap<LakeSource, Long>();
        var left = new ArrayDeque<>(List.of(view().name()));
        while (!left.isEmpty()) {
            var next = left.remove();
            var definition = lake.catalog().view(next);
            if (definition.isPresent()) {
                if (views.put(next, definition.get()) == null) {
                    left.addAll(definition.get().sources());
                }
            } else if (!snapshots.containsKey(next)) {
                var table = new LakeSource(next, lake);
                var newest = table.delta();
                snapshots.put(next, newest);
                tables.put(table, newest.version());
            }
        }
        return new Looked(new Seen(version(views, snapshots), views, tables), snapshots);
    }

    private long version(
            Map<TableName, ViewDefinition> views, Map<TableName, DeltaSnapshot> snapshots) {
        var digest = sha256();
        views.forEach((view, text) -> add(digest, view + " " + text));
        snapshots.forEach(
                (table, at) ->
                        add(
                                digest,
                                "%s %s %d"
                                        .formatted(
                                                table,
                                                lake.catalog().find(table).map(CatalogTable::id),
                                                at.version())));
        return ByteBuffer.wrap(digest.digest()).getLong() & Long.MAX_VALUE;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void add(MessageDigest digest, String line) {
        digest.update(line.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
    }

    /**
     * A look at what the view reads now.
     *
     * @param version of all together
     */
    private record Seen(
            long version, Map<TableName, ViewDefinition> views, Map<LakeSource, Long> tables) {
        boolean isMoved(LakeSource.Parts lake) {
            return !views.entrySet().stream()
                            .allMatch(
                                    v ->
                                            lake.catalog()
                                                    .view(v.getKey())
                                                    .equals(Optional.of(v.getValue())))
                    || tables.entrySet().stream().anyMatch(t -> t.getKey().hasNewer(t.getValue()));
        }
    }

    private record Looked(Seen seen, Map<TableName, DeltaSnapshot> snapshots) {}

    /** What came of an evaluation, in the engine. */
    private record Evaluated(Looked looked, StoredRows rows, Runnable end)
            implements SourceSnapshot {
        @Override
        public long version() {
            return looked.seen().version();
        }

        @Override
        public long position() {
            return looked.snapshots().values().stream().mapToLong(DeltaSnapshot::version).sum();
        }

        @Override
        public Instant committedAt() {
            return looked.snapshots().values().stream()
                    .map(DeltaSnapshot::committedAt)
                    .max(Instant::compareTo)
                    .orElse(Instant.EPOCH);
        }

        @Override
        public Optional<SnapshotDifference> since(long version) {
            return Optional.empty();
        }

        @Override
        public long rowCount() {
            return rows.rowCount();
        }

        @Override
        public DeltaReader read() {
            return new Batches(rows.read());
        }

        @Override
        public void close() {
            try {
                rows.close();
            } finally {
                end.run();
            }
        }
    }

    private record Batches(LakeQuery.Reading reading) implements DeltaReader {
        private static final long[] NO_POSITIONS = {};

        @Override
        public @Nullable Rows next() {
            return reading.next();
        }

        @Override
        public long[] positions() {
            return NO_POSITIONS;
        }

        @Override
        public void close() {
            reading.close();
        }
    }
}
