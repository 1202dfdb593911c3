package dev.lakemill.server;

import dev.lakemill.catalog.AuditReader;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.pipeline.LakeQuery;
import dev.lakemill.pipeline.PipelineConfig;
import dev.lakemill.pipeline.WarmCompiler;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import javax.sql.DataSource;
import org.apache.arrow.memory.BufferAllocator;

/** SQL of the node: its statements, and how the functions in them are compiled. */
final class SqlService implements AutoCloseable {
    private static final long RESULT_BYTES_MAX = 16L << 20;
    private static final long TEMPORARY_BYTES_MAX = 4L << 30;
    private static final Duration EVALUATION_TIME_MAX = Duration.ofHours(1);
    private static final Duration WAIT_MAX = Duration.ofSeconds(30);

    /** What it is given of the node. */
    record Parts(
            Config config,
            Catalog catalog,
            Tables tables,
            LakeTable.Tails tails,
            WarmCompiler compiler,
            LakePlanner planner,
            SyncedTables synced,
            BufferAllocator allocator,
            Routes.Changes changes) {}

    private final PolicyCompiler functions;
    private final SqlStatements statements;
    private final GovernanceFile file;

    SqlService(Parts parts) {
        var catalog = parts.catalog();
        this.functions = new PolicyCompiler(parts.compiler());
        var queries =
                new LakeQueries(
                        new LakeQueries.Parts(
                                catalog,
                                new LakeTable.Parts(
                                        parts.tables(), parts.tails(), parts.allocator()),
                                parts.planner(),
                                temporaryFolder(parts.config()),
                                parts.allocator()),
                        limits(parts.config()));
        var governance = new GovernanceStatements(catalog, functions);
        this.file =
                new GovernanceFile(
                        parts.config().path(Setting.GOVERNANCE), governance, catalog.system());
        this.statements =
                new SqlStatements(
                        governance,
                        new SyncedTableStatements(catalog, parts.synced()),
                        new ViewStatements(catalog, parts.planner()),
                        queries,
                        catalog.audit(),
                        parts.changes());
    }

    SqlStatements statements() {
        return statements;
    }

    /** What the project says of governance. */
    GovernanceFile file() {
        return file;
    }

    /** Compiles the functions of row filters and masks. */
    PolicyCompiler functions() {
        return functions;
    }

    @Override
    public void close() {
        statements.close();
    }

    private static Path temporaryFolder(Config config) {
        return config.data().resolve("queries");
    }

    /** Plans of queries over all that the node has. */
    static LakePlanner planner(Catalog catalog, DataSource database, WarmCompiler compiler) {
        var kept = new ArrayList<>(AccessTables.of(catalog, new AuditReader(database)));
        kept.addAll(IngestHistoryTables.of(catalog, database));
        kept.addAll(ModelUsageTables.of(catalog, database));
        return new LakePlanner(catalog, new SystemTables(catalog, kept), compiler);
    }

    /** What synced tables copy, views as far as they fit into what a query may take. */
    static SyncSources sources(LakeSource.Parts lake, LakePlanner planner, Config config) {
        var query =
                new LakeQuery.Limits(
                        Long.MAX_VALUE, Long.MAX_VALUE, EVALUATION_TIME_MAX, engine(config));
        return new SyncSources(
                lake, planner, new SyncSources.Limits(query, temporaryFolder(config)));
    }

    private static PipelineConfig.Duck engine(Config config) {
        return new PipelineConfig.Duck(
                (long) config.number(Setting.SQL_MEMORY_MB) << 20, TEMPORARY_BYTES_MAX, 2);
    }

    private static LakeQueries.Limits limits(Config config) {
        return new LakeQueries.Limits(
                new LakeQuery.Limits(
                        config.number(Setting.SQL_ROWS),
                        RESULT_BYTES_MAX,
                        Duration.ofSeconds(config.number(Setting.SQL_TIMEOUT_S)),
                        engine(config)),
                config.number(Setting.SQL_PARALLEL),
                WAIT_MAX);
    }
}
