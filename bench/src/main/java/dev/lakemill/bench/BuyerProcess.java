package dev.lakemill.bench;

import dev.lakemill.api.ClientCredentials;
import dev.lakemill.api.agent.Agent;
import dev.lakemill.api.agent.AgentRun;
import dev.lakemill.api.agent.AgentWorker;
import dev.lakemill.api.agent.Approval;
import dev.lakemill.api.agent.HttpModelClient;
import dev.lakemill.api.agent.Mail;
import dev.lakemill.api.agent.Prompt;
import dev.lakemill.api.agent.Recipient;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** The agent {@code buyer} in a process of its own, which lives to be killed. */
final class BuyerProcess implements AutoCloseable {
    private static final int THREADS = 4;

    record Draft(String subject, int amount) {}

    private final Process process;

    private BuyerProcess(Process process) {
        this.process = process;
    }

    static BuyerProcess start(String jdbc, String models, ServerProcess.Login login)
            throws IOException {
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var command =
                List.of(
                        java,
                        "-Xmx96m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        BuyerProcess.class.getName(),
                        jdbc,
                        models);
        var builder =
                new ProcessBuilder(command)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().putAll(login.environment());
        return new BuyerProcess(builder.start());
    }

    /** kill -9. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    /** Arguments: the front door's JDBC URL and the gateway's; a login in the environment. */
    public static void main(String[] arguments) throws Exception {
        var jdbc = arguments[0];
        var token =
                new ClientCredentials(
                        URI.create(System.getenv("LAKEMILL_TOKEN_URL")),
                        System.getenv("LAKEMILL_CLIENT_ID"),
                        System.getenv("LAKEMILL_CLIENT_SECRET"));
        var models = new HttpModelClient(URI.create(arguments[1]), token, Duration.ofSeconds(2));
        Agent buyer = BuyerProcess::buy;
        try (var _ =
                AgentWorker.start(
                        new AgentWorker.Options(
                                AgentsFixture.AGENT, THREADS, Duration.ofMillis(1_500)),
                        buyer,
                        () ->
                                DriverManager.getConnection(
                                        jdbc, AgentsFixture.PRINCIPAL, token.get()),
                        models)) {
            new CountDownLatch(1).await();
        }
    }

    private static Object buy(AgentRun run) throws SQLException {
        var order = run.input().at("/key/id").asText();
        var found = run.query("order", "SELECT id, value FROM farm.orders WHERE id = ?", order);
        var supplier = run.query("supplier", "SELECT id FROM farm.suppliers LIMIT 1").getFirst();
        var draft = drafted(run, found.getFirst().text("value"));
        run.write("draft", "draft-" + order, c -> insert(c, "drafts", order, draft.subject()));
        var may =
                run.approve(
                        "commit", Approval.of("commit", Map.of("amount", draft.amount()), order));
        if (!may.isAccepted()) {
            return Map.of("order", order, "committed", false);
        }
        run.write("commit", "commit-" + order, c -> insert(c, "ledger", order, may.decidedBy()));
        var mail = Mail.byTemplate("rfq-" + order, Recipient.of(supplier, "id"), "Order", order);
        var sent = run.mail("mail", mail);
        return Map.of("order", order, "committed", true, "mailed", sent.isAccepted());
    }

    /** A template's where no answer of the model fits. */
    private static Draft drafted(AgentRun run, String order) throws SQLException {
        try {
            var prompt = Prompt.of("Draft an order.").with("order", order);
            return run.ask("draft", AgentsFixture.ENDPOINT, prompt, Draft.class).value();
        } catch (LakemillException e) {
            return new Draft("Order " + order, 1);
        }
    }

    private static int insert(java.sql.Connection connection, String table, String id, String text)
            throws SQLException {
        try (var insert =
                connection.prepareStatement("INSERT INTO farm." + table + " VALUES (?, ?)")) {
            insert.setString(1, id);
            insert.setString(2, text);
            return insert.executeUpdate();
        }
    }
}
