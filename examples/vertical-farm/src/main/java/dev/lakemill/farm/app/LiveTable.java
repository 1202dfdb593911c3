package dev.lakemill.farm.app;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A table that pages may listen to.
 *
 * @param name with its schema, as Postgres has it
 * @param query all that is shown of it; of an inbox it depends on who asks
 * @param watched a query whose answer is another one when that of the first is
 * @param reads tables that whoever sees it may read
 */
record LiveTable(String name, Kind kind, String query, String watched, List<String> reads) {
    /** Of a state table, the newest. */
    static final int STATE_ROWS_MAX = 500;

    private static final int ROWS_MAX = 2_000;

    /** When it is read. */
    enum Kind {
        /** Synced: after each batch. */
        SYNCED,
        /** Synced, and long: at most every two seconds, for charts. */
        CHART,
        /** What people and agents write. */
        STATE,
        /** What the listener may decide. */
        INBOX
    }

    private static final Map<String, LiveTable> ALL = new LinkedHashMap<>();

    static {
        for (var name :
                List.of(
                        "stock_position",
                        "demand_1h",
                        "input_trend_24h",
                        "live_quotes",
                        "tray_cost",
                        "supplier_leaderboard",
                        "procurement_recommendations",
                        "suppliers")) {
            synced(name, Kind.SYNCED, "");
        }
        synced("demand_24h", Kind.CHART, "bucket");
        synced("input_prices_24h", Kind.CHART, "bucket");
        state("rfq", "created_at");
        state("email_outbox", "created_at");
        state("supplier_reply", "received_at");
        state("purchase_order", "ordered_at");
        state("po_line", "po_number");
        state("goods_receipt", "received_at");
        state("invoice", "received_at");
        state("invoice_line", "invoice_id");
        state("variance_review", "created_at");
        state("budget", "month");
        state("ledger_posting", "posted_at");
        state("ledger_entry", "posted_at");
        balance();
        inbox();
    }

    private static void synced(String name, Kind kind, String newest) {
        whole("serving." + name, kind, newest, ROWS_MAX);
    }

    private static void state(String name, String newest) {
        whole("procurement." + name, Kind.STATE, newest, STATE_ROWS_MAX);
    }

    private static void whole(String name, Kind kind, String newest, int rowsMax) {
        var query = rows(name, newest, rowsMax);
        add(new LiveTable(name, kind, query, query, List.of(name)));
    }

    /**
     * With all columns.
     *
     * @param newest the column of which the largest come; empty where all of it is shown
     */
    private static String rows(String name, String newest, int rowsMax) {
        var order = newest.isEmpty() ? "" : " ORDER BY %s DESC".formatted(newest);
        return "SELECT * FROM %s%s LIMIT %d".formatted(name, order, rowsMax);
    }

    /**
     * The sums of a whole ledger. It is only appended to, so its newest rows say when they change.
     */
    private static void balance() {
        var entries = "procurement.ledger_entry";
        add(
                new LiveTable(
                        "procurement.ledger_balance",
                        Kind.STATE,
                        """
                        SELECT p.month, e.account,
                          sum(CASE e.side WHEN 'debit' THEN e.amount ELSE 0 END) AS debits,
                          sum(CASE e.side WHEN 'credit' THEN e.amount ELSE 0 END) AS credits
                        FROM procurement.ledger_posting AS p
                        JOIN procurement.ledger_entry AS e ON e.posting_id = p.id
                        GROUP BY p.month, e.account ORDER BY p.month DESC LIMIT %d"""
                                .formatted(STATE_ROWS_MAX),
                        rows(entries, "posted_at", STATE_ROWS_MAX),
                        List.of("procurement.ledger_posting", entries)));
    }

    private static void inbox() {
        var query =
                """
                SELECT i.approval_id, i.run_id, i.agent, i.action, i.args::text AS args,
                  i.description AS markdown, i.created_at AS requested_at, i.expires_at,
                  coalesce(a.rfq_id, q.id) AS rfq_id
                FROM lakemill.agent_inbox AS i
                LEFT JOIN lakemill.agent_activity AS r ON r.run_id = i.run_id
                LEFT JOIN procurement.rfq AS q ON q.id::text = r.input #>> '{key,id}'
                LEFT JOIN procurement.supplier_reply AS a ON a.id = r.input #>> '{key,id}'
                ORDER BY requested_at, i.approval_id LIMIT %d"""
                        .formatted(STATE_ROWS_MAX);
        var reads = List.of("procurement.rfq");
        add(new LiveTable("procurement.inbox", Kind.INBOX, query, query, reads));
    }

    private static void add(LiveTable table) {
        ALL.put(table.name(), table);
    }

    /** NOT_FOUND or INVALID_ARGUMENT when a name is none, or there is none. */
    static Set<LiveTable> named(Collection<String> names) {
        var tables = new LinkedHashSet<LiveTable>();
        for (var name : names) {
            var table = ALL.get(name);
            if (table == null) {
                throw new LakemillException(
                        ErrorCode.NOT_FOUND,
                        "the app shows no table '%s'".formatted(name),
                        "it shows " + String.join(", ", ALL.keySet()));
            }
            tables.add(table);
        }
        if (tables.isEmpty()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "no table is asked for",
                    "ask for /api/live?table=serving.stock_position");
        }
        return tables;
    }

    /** One value that is another one when what is shown has changed. */
    String fingerprint() {
        return "SELECT count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM (%s) AS t"
                .formatted(watched);
    }
}
