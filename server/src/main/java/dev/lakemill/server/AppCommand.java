package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Apps that the node hosts. */
@Command(
        name = "app",
        mixinStandardHelpOptions = true,
        description = {
            "Hosts apps: pages, or any program that serves HTTP.",
            "An app is a folder with app.yaml (Databricks' apps run unchanged), or with index.html.",
            "It gets a host of its own, the node's login, a service principal, and the grants that",
            "its app.yaml declares."
        },
        footer = {
            "",
            "  ./lakemill app deploy DIR         a new version, beside the running one until it works",
            "  ./lakemill app logs NAME --follow what it says, live",
            "  ./lakemill app rollback NAME      the version before",
            "  ./lakemill grant EXECUTE ON APP NAME TO USER   lets somebody use it"
        })
final class AppCommand {
    private static final String APPS = "/api/2.0/apps";
    private static final Duration UPLOAD_MAX = Duration.ofMinutes(30);
    private static final Duration CHANGE_MAX = Duration.ofMinutes(2);
    private static final long LOOK_MS = 300;
    private static final int NAME_CHARS_MAX = 30;

    @Spec private CommandSpec spec;

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private static String path(String name) {
        return APPS + "/" + NodeClient.encoded(name);
    }

    private void print(JsonNode answer, boolean json) {
        if (json) {
            out().println(answer.toPrettyString());
        } else {
            var status = answer.path("app_status");
            out().printf(
                            "%-20s %-11s version %-4s %s%n",
                            answer.path("name").asText(),
                            status.path("state").asText(),
                            answer.path("active_version").asText("-"),
                            answer.path("url").asText());
            if (!status.path("state").asText().equals("RUNNING")) {
                out().println("    " + status.path("message").asText());
            }
        }
        out().flush();
    }

    @Command(
            name = "deploy",
            mixinStandardHelpOptions = true,
            description = {
                "Packs a folder, sends it, and waits until the new version serves.",
                "The version that runs goes on until then, and for good when the new one fails."
            })
    int deploy(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "DIR", description = "folder of the app") Path folder,
            @Option(
                            names = "--name",
                            paramLabel = "NAME",
                            description = "of the app (default: the folder's name)")
                    @Nullable String name,
            @Option(names = "--json", description = "print the node's own JSON") boolean json)
            throws InterruptedException, IOException {
        var node = target.client();
        var app = name == null ? nameOf(folder) : name;
        var packed = AppPacker.pack(folder);
        JsonNode begun;
        try {
            begun =
                    node.waiting(UPLOAD_MAX)
                            .upload(path(app) + "/deployments", packed, "application/gzip");
        } finally {
            Files.deleteIfExists(packed);
        }
        await(node, app, begun);
        print(node.get(path(app)), json);
        return 0;
    }

    private static String nameOf(Path folder) {
        var last = folder.toAbsolutePath().normalize().getFileName();
        var name =
                String.valueOf(last)
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^a-z0-9]+", "-")
                        .replaceAll("^-|-$", "");
        return name.substring(0, Math.min(NAME_CHARS_MAX, name.length()));
    }

    private static void await(NodeClient node, String app, JsonNode begun)
            throws InterruptedException {
        var id = begun.path("deployment_id").asText();
        while (true) {
            var now = node.get(path(app) + "/deployments/" + id);
            switch (now.path("status").path("state").asText()) {
                case "SUCCEEDED" -> {
                    return;
                }
                case "FAILED" ->
                        throw new LakemillException(
                                ErrorCode.FAILED_PRECONDITION,
                                "version %d was not deployed: %s"
                                        .formatted(
                                                now.path("version").asInt(),
                                                now.path("status").path("message").asText()),
                                "what ran before runs still; './lakemill app logs %s' tells more"
                                        .formatted(app));
                default -> Thread.sleep(LOOK_MS);
            }
        }
    }

    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "Lists the apps that you may see.")
    int list(
            @Mixin NodeClient.Target target,
            @Option(names = "--json", description = "print the node's own JSON") boolean json) {
        var answer = target.client().get(APPS);
        if (json) {
            out().println(answer.toPrettyString());
            out().flush();
        } else {
            answer.path("apps").forEach(app -> print(app, false));
        }
        return 0;
    }

    @Command(
            name = "status",
            mixinStandardHelpOptions = true,
            description = "Tells how an app is; exit code 1 unless it is RUNNING.")
    int status(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "NAME") String name,
            @Option(names = "--json", description = "print the node's own JSON") boolean json) {
        var answer = target.client().get(path(name));
        print(answer, json);
        return answer.path("app_status").path("state").asText().equals("RUNNING") ? 0 : 1;
    }

    @Command(
            name = "start",
            mixinStandardHelpOptions = true,
            description = "Starts an app, or starts it anew.")
    int start(@Mixin NodeClient.Target target, @Parameters(paramLabel = "NAME") String name) {
        print(target.client().waiting(CHANGE_MAX).post(path(name) + "/start", Map.of()), false);
        return 0;
    }

    @Command(
            name = "stop",
            mixinStandardHelpOptions = true,
            description = "Stops an app: TERM, 15 seconds, KILL. It stays down.")
    int stop(@Mixin NodeClient.Target target, @Parameters(paramLabel = "NAME") String name) {
        print(target.client().waiting(CHANGE_MAX).post(path(name) + "/stop", Map.of()), false);
        return 0;
    }

    @Command(
            name = "versions",
            mixinStandardHelpOptions = true,
            description = "Lists an app's versions, newest first; * marks what runs.")
    int versions(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "NAME") String name,
            @Option(names = "--json", description = "print the node's own JSON") boolean json) {
        var answer = target.client().get(path(name) + "/deployments");
        if (json) {
            out().println(answer.toPrettyString());
        } else {
            for (var version : answer.path("app_deployments")) {
                var status = version.path("status");
                out().printf(
                                "%s %4d  %-11s %s  %,d KB  by %s%n",
                                version.path("active").asBoolean() ? "*" : " ",
                                version.path("version").asInt(),
                                status.path("state").asText(),
                                version.path("create_time").asText(),
                                version.path("bytes").asLong() >> 10,
                                version.path("creator").asText());
            }
        }
        out().flush();
        return 0;
    }

    @Command(
            name = "rollback",
            mixinStandardHelpOptions = true,
            description = "Goes back to a version that was deployed; to the one before by itself.")
    int rollback(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "NAME") String name,
            @Option(names = "--to", paramLabel = "VERSION", description = "which version")
                    @Nullable Integer to)
            throws InterruptedException {
        var node = target.client();
        var version = to == null ? before(node, name) : to;
        node.waiting(CHANGE_MAX).post(path(name) + "/rollback", Map.of("version", version));
        while (true) {
            var app = node.get(path(name));
            var active = app.path("active_version").asInt();
            var busy = app.path("changing").asBoolean();
            if (active == version && !busy) {
                print(app, false);
                return 0;
            }
            if (!busy) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "version %d does not start; version %d runs still"
                                .formatted(version, active),
                        "'./lakemill app logs %s' tells why".formatted(name));
            }
            Thread.sleep(LOOK_MS);
        }
    }

    private static int before(NodeClient node, String name) {
        var active = node.get(path(name)).path("active_version").asInt();
        for (var version : node.get(path(name) + "/deployments").path("app_deployments")) {
            if (version.path("version").asInt() < active
                    && version.path("status").path("state").asText().equals("SUCCEEDED")) {
                return version.path("version").asInt();
            }
        }
        throw new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "there is no version before %d".formatted(active),
                "'./lakemill app versions %s' lists them".formatted(name));
    }

    @Command(
            name = "logs",
            mixinStandardHelpOptions = true,
            description = "Prints what an app wrote to standard output and error.")
    int logs(
            @Mixin NodeClient.Target target,
            @Parameters(paramLabel = "NAME") String name,
            @Option(
                            names = "--lines",
                            paramLabel = "N",
                            defaultValue = "200",
                            description = "how many at most (default: 200)")
                    int lines,
            @Option(
                            names = {"-f", "--follow"},
                            description = "go on with what it writes from now on")
                    boolean follow) {
        var from = path(name) + "/logs?lines=" + lines;
        if (follow) {
            target.client()
                    .waiting(Duration.ofDays(30))
                    .follow(
                            from + "&follow=true",
                            line -> {
                                out().println(line);
                                out().flush();
                            });
        } else {
            target.client().get(from).path("lines").forEach(line -> out().println(line.asText()));
        }
        out().flush();
        return 0;
    }

    @Command(
            name = "delete",
            mixinStandardHelpOptions = true,
            description = {
                "Deletes an app with its versions, files, grants and principal.",
                "Tables that it made stay, and become its owner's."
            })
    int delete(@Mixin NodeClient.Target target, @Parameters(paramLabel = "NAME") String name) {
        target.client().waiting(CHANGE_MAX).delete(path(name));
        return 0;
    }

    @Command(
            name = "open",
            mixinStandardHelpOptions = true,
            description = "Prints where an app is, and opens it in a browser where there is one.")
    int open(@Mixin NodeClient.Target target, @Parameters(paramLabel = "NAME") String name) {
        var url = target.client().get(path(name)).path("url").asText();
        out().println(url);
        out().flush();
        if (System.getenv("DISPLAY") != null || System.getenv("WAYLAND_DISPLAY") != null) {
            try {
                new ProcessBuilder("xdg-open", url).start();
            } catch (IOException _) {
                // The link is printed; a browser is a comfort.
            }
        }
        return 0;
    }
}
