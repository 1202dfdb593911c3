package dev.lakemill.farm.procurement;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.api.ClientCredentials;
import dev.lakemill.api.agent.Agent;
import dev.lakemill.api.agent.AgentWorker;
import dev.lakemill.api.agent.HttpModelClient;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Procurement as a process: it makes the tables, asks for what is recommended, runs the agents, and
 * stands in for the suppliers. It speaks SQL, each part as its own principal, and asks models.
 *
 * <p>Environment: {@code FARM_JDBC}, {@code FARM_MODELS} (the gateway's base URL), {@code
 * LAKEMILL_TOKEN_URL}, and {@code FARM_LOGINS}: {@code {"principal": {"client": …, "secret": …}}}.
 * Arguments: the project's folder, the port of the suppliers' mail server, the file for what the
 * suppliers did wrong on purpose, and {@code --desk}, with which somebody is simulated who accepts
 * what agents ask. Once it has told that it is started, it asks for nothing until it is told, by a
 * line, that the agents are registered.
 */
public final class Procurement {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String OWNER = "farm_procurement";
    private static final Duration MODEL_TIMEOUT = Duration.ofMinutes(2);
    private static final long LOOK_MILLIS = 500;
    private static final long PLAN_LOOKS = 4;

    /** Each agent's principal is farm_ and its name. */
    private static final Map<String, Agent> AGENTS =
            Map.of(
                    "negotiator", new Negotiator(),
                    "budget", new BudgetKeeper(),
                    "dispatcher", new Dispatcher(),
                    "buyer", new Buyer(),
                    "reconciler", new Reconciler());

    private static final String BUDGET =
            """
            INSERT INTO procurement.budget (month, amount)
            VALUES (date_trunc('month', now()), 60000) ON CONFLICT (month) DO NOTHING""";

    /** Undecided requests beside which no further one is made: people ask for the rest. */
    private static final int UNDECIDED_MAX = 2;

    /**
     * The most pressing recommendation without an open request that nobody has asked for in the
     * last ten minutes, unless too many wait to be decided.
     */
    private static final String PLAN =
            """
            INSERT INTO procurement.rfq
              (sku, supplier_id, grams, quoted_price_per_kg, expected_cost, needed_by, reason, requested_by)
            SELECT r.sku, r.supplier_id, r.grams, b.price_per_kg, r.expected_cost, r.deadline, r.reason,
              'farm_procurement'
            FROM serving.procurement_recommendations AS r
            JOIN serving.supplier_leaderboard AS b
              ON b.sku = r.sku AND b.supplier_id = r.supplier_id
            WHERE r.expected_cost > 0 AND r.grams > 0 AND NOT EXISTS (
              SELECT 1 FROM procurement.rfq AS q
              WHERE q.sku = r.sku AND (q.created_at > now() - INTERVAL '10 minutes'
                OR q.state IN ('requested', 'drafted', 'sent')))
              AND (SELECT count(*) FROM procurement.rfq AS w
                WHERE w.state IN ('requested', 'drafted')) < ?
            ORDER BY r.deadline, r.sku LIMIT 1
            ON CONFLICT DO NOTHING""";

    /**
     * A supplier who is silent for hours has declined: the buyer gives back what was reserved. An
     * answer that comes later is none, for it has the same id.
     */
    private static final String GIVE_UP =
            """
            INSERT INTO procurement.supplier_reply (id, rfq_id, supplier_id, kind, text)
            SELECT 'reply-' || r.id, r.id, r.supplier_id, 'decline',
              'No answer came for 6 hours: the request is given up.'
            FROM procurement.rfq AS r
            JOIN procurement.email_outbox AS e ON e.rfq_id = r.id
            WHERE r.state = 'sent' AND e.sent_at < now() - INTERVAL '6 hours'
            ON CONFLICT DO NOTHING""";

    private static final String DECIDE =
            """
            SELECT lakemill.agent_decide(i.approval_id, 'accept', NULL, NULL)
            FROM lakemill.agent_inbox AS i""";

    private final String jdbc;
    private final Map<String, Supplier<String>> tokens = new HashMap<>();
    private final CountDownLatch stop = new CountDownLatch(1);
    private final List<AutoCloseable> parts = new ArrayList<>();
    private volatile @Nullable SupplierDesk suppliers;

    private Procurement(String jdbc, URI tokenUrl, JsonNode logins) {
        this.jdbc = jdbc;
        logins.properties()
                .forEach(
                        login ->
                                tokens.put(
                                        login.getKey(),
                                        new ClientCredentials(
                                                tokenUrl,
                                                login.getValue().path("client").asText(),
                                                login.getValue().path("secret").asText())));
    }

    /** Runs until SIGTERM. */
    public static void main(String[] arguments) throws Exception {
        var project = Path.of(arguments[0]);
        var smtpPort = Integer.parseInt(arguments[1]);
        var isDesk = List.of(arguments).contains("--desk");
        var running =
                new Procurement(
                        variable("FARM_JDBC"),
                        URI.create(variable("LAKEMILL_TOKEN_URL")),
                        JSON.readTree(variable("FARM_LOGINS")));
        var truth = Path.of(arguments[2]);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> running.close(truth), "close"));
        running.start(project, smtpPort, URI.create(variable("FARM_MODELS")));
        while (System.in.read() != '\n') {
            // The agents are being registered.
        }
        running.work(isDesk);
    }

    private static String variable(String name) {
        return Objects.requireNonNull(System.getenv(name), name + " is not set");
    }

    private Connection open(String principal) throws SQLException {
        var token = Objects.requireNonNull(tokens.get(principal), "no login of " + principal);
        return DriverManager.getConnection(jdbc, principal, token.get());
    }

    private void start(Path project, int smtpPort, URI models) throws SQLException, IOException {
        try (var connection = open(OWNER);
                var statement = connection.createStatement()) {
            var schema = Files.readString(project.resolve("procurement/schema.sql"));
            // One by one: a table is the catalog's, to be granted, once it is committed.
            for (var sql : schema.split(";\n")) {
                statement.execute(sql);
            }
            statement.execute(BUDGET);
        }
        suppliers = SupplierDesk.start(() -> open("farm_suppliers"), smtpPort);
        parts.add(suppliers);
        AGENTS.forEach(
                (name, agent) -> {
                    var principal = "farm_" + name;
                    var token = Objects.requireNonNull(tokens.get(principal), principal);
                    parts.add(
                            AgentWorker.start(
                                    AgentWorker.Options.of(name),
                                    agent,
                                    () -> open(principal),
                                    new HttpModelClient(models, token, MODEL_TIMEOUT)));
                });
        tell(Map.of("type", "started"));
    }

    private void work(boolean isDesk) throws InterruptedException {
        long looks = 0;
        while (!stop.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            try {
                if (looks++ % PLAN_LOOKS == 0) {
                    plan(isDesk ? Integer.MAX_VALUE : UNDECIDED_MAX);
                }
                if (isDesk) {
                    write("farm_desk", DECIDE);
                }
            } catch (SQLException e) {
                System.err.println("procurement waits: " + e.getMessage());
            }
        }
    }

    private void plan(int undecidedMax) throws SQLException {
        try (var connection = open(OWNER)) {
            // There is one for each month, and months begin while it runs.
            Sql.write(connection, BUDGET);
            Sql.write(connection, GIVE_UP);
            Sql.write(connection, PLAN, undecidedMax);
        }
    }

    private void write(String principal, String sql) throws SQLException {
        try (var connection = open(principal);
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static void tell(Map<String, ?> event) throws IOException {
        System.out.println(JSON.writeValueAsString(new LinkedHashMap<>(event)));
    }

    private void close(Path truth) {
        stop.countDown();
        var desk = suppliers;
        if (desk != null) {
            try {
                Files.writeString(truth, JSON.writeValueAsString(desk.truth()));
            } catch (IOException e) {
                System.err.println("the truth is not written: " + e);
            }
        }
        for (var part : parts.reversed()) {
            try {
                part.close();
            } catch (Exception e) {
                System.err.println("closing: " + e);
            }
        }
    }
}
