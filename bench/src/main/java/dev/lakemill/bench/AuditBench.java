package dev.lakemill.bench;

import dev.lakemill.catalog.AuditChain.Verdict;
import dev.lakemill.catalog.AuditSealer;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.postgres.RowAudit;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/**
 * What row audit costs: single-row inserts, one transaction each, by one prepared statement over
 * one connection, into a plain table and an audited one in turns, while the chain is sealed beside
 * them; then the chain is verified.
 */
final class AuditBench {
    private static final Caller BENCH =
            new Caller(
                    new Principal(UUID.randomUUID(), PrincipalKind.SERVICE_PRINCIPAL, "bench"),
                    null,
                    "system",
                    "",
                    "bench");
    private static final int INSERTS_MAX = 1_000_000;

    private AuditBench() {}

    static Report run(BenchOptions options) throws IOException, SQLException {
        var report = new Report.Builder();
        var folder = Folders.temporary("lakemill-bench");
        try (var postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
                var log = Catalog.open(postgres.owner()).audit();
                var connection = postgres.ownerUnpooled().getConnection()) {
            var audit = RowAudit.open(postgres.owner(), log);
            makeTables(connection, audit);
            try (var _ = AuditSealer.start(postgres.owner(), List.of(RowAudit.CHAIN))) {
                measure(options, connection, report);
            }
            report.check(
                    "chain_is_whole",
                    RowAudit.CHAIN.verify(postgres.owner(), null) instanceof Verdict.Whole whole
                            && whole.unsealed() == 0
                            && whole.head().sequence() > 0);
        } finally {
            Folders.delete(folder);
        }
        return report.build();
    }

    private static void makeTables(Connection connection, RowAudit audit) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute("CREATE SCHEMA bench");
            for (var table : List.of("plain", "audited")) {
                statement.execute(
                        """
                        CREATE TABLE bench.%s (
                            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                            customer text, state text, amount numeric, note text,
                            changed_at timestamptz DEFAULT now())
                        """
                                .formatted(table));
            }
        }
        connection.setAutoCommit(false);
        audit.attach(connection, BENCH, "bench", "audited");
        connection.commit();
        connection.setAutoCommit(true);
    }

    private static void measure(BenchOptions options, Connection connection, Report.Builder report)
            throws SQLException {
        var plain = new ArrayList<Double>();
        var audited = new ArrayList<Double>();
        insert(connection, "plain", 1);
        insert(connection, "audited", 1);
        for (int round = 0; round < options.rounds(); round++) {
            plain.add(insert(connection, "plain", options.seconds()));
            audited.add(insert(connection, "audited", options.seconds()));
        }
        var factor = Report.median(audited) / Report.median(plain);
        report.figure("plain_insert_p50_us", Report.median(plain));
        report.figure("audited_insert_p50_us", Report.median(audited));
        report.figure("insert_cost_factor", factor);
        report.check("insert_cost_factor_within_2", factor <= 2);
    }

    /** The median time of an insert with its commit, in microseconds. */
    private static double insert(Connection connection, String table, int seconds)
            throws SQLException {
        var nanos = new long[INSERTS_MAX];
        int count = 0;
        var started = System.nanoTime();
        var sql =
                "INSERT INTO bench.%s (customer, state, amount, note) VALUES (?, ?, 12.50, ?)"
                        .formatted(table);
        try (var statement = connection.prepareStatement(sql)) {
            while (count < nanos.length && System.nanoTime() - started < seconds * 1_000_000_000L) {
                statement.setString(1, "customer " + count % 1_000);
                statement.setString(2, "ordered");
                statement.setString(3, "two trays of basil, before noon");
                var before = System.nanoTime();
                statement.executeUpdate();
                nanos[count++] = System.nanoTime() - before;
            }
        }
        var sorted = Arrays.copyOf(nanos, count);
        Arrays.sort(sorted);
        return sorted[count / 2] / 1e3;
    }
}
