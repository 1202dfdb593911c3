package dev.lakemill.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The farm's application on a node, deployed as anybody would.
 *
 * @param url of its own host
 */
record FarmApp(String url) {
    static final String NAME = "vertical-farm";

    /** Who it is for: the people of procurement. */
    static final String USER = "farm_lead";

    /** Another of procurement: a newer link of one user replaces the one before. */
    static final String CLERK = "farm_clerk";

    private static final String GROUP = "farm_buyers";
    private static final int SECONDS_MAX = 300;

    /** Deploys what is built, and lets the people of procurement use it. */
    static FarmApp deploy(ServerProcess server, Path project, Path data)
            throws IOException, InterruptedException {
        var folder = data.resolve("app-folder");
        FarmAppFolder.make(project, folder);
        var command =
                Root.java("server", "dev.lakemill.server.Main", java.util.List.of("-Xmx128m"));
        command.addAll(
                java.util.List.of(
                        "app",
                        "deploy",
                        folder.toString(),
                        "--name",
                        NAME,
                        "--project",
                        project.toString(),
                        "--json"));
        var log = data.resolve("app-deploy.log");
        var builder =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.to(log.toFile()));
        builder.environment().put("LAKEMILL_DATA", data.toString());
        var process = builder.start();
        var told = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException("the farm's app was not deployed; see " + log);
        }
        server.rest().run("GRANT EXECUTE ON APP `%s` TO %s".formatted(NAME, GROUP));
        return new FarmApp(new ObjectMapper().readTree(told).path("url").asText());
    }

    /** A link that logs a browser in once, as that user, and opens the app. */
    static String loginLink(ServerProcess server, String user)
            throws IOException, InterruptedException {
        var answer =
                server.rest()
                        .post(
                                "/api/2.0/identity/login-links",
                                Map.of("user", user, "return_to", "/apps/" + NAME + "/"));
        if (!answer.ok()) {
            throw new IOException("no login link for " + user + ": " + answer.body());
        }
        return answer.body().path("url").asText();
    }
}
