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
 * @param order newest first; empty where all of it is shown
 */
record LiveTable(String name, Kind kind, String order) {
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
            add(new LiveTable("serving." + name, Kind.SYNCED, ""));
        }
        add(new LiveTable("serving.demand_24h", Kind.CHART, "bucket DESC"));
        add(new LiveTable("serving.input_prices_24h", Kind.CHART, "bucket DESC"));
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
        add(new LiveTable("procurement.inbox", Kind.INBOX, "requested_at DESC"));
    }

    private static void state(String name, String newest) {
        add(new LiveTable("procurement." + name, Kind.STATE, newest + " DESC"));
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

    /** All that is shown of it; an inbox depends on who asks. */
    String query() {
        if (kind == Kind.INBOX) {
            return """
            SELECT i.approval_id, i.run_id, i.agent, i.action, i.args::text AS args,
              i.description AS markdown, i.created_at AS requested_at, i.expires_at,
              coalesce(a.rfq_id, q.id) AS rfq_id
            FROM lakemill.agent_inbox AS i
            LEFT JOIN lakemill.agent_activity AS r ON r.run_id = i.run_id
            LEFT JOIN procurement.rfq AS q ON q.id::text = r.input #>> '{key,id}'
            LEFT JOIN procurement.supplier_reply AS a ON a.id = r.input #>> '{key,id}'
            ORDER BY requested_at, i.approval_id LIMIT %d"""
                    .formatted(STATE_ROWS_MAX);
        }
        var rows = kind == Kind.STATE ? STATE_ROWS_MAX : ROWS_MAX;
        return "SELECT * FROM %s%s LIMIT %d"
                .formatted(name, order.isEmpty() ? "" : " ORDER BY " + order, rows);
    }

    /** One value that is another one when what is shown has changed. */
    String fingerprint() {
        return "SELECT count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM (%s) AS t"
                .formatted(query());
    }
}
