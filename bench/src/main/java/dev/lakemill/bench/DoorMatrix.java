package dev.lakemill.bench;

import dev.lakemill.bench.PolicyDoors.Cell;
import dev.lakemill.bench.RestClient.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Tries at every door what each of some principals may do to each of some tables, and holds the
 * answers against the one decision.
 *
 * <p>Each round changes grants, memberships, policies and owners at random and tries all cells
 * again. The decision is what {@code GET /api/2.0/access/decision} says, which asks the catalog's
 * {@code Access} and no door.
 */
final class DoorMatrix {
    private static final Duration READY_TIMEOUT = Duration.ofSeconds(90);
    private static final int PRINCIPALS = 6;
    private static final int CHANGES_PER_ROUND = 12;

    /** The doors learn of a change within a second. */
    private static final Duration SETTLED = Duration.ofMillis(1_200);

    private final PolicyDoors doors;
    private final RestClient admin;
    private final Random random;

    private DoorMatrix(PolicyDoors doors, RestClient admin, long seed) {
        this.doors = doors;
        this.admin = admin;
        this.random = new Random(seed);
    }

    /** What came of it. */
    record Outcome(long cells, long allowed, long changes, long disagreements) {}

    static Outcome run(int rounds) throws IOException, InterruptedException {
        var project = Folders.temporary("lakemill-policy");
        var settings =
                Map.of(
                        "LAKEMILL_GRPC_PORT", "0",
                        "LAKEMILL_HTTP_PORT", "0",
                        "LAKEMILL_POSTGRES_PORT", "0");
        try {
            PolicyDoors.writeProject(project);
            try (var server =
                    ServerProcess.start(project, project.resolve(".lakemill"), settings)) {
                server.awaitReady(READY_TIMEOUT);
                return measure(server, project, rounds);
            }
        } finally {
            Folders.delete(project);
        }
    }

    private static Outcome measure(ServerProcess server, Path project, int rounds)
            throws IOException, InterruptedException {
        var seed = Long.getLong("lakemill.seed", System.nanoTime());
        var token = Files.readString(project.resolve(".lakemill/cli-token")).strip();
        var admin = new RestClient(server.addresses().get("http").asText(), token);
        var principals = new ArrayList<PolicyDoors.Somebody>();
        for (int i = 0; i < PRINCIPALS; i++) {
            principals.add(principal(admin, "robot-" + i));
        }
        group(admin, "readers", principals.subList(0, 2));
        group(admin, "writers", principals.subList(2, 4));
        var doors = new PolicyDoors(server.addresses(), principals);
        doors.prepare(admin);
        var bench = new DoorMatrix(doors, admin, seed);
        long cells = 0;
        long allowed = 0;
        var disagreements = new ArrayList<Cell>();
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < CHANGES_PER_ROUND; i++) {
                bench.change();
            }
            Thread.sleep(SETTLED);
            for (var cell : doors.tryAll()) {
                cells++;
                var expected = bench.decision(cell);
                allowed += expected ? 1 : 0;
                if (expected != cell.allowed()) {
                    disagreements.add(cell);
                    System.err.println("seed " + seed + ": decided " + expected + ", " + cell);
                }
            }
        }
        return new Outcome(cells, allowed, (long) rounds * CHANGES_PER_ROUND, disagreements.size());
    }

    private static PolicyDoors.Somebody principal(RestClient admin, String name)
            throws IOException, InterruptedException {
        var made =
                require(
                        admin.post(
                                "/api/2.0/preview/scim/v2/ServicePrincipals",
                                Map.of("displayName", name)));
        var id = made.get("id").asText();
        var secret =
                require(
                        admin.post(
                                "/api/2.0/accounts/servicePrincipals/%s/credentials/secrets"
                                        .formatted(id),
                                Map.of()));
        var client = made.path("applicationId").asText(id);
        return new PolicyDoors.Somebody(
                id, name, admin.login(client, secret.get("secret").asText()));
    }

    private static void group(RestClient admin, String name, List<PolicyDoors.Somebody> members)
            throws IOException, InterruptedException {
        require(
                admin.post(
                        "/api/2.0/preview/scim/v2/Groups",
                        Map.of(
                                "displayName",
                                name,
                                "members",
                                members.stream().map(m -> Map.of("value", m.id())).toList())));
    }

    private static com.fasterxml.jackson.databind.JsonNode require(Answer answer)
            throws IOException {
        if (!answer.ok()) {
            throw new IOException(answer.status() + " " + answer.body());
        }
        return answer.body();
    }

    private void change() throws IOException, InterruptedException {
        var to =
                any(
                        List.of(
                                "robot-%d".formatted(random.nextInt(PRINCIPALS)),
                                "readers",
                                "writers"));
        var verb = random.nextInt(3) == 0 ? "REVOKE %s ON %s FROM `%s`" : "GRANT %s ON %s TO `%s`";
        switch (random.nextInt(8)) {
            case 0, 1 ->
                    admin.run(
                            verb.formatted(
                                    any(List.of("USE CATALOG", "SELECT", "ALL PRIVILEGES")),
                                    "CATALOG shop",
                                    to));
            case 2, 3, 4 ->
                    admin.run(
                            verb.formatted(
                                    any(
                                            List.of(
                                                    "USE SCHEMA",
                                                    "SELECT",
                                                    "MODIFY",
                                                    "BROWSE",
                                                    "EXTERNAL USE SCHEMA")),
                                    "SCHEMA shop." + any(PolicyDoors.SCHEMAS),
                                    to));
            case 5, 6 ->
                    admin.run(
                            verb.formatted(
                                    any(List.of("SELECT", "MODIFY", "MANAGE")),
                                    "TABLE " + any(doors.tables()),
                                    to));
            default -> admin.run("ALTER TABLE %s OWNER TO `%s`".formatted(any(doors.tables()), to));
        }
    }

    private <T> T any(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private boolean decision(Cell cell) throws IOException, InterruptedException {
        for (var privilege : cell.needs()) {
            var answer =
                    require(
                            admin.get(
                                    "/api/2.0/access/decision?principal=%s&privilege=%s&securable_type=TABLE&full_name=%s"
                                            .formatted(
                                                    RestClient.encoded(cell.principal()),
                                                    privilege,
                                                    RestClient.encoded(cell.table()))));
            if (!answer.get("allowed").asBoolean()) {
                return false;
            }
        }
        return !cell.never();
    }
}
