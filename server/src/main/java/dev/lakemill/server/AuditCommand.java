package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Looks at the audit log of the running node, as a metastore admin. */
@Command(
        name = "audit",
        mixinStandardHelpOptions = true,
        description = {"Shows and verifies the audit log, for metastore admins."},
        synopsisSubcommandLabel = "COMMAND")
final class AuditCommand {
    private static final Duration VERIFY_MAX = Duration.ofMinutes(10);
    private static final int PAGE_RECORDS = 1_000;
    private static final long FOLLOW_PAUSE_MILLIS = 1_000;

    @Spec private CommandSpec spec;
    private final Function<Path, NodeClient> nodes;

    AuditCommand() {
        this(AuditCommand::node);
    }

    /**
     * @param nodes the node of a project's folder
     */
    AuditCommand(Function<Path, NodeClient> nodes) {
        this.nodes = nodes;
    }

    private static NodeClient node(Path project) {
        var data = Config.load(project, System.getenv()).data();
        return NodeClient.local(RunFile.read(data), data);
    }

    @Command(
            name = "verify",
            mixinStandardHelpOptions = true,
            description = {
                "Walks the chains of hashes and names the first record that is not as it was.",
                "Keep what it prints elsewhere; with --known it finds a chain rewritten since.",
                "Exit code 0 when all is whole, 1 when not."
            })
    int verify(
            @Option(names = "--project", paramLabel = "DIR", defaultValue = ".") Path project,
            @Option(
                            names = "--known",
                            paramLabel = "CHAIN=SEQUENCE:HASH",
                            description = "an older head that the chain must still contain")
                    Map<String, String> known,
            @Option(names = "--json", description = "print the node's own JSON") boolean json) {
        var answer =
                nodes.apply(project)
                        .waiting(VERIFY_MAX)
                        .post("/api/2.0/audit/verify", Map.of("known", heads(known)));
        var out = spec.commandLine().getOut();
        if (json) {
            out.println(answer.toPrettyString());
        } else {
            answer.path("chains").forEach(chain -> print(chain, out));
        }
        out.flush();
        return answer.path("whole").asBoolean() ? 0 : 1;
    }

    @Command(
            name = "tail",
            mixinStandardHelpOptions = true,
            description = "Prints the newest records, oldest first.")
    int tail(
            @Option(names = "--project", paramLabel = "DIR", defaultValue = ".") Path project,
            @Option(
                            names = {"-n", "--lines"},
                            defaultValue = "20")
                    int lines,
            @Option(names = "--user", defaultValue = "") String user,
            @Option(names = "--action", defaultValue = "") String action,
            @Option(
                            names = {"-f", "--follow"},
                            description = "go on until interrupted")
                    boolean follow,
            @Option(names = "--json", description = "a JSON object a line") boolean json)
            throws InterruptedException {
        var out = spec.commandLine().getOut();
        var query =
                "/api/2.0/audit/events?email=%s&action_name=%s&max_results="
                        .formatted(NodeClient.encoded(user), NodeClient.encoded(action));
        var first = page(project, query + (follow ? PAGE_RECORDS : lines));
        var seen = print(first, Set.of(), lines, json, out);
        while (follow) {
            Thread.sleep(FOLLOW_PAUSE_MILLIS);
            seen = print(page(project, query + PAGE_RECORDS), seen, PAGE_RECORDS, json, out);
        }
        return 0;
    }

    /** The newest first. */
    private List<JsonNode> page(Path project, String query) {
        var events = new ArrayList<JsonNode>();
        nodes.apply(project).get(query).path("events").forEach(events::add);
        return events;
    }

    /** Prints the newest of a page that are not seen yet; returns the ids of the whole page. */
    private static Set<String> print(
            List<JsonNode> page, Set<String> seen, int lines, boolean json, PrintWriter out) {
        page.stream()
                .limit(lines)
                .filter(event -> !seen.contains(id(event)))
                .toList()
                .reversed()
                .forEach(event -> out.println(json ? event.toString() : line(event)));
        out.flush();
        return page.stream().map(AuditCommand::id).collect(Collectors.toSet());
    }

    private static String id(JsonNode event) {
        return event.path("event_id").asText();
    }

    private static String line(JsonNode event) {
        var error = event.path("response").path("error_message").asText();
        return "%-27s %-7d %-3d %-24s %-15s %s.%s %s%s"
                .formatted(
                        event.path("event_time").asText(),
                        event.path("sequence").asLong(),
                        event.path("response").path("status_code").asInt(),
                        event.path("user_identity").path("email").asText(),
                        event.path("source_ip_address").asText(),
                        event.path("service_name").asText(),
                        event.path("action_name").asText(),
                        event.path("request_params"),
                        error.isEmpty() ? "" : " " + error);
    }

    private static void print(JsonNode chain, PrintWriter out) {
        if (chain.path("whole").asBoolean()) {
            out.printf(
                    "%-10s whole: %,d records, %,d before them expired, %,d not sealed yet;"
                            + " head %d:%s%n",
                    chain.path("name").asText(),
                    chain.path("sequence").asLong() - chain.path("expired").asLong(),
                    chain.path("expired").asLong(),
                    chain.path("unsealed").asLong(),
                    chain.path("sequence").asLong(),
                    chain.path("hash").asText());
        } else {
            out.printf(
                    "%-10s BROKEN at %d (record %d): %s%n",
                    chain.path("name").asText(),
                    chain.path("sequence").asLong(),
                    chain.path("number").asLong(),
                    chain.path("problem").asText());
        }
    }

    private static Map<String, Map<String, Object>> heads(@Nullable Map<String, String> known) {
        var heads = new TreeMap<String, Map<String, Object>>();
        Objects.requireNonNullElse(known, Map.<String, String>of())
                .forEach(
                        (chain, head) -> {
                            var colon = head.indexOf(':');
                            if (colon < 1 || !head.substring(0, colon).matches("[0-9]{1,18}")) {
                                throw new LakemillException(
                                        ErrorCode.INVALID_ARGUMENT,
                                        "--known %s=%s names no head".formatted(chain, head),
                                        "write audit=SEQUENCE:HASH as verify printed it");
                            }
                            heads.put(
                                    chain,
                                    Map.of(
                                            "sequence",
                                            Long.parseLong(head.substring(0, colon)),
                                            "hash",
                                            head.substring(colon + 1)));
                        });
        return heads;
    }
}
