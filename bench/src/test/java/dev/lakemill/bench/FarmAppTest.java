package dev.lakemill.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.bench.FarmNode.Answer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The farm's application on a real node: one for all of it. */
@Timeout(600)
final class FarmAppTest {
    private static final String LEAD = "farm_lead";
    private static final int LOOKS = 1_800;
    private static FarmNode farm;
    private static String lead = "";

    /** Sees the screens, and is no buyer. */
    private static String viewer = "";

    @BeforeAll
    static void start() throws Exception {
        farm = new FarmNode();
        lead = farm.userToken(LEAD, 3_600);
        farm.server.rest().run("CREATE USER IF NOT EXISTS vera");
        farm.server.rest().run("ALTER GROUP farm_viewers ADD USER vera");
        farm.server.rest().run("GRANT EXECUTE ON APP `vertical-farm` TO vera");
        viewer = farm.userToken("vera", 3_600);
        // As at the turn of a month: the new one has no budget yet, and soon has one.
        farm.write("farm_procurement", "DELETE FROM procurement.budget");
        await("SELECT count(*) FROM procurement.budget", "1");
    }

    @AfterAll
    static void stop() throws IOException {
        farm.close();
    }

    /** An offer that stands, of a SKU without an open request. */
    private static JsonNode offer() throws Exception {
        var text =
                farm.ask(
                        "farm_procurement",
                        """
                        SELECT row_to_json(q) FROM serving.live_quotes AS q
                        WHERE q.valid_until > now() + interval '5 minutes' AND NOT EXISTS (
                          SELECT FROM procurement.rfq AS r WHERE r.sku = q.sku
                            AND r.state IN ('requested', 'drafted', 'sent'))
                        AND NOT EXISTS (SELECT FROM serving.procurement_recommendations AS p
                          WHERE p.sku = q.sku)
                        ORDER BY q.sku, q.supplier_id LIMIT 1""");
        return new com.fasterxml.jackson.databind.ObjectMapper().readTree(text);
    }

    private static Map<String, Object> request(JsonNode offer) {
        return Map.of(
                "sku",
                offer.path("sku").asText(),
                "supplier_id",
                offer.path("supplier_id").asText(),
                "grams",
                offer.path("min_order_grams").asLong());
    }

    /** Makes a request, and waits for what people are asked of it. */
    private static JsonNode asked() throws Exception {
        var made = farm.post(lead, "/api/rfqs", request(offer()));
        assertThat(made.status()).as(made.response().body()).isEqualTo(201);
        return inbox(made.json().path("id").asText());
    }

    private static JsonNode inbox(String rfq) throws Exception {
        try (var live = farm.live(lead, "procurement.inbox")) {
            var shown =
                    live.await("procurement.inbox", data -> row(data, "rfq_id", rfq).isPresent());
            return row(shown, "rfq_id", rfq).orElseThrow();
        }
    }

    /** Of a table as it is told: the row with the value, by column. */
    private static Optional<JsonNode> row(JsonNode data, String column, String value) {
        var columns = new ArrayList<String>();
        data.path("columns").forEach(name -> columns.add(name.asText()));
        for (var row : data.path("rows")) {
            if (row.path(columns.indexOf(column)).asText().equals(value)) {
                var found = new com.fasterxml.jackson.databind.ObjectMapper().createObjectNode();
                for (int i = 0; i < columns.size(); i++) {
                    found.set(columns.get(i), row.get(i));
                }
                return Optional.of(found);
            }
        }
        return Optional.empty();
    }

    private static void await(String sql, String expected) throws Exception {
        for (int look = 0; look < LOOKS; look++) {
            if (farm.ask("farm_procurement", sql).equals(expected)) {
                return;
            }
            Thread.sleep(100);
        }
        assertThat(farm.ask("farm_procurement", sql))
                .as("%s%n%s", sql, unwell())
                .isEqualTo(expected);
    }

    /** Of each agent, how its latest runs that did not succeed stand. */
    private static String unwell() throws Exception {
        var told = new StringBuilder();
        for (var agent : List.of("negotiator", "buyer", "dispatcher", "reconciler", "budget")) {
            var runs =
                    farm.ask(
                            "farm_" + agent,
                            """
                            SELECT coalesce(string_agg(r::text, chr(10)), '') FROM (
                              SELECT agent, status, paused, steps_used, error_code, error,
                                created_at, now() FROM lakemill.agent_activity
                              WHERE status <> 'succeeded' ORDER BY created_at DESC LIMIT 5) r""");
            told.append(runs).append('\n');
        }
        return told.toString();
    }

    @Test
    void pagesComeWithAPolicyAndNothingBesideThem() throws Exception {
        var index = farm.get(lead, "/trace/rfq/some-id");
        assertThat(index.status()).isEqualTo(200);
        assertThat(index.response().body()).contains("<div id=\"root\">");
        assertThat(index.header("cache-control")).isEqualTo("private, no-cache");
        var script = index.response().body().replaceFirst("(?s).*src=\"(/assets/[^\"]+)\".*", "$1");
        var asset = farm.get(lead, script, "accept-encoding", "gzip");
        assertThat(asset.header("cache-control")).contains("immutable");
        assertThat(asset.header("content-encoding")).isEqualTo("gzip");
        for (var trick : List.of("/app.yaml", "/..%2fapp.yaml", "/%2e%2e/lib/x.jar", "/a.js")) {
            assertThat(farm.get(lead, trick).status()).as(trick).isIn(400, 404);
        }
        var secret = farm.variable("LAKEMILL_PROXY_SECRET");
        assertThat(
                        farm.direct("/", "X-Lakemill-Proxy-Secret", secret)
                                .header("content-security-policy"))
                .contains("default-src 'self'", "frame-ancestors 'none'");
    }

    @Test
    void everybodyIsToldWhoTheyAreAndWhatTheyMayDo() throws Exception {
        var me = farm.get(lead, "/api/me").json();
        assertThat(me.path("user").asText()).isEqualTo(LEAD);
        assertThat(me.path("can_decide").asBoolean()).isTrue();
        assertThat(me.path("can_request").asBoolean()).isTrue();
        var other = farm.get(viewer, "/api/me").json();
        assertThat(other.path("user").asText()).isEqualTo("vera");
        assertThat(other.path("can_decide").asBoolean(true)).isFalse();
        assertThat(other.path("can_request").asBoolean(true)).isFalse();
        var screen = farm.server.login("farm_screen").tokens().get();
        assertThat(farm.get(screen, "/api/me").status()).isEqualTo(403);
        assertThat(farm.get(lead, "/api/models").json().path("drafter").asText())
                .isEqualTo("template");
    }

    @Test
    void aRequestIsMadeOnceInThePersonsNameAtTheQuotesPrice() throws Exception {
        var offer = offer();
        var made = farm.post(lead, "/api/rfqs", request(offer));
        assertThat(made.status()).as(made.response().body()).isEqualTo(201);
        var id = made.json().path("id").asText();
        assertThat(
                        farm.ask(
                                "farm_procurement",
                                """
                                SELECT requested_by || ' ' || (quoted_price_per_kg > 0) || ' ' ||
                                  (expected_cost = round(quoted_price_per_kg * grams / 1000, 2))
                                FROM procurement.rfq WHERE id = '%s'"""
                                        .formatted(id)))
                .isEqualTo(LEAD + " true true");
        var again = farm.post(lead, "/api/rfqs", request(offer));
        assertThat(again.status()).isEqualTo(409);
        assertThat(again.code()).isEqualTo("ALREADY_EXISTS");
        var audited =
                "SELECT count(*) FROM system.access.row_audit WHERE table_name = 'rfq'"
                        + " AND operation = 'INSERT' AND user_email = '%s'".formatted(LEAD);
        for (int look = 0; count(audited) == 0; look++) {
            assertThat(look).as("the person's change is in the audit").isLessThan(LOOKS);
            Thread.sleep(100);
        }
    }

    private static int count(String query) throws Exception {
        var answer = farm.server.rest().statement(query).body();
        assertThat(answer.at("/status/state").asText()).as("%s", answer).isEqualTo("SUCCEEDED");
        return answer.at("/result/data_array/0/0").asInt();
    }

    @Test
    void whatIsNoRequestIsRefusedWithTheReason() throws Exception {
        var offer = offer();
        var sku = offer.path("sku").asText();
        var supplier = offer.path("supplier_id").asText();
        var nobody = Map.of("sku", sku, "supplier_id", "x' OR '1'='1", "grams", 1_000_000);
        refused(404, "NOT_FOUND", farm.post(lead, "/api/rfqs", nobody));
        var little = Map.of("sku", sku, "supplier_id", supplier, "grams", 1);
        refused(400, "INVALID_ARGUMENT", farm.post(lead, "/api/rfqs", little));
        var half = Map.of("sku", sku, "supplier_id", supplier, "grams", 1.5);
        refused(400, "INVALID_ARGUMENT", farm.post(lead, "/api/rfqs", half));
        refused(400, "INVALID_ARGUMENT", farm.post(lead, "/api/rfqs", List.of()));
        var large = Map.of("sku", "x".repeat(70_000));
        refused(400, "INVALID_ARGUMENT", farm.post(lead, "/api/rfqs", large));
        refused(403, "PERMISSION_DENIED", farm.post(viewer, "/api/rfqs", request(offer)));
        // As a form of another site could send it.
        refused(
                403,
                "PERMISSION_DENIED",
                farm.post(lead, "/api/rfqs", request(offer), "Accept", "*/*"));
        refused(404, "NOT_FOUND", farm.post(lead, "/api/nothing", Map.of()));
        assertThat(
                        farm.ask(
                                "farm_procurement",
                                "SELECT count(*) FROM procurement.rfq WHERE requested_by = 'vera'"))
                .isEqualTo("0");
    }

    private static void refused(int status, String code, Answer answer) throws IOException {
        assertThat(answer.status()).as(answer.response().body()).isEqualTo(status);
        assertThat(answer.code()).isEqualTo(code);
        assertThat(answer.json().at("/error/message").asText()).isNotEmpty();
    }

    @Test
    void anEditedDraftIsSentAndEveryStepIsInItsTrace() throws Exception {
        var asked = asked();
        assertThat(asked.path("markdown").asText()).contains("about **");
        var path = "/api/approvals/" + asked.path("approval_id").asText();
        refused(400, "INVALID_ARGUMENT", farm.post(lead, path, Map.of("decision", "perhaps")));
        refused(403, "PERMISSION_DENIED", farm.post(viewer, path, Map.of("decision", "accept")));
        var edit = Map.of("decision", "edit", "args", Map.of("subject", "Seed, please"));
        var decided = farm.post(lead, path, edit);
        assertThat(decided.json().path("outcome").asText()).isEqualTo("edit");
        refused(409, "FAILED_PRECONDITION", farm.post(lead, path, Map.of("decision", "accept")));
        var rfq = asked.path("rfq_id").asText();
        await(
                "SELECT subject || ' ' || decided_by || ' ' || state FROM procurement.email_outbox"
                        + " WHERE rfq_id = '%s'".formatted(rfq),
                "Seed, please " + LEAD + " sent");
        var trace = farm.get(lead, "/api/trace?kind=rfq&id=" + rfq).json();
        assertThat(trace.at("/entries").findValuesAsText("action"))
                .contains("requested", "ran", "drafted", "approved", "posted", "sent")
                .contains("read", "waited", "wrote");
        assertThat(trace.at("/entries").findValuesAsText("detail"))
                .contains("draft", "approval: send_rfq, edit by " + LEAD, "commit");
        assertThat(trace.at("/entries").findValuesAsText("who")).contains(LEAD, "template");
        refused(403, "PERMISSION_DENIED", farm.get(viewer, "/api/trace?kind=rfq&id=" + rfq));
    }

    @Test
    void aDraftIsDismissedOrHandedOn() throws Exception {
        var ignored = asked();
        var path = "/api/approvals/" + ignored.path("approval_id").asText();
        var answer = farm.post(lead, path, Map.of("decision", "ignore"));
        assertThat(answer.json().path("outcome").asText()).isEqualTo("ignore");
        await(
                "SELECT state FROM procurement.rfq WHERE id = '%s'"
                        .formatted(ignored.path("rfq_id").asText()),
                "dismissed");
        var handed = asked();
        var on = "/api/approvals/" + handed.path("approval_id").asText();
        var to = farm.post(lead, on, Map.of("decision", "delegate", "to", "vera"));
        assertThat(to.json().path("outcome").asText()).isEqualTo("delegate");
        refused(403, "PERMISSION_DENIED", farm.post(lead, on, Map.of("decision", "accept")));
        assertThat(farm.post(viewer, on, Map.of("decision", "ignore")).status()).isEqualTo(200);
        refused(
                403,
                "PERMISSION_DENIED",
                farm.post(
                        lead, "/api/approvals/" + UUID.randomUUID(), Map.of("decision", "accept")));
        refused(
                404,
                "NOT_FOUND",
                farm.post(lead, "/api/approvals/x", Map.of("decision", "accept")));
    }

    @Test
    void aVarianceIsDecidedOnceFromWhatThePageShowed() throws Exception {
        farm.write(
                "farm_suppliers",
                """
                INSERT INTO procurement.invoice (id, supplier_id, number, po_number, currency, net, tax)
                VALUES ('I-1', 'rijnzaad', '<b>R-1</b>', 'PO-999999', 'EUR', 10, 2.1)""",
                "INSERT INTO procurement.invoice_line VALUES ('I-1', 1, 'rocket', 1000, 10)");
        await("SELECT state FROM procurement.variance_review WHERE invoice_id = 'I-1'", "open");
        Map<String, Object> decision =
                Map.of(
                        "invoice_id",
                        "I-1",
                        "rule",
                        "unknown_order",
                        "line",
                        0,
                        "from",
                        "open",
                        "to",
                        "disputed",
                        "note",
                        "not ours");
        refused(403, "PERMISSION_DENIED", farm.post(viewer, "/api/variances", decision));
        var decided = farm.post(lead, "/api/variances", decision);
        assertThat(decided.json().path("state").asText()).isEqualTo("disputed");
        refused(409, "FAILED_PRECONDITION", farm.post(lead, "/api/variances", decision));
        var back = new java.util.HashMap<>(decision);
        back.put("from", "disputed");
        back.put("to", "open");
        refused(400, "INVALID_ARGUMENT", farm.post(lead, "/api/variances", back));
        assertThat(
                        farm.ask(
                                "farm_procurement",
                                "SELECT decided_by || ' ' || note FROM procurement.variance_review"
                                        + " WHERE invoice_id = 'I-1'"))
                .isEqualTo(LEAD + " not ours");
        var trace = farm.get(lead, "/api/trace?kind=invoice&id=I-1").json();
        assertThat(trace.at("/entries").findValuesAsText("action"))
                .contains("invoiced", "ran", "read", "wrote", "found", "disputed");
    }

    private static void bill(String id, String rfq, int pricePerKg) throws Exception {
        farm.write(
                "farm_suppliers",
                """
                INSERT INTO procurement.invoice (id, supplier_id, number, po_number, currency, net, tax)
                SELECT '%s', 'rijnzaad', '%s', o.number, 'EUR', %d, %d * 0.21
                FROM procurement.purchase_order AS o WHERE o.rfq_id = '%s'"""
                        .formatted(id, id, pricePerKg, pricePerKg, rfq),
                "INSERT INTO procurement.invoice_line VALUES ('%s', 1, 'rocket', 1000, %d)"
                        .formatted(id, pricePerKg));
        await(
                "SELECT rule || ' ' || state FROM procurement.variance_review"
                        + " WHERE invoice_id = '%s'".formatted(id),
                "price open");
    }

    private static void accept(String invoice, String from) throws Exception {
        Map<String, Object> decision =
                Map.of(
                        "invoice_id",
                        invoice,
                        "rule",
                        "price",
                        "line",
                        1,
                        "from",
                        from,
                        "to",
                        "accepted");
        var decided = farm.post(lead, "/api/variances", decision);
        assertThat(decided.status()).as(decided.response().body()).isEqualTo(200);
    }

    private static void awaitSettled(String invoice, int times) throws Exception {
        for (int look = 0; look < LOOKS; look++) {
            var settled =
                    farm.ask(
                            "farm_budget",
                            """
                            SELECT count(*) FROM lakemill.agent_activity WHERE agent = 'budget'
                              AND input #>> '{key,invoice_id}' = '%s' AND status = 'succeeded'"""
                                    .formatted(invoice));
            if (settled.equals(String.valueOf(times))) {
                return;
            }
            Thread.sleep(100);
        }
        throw new AssertionError("not settled %d times: %s".formatted(times, invoice));
    }

    /** The id of a request of 1,000 g for 10 EUR, which the ledger has taken from the budget. */
    private static String reserved(String sku, String state) throws Exception {
        var rfq = UUID.randomUUID().toString();
        farm.write(
                "farm_procurement",
                """
                INSERT INTO procurement.rfq (id, sku, supplier_id, grams, quoted_price_per_kg,
                  expected_cost, needed_by, reason, requested_by, state)
                VALUES ('%s', '%s', 'rijnzaad', 1000, 10, 10, now(), 'a test', 'test', '%s')"""
                        .formatted(rfq, sku, state),
                "UPDATE procurement.budget SET committed = committed + 10",
                """
                WITH p AS (INSERT INTO procurement.ledger_posting (key, month, amount, memo)
                  SELECT 'rfq-%s', month, 10, 'a test' FROM procurement.budget RETURNING id)
                INSERT INTO procurement.ledger_entry (posting_id, side, account, amount)
                SELECT p.id, v.side, v.account, 10 FROM p, (VALUES ('debit', 'commitments'),
                  ('credit', 'budget')) AS v (side, account)"""
                        .formatted(rfq));
        return rfq;
    }

    @Test
    void anAcceptedVarianceIsOwedOnceAndNeverBeyondTheBudget() throws Exception {
        var rfq = reserved("rocket", "ordered");
        farm.write(
                "farm_procurement",
                """
                WITH o AS (INSERT INTO procurement.purchase_order
                  (rfq_id, supplier_id, currency, tax_percent, total)
                  VALUES ('%s', 'rijnzaad', 'EUR', 21, 10) RETURNING number),
                g AS (INSERT INTO procurement.goods_receipt (id, po_number, line, grams)
                  SELECT o.number || '/1', o.number, 1, 1000 FROM o)
                INSERT INTO procurement.po_line SELECT o.number, 1, 'rocket', 1000, 10 FROM o"""
                        .formatted(rfq));
        bill("V-1", rfq, 12);
        accept("V-1", "open");
        awaitSettled("V-1", 1);
        farm.write(
                "farm_procurement",
                "UPDATE procurement.variance_review SET state = 'disputed' WHERE invoice_id = 'V-1'");
        accept("V-1", "disputed");
        awaitSettled("V-1", 2);
        var posted =
                """
                SELECT string_agg(p.key || ' ' || p.amount || ' ' || e.account, ', ' ORDER BY p.key)
                FROM procurement.ledger_posting AS p
                JOIN procurement.ledger_entry AS e ON e.posting_id = p.id AND e.side = 'credit'
                WHERE p.key LIKE 'invoice-V-%' OR p.key LIKE 'variance-V-%'""";
        var once = "invoice-V-1 10.00 commitments, variance-V-1/price/1 2.00 budget";
        assertThat(farm.ask("farm_procurement", posted)).isEqualTo(once);
        var trace = farm.get(lead, "/api/trace?kind=invoice&id=V-1").json();
        assertThat(trace.at("/entries").findValuesAsText("detail"))
                .anyMatch(detail -> detail.contains("accepted of bill V-1 of rijnzaad (price)"));

        bill("W-1", rfq, 900_000);
        accept("W-1", "open");
        await(
                "SELECT state || ' ' || decided_by || ' ' || (note LIKE '%is left of the budget%')"
                        + " FROM procurement.variance_review WHERE invoice_id = 'W-1'",
                "disputed agent budget true");
        assertThat(
                        farm.ask(
                                "farm_procurement",
                                """
                                SELECT sum(CASE side WHEN 'debit' THEN amount ELSE -amount END)
                                  || ' ' || ((SELECT sum(committed) FROM procurement.budget) - sum(CASE
                                    WHEN account <> 'budget' THEN 0
                                    WHEN side = 'credit' THEN amount ELSE -amount END))
                                FROM procurement.ledger_entry"""))
                .isEqualTo("0.00 0.00");
    }

    @Test
    void theSumsOfTheLedgerAreOfAllItsPostings() throws Exception {
        try (var live = farm.live(lead, "procurement.ledger_balance", "procurement.ledger_entry")) {
            farm.write(
                    "farm_procurement",
                    "UPDATE procurement.budget SET committed = committed + 6",
                    """
                    WITH p AS (INSERT INTO procurement.ledger_posting (key, month, amount, memo)
                      SELECT 'many-' || n, month, 0.01, 'a test'
                      FROM procurement.budget, generate_series(1, 600) AS n RETURNING id)
                    INSERT INTO procurement.ledger_entry (posting_id, side, account, amount)
                    SELECT p.id, v.side, v.account, 0.01 FROM p, (VALUES ('debit', 'payables'),
                      ('credit', 'budget')) AS v (side, account)""");
            var sum =
                    farm.ask(
                            "farm_procurement",
                            "SELECT sum(amount) FROM procurement.ledger_entry"
                                    + " WHERE account = 'payables' AND side = 'debit'");
            assertThat(Double.parseDouble(sum)).isGreaterThanOrEqualTo(6);
            live.await(
                    "procurement.ledger_balance",
                    data ->
                            row(data, "account", "payables")
                                    .map(r -> r.path("debits").asDouble())
                                    .equals(Optional.of(Double.parseDouble(sum))));
        }
        try (var refused = farm.live(viewer, "procurement.ledger_balance")) {
            assertThat(refused.status()).isEqualTo(403);
        }
    }

    @Test
    void whatIsOpenHoldsUpNoOtherRequest() throws Exception {
        var least = "SELECT sku FROM serving.procurement_recommendations ORDER BY deadline DESC";
        var sku = farm.ask("farm_procurement", least + ", sku DESC LIMIT 1");
        assertThat(sku).isNotEmpty();
        // All others were asked for an hour ago, and their suppliers are silent.
        farm.write(
                "farm_procurement",
                """
                INSERT INTO procurement.rfq (sku, supplier_id, grams, quoted_price_per_kg,
                  expected_cost, needed_by, reason, requested_by, state)
                SELECT p.sku, p.supplier_id, 1, 1, 1, now(), 'a test', 'test', 'sent'
                FROM serving.procurement_recommendations AS p WHERE p.sku <> '%s'
                ON CONFLICT DO NOTHING"""
                        .formatted(sku),
                """
                UPDATE procurement.rfq SET created_at = now() - INTERVAL '1 hour',
                  state = CASE WHEN state NOT IN ('requested', 'drafted', 'sent') THEN state
                    WHEN sku = '%s' THEN 'dismissed' ELSE 'sent' END"""
                        .formatted(sku));
        await(
                """
                SELECT count(*) > 0 FROM procurement.rfq WHERE requested_by = 'farm_procurement'
                  AND created_at > now() - INTERVAL '30 minutes'""",
                "t");
    }

    @Test
    void aRequestWithoutAnAnswerIsGivenUpAndItsMoneyComesBack() throws Exception {
        var rfq = reserved("moss", "sent");
        farm.write(
                "farm_procurement",
                """
                INSERT INTO procurement.email_outbox (rfq_id, supplier_id, subject, body, cost,
                  drafted_by, state, sent_at)
                VALUES ('%s', 'rijnzaad', 'a test', 'a test', 10, 'human', 'sent',
                  now() - INTERVAL '7 hours')"""
                        .formatted(rfq));
        await("SELECT state FROM procurement.rfq WHERE id = '%s'".formatted(rfq), "declined");
        assertThat(
                        farm.ask(
                                "farm_procurement",
                                """
                                SELECT p.amount || ' ' || e.account FROM procurement.ledger_posting p
                                JOIN procurement.ledger_entry e ON e.posting_id = p.id
                                WHERE p.key = 'outcome-%s' AND e.side = 'credit'"""
                                        .formatted(rfq)))
                .isEqualTo("10.00 commitments");
    }

    @Test
    void numbersLeadBackToTheEventsOfTheirSources() throws Exception {
        var offer = offer();
        var sku = offer.path("sku").asText();
        var stock = farm.get(viewer, "/api/trace?kind=stock&id=" + sku).json();
        assertThat(stock.at("/entries").findValuesAsText("source"))
                .contains("farm.silver.inventory_movements");
        var quote =
                farm.get(
                                viewer,
                                "/api/trace?kind=quote&id=%s/%s"
                                        .formatted(sku, offer.path("supplier_id").asText()))
                        .json();
        assertThat(quote.at("/entries/0/source").asText())
                .startsWith("farm.silver.supplier_quotes event_id q-");
        assertThat(quote.at("/entries").findValuesAsText("action")).contains("quoted", "ranked");
        var supplier = offer.path("supplier_id").asText();
        var prices = farm.get(viewer, "/api/prices?sku=" + sku).json().path("prices");
        assertThat(prices.findValuesAsText("supplier_id")).contains(supplier);
        assertThat(prices.at("/0/price").asDouble()).isPositive();
        assertThat(prices.at("/0/bucket").asLong() % 900_000).isZero();
        refused(400, "INVALID_ARGUMENT", farm.get(viewer, "/api/prices"));
        refused(404, "NOT_FOUND", farm.get(lead, "/api/trace?kind=order&id=PO-777777"));
        refused(400, "INVALID_ARGUMENT", farm.get(lead, "/api/trace?kind=secret&id=1"));
        refused(400, "INVALID_ARGUMENT", farm.get(lead, "/api/trace?kind=rfq"));
    }

    @Test
    void aStreamTellsWholeTablesAndEndsWithTheUsersTokens() throws Exception {
        farm.server.rest().run("CREATE USER IF NOT EXISTS lou");
        farm.server.rest().run("ALTER GROUP farm_buyers ADD USER lou");
        var lou = farm.userToken("lou", 3_600);
        try (var live =
                farm.live(
                        lou,
                        "serving.supplier_leaderboard",
                        "serving.demand_24h",
                        "procurement.rfq")) {
            assertThat(live.status()).isEqualTo(200);
            var board =
                    live.await(
                            "serving.supplier_leaderboard", data -> !data.path("rows").isEmpty());
            assertThat(board.path("batch").asLong()).isPositive();
            assertThat(board.path("columns").toString()).contains("why_price", "why_reliability");
            live.await(
                    "serving.supplier_leaderboard",
                    data -> data.path("batch").asLong() > board.path("batch").asLong());
            var made = farm.post(lead, "/api/rfqs", request(offer())).json().path("id").asText();
            live.await("procurement.rfq", data -> row(data, "id", made).isPresent());
            farm.server.rest().post("/api/2.0/identity/revoke-tokens", Map.of("principal", "lou"));
            assertThat(live.ends()).isTrue();
        }
        assertThat(farm.get(lou, "/api/me").status()).isEqualTo(401);
        try (var refused = farm.live(viewer, "serving.live_quotes", "procurement.rfq")) {
            assertThat(refused.status()).isEqualTo(403);
        }
        refused(404, "NOT_FOUND", farm.get(lead, "/api/live?table=serving.salaries"));
        refused(400, "INVALID_ARGUMENT", farm.get(lead, "/api/live"));
    }

    @Test
    void noMorePagesListenThanTheLimit() throws Exception {
        var streams = new ArrayList<FarmNode.Events>();
        try {
            for (int i = 0; i < 65; i++) {
                streams.add(farm.live(viewer, "serving.tray_cost"));
            }
            assertThat(streams.getLast().status()).isEqualTo(503);
            assertThat(streams.getFirst().status()).isEqualTo(200);
        } finally {
            streams.forEach(FarmNode.Events::close);
        }
        // Who has gone is noticed when something is said to them.
        for (int look = 0, status = 503; status != 200; look++) {
            assertThat(look).isLessThan(LOOKS);
            Thread.sleep(200);
            try (var live = farm.live(viewer, "serving.tray_cost")) {
                status = live.status();
            }
        }
    }

    @Test
    void whoReadsASyncedTableSeesItsBatchAndNoMore() throws Exception {
        var batch = "SELECT batch > 0 FROM lakemill.sync_state WHERE pipeline = 'farm'";
        assertThat(farm.ask("farm_screen", batch)).isEqualTo("t");
        assertThat(farm.ask("farm_suppliers", "SELECT count(*) FROM (%s) AS b".formatted(batch)))
                .isEqualTo("0");
        assertThatThrownBy(() -> farm.ask("farm_screen", "SELECT sources FROM lakemill.sync_state"))
                .hasMessageContaining("permission denied");
        var shown =
                "SELECT lakemill.wait_for('serving.tray_cost', 0, '60 seconds',"
                        + " 'farm.bronze.supplier_quotes')";
        assertThat(farm.ask("farm_screen", shown)).isEqualTo("t");
        assertThatThrownBy(() -> farm.ask("farm_suppliers", shown))
                .hasMessageContaining("there is no synced table serving.tray_cost");
    }

    @Test
    void nobodyIsBelievedPastTheNode() throws Exception {
        refused(403, "PERMISSION_DENIED", farm.direct("/api/me"));
        refused(403, "PERMISSION_DENIED", farm.direct("/", "X-Lakemill-Proxy-Secret", "guess"));
        assertThat(farm.direct("/health").status()).isEqualTo(204);
        var forged =
                farm.get(
                                viewer,
                                "/api/me",
                                "X-Forwarded-Preferred-Username",
                                LEAD,
                                "X-Forwarded-Access-Token",
                                lead)
                        .json();
        assertThat(forged.path("user").asText()).isEqualTo("vera");
        var secret = farm.variable("LAKEMILL_PROXY_SECRET");
        // With the secret, a name is still worth no more than the token beside it.
        refused(401, "UNAUTHENTICATED", farm.direct("/api/me", as(secret, LEAD, viewer)));
        var brief = farm.userToken(LEAD, 1);
        Thread.sleep(2_000);
        refused(401, "UNAUTHENTICATED", farm.direct("/api/me", as(secret, LEAD, brief)));
        refused(401, "UNAUTHENTICATED", farm.direct("/api/me", "X-Lakemill-Proxy-Secret", secret));
        assertThat(farm.direct("/api/me", as(secret, LEAD, lead)).status()).isEqualTo(200);
    }

    private static String[] as(String secret, String user, String token) {
        return new String[] {
            "X-Lakemill-Proxy-Secret", secret,
            "X-Forwarded-Preferred-Username", user,
            "X-Forwarded-Access-Token", token
        };
    }
}
