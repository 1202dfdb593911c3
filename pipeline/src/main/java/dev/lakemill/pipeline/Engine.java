package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckPrinter.quoted;

import dev.lakemill.plan.ModelUse;
import dev.lakemill.types.Column;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs batches in DuckDB, each in one transaction. One thread uses it.
 *
 * <p>It holds, of every table that only grows, the columns and rows that queries may read again
 * ({@code "table"}) and the columns of UNIQUE rules ({@code "table keys"}), and the whole content
 * of every view ({@code "view"}). All of it is a cache: {@link #load} fills an empty engine from
 * Delta. Names are the same in every batch, so that statements are, and need not be parsed again.
 */
final class Engine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

    private final Program program;
    private final DuckSession duck;
    private final StateUpkeep upkeep;
    private final Predictor predictor;
    private final JarFunctions functions;
    private final Answers answers;
    private final Map<TableName, ViewMaintenance> maintenance = new HashMap<>();
    private final ViewTurns turns;

    /** Of streams that have run, by the places of their UNIQUE rules. */
    private final Map<TableName, Map<Integer, KeptKeys>> keptKeys = new HashMap<>();

    private KeptKeys.Room keysRoom = KeptKeys.Room.usual();
    private Instant now = Instant.EPOCH;

    /** Of a program that scores and asks nothing. */
    Engine(Program program, DuckSession duck, MaintenanceChoice choice) {
        this(
                program,
                duck,
                choice,
                use -> {
                    throw new IllegalArgumentException("no folder of " + use);
                },
                new Answers(AskedModels.NONE));
    }

    /**
     * @param models the folder of a version of a model
     * @param answers that queries see; they stay the caller's
     */
    Engine(
            Program program,
            DuckSession duck,
            MaintenanceChoice choice,
            Function<ModelUse, Path> models,
            Answers answers) {
        this.answers = answers;
        this.program = program;
        this.turns = new ViewTurns(program);
        this.duck = duck;
        this.upkeep = new StateUpkeep(program, duck);
        this.predictor = Predictor.register(duck.connection(), program.models(), models);
        if (program.asks()) {
            answers.register(duck.connection());
        }
        this.functions = JarFunctions.register(duck.connection(), program.functions());
        program.appended().forEach(this::create);
        program.streams().forEach(this::createKeys);
        for (var view : program.views()) {
            loadEmpty(view.schema(), "CREATE TABLE " + whole(view.name()) + " AS SELECT * FROM ");
            maintenance.put(view.name(), MeasuredMaintenance.of(view, choice));
        }
    }

    Program program() {
        return program;
    }

    /** The frozen now() of the last batch. */
    Instant now() {
        return now;
    }

    /** Sets the last batch's now() after {@link #load}. */
    void now(Instant now) {
        this.now = now;
    }

    /** Sets another limit than the usual, before the first batch. */
    void keysRoom(KeptKeys.Room room) {
        keysRoom = room;
    }

    /**
     * Adds rows to a table's or view's content, before the first batch, but for those that no query
     * will read after {@link #now()}.
     *
     * @param schema of the batches: at least the columns that are kept
     * @param next gives one batch after the other, then null; each is closed here
     */
    void load(TableName table, TableSchema schema, Supplier<@Nullable Rows> next) {
        if (maintenance.containsKey(table)) {
            load(table, schema, next, whole(table) + " SELECT *", "");
            return;
        }
        var kept =
                program.appended().stream()
                        .filter(appended -> appended.name().equals(table))
                        .map(program::columnsKept)
                        .findFirst()
                        .orElseThrow();
        var readable = upkeep.readable(table, now);
        load(
                table,
                schema,
                next,
                "%s SELECT %s".formatted(whole(table), quotedAll(kept)),
                readable.isEmpty() ? "" : " WHERE " + readable);
    }

    /** As {@link #load(TableName, TableSchema, Supplier)}, of the columns of UNIQUE rules. */
    void loadKeys(Step.Stream stream, TableSchema schema, Supplier<@Nullable Rows> next) {
        var columns = quotedAll(Program.keyColumns(stream));
        load(stream.name(), schema, next, keys(stream.name()) + " SELECT " + columns, "");
    }

    /** In parts, between which is compressed what came. */
    private void load(
            TableName table,
            TableSchema schema,
            Supplier<@Nullable Rows> next,
            String into,
            String where) {
        var insert = "INSERT INTO %s FROM %s%s".formatted(into, DuckSession.INCOMING, where);
        var isThereMore = new AtomicBoolean(true);
        Supplier<@Nullable Rows> part =
                () -> {
                    if (upkeep.isDue()) {
                        return null;
                    }
                    var rows = next.get();
                    if (rows == null) {
                        isThereMore.set(false);
                    } else {
                        upkeep.added(table, rows.count());
                    }
                    return rows;
                };
        while (isThereMore.get()) {
            if (upkeep.isDue()) {
                upkeep.compress();
            }
            duck.load(schema, part, insert);
        }
    }

    /** Runs a batch; either all of it stands or nothing. */
    BatchOutcome run(BatchInput input) {
        upkeep.run(view -> maintenance(view).refreshed(), now);
        duck.begin(input.now(), now);
        answers.asOf(input.now());
        var batch = new RunningBatch(this, duck, input);
        try {
            var done = batch.run();
            duck.commit();
            now = input.now();
            return done;
        } catch (RowRejected e) {
            undo(batch);
            return new BatchOutcome.Rejected(e.problem(), e.hint());
        } catch (DuckException e) {
            undo(batch);
            return switch (e.kind()) {
                case EXHAUSTED -> new BatchOutcome.Exhausted(e.problem());
                case VALUE, BROKEN -> batch.rejected(e);
            };
        } catch (RuntimeException | Error e) {
            undo(batch);
            throw e;
        }
    }

    /**
     * Holds all views against their queries, with the last batch's now(); but for those that wait
     * for their turn.
     */
    List<ViewAudit> audit() {
        return program.views().stream()
                .filter(view -> !turns.isBehind(view))
                .map(this::audit)
                .toList();
    }

    /** Holds a view against its query; one that differs is computed anew when it is next due. */
    ViewAudit audit(Step.View view) {
        duck.begin(now, now);
        answers.asOf(now);
        ViewAudit audit;
        try {
            var batch = new RunningBatch(this, duck, new BatchInput(0, now, Map.of(), true));
            audit = batch.audit(view);
        } finally {
            duck.rollback();
        }
        if (!audit.equal()) {
            maintenance(view.name()).undone();
        }
        return audit;
    }

    /** SQL of a view's content: its columns, in order. */
    static String content(Step.View view) {
        return "SELECT %s FROM %s".formatted(Checks.columns(view.schema()), whole(view.name()));
    }

    /** How each view is kept. */
    Map<TableName, ViewStatus> views() {
        var views = new TreeMap<TableName, ViewStatus>();
        maintenance.forEach((name, kept) -> views.put(name, kept.status()));
        return views;
    }

    ViewMaintenance maintenance(TableName view) {
        var found = maintenance.get(view);
        if (found == null) {
            throw new IllegalArgumentException(view + " is no view");
        }
        return found;
    }

    /**
     * The keys of all rows ever kept, by the places of the UNIQUE rules; empty when one of them
     * cannot be told by its bits, or there are too many. Read from DuckDB the first time. Called
     * once a batch: rules of one batch are all judged in one way.
     */
    Map<Integer, KeptKeys> keptKeys(Step.Stream stream) {
        var kept = keptKeys.computeIfAbsent(stream.name(), _ -> readKeys(stream));
        if (kept.values().stream().noneMatch(KeptKeys::isIncomplete)) {
            return kept;
        }
        LOG.info("{}: too many keys for memory; UNIQUE looks at all rows now", stream.name());
        kept.values().forEach(KeptKeys::free);
        keptKeys.put(stream.name(), Map.of());
        return Map.of();
    }

    private Map<Integer, KeptKeys> readKeys(Step.Stream stream) {
        var all = new HashMap<Integer, KeptKeys>();
        for (int i = 0; i < stream.rules().size(); i++) {
            if (stream.rules().get(i).test() instanceof Rule.Test.Unique unique) {
                var keys = KeptKeys.of(stream.schema(), unique, keysRoom);
                if (keys.isEmpty()) {
                    return Map.of();
                }
                all.put(i, keys.get());
            }
        }
        var table = keys(stream.name());
        if (all.isEmpty()
                || duck.count("SELECT count(*) FROM " + table) > keysRoom.left() / all.size()) {
            return Map.of();
        }
        try {
            all.values().forEach(keys -> load(keys, stream.schema(), table));
        } catch (RuntimeException | Error e) {
            all.values().forEach(KeptKeys::free);
            throw e;
        }
        return all;
    }

    private void load(KeptKeys keys, TableSchema stream, String table) {
        var schema =
                new TableSchema(
                        keys.columns().stream()
                                .map(stream::column)
                                .map(c -> Column.nullable(c.name(), c.type()))
                                .toList());
        var sql = "SELECT %s FROM %s".formatted(Checks.columns(schema), table);
        try (var batches = duck.read(sql, schema)) {
            keys.load(batches);
        }
    }

    Answers answers() {
        return answers;
    }

    ViewTurns turns() {
        return turns;
    }

    DuckSession duck() {
        return duck;
    }

    StateUpkeep upkeep() {
        return upkeep;
    }

    @Override
    public void close() {
        maintenance.values().forEach(ViewMaintenance::close);
        duck.close();
        predictor.close();
        functions.close();
    }

    /** Names that stand in place, for printing without running. */
    static final Query.Tables ANY_TABLES =
            new Query.Tables() {
                @Override
                public String fresh(TableName table) {
                    return none(table);
                }

                @Override
                public String whole(TableName table) {
                    return Engine.whole(table);
                }
            };

    /** SQL name of a view's content, and of what is held of a table that only grows. */
    static String whole(TableName table) {
        return quoted(table.toString());
    }

    /** SQL name of what UNIQUE rules compare with: of all rows ever kept. */
    static String keys(TableName table) {
        return quoted(table + " keys");
    }

    /** SQL name of an empty table like the table's new rows. */
    static String none(TableName table) {
        return quoted(table + " none");
    }

    static String quotedAll(List<String> columns) {
        return columns.stream().map(DuckPrinter::quoted).collect(Collectors.joining(", "));
    }

    /** SQL of now(). */
    static String literal(Instant now) {
        return "make_timestamp(%d)".formatted(micros(now));
    }

    static long micros(Instant instant) {
        return Math.addExact(
                Math.multiplyExact(instant.getEpochSecond(), 1_000_000L),
                instant.getNano() / 1_000);
    }

    private void undo(RunningBatch batch) {
        batch.close();
        duck.rollback();
        maintenance.values().forEach(ViewMaintenance::undone);
        turns.undone();
        keptKeys.values().forEach(rules -> rules.values().forEach(KeptKeys::undone));
    }

    private void create(Program.Appended table) {
        create(whole(table.name()), table.schema(), program.columnsKept(table));
        if (program.isStreamed(table.name())) {
            loadEmpty(
                    table.schema(),
                    "CREATE TABLE %s AS SELECT 0::BIGINT AS %s, * FROM "
                            .formatted(none(table.name()), Checks.ROW));
        }
    }

    private void createKeys(Step.Stream stream) {
        create(keys(stream.name()), stream.schema(), Program.keyColumns(stream));
    }

    private void create(String table, TableSchema schema, List<String> columns) {
        if (!columns.isEmpty()) {
            loadEmpty(
                    schema,
                    "CREATE TABLE %s AS SELECT %s FROM ".formatted(table, quotedAll(columns)));
        }
    }

    private void loadEmpty(TableSchema schema, String sql) {
        duck.load(schema, List.of(), sql + DuckSession.INCOMING);
    }
}
