package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.types.LakemillException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Has the running node make a backup. */
@Command(
        name = "backup",
        mixinStandardHelpOptions = true,
        description = {
            "Makes a base backup of the running node in backup.folder, and prunes older ones.",
            "Postgres (catalog, grants, state tables), Delta tables, the log of rows, pipelines:",
            "all of it fits together. Between base backups the node archives what changes, so that",
            "'./lakemill restore --to TIME' reaches any moment since the oldest one that is kept."
        },
        footer = {
            "",
            "Set backup.folder (LAKEMILL_BACKUP_FOLDER) first, to a folder on another disk.",
            "'./lakemill verify' restores the newest backup elsewhere and checks it."
        })
final class BackupCommand implements Callable<Integer> {
    private static final Duration BACKUP_MAX = Duration.ofHours(24);
    private static final long LOOK_MILLIS = 1_000;

    @Spec private CommandSpec spec;
    @Mixin private NodeClient.Target target = new NodeClient.Target();

    @Option(
            names = "--keep",
            paramLabel = "N",
            defaultValue = "7",
            description = "base backups that stay, this one among them (default: 7)")
    private int keep;

    @Option(names = "--list", description = "list the backups that there are, and make none")
    private boolean list;

    @Option(names = "--json", description = "print the node's own JSON")
    private boolean json;

    @Override
    public Integer call() throws InterruptedException {
        var node = target.client();
        var out = spec.commandLine().getOut();
        var answer = list ? node.get("/api/2.0/backups") : make(node, out);
        if (json) {
            out.println(answer.toPrettyString());
        } else if (list) {
            print(answer, out);
        } else {
            out.printf(
                    "backup %s: %,d MB copied, %d Delta tables%n"
                            + "restores any moment from %s to %s%n",
                    answer.path("id").asText(),
                    answer.path("bytes").asLong() >> 20,
                    answer.path("tables").asInt(),
                    answer.path("restorable_from").asText(),
                    answer.path("restorable_to").asText());
        }
        out.flush();
        return 0;
    }

    private JsonNode make(NodeClient node, PrintWriter out) throws InterruptedException {
        try (var thread = Executors.newVirtualThreadPerTaskExecutor()) {
            var made =
                    CompletableFuture.supplyAsync(
                            () ->
                                    node.waiting(BACKUP_MAX)
                                            .post("/api/2.0/backups", Map.of("keep", keep)),
                            thread);
            var said = "";
            while (!made.isDone()) {
                Thread.sleep(Math.min(LOOK_MILLIS, said.isEmpty() ? 200 : LOOK_MILLIS));
                var status = node.get("/api/2.0/backups");
                var doing = status.path("doing").asText();
                if (!json && !doing.isEmpty() && !doing.equals(said)) {
                    out.printf("%s (%,d MB)%n", doing, status.path("bytes").asLong() >> 20);
                    out.flush();
                    said = doing;
                }
            }
            return made.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof LakemillException known ? known : e;
        }
    }

    private static void print(JsonNode answer, PrintWriter out) {
        for (var backup : answer.path("backups")) {
            out.printf(
                    "%-22s from %s  Postgres %,d MB%n",
                    backup.path("id").asText(),
                    backup.path("ended").asText(),
                    backup.path("bytes").asLong() >> 20);
        }
        out.printf("newest mark: %s%n", answer.path("last_mark").asText("none since the start"));
        if (!answer.path("problem").asText().isEmpty()) {
            out.println("PROBLEM: " + answer.path("problem").asText());
        }
    }
}
