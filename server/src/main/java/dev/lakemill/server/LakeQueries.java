package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.NameDefaults;
import dev.lakemill.pipeline.LakeQuery;
import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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
            LakePlanner planner,
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
        var plan =
                parts.planner().plan(asked.caller(), Fragment.all(asked.text()), asked.defaults());
        var sources = new LinkedHashMap<TableName, LakeQuery.Source>();
        plan.scanned().forEach((name, s) -> sources.put(name, source(asked.caller(), s)));
        await();
        try {
            var query = new LakeQuery(limits.query(), parts.temporaryFolder(), parts.allocator());
            started.accept(query);
            var now = Clock.systemUTC().instant();
            try (var result = query.run(plan.relation(), sources, person(asked.caller()), now)) {
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

    /** Of a table that a view names, row filter and masks are those of who asks, too. */
    private LakeQuery.Source source(Caller caller, LakePlan.Scanned scanned) {
        return switch (scanned) {
            case LakePlan.Delta(var table) ->
                    policies.governed(
                            table, table.schema(), LakeTable.opening(parts.lake(), table));
            case LakePlan.Tail(var table) ->
                    policies.governed(
                            table,
                            LakeTable.tailSchema(table),
                            LakeTable.tailOpening(parts.lake(), table));
            case LakePlan.View(var view, var query) -> new LakeQuery.View(view.name(), query);
            case LakePlan.OfSystem(var table) ->
                    new LakeQuery.Table(
                            table.schema(),
                            columns -> table.open(caller, columns, parts.allocator()),
                            Optional.empty(),
                            Map.of());
        };
    }
}
