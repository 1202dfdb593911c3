package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.NameDefaults;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.pipeline.LakeQuery;
import dev.lakemill.pipeline.WarmCompiler;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.SqlCompilation;
import dev.lakemill.plan.SqlRequest;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Queries over the catalog's Delta tables and the system's own.
 *
 * <p>Each table of a query needs SELECT; its row filter and masks are applied to whoever asks, its
 * owner among them, before the query sees a row. A few queries run at a time, the others wait.
 */
final class LakeQueries {
    /**
     * @param parallelMax queries that run at a time
     * @param waitMax how long one more waits for its turn; then RESOURCE_EXHAUSTED
     */
    record Limits(LakeQuery.Limits query, int parallelMax, Duration waitMax) {}

    /** A statement as it was asked. */
    record Asked(Caller caller, SourceText text, NameDefaults defaults) {}

    /** What queries are given of the node. */
    record Parts(
            Catalog catalog,
            LakeTable.Parts lake,
            SystemTables system,
            WarmCompiler compiler,
            Path temporaryFolder,
            BufferAllocator allocator) {}

    private final Parts parts;
    private final Limits limits;
    private final Semaphore turns;
    private final LakePolicies policies;

    LakeQueries(Parts parts, Limits limits) {
        this.parts = parts;
        this.limits = limits;
        this.policies = new LakePolicies(parts.catalog());
        this.turns = new Semaphore(limits.parallelMax(), true);
        LakeQuery.clear(parts.temporaryFolder());
    }

    /**
     * @param started is told of the query when it may be cancelled
     * @throws LakemillException PERMISSION_DENIED naming the missing grant; INVALID_ARGUMENT with
     *     the place for what is wrong in the text
     */
    SqlAnswer run(Asked asked, Consumer<LakeQuery> started) {
        var text = Fragment.all(asked.text());
        var sources = new ArrayList<SqlRequest.Source>();
        var tails = new HashMap<TableName, TableName>();
        var compiled = parts.compiler().compile(new SqlRequest.Query(text, sources));
        if (compiled instanceof SqlCompilation.Reads(var reads)) {
            var tailSources = new ArrayList<SqlRequest.Source>();
            for (var read : reads) {
                read.tailOf()
                        .ifPresentOrElse(
                                of -> tailSources.add(tailSource(asked, read, of, tails)),
                                () -> sources.add(source(asked, read)));
            }
            var all = new ArrayList<>(sources);
            all.addAll(tailSources);
            compiled = parts.compiler().compile(new SqlRequest.Query(text, all));
        }
        var relation =
                switch (compiled) {
                    case SqlCompilation.Query(Relation query) -> query;
                    case SqlCompilation.Rejected(var errors) ->
                            throw errors.getFirst().toException(asked.text());
                    case SqlCompilation.Reads _, SqlCompilation.Scalar _ ->
                            throw new IllegalStateException("a query whose tables are known");
                };
        var tables = new HashMap<TableName, LakeQuery.Table>();
        for (var source : sources) {
            tables.put(source.table(), table(asked.caller(), source.table()));
        }
        tails.forEach((standIn, table) -> tables.put(standIn, tail(table)));
        return run(relation, tables, asked.caller(), started);
    }

    private SqlAnswer run(
            Relation relation,
            Map<TableName, LakeQuery.Table> tables,
            Caller caller,
            Consumer<LakeQuery> started) {
        await();
        try {
            var query = new LakeQuery(limits.query(), parts.temporaryFolder(), parts.allocator());
            started.accept(query);
            var now = Clock.systemUTC().instant();
            try (var result = query.run(relation, tables, person(caller), now)) {
                return answer(result);
            }
        } finally {
            turns.release();
        }
    }

    private void await() {
        try {
            if (turns.tryAcquire(limits.waitMax().toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        throw new LakemillException(
                ErrorCode.RESOURCE_EXHAUSTED,
                "%d queries run already".formatted(limits.parallelMax()),
                "ask again when one has ended");
    }

    private LakeQuery.Person person(Caller caller) {
        var groups =
                parts.catalog().principals().groupsOf(caller.principal().id()).stream()
                        .map(Principal::name)
                        .sorted()
                        .toList();
        return new LakeQuery.Person(caller.principal().name(), groups);
    }

    private static SqlAnswer answer(LakeQuery.Result result) {
        var columns = result.columns();
        var rows = new ArrayList<List<@Nullable String>>();
        for (var batch : result.batches()) {
            for (int row = 0; row < batch.count(); row++) {
                var values = new ArrayList<@Nullable String>(columns.size());
                for (int i = 0; i < columns.size(); i++) {
                    values.add(SqlValues.text(batch.vector(i), columns.get(i).type(), row));
                }
                rows.add(values);
            }
        }
        return new SqlAnswer(columns, rows, result.cut());
    }

    /** The table that a query names, if the caller may read it. */
    private SqlRequest.Source source(Asked asked, SqlCompilation.Read read) {
        var name = name(asked, read);
        var system = parts.system().find(name);
        if (system.isPresent()) {
            return new SqlRequest.Source(read.written(), name, system.get().schema());
        }
        var table = parts.catalog().find(name);
        if (table.isEmpty()) {
            throw unknown(asked, read, name);
        }
        var found = table.get();
        parts.catalog()
                .access()
                .require(asked.caller(), Privilege.SELECT, Securable.table(found.name()));
        elsewhere(found)
                .ifPresent(
                        hint -> {
                            throw new TextError(
                                            read.position(),
                                            "%s is a %s and not of the lake"
                                                    .formatted(found.name(), found.kind()),
                                            hint)
                                    .toException(asked.text());
                        });
        return new SqlRequest.Source(read.written(), found.name(), found.schema());
    }

    /** The log's tail of a table, under a name of its own. */
    private SqlRequest.Source tailSource(
            Asked asked,
            SqlCompilation.Read read,
            SqlCompilation.Read of,
            Map<TableName, TableName> tails) {
        var table = parts.catalog().find(source(asked, of).table());
        if (table.isEmpty() || table.get().kind() != TableKind.INGESTED) {
            throw new TextError(
                            read.position(),
                            "%s takes no rows from producers, so that no log has its tail"
                                    .formatted(of.written()),
                            "read the table itself")
                    .toException(asked.text());
        }
        var found = table.get();
        var standIn = LakeTable.tailName(found.name());
        if (parts.catalog().find(standIn).isPresent()) {
            throw new TextError(
                            read.position(),
                            "the tail of %s cannot be read beside the table %s"
                                    .formatted(found.name(), standIn),
                            "name that one otherwise")
                    .toException(asked.text());
        }
        tails.put(standIn, found.name());
        return new SqlRequest.Source(read.written(), standIn, LakeTable.tailSchema(found));
    }

    /** Where to read a table that is no Delta table, or not for us to read. */
    private static Optional<String> elsewhere(CatalogTable table) {
        return switch (table.kind()) {
            case INGESTED, STREAMING_TABLE, MATERIALIZED_VIEW, QUARANTINE, EXTERNAL ->
                    Optional.empty();
            case SYNCED ->
                    Optional.of(
                            "read it in Postgres (./lakemill sql --postgres), or read %s here"
                                    .formatted(table.properties().get(OutputTables.SOURCE)));
            case STATE -> Optional.of("read it in Postgres (./lakemill sql --postgres)");
            case MANAGED, VIEW -> Optional.of("read it by Spark with the catalog's REST API");
        };
    }

    private static TableName name(Asked asked, SqlCompilation.Read read) {
        var parts = new ArrayList<>(List.of(read.written().split("\\.", -1)));
        var defaults = asked.defaults();
        if (parts.size() == 1 && !defaults.schema().isEmpty()) {
            parts.addFirst(defaults.schema());
        }
        if (parts.size() == 2 && !defaults.catalog().isEmpty()) {
            parts.addFirst(defaults.catalog());
        }
        try {
            return TableName.parse(String.join(".", parts));
        } catch (LakemillException e) {
            throw new TextError(read.position(), e.problem(), e.hint()).toException(asked.text());
        }
    }

    /** Names of tables that the caller may not see are not told. */
    private LakemillException unknown(Asked asked, SqlCompilation.Read read, TableName name) {
        var seen =
                parts.system().seenBy(asked.caller()).stream()
                        .map(table -> table.name().toString())
                        .toList();
        return new TextError(
                        read.position(),
                        "there is no table %s, or you may not see it".formatted(name),
                        NearestName.hint(name.toString(), seen))
                .toException(asked.text());
    }

    private LakeQuery.Table table(Caller caller, TableName name) {
        var system = parts.system().find(name);
        if (system.isPresent()) {
            var table = system.get();
            return new LakeQuery.Table(
                    table.schema(),
                    columns -> table.open(caller, columns, parts.allocator()),
                    Optional.empty(),
                    Map.of());
        }
        var found = parts.catalog().find(name).orElseThrow(() -> gone(name));
        return policies.governed(found, found.schema(), LakeTable.opening(parts.lake(), found));
    }

    private LakeQuery.Table tail(TableName name) {
        var found = parts.catalog().find(name).orElseThrow(() -> gone(name));
        return policies.governed(
                found, LakeTable.tailSchema(found), LakeTable.tailOpening(parts.lake(), found));
    }

    private static LakemillException gone(TableName name) {
        return new LakemillException(
                ErrorCode.NOT_FOUND, "the table %s is gone".formatted(name), "");
    }
}
