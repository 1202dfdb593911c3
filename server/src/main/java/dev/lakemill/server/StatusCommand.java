package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Asks the running node how it is. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = {
            "Prints each table's rows, position and freshness, and how the pipelines do.",
            "Exit code 0 when ready, 1 when not."
        })
final class StatusCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Option(
            names = "--project",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "folder with lakemill.yml (default: the current one)")
    private Path project;

    @Option(names = "--json", description = "print the node's own JSON")
    private boolean json;

    @Override
    public Integer call() {
        var data = Config.load(project, System.getenv()).data();
        var run = RunFile.read(data);
        var status = NodeClient.local(run, data).get("/api/status");
        var out = spec.commandLine().getOut();
        if (json) {
            out.println(status.toPrettyString());
        } else {
            print(status, run, out);
        }
        out.flush();
        return status.path("ready").asBoolean() ? 0 : 1;
    }

    private static void print(JsonNode status, RunFile run, PrintWriter out) {
        out.printf(
                "%s %s, %s, up %.0f s, %.0f rows/s%n",
                status.path("node").asText(),
                status.path("version").asText(),
                status.path("ready").asBoolean() ? "ready" : "NOT READY",
                status.path("uptime_seconds").asDouble(),
                status.path("rows_per_second").asDouble());
        status.path("reasons").forEach(reason -> out.println("  " + reason.asText()));
        out.println("  gRPC " + run.grpc() + "   HTTP " + run.http());
        out.println("  psql '" + run.postgres() + "'");
        out.printf("%n%-44s %-18s %12s %14s %12s%n", "table", "kind", "rows", "position", "fresh");
        for (var table : status.path("tables")) {
            out.printf(
                    "%-44s %-18s %,12d %14d %12s%n",
                    table.path("name").asText(),
                    table.path("kind").asText().toLowerCase(java.util.Locale.ROOT),
                    table.path("rows").asLong(),
                    table.path("position").asLong(),
                    table.path("freshness_ms").isNull()
                            ? "-"
                            : table.path("freshness_ms").asLong() + " ms");
        }
        for (var table : status.path("not_row_audited")) {
            out.printf(
                    "%nrows of %s are not audited: %s (%s, %s)%n",
                    table.path("table").asText(),
                    table.path("reason").asText(),
                    table.path("changed_by").asText(),
                    table.path("changed_at").asText());
        }
        for (var pipeline : status.path("pipelines")) {
            out.printf(
                    "%npipeline %s: %s, batch %d took %.0f ms%n",
                    pipeline.path("name").asText(),
                    pipeline.path("state").asText().toLowerCase(java.util.Locale.ROOT),
                    pipeline.path("batch").asLong(),
                    pipeline.path("batch_ms").asDouble());
            if (!pipeline.path("error").isNull()) {
                out.println("  " + pipeline.path("error").asText());
            }
            for (var rule : pipeline.path("expectations")) {
                out.printf(
                        "  %-34s %-26s %-12s %,12d passed %,10d failed%n",
                        rule.path("table").asText(),
                        rule.path("name").asText(),
                        rule.path("action").asText().toLowerCase(java.util.Locale.ROOT),
                        rule.path("passed").asLong(),
                        rule.path("failed").asLong());
            }
        }
    }
}
