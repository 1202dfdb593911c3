package dev.lakemill.server;

import dev.lakemill.capture.Capture;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.ingest.TableStatus;
import dev.lakemill.server.NodeStatus.TableState;
import dev.lakemill.sync.SourceStatus;
import dev.lakemill.sync.SyncStatus;
import dev.lakemill.types.TableName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Gathers the node's status from its parts; asked again within a moment, it tells the same. */
final class StatusReport {
    private static final long KEPT_NANOS = 100_000_000;

    /** Live rows of a Delta table at a version; counting lists its files. */
    private record Counted(long version, long rows) {}

    private final Node node;
    private final RowAuditOptOuts optOuts;
    private final Map<TableName, Counted> counts = new HashMap<>();
    private @Nullable NodeStatus last;
    private long lastNanos;

    StatusReport(Node node) {
        this.node = node;
        this.optOuts = new RowAuditOptOuts(node.postgres().owner(), node.catalog());
    }

    synchronized NodeStatus get() {
        var kept = last;
        if (kept == null || System.nanoTime() - lastNanos > KEPT_NANOS) {
            kept = gather();
            last = kept;
            lastNanos = System.nanoTime();
        }
        return kept;
    }

    private NodeStatus gather() {
        var reasons = node.notReady();
        return new NodeStatus(
                node.config().text(Setting.NODE),
                Version.NUMBER,
                reasons.isEmpty(),
                reasons,
                node.pipelines().hosts().stream().allMatch(PipelineHost::caughtUp),
                node.uptimeSeconds(),
                node.throughput().rowsPerSecond(),
                node.throughput().rowsPerSecondMean(),
                tables(),
                node.pipelines().hosts().stream().map(PipelineHost::state).toList(),
                node.capture().map(StatusReport::capture).orElse(null),
                optOuts.get());
    }

    private static NodeStatus.CaptureState capture(Capture capture) {
        var status = capture.status();
        var lag = capture.lagBytes();
        return new NodeStatus.CaptureState(
                status.state().name(),
                status.slot(),
                lag.isPresent() ? lag.getAsLong() : null,
                status.tables(),
                status.changes(),
                status.commitToDeltaMillis(),
                status.error());
    }

    /** Those that the node feeds: it knows nothing of what others write. */
    private List<TableState> tables() {
        var ingested =
                node.ingest().tables().stream()
                        .collect(Collectors.toMap(TableStatus::table, t -> t));
        var synced =
                Stream.concat(
                                node.pipelines().hosts().stream().flatMap(p -> p.synced().stream()),
                                node.synced().status().stream().map(SourceStatus::table))
                        .collect(Collectors.toMap(SyncStatus::name, s -> s));
        return node.catalog().list().stream()
                .flatMap(
                        table ->
                                switch (table.kind()) {
                                    case INGESTED ->
                                            Stream.of(ingested(table, ingested.get(table.name())));
                                    case SYNCED ->
                                            Stream.of(synced(table, synced.get(table.name())));
                                    case STREAMING_TABLE, MATERIALIZED_VIEW, QUARANTINE ->
                                            Stream.of(output(table));
                                    case EXTERNAL, MANAGED, VIEW, STATE -> Stream.empty();
                                })
                .toList();
    }

    /** Rows that readers of the feed see: those in Delta, and those on their way there. */
    private TableState ingested(CatalogTable table, @Nullable TableStatus status) {
        var waiting = status == null ? 0 : status.rowsReceived() - status.rowsCommitted();
        return new TableState(
                table.name().toString(),
                table.kind().name(),
                null,
                counted(table.name()).rows() + waiting,
                status == null ? 0 : status.position(),
                status == null ? null : status.freshnessMillis(),
                null);
    }

    private TableState output(CatalogTable table) {
        var counted = counted(table.name());
        return new TableState(
                table.name().toString(),
                table.kind().name(),
                null,
                counted.rows(),
                counted.version(),
                freshness(table),
                null);
    }

    private TableState synced(CatalogTable table, @Nullable SyncStatus status) {
        return new TableState(
                table.name().toString(),
                TableKind.SYNCED.name(),
                table.properties().get(OutputTables.SOURCE),
                status == null ? 0 : status.rows(),
                status == null ? 0 : status.batch(),
                freshness(table),
                status == null ? null : load(status.progress()));
    }

    private static NodeStatus.@Nullable LoadState load(SourceStatus.@Nullable Progress progress) {
        return progress == null
                ? null
                : new NodeStatus.LoadState(
                        progress.rows(),
                        progress.rowsTotal(),
                        progress.completion(),
                        progress.secondsLeft());
    }

    private @Nullable Long freshness(CatalogTable table) {
        return node.pipelines().hosts().stream()
                .filter(p -> p.name().equals(table.properties().get(OutputTables.PIPELINE)))
                .findFirst()
                .map(p -> p.freshnessMs(table.kind()))
                .orElse(null);
    }

    private Counted counted(TableName name) {
        var table = node.tables().openDelta(name);
        if (table == null) {
            return new Counted(0, 0);
        }
        var snapshot = table.snapshot();
        return counts.compute(
                name,
                (_, known) ->
                        known != null && known.version() == snapshot.version()
                                ? known
                                : new Counted(snapshot.version(), snapshot.rowCount()));
    }
}
