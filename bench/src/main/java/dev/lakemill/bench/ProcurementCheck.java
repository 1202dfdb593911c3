package dev.lakemill.bench;

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** What procurement did in a run: the books balance, and every wrong invoice is found. */
final class ProcurementCheck {
    private static final Duration SETTLED_TIMEOUT = Duration.ofMinutes(3);
    private static final int LOOK_MS = 250;
    private static final String PRINCIPAL = "farm_procurement";

    private final ServerProcess server;
    private final Report.Builder report;

    ProcurementCheck(ServerProcess server, Report.Builder report) {
        this.server = server;
        this.report = report;
    }

    void run(ProcurementProcess procurement) throws IOException, InterruptedException {
        try (var connection =
                DriverManager.getConnection(
                        server.frontDoorJdbc(),
                        PRINCIPAL,
                        server.login(PRINCIPAL).tokens().get())) {
            report.check("agents_come_to_rest", settles(connection));
            var truth = procurement.stop();
            figures(connection);
            variances(connection, truth);
        } catch (SQLException e) {
            throw new IOException("procurement in Postgres: " + e.getMessage(), e);
        }
    }

    /** Every order is billed, and every invoice looked at. */
    private static boolean settles(Connection connection)
            throws SQLException, InterruptedException {
        var open =
                """
                SELECT (SELECT count(*) FROM procurement.invoice WHERE state = 'received')
                  + (SELECT count(*) FROM procurement.email_outbox
                     WHERE state IN ('approved', 'committed'))
                  + (SELECT count(*) FROM procurement.purchase_order AS o WHERE NOT EXISTS (
                       SELECT 1 FROM procurement.invoice AS i WHERE i.id = o.number || '-1'))""";
        var end = System.nanoTime() + SETTLED_TIMEOUT.toNanos();
        while (number(connection, open) > 0) {
            if (System.nanoTime() > end) {
                return false;
            }
            Thread.sleep(LOOK_MS);
        }
        return true;
    }

    private void figures(Connection connection) throws SQLException {
        var drafts = number(connection, "SELECT count(*) FROM procurement.email_outbox");
        report.figure("drafts", drafts);
        report.check("drafts_were_written", drafts > 0);
        report.figure(
                "approvals",
                number(
                        connection,
                        "SELECT count(*) FROM procurement.email_outbox WHERE decided_by <> ''"));
        report.figure(
                "committed",
                number(
                        connection,
                        "SELECT count(*) FROM procurement.email_outbox WHERE committed_at IS NOT NULL"));
        report.figure(
                "orders", number(connection, "SELECT count(*) FROM procurement.purchase_order"));
        report.figure("invoices", number(connection, "SELECT count(*) FROM procurement.invoice"));
        var difference =
                number(
                        connection,
                        """
                        SELECT coalesce(sum(CASE side WHEN 'debit' THEN amount ELSE -amount END), 0)
                        FROM procurement.ledger_entry""");
        report.figure("ledger_difference", difference);
        report.check("debits_are_credits", difference == 0);
        report.check(
                "each_posting_has_two_sides",
                number(
                                connection,
                                """
                                SELECT count(*) FROM procurement.ledger_posting AS p WHERE 2 <> (
                                  SELECT count(*) FROM procurement.ledger_entry AS e
                                  WHERE e.posting_id = p.id)""")
                        == 0);
        report.check(
                "what_is_committed_is_in_the_ledger",
                number(
                                connection,
                                """
                                SELECT coalesce(sum(b.committed), 0) - (
                                  SELECT coalesce(sum(
                                    CASE side WHEN 'credit' THEN amount ELSE -amount END), 0)
                                  FROM procurement.ledger_entry WHERE account = 'budget')
                                FROM procurement.budget AS b""")
                        == 0);
        report.check(
                "each_request_was_committed_once",
                number(
                                connection,
                                """
                                SELECT count(*) FROM procurement.email_outbox AS o
                                WHERE (o.committed_at IS NOT NULL) <> EXISTS (
                                  SELECT 1 FROM procurement.ledger_posting AS p
                                  WHERE p.key = 'rfq-' || o.rfq_id)""")
                        == 0);
    }

    private void variances(Connection connection, Map<String, String> truth) throws SQLException {
        var found = new LinkedHashMap<String, String>();
        var sql =
                """
                SELECT v.invoice_id, string_agg(v.rule, ',') FROM procurement.variance_review AS v
                GROUP BY v.invoice_id""";
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                found.put(rows.getString(1), rows.getString(2));
            }
        }
        var right =
                found.entrySet().stream()
                        .filter(e -> e.getValue().equals(truth.get(e.getKey())))
                        .count();
        report.figure("variances", found.size());
        report.figure("variances_precision", found.isEmpty() ? 1 : (double) right / found.size());
        report.figure("variances_recall", truth.isEmpty() ? 1 : (double) right / truth.size());
        report.check("variances_are_the_truth", found.equals(truth));
    }

    private static double number(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getDouble(1);
        }
    }
}
