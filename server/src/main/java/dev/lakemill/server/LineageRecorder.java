package dev.lakemill.server;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.LineageEntity;
import dev.lakemill.catalog.LineageFlow;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.postgres.RowAudit;
import dev.lakemill.types.LakemillException;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records by itself what flows through the node: a pipeline's edges once a day while it runs, what
 * producers wrote once an hour each, and who wrote to state tables, from the sealed row audit.
 *
 * <p>A thread of its own does it every few seconds. What cannot be written now is written later.
 */
final class LineageRecorder implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LineageRecorder.class);
    private static final Duration PAUSE = Duration.ofSeconds(5);
    private static final Duration END_WAIT_MAX = Duration.ofSeconds(10);
    private static final Duration KEPT = Duration.ofDays(365);
    private static final int ROWS_MAX = 20_000;
    private static final String FOLLOWER = "lineage";

    /** A pipeline that runs, on whose account, and the day that its edges were last recorded. */
    private record Running(PipelinePlan plan, String owner, Instant recorded) {}

    private final DataSource database;
    private final Catalog catalog;
    private final Clock clock;
    private final Map<String, Running> pipelines = new ConcurrentHashMap<>();
    private final PeriodicWork work;
    private Instant forgotten = Instant.EPOCH;

    private LineageRecorder(DataSource database, Catalog catalog, Clock clock) {
        this.database = database;
        this.catalog = catalog;
        this.clock = clock;
        this.work = PeriodicWork.start("lineage", PAUSE, END_WAIT_MAX, this::record);
    }

    /** The row audit of the same database has been opened before. */
    static LineageRecorder start(DataSource database, Catalog catalog, Clock clock) {
        return new LineageRecorder(database, catalog, clock);
    }

    /** Records the pipeline's edges from now on. */
    void runs(PipelinePlan plan, String owner) {
        pipelines.put(plan.name(), new Running(plan, owner, Instant.EPOCH));
    }

    @Override
    public void close() {
        work.close();
    }

    private void record() {
        try {
            var now = clock.instant();
            pipelines.values().forEach(pipeline -> record(pipeline, now));
            catalog.lineage().flush();
            while (recordStateTables() == ROWS_MAX) {
                log.debug("lineage of state tables: {} rows", ROWS_MAX);
            }
            forget(now);
        } catch (LakemillException | SQLException e) {
            log.warn("lineage is not recorded now: {}", e.getMessage());
        }
    }

    private void record(Running pipeline, Instant now) {
        var day = now.truncatedTo(ChronoUnit.DAYS);
        if (day.equals(pipeline.recorded())) {
            return;
        }
        catalog.lineage().record(flows(pipeline.plan(), pipeline.owner(), day, now));
        pipelines.replace(
                pipeline.plan().name(),
                pipeline,
                new Running(pipeline.plan(), pipeline.owner(), day));
    }

    /** What a plan makes flow: its datasets by the pipeline, its synced tables by the sync. */
    static List<LineageFlow> flows(PipelinePlan plan, String owner, Instant window, Instant now) {
        var run = plan.textHash();
        return List.of(
                new LineageFlow(
                        new LineageEntity(LineageEntity.Type.PIPELINE, plan.name(), run),
                        owner,
                        window,
                        now,
                        PlanLineage.ofDatasets(plan)),
                new LineageFlow(
                        new LineageEntity(LineageEntity.Type.SYNC, plan.name(), run),
                        owner,
                        window,
                        now,
                        PlanLineage.ofSyncedTables(plan)));
    }

    /** Returns how many rows were followed; they count once, for their end moves along. */
    private int recordStateTables() throws SQLException {
        try (var connection = database.getConnection()) {
            connection.setAutoCommit(false);
            try {
                var followed = RowAudit.follow(connection, FOLLOWER, ROWS_MAX);
                var names = stateTables();
                var flows = followed.writes().stream().map(w -> flow(w, names)).toList();
                catalog.lineage().record(connection, flows);
                connection.commit();
                return followed.rows();
            } finally {
                connection.rollback();
                connection.setAutoCommit(true);
            }
        }
    }

    private Map<String, LineageNode> stateTables() {
        return catalog.list().stream()
                .filter(table -> table.location().startsWith("postgres:"))
                .collect(
                        Collectors.toMap(
                                CatalogTable::location,
                                table -> LineageNode.table(table.name()),
                                (first, _) -> first,
                                HashMap::new));
    }

    private static LineageFlow flow(RowAudit.Writes writes, Map<String, LineageNode> names) {
        var location = "postgres:" + writes.schema() + "." + writes.table();
        var target = names.getOrDefault(location, new LineageNode(LineageNode.Type.PATH, location));
        return new LineageFlow(
                new LineageEntity(LineageEntity.Type.APP, writes.user(), ""),
                writes.user(),
                writes.hour(),
                writes.newest(),
                List.of(new LineageFlow.Edge(null, target, List.of(), writes.rows())));
    }

    private void forget(Instant now) {
        if (Duration.between(forgotten, now).compareTo(Duration.ofDays(1)) > 0) {
            catalog.lineage().forget(now.minus(KEPT));
            forgotten = now;
        }
    }
}
