package dev.lakemill.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
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
            var node = new LiveNode(data);
            lineageGoesFromProducerToScreen(node);
            browse(data, loginLink(demo.err()));
            var exitCode = demo.await(900);
            var report = new ObjectMapper().readTree(demo.out());
            report.get("checks")
                    .properties()
                    .forEach(c -> assertThat(c.getValue().asBoolean()).as(c.getKey()).isTrue());
            assertThat(report.get("checks").size()).isGreaterThan(8);
            screenIsMeasuredOrSaysWhyNot(report);
            assertThat(report.get("ok").asBoolean()).isTrue();
            assertThat(exitCode).isZero();
            System.out.println(demo.out());
        }
    }

    private static void screenIsMeasuredOrSaysWhyNot(JsonNode report) {
        if (report.at("/figures/screen_ms_p50").isNull()) {
            assertThat(report.at("/notes/screen_ms_p50").asText()).startsWith("there is no");
        } else {
            assertThat(report.at("/figures/screen_samples").asInt()).isGreaterThan(5);
            assertThat(report.at("/figures/screen_ms_p50").asDouble()).isPositive();
            assertThat(report.at("/figures/bundle_gz_kb").asDouble()).isBetween(50.0, 250.0);
        }
    }

    /** Of the compiled pipeline, as nobody told it: by REST and by SQL. */
    private static void lineageGoesFromProducerToScreen(LiveNode node) throws Exception {
        var path = "/api/2.0/lineage-tracking/table-lineage?depth=9&table_name=";
        var tables = node.await(path + "farm.gold.stock_position", "farm_sensors");
        assertThat(tables.at("/upstreams").findValuesAsText("name"))
                .contains(
                        "stock_by_bin",
                        "demand_by_quarter_hour",
                        "inventory_movements",
                        "demand_events");
        assertThat(tables.at("/upstreams").findValuesAsText("schema_name"))
                .contains("bronze", "silver", "gold");
        assertThat(tables.at("/downstreams").findValuesAsText("schema_name")).contains("serving");
        var columns =
                node.get(
                        "/api/2.0/lineage-tracking/column-lineage?depth=9"
                                + "&table_name=farm.serving.stock_position&column_name=on_hand_grams");
        assertThat(columns.at("/upstream_cols").findValuesAsText("table_name"))
                .contains("stock_position", "stock_by_bin", "inventory_movements");
        var sql =
                node.sql(
                        "SELECT source_table_full_name, target_column_name"
                                + " FROM system.access.column_lineage"
                                + " WHERE target_table_full_name = 'farm.gold.stock_position'");
        assertThat(sql.toString()).contains("farm.gold.stock_by_bin", "on_hand_grams");
    }

    /** What the demo tells people to open, to see the farm's app as one of procurement. */
    private static String loginLink(String printed) {
        return printed.lines()
                .map(String::strip)
                .filter(line -> line.contains("/login/code?") && line.contains("vertical-farm"))
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
        // What needs rows that come in; all screens and themes are tested with made-up ones.
        var command =
                List.of(
                        "node",
                        "--test",
                        "--test-name-pattern=connects|batch|ranks|console",
                        "testing/browser/farm.test.mjs");
        try (var browser = Command.start(Command.root(), command, environment)) {
            var exitCode = browser.await(300);
            System.out.println(browser.out());
            assertThat(exitCode).as(browser.out() + browser.err()).isZero();
        }
    }
}
