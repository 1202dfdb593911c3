package dev.lakemill.server;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Makes a token for scripts and tools. */
@Command(
        name = "token",
        mixinStandardHelpOptions = true,
        description = {
            "Prints a new token for every door, of whoever is logged in.",
            "It is listed by GET /api/2.0/token/list, and ended by POST /api/2.0/token/delete."
        })
final class TokenCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Mixin private NodeClient.Target target = new NodeClient.Target();

    @Option(
            names = "--ttl",
            paramLabel = "TIME",
            defaultValue = "PT1H",
            description = "how long it is good, for example PT15M or P7D (default: one hour)")
    private Duration timeToLive = Duration.ofHours(1);

    @Option(
            names = "--comment",
            paramLabel = "TEXT",
            defaultValue = "",
            description = "what it is for")
    private String comment = "";

    @Override
    public Integer call() {
        var answer =
                target.client()
                        .post(
                                "/api/2.0/token/create",
                                Map.of(
                                        "lifetime_seconds",
                                        timeToLive.toSeconds(),
                                        "comment",
                                        comment));
        var out = spec.commandLine().getOut();
        out.println(answer.path("token_value").asText());
        out.flush();
        return 0;
    }
}
