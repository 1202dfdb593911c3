package dev.lakemill.farm.app;

import java.util.List;

/**
 * The queries of {@link Trace}: each takes one text, and gives at, who, action, detail, kind, id
 * and source.
 */
final class TraceSql {
    private static final String STOCK_AT_HAND =
            """
            SELECT last_movement_at AS at, 'scales' AS who, 'weighed' AS action,
              format('%s g on hand, %s days of cover at %s trays a day of %s g', on_hand_grams,
                round(days_of_cover::numeric, 1), round(demand_trays_24h::numeric, 1),
                grams_per_tray) AS detail,
              'stock' AS kind, sku AS id, 'farm.silver.inventory_movements' AS source
            FROM serving.stock_position WHERE sku = ?""";

    private static final String DEMAND =
            """
            SELECT last_at AS at, 'shops' AS who, 'asked' AS action,
              format('%s trays an hour now, by %s readings of the last hour',
                round(trays_per_hour::numeric, 1), events) AS detail,
              'stock' AS kind, sku AS id, 'farm.silver.demand_events' AS source
            FROM serving.demand_1h WHERE sku = ? AND events > 0""";

    private static final String QUOTED =
            """
            SELECT q.quoted_at AS at, coalesce(s.name, q.supplier_id) AS who, 'quoted' AS action,
              format('%s %s per kg from %s g on, in %s h, valid until %s UTC', q.price_per_kg,
                q.currency, q.min_order_grams, q.lead_time_hours,
                to_char(q.valid_until AT TIME ZONE 'UTC', 'HH24:MI')) AS detail,
              'quote' AS kind, q.sku || '/' || q.supplier_id AS id,
              'farm.silver.supplier_quotes event_id ' || q.event_id AS source
            FROM serving.live_quotes AS q
            LEFT JOIN serving.suppliers AS s ON s.supplier_id = q.supplier_id
            """;

    private static final String RANKED =
            """
            SELECT b.applied_at AS at,
              'farm.ml.supplier_rank version ' || l.model_version AS who, 'ranked' AS action,
              format('%s is number %s for %s with a score of %s: demand %s, lead time %s, price %s,'
                ' price trend %s, reliability %s', l.supplier_name, l.rank, l.sku, l.score,
                to_char(l.why_demand, 'SG0.000'), to_char(l.why_lead_time, 'SG0.000'),
                to_char(l.why_price, 'SG0.000'), to_char(l.why_price_trend, 'SG0.000'),
                to_char(l.why_reliability, 'SG0.000')) AS detail,
              'quote' AS kind, l.sku || '/' || l.supplier_id AS id,
              format('farm.gold.supplier_leaderboard, batch %s', b.batch) AS source
            FROM serving.supplier_leaderboard AS l
            JOIN lakemill.sync_state AS b ON b.pipeline = 'farm'
            """;

    private static final String RECOMMENDED =
            """
            SELECT b.applied_at AS at, 'farm pipeline' AS who, 'recommended' AS action,
              format('%s g from %s for about %s EUR, to be ordered by %s UTC (confidence %s): %s',
                r.grams, r.supplier_name, r.expected_cost,
                to_char(r.deadline AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'), r.confidence,
                r.reason) AS detail,
              'recommendation' AS kind, r.sku AS id,
              format('farm.gold.procurement_recommendations, batch %s', b.batch) AS source
            FROM serving.procurement_recommendations AS r
            JOIN lakemill.sync_state AS b ON b.pipeline = 'farm'
            WHERE r.sku = ?""";

    static final List<String> STOCK = List.of(DEMAND, STOCK_AT_HAND);

    static final List<String> QUOTE =
            List.of(
                    QUOTED + "WHERE q.sku || '/' || q.supplier_id = ?",
                    RANKED + "WHERE l.sku || '/' || l.supplier_id = ?");

    static final List<String> RECOMMENDATION =
            List.of(
                    DEMAND,
                    STOCK_AT_HAND,
                    QUOTED
                            + """
                            JOIN serving.supplier_leaderboard AS l ON l.sku = q.sku
                              AND l.supplier_id = q.supplier_id AND l.rank = 1
                            WHERE q.sku = ?""",
                    RANKED + "WHERE l.sku = ? AND l.rank = 1",
                    RECOMMENDED);

    private static final String REQUESTED =
            """
            SELECT created_at AS at, requested_by AS who, 'requested' AS action,
              format('%s g of %s from %s at %s %s per kg, about %s %s: %s', grams, sku,
                supplier_id, quoted_price_per_kg, currency, expected_cost, currency, reason)
                AS detail,
              'rfq' AS kind, id::text AS id, 'procurement.rfq' AS source
            FROM procurement.rfq WHERE id::text = ?""";

    /** Of agents' runs that rows with these keys started, as their owners see them. */
    private static final String RUNS =
            """
            SELECT r.created_at AS at, 'agent ' || r.agent AS who, 'ran' AS action,
              format('%%s after %%s steps%%s', r.status, r.steps_used,
                CASE WHEN r.tokens_used > 0 THEN format(' and %%s tokens', r.tokens_used) ELSE '' END)
                AS detail,
              'run' AS kind, r.run_id::text AS id, 'lakemill.agent_runs ' || r.run_id AS source
            FROM lakemill.agent_activity AS r
            WHERE coalesce(r.input #>> '{key,id}', r.input #>> '{key,invoice_id}') IN (%s)""";

    /** What such a run did: what it read, asked a model, waited for and wrote. */
    private static final String STEPS =
            """
            SELECT s.created_at AS at, 'agent ' || s.agent AS who,
              CASE s.kind WHEN 'tool' THEN 'read' WHEN 'llm' THEN 'asked a model'
                WHEN 'effect' THEN 'wrote' WHEN 'wait' THEN 'waited' ELSE 'noted' END AS action,
              s.name
                || CASE WHEN s.decision IS NULL THEN ''
                  ELSE format(': %%s, %%s by %%s', s.action, s.decision, s.decided_by) END
                || CASE WHEN s.model = '' THEN '' ELSE format(': %%s, %%s tokens, %%s ms', s.model,
                  s.tokens_in + s.tokens_out, s.ms) END
                || CASE WHEN s.effect_state IS NULL OR s.effect_state = 'done' THEN ''
                  ELSE ': ' || s.effect_state END AS detail,
              'step' AS kind, s.run_id || ':' || s.seq AS id,
              format('lakemill.agent_steps run %%s step %%s', s.run_id, s.seq) AS source
            FROM lakemill.agent_activity_steps AS s
            WHERE s.run_id IN (SELECT r.run_id FROM lakemill.agent_activity AS r
              WHERE coalesce(r.input #>> '{key,id}', r.input #>> '{key,invoice_id}') IN (%s))""";

    /** Of the rows that started agents for a request. */
    private static final String KEYS_OF_REQUEST =
            """
            SELECT k.id FROM (SELECT ?::text AS rfq) AS p CROSS JOIN LATERAL (
              SELECT p.rfq AS id
              UNION ALL SELECT o.id::text FROM procurement.email_outbox AS o
                WHERE o.rfq_id::text = p.rfq
              UNION ALL SELECT a.id FROM procurement.supplier_reply AS a
                WHERE a.rfq_id::text = p.rfq
              UNION ALL SELECT i.id FROM procurement.invoice AS i
                JOIN procurement.purchase_order AS b ON b.number = i.po_number
                WHERE b.rfq_id::text = p.rfq) AS k""";

    private static final String KEY_OF_INVOICE = "SELECT ?::text";

    private static final String DRAFTED =
            """
            SELECT created_at AS at, CASE drafted_by WHEN 'model' THEN 'model ' || model
                WHEN 'template' THEN 'template' ELSE drafted_by END AS who, 'drafted' AS action,
              subject AS detail, 'rfq' AS kind, rfq_id::text AS id,
              'procurement.email_outbox' AS source
            FROM procurement.email_outbox WHERE rfq_id::text = ?""";

    private static final String DECIDED =
            """
            SELECT coalesce(decided_at, created_at) AS at, decided_by AS who,
              CASE WHEN state = 'dismissed' THEN 'dismissed' ELSE 'approved' END AS action,
              subject AS detail, 'rfq' AS kind, rfq_id::text AS id,
              'procurement.email_outbox' AS source
            FROM procurement.email_outbox WHERE rfq_id::text = ? AND decided_by <> ''""";

    private static final String BLOCKED =
            """
            SELECT coalesce(decided_at, created_at) AS at, 'agent budget' AS who,
              'blocked' AS action, blocked_reason AS detail, 'rfq' AS kind, rfq_id::text AS id,
              'procurement.budget' AS source
            FROM procurement.email_outbox WHERE rfq_id::text = ? AND blocked_reason <> ''""";

    private static final String SENT =
            """
            SELECT o.sent_at AS at, 'agent dispatcher' AS who, 'sent' AS action,
              format('to %s <%s>', coalesce(s.name, o.supplier_id), s.email) AS detail,
              'rfq' AS kind, o.rfq_id::text AS id, 'procurement.email_outbox' AS source
            FROM procurement.email_outbox AS o
            LEFT JOIN serving.suppliers AS s ON s.supplier_id = o.supplier_id
            WHERE o.rfq_id::text = ? AND o.sent_at IS NOT NULL""";

    private static final String POSTED =
            """
            SELECT p.posted_at AS at, 'ledger' AS who, 'posted' AS action,
              format('%s %s from %s to %s: %s', p.amount, b.currency,
                (SELECT e.account FROM procurement.ledger_entry AS e
                 WHERE e.posting_id = p.id AND e.side = 'credit'),
                (SELECT e.account FROM procurement.ledger_entry AS e
                 WHERE e.posting_id = p.id AND e.side = 'debit'), p.memo) AS detail,
              'posting' AS kind, p.id::text AS id, 'procurement.ledger_posting ' || p.key AS source
            FROM procurement.ledger_posting AS p
            JOIN procurement.budget AS b ON b.month = p.month
            """;

    private static final String POSTED_FOR_REQUEST =
            POSTED
                    + """
                    JOIN (SELECT ?::text AS rfq) AS r
                      ON p.key IN ('rfq-' || r.rfq, 'outcome-' || r.rfq)
                      OR EXISTS (SELECT FROM procurement.invoice AS i
                        JOIN procurement.purchase_order AS o ON o.number = i.po_number
                        WHERE o.rfq_id::text = r.rfq AND (p.key = 'invoice-' || i.id
                          OR starts_with(p.key, 'variance-' || i.id || '/')))""";

    private static final String POSTED_FOR_INVOICE =
            POSTED
                    + """
                    JOIN (SELECT ?::text AS id) AS i
                      ON p.key = 'invoice-' || i.id
                        OR starts_with(p.key, 'variance-' || i.id || '/')""";

    private static final String REPLIED =
            """
            SELECT a.received_at AS at, coalesce(s.name, a.supplier_id) AS who,
              'replied' AS action,
              a.kind || coalesce(' at ' || a.price_per_kg || ' per kg', '') || ': ' || a.text
                AS detail,
              'rfq' AS kind, a.rfq_id::text AS id, 'procurement.supplier_reply ' || a.id AS source
            FROM procurement.supplier_reply AS a
            LEFT JOIN serving.suppliers AS s ON s.supplier_id = a.supplier_id
            WHERE a.rfq_id::text = ?""";

    private static final String ORDERED =
            """
            SELECT o.ordered_at AS at, 'agent buyer' AS who, 'ordered' AS action,
              format('%s %s, without %s %% tax', o.total, o.currency, o.tax_percent) AS detail,
              'order' AS kind, o.number AS id, 'procurement.purchase_order' AS source
            FROM procurement.purchase_order AS o WHERE o.rfq_id::text = ?""";

    private static final String RECEIVED =
            """
            SELECT g.received_at AS at, 'goods in' AS who, 'received' AS action,
              format('%s g of line %s', g.grams, g.line) AS detail, 'order' AS kind,
              g.po_number AS id, 'procurement.goods_receipt ' || g.id AS source
            FROM procurement.goods_receipt AS g
            JOIN procurement.purchase_order AS o ON o.number = g.po_number
            WHERE o.rfq_id::text = ?""";

    private static final String INVOICED =
            """
            SELECT i.received_at AS at, coalesce(s.name, i.supplier_id) AS who,
              'invoiced' AS action,
              format('%s for %s: %s %s and %s tax; %s', i.number, i.po_number, i.net, i.currency,
                i.tax, i.state) AS detail,
              'invoice' AS kind, i.id, 'procurement.invoice' AS source
            FROM procurement.invoice AS i
            LEFT JOIN serving.suppliers AS s ON s.supplier_id = i.supplier_id
            """;

    private static final String VARIES =
            """
            SELECT v.created_at AS at, 'agent reconciler' AS who, 'found' AS action,
              format('%s: %s', v.rule, v.explanation) AS detail, 'invoice' AS kind,
              v.invoice_id AS id, 'procurement.variance_review' AS source
            FROM procurement.variance_review AS v
            JOIN procurement.invoice AS i ON i.id = v.invoice_id
            """;

    private static final String SETTLED =
            """
            SELECT v.decided_at AS at, v.decided_by AS who, v.state AS action,
              format('%s of %s%s', v.rule, v.invoice_id,
                CASE WHEN v.note = '' THEN '' ELSE ': ' || v.note END) AS detail,
              'invoice' AS kind, v.invoice_id AS id, 'procurement.variance_review' AS source
            FROM procurement.variance_review AS v
            JOIN procurement.invoice AS i ON i.id = v.invoice_id
            """;

    private static final String OF_REQUEST =
            """
            JOIN procurement.purchase_order AS o ON o.number = i.po_number
            WHERE o.rfq_id::text = ?""";

    private static final String DECIDED_ONES = " AND v.decided_at IS NOT NULL";

    static final List<String> REQUEST =
            List.of(
                    REQUESTED,
                    RUNS.formatted(KEYS_OF_REQUEST),
                    STEPS.formatted(KEYS_OF_REQUEST),
                    DRAFTED,
                    DECIDED,
                    BLOCKED,
                    SENT,
                    POSTED_FOR_REQUEST,
                    REPLIED,
                    ORDERED,
                    RECEIVED,
                    INVOICED + OF_REQUEST,
                    VARIES + OF_REQUEST,
                    SETTLED + OF_REQUEST + DECIDED_ONES);

    /** Of an invoice for an order that nobody has made. */
    static final List<String> INVOICE =
            List.of(
                    INVOICED + "WHERE i.id = ?",
                    RUNS.formatted(KEY_OF_INVOICE),
                    STEPS.formatted(KEY_OF_INVOICE),
                    POSTED_FOR_INVOICE,
                    VARIES + "WHERE i.id = ?",
                    SETTLED + "WHERE i.id = ?" + DECIDED_ONES);

    static final List<String> POSTING = List.of(POSTED + "WHERE p.id::text = ?");

    static final String RFQ_OF_ORDER =
            "SELECT rfq_id::text FROM procurement.purchase_order WHERE number = ?";

    static final String RFQ_OF_INVOICE =
            """
            SELECT o.rfq_id::text FROM procurement.invoice AS i
            JOIN procurement.purchase_order AS o
              ON o.number = i.po_number AND o.supplier_id = i.supplier_id
            WHERE i.id = ?""";

    static final String RFQ_OF_POSTING =
            """
            SELECT CASE WHEN p.key LIKE 'invoice-%' OR p.key LIKE 'variance-%' THEN (
                SELECT o.rfq_id::text FROM procurement.invoice AS i
                JOIN procurement.purchase_order AS o ON o.number = i.po_number
                WHERE 'invoice-' || i.id = p.key OR starts_with(p.key, 'variance-' || i.id || '/'))
              ELSE regexp_replace(p.key, '^(rfq|outcome)-', '') END
            FROM procurement.ledger_posting AS p WHERE p.id::text = ?""";

    private TraceSql() {}
}
