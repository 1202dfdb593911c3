package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Moves an application's database into state tables of the running node. */
@Command(
        name = "import",
        mixinStandardHelpOptions = true,
        description = "Moves databases of applications into state tables of the running node.",
        synopsisSubcommandLabel = "COMMAND")
final class ImportCommand {
    private static final long LOOK_MILLIS = 500;

    @Spec private CommandSpec spec;

    @Command(
            name = "postgres",
            mixinStandardHelpOptions = true,
            description = {
                "Moves schemas of a Postgres (13 or newer) in: types, tables, rows, sequences, keys,",
                "indexes, views, functions, triggers. The rows are those of one moment; counts and",
                "checksums of every table are held against the source at the end. What cannot be",
                "moved is told before anything is written.",
                "",
                "After a crash, or when the network failed, the same command goes on where it was."
            },
            footer = {
                "",
                "For example:",
                "  ./lakemill import postgres postgresql://app@db.example.org/shop --schema public",
                "Stop what writes to the source first: later changes there do not follow."
            })
    int postgres(
            @Mixin NodeClient.Target target,
            @Parameters(
                            paramLabel = "URL",
                            description =
                                    "postgresql://user:password@host:port/database; the password"
                                            + " may come as PGPASSWORD instead")
                    String url,
            @Option(
                            names = "--schema",
                            paramLabel = "NAME",
                            description = "moves this schema alone; may be given again")
                    @Nullable List<String> schemas,
            @Option(
                            names = "--leave-out",
                            paramLabel = "OBJECT",
                            description =
                                    "leaves this behind, named as a refusal names it, for example"
                                            + " 'view app.recent'; may be given again")
                    @Nullable List<String> leftOut,
            @Option(
                            names = "--catalog",
                            paramLabel = "NAME",
                            defaultValue = "main",
                            description = "whose schemas take the tables (default: main)")
                    String catalog,
            @Option(
                            names = "--owner",
                            paramLabel = "PRINCIPAL",
                            description = "who owns the tables (default: whoever runs this)")
                    @Nullable String owner,
            @Option(names = "--json", description = "print the report as one JSON object")
                    boolean json)
            throws InterruptedException {
        var node = target.client();
        var body = new HashMap<String, Object>();
        body.put("url", url);
        body.put("schemas", schemas == null ? List.of() : schemas);
        body.put("left_out", leftOut == null ? List.of() : leftOut);
        body.put("catalog", catalog);
        var password = System.getenv("PGPASSWORD");
        if (password != null) {
            body.put("password", password);
        }
        if (owner != null) {
            body.put("owner", owner);
        }
        node.post(ImportRoutes.PATH, body);
        return follow(node, json);
    }

    @Command(
            name = "status",
            mixinStandardHelpOptions = true,
            description = "Tells how far the import is, until it ends.")
    int status(
            @Mixin NodeClient.Target target,
            @Option(names = "--json", description = "print the report as one JSON object")
                    boolean json)
            throws InterruptedException {
        return follow(target.client(), json);
    }

    @Command(
            name = "discard",
            mixinStandardHelpOptions = true,
            description = {
                "Takes away the tables of an import that has not come to its end.",
                "Schemas and extensions stay; what was done is not touched."
            })
    int discard(@Mixin NodeClient.Target target) {
        var answer = target.client().delete(ImportRoutes.PATH);
        print(answer.path("discarded").asBoolean() ? "taken away" : "there was none");
        return 0;
    }

    private int follow(NodeClient node, boolean json) throws InterruptedException {
        var said = "";
        while (true) {
            var status = node.get(ImportRoutes.PATH);
            switch (status.path("state").asText()) {
                case "RUNNING" -> {
                    var line = line(status);
                    if (!line.equals(said)) {
                        spec.commandLine().getErr().println(line);
                        spec.commandLine().getErr().flush();
                        said = line;
                    }
                    Thread.sleep(LOOK_MILLIS);
                }
                case "DONE" -> {
                    var report = status.path("report");
                    print(json ? report.toPrettyString() : text(report));
                    return 0;
                }
                case "FAILED" -> throw NodeClient.failure(status.path("failure"));
                default ->
                        throw new LakemillException(
                                ErrorCode.NOT_FOUND,
                                "no import runs on this node",
                                "'./lakemill import postgres URL' begins one, or goes on");
            }
        }
    }

    private static String line(JsonNode status) {
        var expected = status.path("rows_expected").asLong();
        var rows = status.path("rows").asLong();
        return expected == 0
                ? status.path("doing").asText()
                : "%s  %,d of about %,d rows, %,d MB"
                        .formatted(
                                status.path("doing").asText(),
                                rows,
                                expected,
                                status.path("bytes").asLong() >> 20);
    }

    private static String text(JsonNode report) {
        var lines = new ArrayList<String>();
        for (var table : report.path("tables")) {
            lines.add(
                    "%-48s %,12d rows, the same as in the source"
                            .formatted(table.path("name").asText(), table.path("rows").asLong()));
        }
        lines.add(
                "%d tables, %,d rows: all of the catalog now, and verified"
                        .formatted(
                                report.path("figures").path("tables").asInt(),
                                report.path("figures").path("rows").asLong()));
        return String.join("\n", lines);
    }

    private void print(String line) {
        var out = spec.commandLine().getOut();
        out.println(line);
        out.flush();
    }
}
