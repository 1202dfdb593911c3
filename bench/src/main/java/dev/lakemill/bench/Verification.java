package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.RootAllocator;

/**
 * The checks at the end of a demo or a crash bench: some asked of the running server, most read by
 * this process from the Delta tables and from Postgres after the server has stopped.
 */
final class Verification {
    private static final List<String> FEEDS =
            List.of("inventory_movements", "supplier_quotes", "demand_events", "commodity_prices");

    private final Path data;
    private final Report.Builder report;
    private final Map<String, Long> dropped = new HashMap<>();
    private final Map<TableName, TableName> synced = new HashMap<>();

    Verification(Path data, Report.Builder report) {
        this.data = data;
        this.report = report;
    }

    /**
     * @param status of GET /api/status, once everything is caught up
     * @param audit of GET /api/pipelines/farm/audit: differences of each view from its query
     */
    void running(JsonNode status, JsonNode audit) {
        report.figure("rows_per_second", status.path("rows_per_second_mean").asDouble());
        for (var pipeline : status.path("pipelines")) {
            report.check("pipeline_runs", pipeline.path("state").asText().equals("RUNNING"));
            for (var table : pipeline.path("outputs")) {
                dropped.put(table.path("table").asText(), table.path("dropped").asLong());
            }
        }
        for (var table : status.path("tables")) {
            if (table.path("kind").asText().equals("SYNCED")) {
                synced.put(
                        TableName.parse(table.path("name").asText()),
                        TableName.parse(table.path("source").asText()));
            }
        }
        report.check("views_were_audited", audit.path("views").size() > 0);
        audit.path("views")
                .properties()
                .forEach(
                        view ->
                                report.check(
                                        "every_view_equals_its_query",
                                        view.getValue().asLong() == 0));
    }

    /** Reads what stands in Delta and in Postgres; the server has ended. */
    void stopped(Truth truth) throws IOException, InterruptedException {
        bronze(truth);
        accounting();
        postgres();
    }

    private void bronze(Truth truth) {
        long rows = 0;
        long lost = 0;
        long doubled = 0;
        for (var stream : truth.streams().values()) {
            var found = BronzeCheck.of(stream, location(stream.table()));
            rows += found.rows();
            lost += found.lost();
            doubled += found.doubled();
        }
        report.figure("rows_bronze", rows);
        report.figure("lost_rows", lost);
        report.figure("doubled_rows", doubled);
        report.check("every_acknowledged_row_is_in_bronze", lost == 0);
        report.check("no_row_is_in_bronze_twice", doubled == 0);
        report.check("rows_were_sent", truth.rows() > 0);
        report.check(
                "every_row_sent_is_acknowledged",
                truth.streams().values().stream().allMatch(s -> s.unacked().isEmpty()));
    }

    /** Silver + quarantined + dropped = Bronze, feed by feed. */
    private void accounting() {
        for (var feed : FEEDS) {
            var silver = TableName.parse("farm.silver." + feed);
            var kept = rows(silver);
            var aside = rows(TableName.parse("farm.silver." + feed + "_quarantine"));
            var gone = dropped.getOrDefault(silver.toString(), 0L);
            var came = rows(TableName.parse("farm.bronze." + feed));
            report.check("silver_quarantined_and_dropped_make_bronze", kept + aside + gone == came);
            report.figure(feed + "_silver_rows", kept);
            report.figure(feed + "_quarantined_rows", aside);
            report.figure(feed + "_dropped_rows", gone);
        }
    }

    private long rows(TableName name) {
        try (var allocator = new RootAllocator()) {
            return DeltaTable.read(location(name), allocator).rowCount();
        }
    }

    private void postgres() throws IOException {
        var config = PostgresConfig.embedded(data.resolve("postgres"), Ports.free());
        try (var postgres = Postgres.start(config);
                var connection = postgres.reader().getConnection();
                var allocator = new RootAllocator()) {
            report.check("synced_tables_were_compared", !synced.isEmpty());
            for (var entry : synced.entrySet()) {
                var table = DeltaTable.read(location(entry.getValue()), allocator);
                var gold = TableContent.ofDelta(table);
                var shown = TableContent.ofPostgres(connection, entry.getKey(), table.schema());
                report.check("postgres_equals_gold", gold.equals(shown));
                report.figure(entry.getKey().table() + "_rows", gold.size());
            }
        } catch (SQLException e) {
            throw new IOException("cannot read Postgres for the comparison", e);
        }
    }

    private Path location(TableName name) {
        return data.resolve("tables")
                .resolve(name.catalog())
                .resolve(name.schema())
                .resolve(name.table());
    }
}
