package dev.lakemill.bench;

import dev.lakemill.capture.Capture;
import dev.lakemill.capture.CaptureConfig;
import dev.lakemill.capture.CaptureStatus;
import dev.lakemill.capture.Lake;
import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;

/**
 * State tables read back into the lake: from a commit in Postgres to its row in Delta, row changes
 * a second, and how much larger updates of hot keys leave a table of Postgres and its current state
 * in Delta. Debezium has the same load on a Postgres of its own, and only counts what comes.
 */
final class CaptureBench {

    private CaptureBench() {}

    static Report run(BenchOptions options) throws IOException, SQLException, InterruptedException {
        var report = new Report.Builder();
        var latencies = new ArrayList<Double>();
        var rates = new ArrayList<Double>();
        var bloats = new ArrayList<Double>();
        var lakeBloats = new ArrayList<Double>();
        var peerLatencies = new ArrayList<Double>();
        var peerRates = new ArrayList<Double>();
        for (int round = 0; round < options.rounds(); round++) {
            try (var fixture = new Fixture()) {
                latencies.addAll(fixture.load.latencies(options.seconds(), fixture));
                rates.add(fixture.load.changesPerSecond(options.seconds(), fixture));
                var factors = fixture.bloat(options.seconds());
                bloats.add(factors[0]);
                lakeBloats.add(factors[1]);
                report.check("history_has_every_change_once", fixture.historyIsWhole());
                report.check("current_state_equals_postgres", fixture.currentIsPostgres());
            }
            try (var load = new CaptureLoad();
                    var peer = DebeziumPeer.start(load)) {
                peerLatencies.addAll(load.latencies(options.seconds(), peer));
                peerRates.add(load.changesPerSecond(options.seconds(), peer));
            }
        }
        report.figure("commit_to_delta_ms_p50", at(latencies, 0.5));
        report.figure("commit_to_delta_ms_p95", at(latencies, 0.95));
        report.figure("changes_per_second", at(rates, 0.5));
        report.figure("debezium_commit_to_handler_ms_p95", at(peerLatencies, 0.95));
        report.figure("debezium_changes_per_second", at(peerRates, 0.5));
        report.figure("changes_vs_debezium", at(rates, 0.5) / at(peerRates, 0.5));
        report.figure("table_bloat_factor", at(bloats, 0.5));
        report.figure("current_state_bloat_factor", at(lakeBloats, 0.5));
        return report.build();
    }

    private static double at(List<Double> values, double part) {
        var sorted = new ArrayList<>(values);
        Collections.sort(sorted);
        return sorted.get(Math.min(sorted.size() - 1, (int) (sorted.size() * part)));
    }

    /** A lake that follows the tables of a load. */
    private static final class Fixture implements Lake, CaptureLoad.Follower, AutoCloseable {
        private final RootAllocator allocator = new RootAllocator();
        private final Path folder = Folders.temporary("lakemill-bench");
        private final Map<String, DeltaTable> tables = new ConcurrentHashMap<>();
        private final CaptureLoad load = new CaptureLoad();
        private final Capture capture;
        private long hotChanges;

        Fixture() throws IOException, SQLException, InterruptedException {
            capture =
                    Capture.start(
                            CaptureConfig.of("bench", List.of("app")),
                            load.postgres(),
                            this,
                            allocator,
                            Clock.systemUTC());
            while (capture.status().state() != CaptureStatus.State.STREAMING) {
                Thread.sleep(5);
            }
        }

        @Override
        public DeltaTable open(String schema, String table, Part part, TableSchema columns) {
            return tables.computeIfAbsent(
                    table + part,
                    name ->
                            DeltaTable.create(
                                    folder.resolve(name),
                                    columns,
                                    DeltaConfig.DEFAULT,
                                    allocator,
                                    Clock.systemUTC()));
        }

        @Override
        public void changed(String schema, String table, Part part, TableSchema columns) {
            throw new IllegalStateException("no table of the bench changes its columns");
        }

        private DeltaTable table(String name, Part part) {
            var table = tables.get(name + part);
            if (table == null) {
                throw new IllegalStateException("no table " + name + part);
            }
            return table;
        }

        @Override
        public long rows(String name) {
            return table(name, Part.HISTORY).snapshot().rowCount();
        }

        @Override
        public boolean isPast(long lsn) throws SQLException {
            load.ask("SELECT pg_logical_emit_message(true, 'bench', '')");
            return capture.status().confirmedLsn() >= lsn;
        }

        /** How much larger the table and its current state are than before many updates. */
        double[] bloat(int seconds) throws SQLException, InterruptedException {
            load.execute("VACUUM app.hot");
            var before = Double.parseDouble(load.ask("SELECT pg_table_size('app.hot')"));
            var lakeBefore = table("hot", Part.CURRENT).snapshot().sizeBytes();
            hotChanges = load.updateHotKeys(seconds);
            load.await("hot", hotChanges + CaptureLoad.HOT_KEYS, this);
            return new double[] {
                Double.parseDouble(load.ask("SELECT pg_table_size('app.hot')")) / before,
                (double) table("hot", Part.CURRENT).snapshot().sizeBytes() / lakeBefore
            };
        }

        boolean historyIsWhole() {
            return rows("many") == load.manyChanges()
                    && rows("hot") == hotChanges + CaptureLoad.HOT_KEYS;
        }

        boolean currentIsPostgres() throws SQLException {
            for (var name : List.of("many", "hot", "paced")) {
                var expected =
                        load.ask("SELECT count(*) || ' ' || coalesce(sum(n), 0) FROM app." + name);
                if (!expected.equals(countAndSum(table(name, Part.CURRENT)))) {
                    return false;
                }
            }
            return true;
        }

        private static String countAndSum(DeltaTable table) {
            long count = 0;
            long sum = 0;
            try (var reader = table.snapshot().read(List.of("n"))) {
                for (var next = reader.next(); next != null; next = reader.next()) {
                    try (var rows = next) {
                        var values = (BigIntVector) rows.vector(0);
                        count += rows.count();
                        for (int i = 0; i < rows.count(); i++) {
                            sum += values.get(i);
                        }
                    }
                }
            }
            return count + " " + sum;
        }

        @Override
        public void close() throws IOException {
            capture.close();
            tables.values().forEach(DeltaTable::close);
            load.close();
            Folders.delete(folder);
        }
    }
}
