package dev.lakemill.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The farm's procurement, as the separate process that it is, with its agents registered. */
final class ProcurementProcess implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int STARTED_SECONDS_MAX = 300;
    private static final int STOP_SECONDS_MAX = 120;
    private static final List<String> AGENTS =
            List.of("negotiator", "budget", "dispatcher", "buyer", "reconciler");

    /** Who decides, and may pause the agents. */
    private static final String PEOPLE = "farm_buyers";

    private static final List<String> OTHERS =
            List.of("farm_procurement", "farm_suppliers", "farm_desk");

    private final Process process;
    private final Path truth;

    private ProcurementProcess(Process process, Path truth) {
        this.process = process;
        this.truth = truth;
    }

    /**
     * Starts it, and returns when its agents work.
     *
     * @param smtpPort where the server sends e-mail
     * @param isDesk whether somebody is simulated who accepts what agents ask
     */
    static ProcurementProcess start(
            ServerProcess server, Path project, Path data, int smtpPort, boolean isDesk)
            throws IOException, InterruptedException {
        var command =
                Root.java(
                        "examples/vertical-farm",
                        "dev.lakemill.farm.procurement.Procurement",
                        List.of("-Xmx128m"));
        var truth = data.resolve("procurement-truth.json");
        command.addAll(List.of(project.toString(), String.valueOf(smtpPort), truth.toString()));
        if (isDesk) {
            command.add("--desk");
        }
        var log = data.resolve("procurement.log");
        var builder =
                new ProcessBuilder(command)
                        .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(environment(server));
        var process = builder.start();
        var started = new ProcurementProcess(process, truth);
        try {
            started.awaitStarted(log);
            register(server.rest());
            process.outputWriter().write("\n");
            process.outputWriter().flush();
        } catch (IOException | InterruptedException | RuntimeException e) {
            started.close();
            throw e;
        }
        return started;
    }

    private static Map<String, String> environment(ServerProcess server)
            throws IOException, InterruptedException {
        var logins = new LinkedHashMap<String, Map<String, String>>();
        var principals = new ArrayList<>(OTHERS);
        AGENTS.forEach(agent -> principals.add("farm_" + agent));
        var url = "";
        for (var principal : principals) {
            var login = server.login(principal);
            url = login.endpoint().toString();
            logins.put(principal, Map.of("client", login.client(), "secret", login.secret()));
        }
        return Map.of(
                "FARM_JDBC",
                server.frontDoorJdbc(),
                "FARM_MODELS",
                server.addresses().get("http").asText() + "/v1",
                "FARM_LOGINS",
                JSON.writeValueAsString(logins),
                "LAKEMILL_TOKEN_URL",
                url);
    }

    private void awaitStarted(Path log) throws IOException, InterruptedException {
        var lines =
                new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        var reader =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try {
                                        lines.readLine();
                                    } catch (IOException _) {
                                        // The process ended; that is seen below.
                                    }
                                });
        if (!reader.join(Duration.ofSeconds(STARTED_SECONDS_MAX)) || !process.isAlive()) {
            throw new IOException("procurement does not start; see " + log);
        }
    }

    private static void register(RestClient rest) throws IOException, InterruptedException {
        for (var agent : AGENTS) {
            var body = new LinkedHashMap<String, Object>();
            body.put("principal", "farm_" + agent);
            body.put("owner", PEOPLE);
            body.put("approvers", List.of("farm_desk", PEOPLE));
            if (agent.equals("dispatcher")) {
                body.put(
                        "addresses",
                        Map.of(
                                "table", "serving.suppliers",
                                "key", "supplier_id",
                                "column", "email"));
                body.put("mail_needs_approval", false);
            }
            ok(rest.put("/api/2.0/agents/" + agent, body), agent);
        }
        onInsert(rest, "negotiator", "rfq");
        onState(rest, "budget", "email_outbox", "approved");
        onState(rest, "dispatcher", "email_outbox", "committed");
        onState(rest, "budget", "variance_review", "accepted");
        onState(rest, "budget", "variance_review", "closed");
        onInsert(rest, "buyer", "supplier_reply");
        onInsert(rest, "reconciler", "invoice");
    }

    private static void onInsert(RestClient rest, String agent, String table)
            throws IOException, InterruptedException {
        trigger(
                rest,
                agent,
                Map.of(
                        "name",
                        table,
                        "table",
                        "farm.procurement." + table,
                        "operations",
                        List.of("insert")));
    }

    private static void onState(RestClient rest, String agent, String table, String state)
            throws IOException, InterruptedException {
        trigger(
                rest,
                agent,
                Map.of(
                        "name",
                        state,
                        "table",
                        "farm.procurement." + table,
                        "operations",
                        List.of("update"),
                        "changed_column",
                        "state",
                        "becomes",
                        state));
    }

    private static void trigger(RestClient rest, String agent, Map<String, Object> body)
            throws IOException, InterruptedException {
        var path = "/api/2.0/agents/%s/triggers".formatted(agent);
        var known = rest.get(path).body().path("triggers");
        for (var trigger : known) {
            if (trigger.path("name").asText().equals(body.get("name"))) {
                return;
            }
        }
        ok(rest.post(path, body), agent);
    }

    private static void ok(RestClient.Answer answer, String what) throws IOException {
        if (!answer.ok()) {
            throw new IOException(what + ": " + answer.body());
        }
    }

    /** Ends it; by invoice, what the suppliers did wrong on purpose. */
    Map<String, String> stop() throws IOException {
        close();
        var wrong = new LinkedHashMap<String, String>();
        JSON.readTree(truth.toFile())
                .properties()
                .forEach(
                        e -> wrong.put(e.getKey(), e.getValue().asText().toLowerCase(Locale.ROOT)));
        return wrong;
    }

    boolean alive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(STOP_SECONDS_MAX, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException _) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
