package dev.lakemill.pipeline;

import dev.lakemill.feed.Changes;
import dev.lakemill.feed.TableBatch;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.BufferAllocator;

/**
 * A plan that runs by itself: batches are handed in, changes come out, nothing is written. For
 * trying a plan, and for measuring. One thread uses it.
 */
public final class PipelineTrial implements AutoCloseable {
    private final Program program;
    private final Engine engine;
    private final DuckSession duck;
    private long number;

    /**
     * @param temporary a folder for what does not fit in memory
     * @throws LakemillException as {@link Pipeline#start}
     */
    public PipelineTrial(
            PipelinePlan plan, PipelineConfig config, Path temporary, BufferAllocator allocator) {
        this.program = Program.of(plan);
        this.duck = DuckSession.open(config.duck(), temporary, allocator);
        this.engine = new Engine(program, duck, config.views().choice());
    }

    /** Has rows that no query reads any more deleted, and the others compressed, after so many. */
    public void tidyEvery(long rows) {
        engine.upkeep().every(rows);
    }

    /**
     * Runs a batch; the first computes all views.
     *
     * @param rows new rows of sources; they stay the caller's
     * @return what became of the outputs; the caller's to close
     * @throws LakemillException FAILED_PRECONDITION when the batch must not stand; nothing has
     *     changed then
     */
    public Map<TableName, Changes> run(Instant now, Map<TableName, Rows> rows) {
        var batches = new HashMap<TableName, List<TableBatch>>();
        rows.forEach(
                (table, fresh) -> {
                    if (fresh.count() > 0) {
                        batches.put(
                                table,
                                List.of(
                                        new TableBatch(
                                                fresh.retain(), new long[fresh.count()], 0)));
                    }
                });
        try {
            var outcome = engine.run(new BatchInput(number + 1, now, batches, number == 0));
            return switch (outcome) {
                case BatchOutcome.Done done -> {
                    number++;
                    yield done.changes();
                }
                case BatchOutcome.Rejected rejected ->
                        throw refused(rejected.reason(), rejected.hint());
                case BatchOutcome.Exhausted exhausted ->
                        throw refused(exhausted.reason(), "give it more memory");
            };
        } finally {
            batches.values().forEach(list -> list.forEach(TableBatch::close));
        }
    }

    private static LakemillException refused(String reason, String hint) {
        return new LakemillException(ErrorCode.FAILED_PRECONDITION, reason, hint);
    }

    /** The rows of a view; the caller's to close. */
    public Rows content(TableName view) {
        var found =
                program.views().stream()
                        .filter(v -> v.name().equals(view))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException(view + " is no view"));
        return duck.rows(Engine.content(found), found.schema(), 1);
    }

    /**
     * Fills a trial that has not run with what another one had, as after a crash.
     *
     * @param content all rows of views and sources; they stay the caller's
     * @param now of the last batch
     */
    public void resume(Map<TableName, Rows> content, Instant now) {
        content.forEach(this::load);
        engine.now(now);
        number = 1;
    }

    private void load(TableName table, Rows rows) {
        if (isKept(table, rows.schema())) {
            var next = new ArrayList<>(List.of(rows.retain()));
            engine.load(table, rows.schema(), () -> next.isEmpty() ? null : next.removeLast());
        }
    }

    private boolean isKept(TableName table, TableSchema schema) {
        return program.views().stream().anyMatch(view -> view.name().equals(table))
                || !program.columnsKept(new Program.Appended(table, schema)).isEmpty();
    }

    /** Holds all views against their queries. */
    public List<ViewAudit> audit() {
        return engine.audit();
    }

    /** How each view is kept. */
    public Map<TableName, ViewStatus> views() {
        return engine.views();
    }

    @Override
    public void close() {
        engine.close();
    }
}
