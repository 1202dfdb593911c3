package dev.lakemill.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The whole of it, as a user runs it: the demo with its report, and the page in a browser. */
class DemoTest {
    private static final int LIVE_SECONDS = 45;

    @Test
    void theDemoHoldsAllItsChecksAndThePageMoves() throws Exception {
        var data = Files.createTempDirectory("lakemill-demo");
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
        var arguments =
                List.of(
                        "demo",
                        "--seconds",
                        String.valueOf(LIVE_SECONDS),
                        "--data",
                        data.toString(),
                        "--json");
        try (var demo = Command.java(Command.root(), "bench", arguments, freePorts())) {
            while (demo.alive() && !demo.err().contains("3/4 live")) {
                Thread.sleep(200);
            }
            assertThat(demo.err()).contains("3/4 live");
            browse(data, loginLink(demo.err()));
            var exitCode = demo.await(240);
            var report = new ObjectMapper().readTree(demo.out());
            report.get("checks")
                    .properties()
                    .forEach(c -> assertThat(c.getValue().asBoolean()).as(c.getKey()).isTrue());
            assertThat(report.get("checks").size()).isGreaterThan(8);
            assertThat(report.get("ok").asBoolean()).isTrue();
            assertThat(exitCode).isZero();
            System.out.println(demo.out());
        }
    }

    /** What the demo tells people to open. */
    private static String loginLink(String printed) {
        return printed.lines()
                .filter(line -> line.startsWith("    log in   "))
                .map(line -> line.substring(13))
                .findFirst()
                .orElseThrow(() -> new AssertionError(printed));
    }

    private static Map<String, String> freePorts() {
        return Map.of(
                "LAKEMILL_GRPC_PORT", "0",
                "LAKEMILL_HTTP_PORT", "0",
                "LAKEMILL_POSTGRES_PORT", "0");
    }

    /** The browser test skips itself, and says so, where there is no Chromium. */
    private static void browse(Path data, String loginLink) throws Exception {
        var run = new ObjectMapper().readTree(data.resolve("run.json").toFile());
        var environment =
                Map.of(
                        "LAKEMILL_URL", run.get("http").asText(),
                        "LAKEMILL_LOGIN", loginLink,
                        "LAKEMILL_SCREENSHOTS",
                                Command.root().resolve("testing/target/screenshots").toString());
        var command = List.of("node", "--test", "testing/browser/farm.test.mjs");
        try (var browser = Command.start(Command.root(), command, environment)) {
            var exitCode = browser.await(120);
            System.out.println(browser.out());
            assertThat(exitCode).as(browser.out() + browser.err()).isZero();
        }
    }
}
