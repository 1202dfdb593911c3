package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
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
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CONNECT_MILLIS_MAX = 2_000;
    private static final int VERIFY_MILLIS_MAX = 600_000;
    private static final long FOLLOW_PAUSE_MILLIS = 1_000;

    @Spec private CommandSpec spec;
    private final Function<String, @Nullable String> environment;

    AuditCommand() {
        this(System::getenv);
    }

    /**
     * @param environment the value of a variable, or null
     */
    AuditCommand(Function<String, @Nullable String> environment) {
        this.environment = environment;
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
        var answer = call(project, "POST", "/api/2.0/audit/verify", body(known));
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
                        .formatted(encode(user), encode(action));
        var printed = page(project, query + lines, Set.of(), json, out);
        while (follow) {
            Thread.sleep(FOLLOW_PAUSE_MILLIS);
            var newest = page(project, query + 1_000, printed, json, out);
            printed = newest;
        }
        return 0;
    }

    /** Prints what is new of a page; returns the ids of the whole page. */
    private Set<String> page(
            Path project, String query, Set<String> printed, boolean json, PrintWriter out) {
        var events = new ArrayList<JsonNode>();
        call(project, "GET", query, "").path("events").forEach(events::add);
        var ids = new TreeSet<String>();
        for (var event : events.reversed()) {
            var id = event.path("event_id").asText();
            ids.add(id);
            if (!printed.contains(id)) {
                out.println(json ? event.toString() : line(event));
            }
        }
        out.flush();
        return ids;
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
                    "%-10s whole: %,d records, %,d not sealed yet; head %d:%s%n",
                    chain.path("name").asText(),
                    chain.path("sequence").asLong(),
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

    private static String body(@Nullable Map<String, String> known) {
        var body = JSON.createObjectNode();
        var heads = body.putObject("known");
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
                            heads.putObject(chain)
                                    .put("sequence", Long.parseLong(head.substring(0, colon)))
                                    .put("hash", head.substring(colon + 1));
                        });
        return body.toString();
    }

    private JsonNode call(Path project, String method, String path, String body) {
        var data = Config.load(project, System.getenv()).data();
        var run = RunFile.read(data);
        try {
            var connection =
                    (HttpURLConnection) URI.create(run.http() + path).toURL().openConnection();
            connection.setRequestMethod(method);
            connection.setConnectTimeout(CONNECT_MILLIS_MAX);
            connection.setReadTimeout(VERIFY_MILLIS_MAX);
            connection.setRequestProperty("authorization", "Bearer " + token(run, data));
            if (!body.isEmpty()) {
                connection.setDoOutput(true);
                connection.setRequestProperty("content-type", "application/json");
                connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
            }
            return answer(connection);
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the node does not answer at " + run.http(),
                    "is it still running? './lakemill up' starts it",
                    e);
        }
    }

    private static JsonNode answer(HttpURLConnection connection) throws IOException {
        if (connection.getResponseCode() < 400) {
            try (var in = connection.getInputStream()) {
                return JSON.readTree(in);
            }
        }
        try (var in = connection.getErrorStream()) {
            var message = in == null ? "" : JSON.readTree(in).path("message").asText("");
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "the node answers %d: %s".formatted(connection.getResponseCode(), message),
                    "LAKEMILL_TOKEN holds the token of a metastore admin?");
        }
    }

    private String token(RunFile run, Path data) {
        var given = environment.apply("LAKEMILL_TOKEN");
        return given == null || given.isBlank()
                ? NodeClient.requireToken(run.http(), data)
                : given.strip();
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
