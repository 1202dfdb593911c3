package dev.lakemill.pipeline;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Relation;
import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/**
 * One query of one person over tables as they are now, in an engine of its own that ends with it.
 *
 * <p>The columns that the query reads are copied into the engine, and on the way in a table's row
 * filter and masks are applied. Only then does the engine see the query: whatever it computes, in
 * whatever order, and whatever its errors tell, it computes from what the person may see. One
 * thread runs it; {@link #cancel} may come from any.
 */
public final class LakeQuery {
    /**
     * What one query may take; beyond it, RESOURCE_EXHAUSTED or, for rows and bytes of the result,
     * a result that is cut.
     */
    public record Limits(
            long rowsMax, long resultBytesMax, Duration timeMax, PipelineConfig.Duck engine) {}

    /** Who asks: what current_user() and is_account_group_member() say. */
    public record Person(String name, List<String> groups) {
        public Person {
            groups = List.copyOf(groups);
        }
    }

    /** A function of the catalog and the columns that it is asked about. */
    public record Rule(String duckSql, List<String> columns) {
        public Rule {
            columns = List.copyOf(columns);
        }
    }

    /** Batches of rows, one after the other, each closed by who takes it; null at the end. */
    public interface Reading extends AutoCloseable {
        @Nullable Rows next();

        @Override
        void close();
    }

    /** Begins to read columns of a table, in this order. */
    public interface Opening {
        Reading open(List<String> columns);
    }

    /** What a query scans. */
    public sealed interface Source {}

    /**
     * A table that the person may read.
     *
     * @param filter shows only the rows for which it is true
     * @param masks by the column that they stand in for
     */
    public record Table(
            TableSchema schema, Opening rows, Optional<Rule> filter, Map<String, Rule> masks)
            implements Source {
        public Table {
            masks = Map.copyOf(masks);
        }
    }

    /**
     * A view that the person may read, whatever it reads itself.
     *
     * @param query gives out the view's columns by their names
     */
    public record View(TableName name, Relation query) implements Source {}

    /**
     * The answer, to be closed.
     *
     * @param columns as the query names them; two may have the same name
     * @param cut whether there are more rows than the limits allow
     */
    public record Result(List<Column> columns, List<Rows> batches, boolean cut)
            implements AutoCloseable {
        @Override
        public void close() {
            batches.forEach(Rows::close);
        }
    }

    private final Limits limits;
    private final Path temporaryFolder;
    private final BufferAllocator allocator;
    private final AtomicReference<@Nullable LakemillException> stop = new AtomicReference<>();
    private volatile @Nullable DuckSession running;

    /**
     * @param temporaryFolder for what does not fit in memory; made where missing
     */
    public LakeQuery(Limits limits, Path temporaryFolder, BufferAllocator allocator) {
        this.limits = limits;
        this.temporaryFolder = temporaryFolder;
        this.allocator = allocator;
    }

    /**
     * @param sources all that the relation and its views scan, each view behind what it scans
     * @throws LakemillException UNIMPLEMENTED for what has no form that is sure to equal Spark's;
     *     INVALID_ARGUMENT when a value cannot be computed with; RESOURCE_EXHAUSTED at a limit
     */
    public Result run(
            Relation query, SequencedMap<TableName, Source> sources, Person person, Instant now) {
        var scope = new LakeScope(query, sources, person, now);
        var sql = sql(scope);
        Path folder = folder();
        var timer = timer();
        try (var duck = DuckSession.open(limits.engine(), folder, allocator)) {
            running = duck;
            load(duck, scope);
            return result(duck, sql, query);
        } catch (DuckException e) {
            throw told(e, "the query");
        } finally {
            running = null;
            timer.complete(null);
            delete(folder);
        }
    }

    /**
     * The same without limits of the result, which stays in the engine and its temporary files
     * until it is closed.
     */
    public StoredRows keep(
            Relation query, SequencedMap<TableName, Source> sources, Person person, Instant now) {
        var scope = new LakeScope(query, sources, person, now);
        var all = query.output().stream().map(Attribute::name).collect(Collectors.toSet());
        var sql = evaluation(scope, StoredRows.TABLE, query, all);
        Path folder = folder();
        var timer = timer();
        var duck = DuckSession.open(limits.engine(), folder, allocator);
        var kept = new StoredRows(duck, schema(query), () -> delete(folder));
        boolean done = false;
        try {
            running = duck;
            load(duck, scope);
            duck.execute(sql);
            scope.names.values().forEach(name -> duck.execute("DROP TABLE " + name));
            checkStopped();
            done = true;
            return kept;
        } catch (DuckException e) {
            throw told(e, "the query");
        } finally {
            running = null;
            timer.complete(null);
            if (!done) {
                kept.close();
            }
        }
    }

    private static TableSchema schema(Relation query) {
        return new TableSchema(
                query.output().stream().map(a -> Column.nullable(a.name(), a.type())).toList());
    }

    private CompletableFuture<Void> timer() {
        var timer = new CompletableFuture<Void>();
        timer.orTimeout(limits.timeMax().toMillis(), TimeUnit.MILLISECONDS)
                .exceptionally(_ -> late());
        return timer;
    }

    /** Ends the query, now or when it starts. */
    public void cancel() {
        stop(
                new LakemillException(
                        ErrorCode.FAILED_PRECONDITION, "the statement was cancelled", ""));
    }

    private @Nullable Void late() {
        stop(
                new LakemillException(
                        ErrorCode.RESOURCE_EXHAUSTED,
                        "the query took more than %d s".formatted(limits.timeMax().toSeconds()),
                        "read fewer rows or columns, or raise sql.timeout_s"));
        return null;
    }

    private void stop(LakemillException reason) {
        stop.compareAndSet(null, reason);
        var session = running;
        if (session != null) {
            session.interrupt();
        }
    }

    private void checkStopped() {
        var reason = stop.get();
        if (reason != null) {
            throw reason;
        }
    }

    /** The rows up to the limit and one more, in the query's order. */
    private Relation plan(Relation query) {
        return new Relation.Limit(query, limits.rowsMax() + 1, 0);
    }

    private String sql(LakeScope scope) {
        var plan = plan(scope.query);
        var columns = plan.output();
        var numbered =
                IntStream.range(0, columns.size())
                        .mapToObj(i -> numbered(columns.get(i), i))
                        .toList();
        return scope.printer.query(new Relation.Project(plan, numbered));
    }

    /** Two columns of a result may have one name; the engine's rows tell them by their places. */
    private static Relation.Named numbered(Attribute column, int place) {
        return new Relation.Named(
                new Attribute(
                        Integer.MAX_VALUE - place, "r" + place, column.type(), column.nullable()),
                new Expression.Reference(column));
    }

    private void load(DuckSession duck, LakeScope scope) {
        for (var source : scope.sources.entrySet()) {
            var name = scope.name(source.getKey());
            var read = scope.read(source.getKey());
            switch (source.getValue()) {
                case Table table -> load(duck, name, table, read, scope.person);
                case View view -> evaluate(duck, evaluation(scope, name, view.query(), read), view);
            }
        }
    }

    /** As it is: what the query computes of the view, it computes of what the view shows. */
    private void evaluate(DuckSession duck, String sql, View view) {
        checkStopped();
        try {
            duck.execute(sql);
        } catch (DuckException e) {
            throw told(e).orElseGet(() -> viewFailed(view, e));
        }
    }

    private static String evaluation(
            LakeScope scope, String name, Relation query, Set<String> columns) {
        var read = columns.isEmpty() ? Set.of(query.output().getFirst().name()) : columns;
        var list =
                query.output().stream()
                        .filter(a -> read.contains(a.name()))
                        .map(a -> cast(a) + " AS " + DuckPrinter.quoted(a.name()))
                        .collect(Collectors.joining(", "));
        return "CREATE TABLE %s AS SELECT %s FROM (%s)"
                .formatted(name, list, scope.printer.query(query));
    }

    private static String cast(Attribute column) {
        return DuckTypes.cast(DuckPrinter.quoted(column.name()), column.type());
    }

    private void load(DuckSession duck, String name, Table table, Set<String> read, Person person) {
        var given = columns(table, read.isEmpty() ? Set.of(first(table)) : read);
        var needed = new LinkedHashSet<>(given);
        table.filter().ifPresent(rule -> needed.addAll(columns(table, rule.columns())));
        for (var column : given) {
            mask(table, column.name())
                    .ifPresent(rule -> needed.addAll(columns(table, rule.columns())));
        }
        var inner = list(given, (column, i) -> shown(table, column, person) + " AS m" + i);
        var outer = list(given, (column, i) -> "m" + i + " AS " + quoted(column));
        var where = table.filter().map(rule -> " WHERE " + PolicySql.of(rule, person)).orElse("");
        var schema = new TableSchema(List.copyOf(needed));
        var names = schema.columns().stream().map(Column::name).toList();
        try (var rows = table.rows().open(names)) {
            duck.load(
                    schema,
                    unlessStopped(rows),
                    "CREATE TABLE %s AS SELECT %s FROM (SELECT %s FROM %s%s)"
                            .formatted(name, outer, inner, DuckSession.INCOMING, where));
        } catch (DuckException e) {
            throw table.filter().isEmpty() && table.masks().isEmpty()
                    ? told(e, "reading a table")
                    : told(e).orElseGet(() -> policyFailed(e));
        }
    }

    private Supplier<@Nullable Rows> unlessStopped(Reading rows) {
        return () -> {
            checkStopped();
            return rows.next();
        };
    }

    private static String first(Table table) {
        return table.schema().column(0).name();
    }

    private static List<Column> columns(Table table, Iterable<String> names) {
        var columns = new ArrayList<Column>();
        for (var name : names) {
            var place = table.schema().indexOf(name);
            columns.add(table.schema().column(place.orElseThrow(() -> noColumn(name))));
        }
        return columns;
    }

    private static LakemillException noColumn(String name) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "a row filter or mask asks for the column '%s', which is gone".formatted(name),
                "set the row filter or mask anew");
    }

    private static Optional<Rule> mask(Table table, String column) {
        return table.masks().entrySet().stream()
                .filter(mask -> mask.getKey().equalsIgnoreCase(column))
                .map(Map.Entry::getValue)
                .findFirst();
    }

    private static String shown(Table table, Column column, Person person) {
        return mask(table, column.name())
                .map(rule -> DuckTypes.cast(PolicySql.of(rule, person), column.type()))
                .orElseGet(() -> quoted(column));
    }

    private static String quoted(Column column) {
        return DuckPrinter.quoted(column.name());
    }

    private static String list(List<Column> columns, Printing printing) {
        return IntStream.range(0, columns.size())
                .mapToObj(i -> printing.print(columns.get(i), i))
                .collect(Collectors.joining(", "));
    }

    private interface Printing {
        String print(Column column, int place);
    }

    private Result result(DuckSession duck, String sql, Relation query) {
        var columns =
                query.output().stream()
                        .map(a -> new Column(a.name(), a.type(), a.nullable(), ""))
                        .toList();
        var schema =
                new TableSchema(
                        IntStream.range(0, columns.size())
                                .mapToObj(i -> Column.nullable("r" + i, columns.get(i).type()))
                                .toList());
        var batches = new ArrayList<Rows>();
        try (var read = duck.read(sql, schema)) {
            var rowsLeft = limits.rowsMax();
            var bytesLeft = limits.resultBytesMax();
            while (read.hasNext() && rowsLeft > 0 && bytesLeft > 0) {
                checkStopped();
                try (var rows = read.next()) {
                    var taken = (int) Math.min(rowsLeft, rows.count());
                    batches.add(taken == rows.count() ? rows.retain() : rows.slice(0, taken));
                    rowsLeft -= rows.count();
                    bytesLeft -= rows.sizeBytes();
                }
            }
            return new Result(columns, batches, rowsLeft < 0 || read.hasNext());
        } catch (RuntimeException | Error e) {
            batches.forEach(Rows::close);
            throw e;
        }
    }

    /** What hindered the engine, unless it is the policy's or the query's own fault. */
    private Optional<LakemillException> told(DuckException e) {
        var reason = stop.get();
        if (reason != null) {
            return Optional.of(reason);
        }
        return switch (e.kind()) {
            case VALUE -> Optional.empty();
            case EXHAUSTED ->
                    Optional.of(
                            new LakemillException(
                                    ErrorCode.RESOURCE_EXHAUSTED,
                                    "the query does not fit into its memory and temporary files: "
                                            + e.problem(),
                                    "read fewer rows or columns, or raise sql.memory_mb",
                                    e));
            case BROKEN ->
                    Optional.of(
                            new LakemillException(
                                    ErrorCode.INTERNAL,
                                    "the engine failed: " + e.problem(),
                                    "report this as a defect, with the query",
                                    e));
        };
    }

    private LakemillException told(DuckException e, String what) {
        return told(e).orElseGet(
                        () ->
                                new LakemillException(
                                        ErrorCode.INVALID_ARGUMENT,
                                        "%s failed: %s".formatted(what, e.problem()),
                                        "use try_divide or try_cast where values may not fit",
                                        e));
    }

    /** Says nothing of the value, which the person may not see. */
    private static LakemillException policyFailed(DuckException e) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "a row filter or mask of the table cannot be computed for one of its rows",
                "whoever manages the table can mend its function",
                e);
    }

    /** Says nothing of the value, which the person may not see. */
    private static LakemillException viewFailed(View view, DuckException e) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "the view %s cannot be computed for one of the rows that it reads"
                        .formatted(view.name()),
                "its owner can use try_divide or try_cast in its text, where values may not fit",
                e);
    }

    private Path folder() {
        try {
            Files.createDirectories(temporaryFolder);
            return Files.createTempDirectory(temporaryFolder, "query");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Deletes what queries of an earlier process left in the folder for temporary files. */
    public static void clear(Path temporaryFolder) {
        if (Files.isDirectory(temporaryFolder)) {
            try (var folders = Files.list(temporaryFolder)) {
                folders.forEach(LakeQuery::delete);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static void delete(Path folder) {
        try (var files = Files.list(folder)) {
            for (var file : files.toList()) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
