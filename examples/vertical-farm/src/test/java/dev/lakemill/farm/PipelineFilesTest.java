package dev.lakemill.farm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Holds the simulators and the pipeline's files to one another. */
class PipelineFilesTest {
    private static final Path FOLDER =
            Path.of(System.getProperty("lakemill.root"), "examples/vertical-farm/pipelines");
    private static final Pattern COLUMN =
            Pattern.compile("^  (\\w+) ([A-Z]+)(\\([\\d,]+\\))?( NOT NULL)?", Pattern.MULTILINE);

    @Test
    void bronzeHasTheColumnsThatAreSent() throws IOException {
        var text = Files.readString(FOLDER.resolve("01_bronze.sql"));
        for (var table : FarmTable.values()) {
            var name = "CREATE TABLE IF NOT EXISTS " + table.tableName() + " (";
            assertThat(text).contains(name);
            var from = text.indexOf(name);
            assertThat(columns(text.substring(from, text.indexOf(";", from))))
                    .as(table.sqlName())
                    .isEqualTo(expected(table));
        }
    }

    @Test
    void everyFaultStandsInSilversTableOfRules() throws IOException {
        var text = Files.readString(FOLDER.resolve("03_silver.sql"));
        for (var fault : Fault.values()) {
            assertThat(text).containsPattern("--   " + fault.key() + "  .*\\w");
        }
    }

    @Test
    void pagesCanReadWhatTheContractNames() throws IOException {
        var text = Files.readString(FOLDER.resolve("07_serving.sql"));
        for (var table :
                List.of(
                        "stock_position",
                        "demand_1h",
                        "demand_24h",
                        "input_trend_24h",
                        "input_prices_24h",
                        "live_quotes",
                        "quoted_by_quarter_hour",
                        "tray_cost",
                        "supplier_leaderboard",
                        "procurement_recommendations")) {
            assertThat(text)
                    .containsPattern(
                            "CREATE SYNCED TABLE farm.serving.%s\\s+FROM farm.gold.%s\\s"
                                    .formatted(table, table));
        }
    }

    private static List<String> columns(String statement) {
        var columns = new ArrayList<String>();
        var matcher = COLUMN.matcher(statement);
        while (matcher.find()) {
            var required = matcher.group(4) == null ? "" : " required";
            columns.add(matcher.group(1) + " " + matcher.group(2) + required);
        }
        return columns;
    }

    private static List<String> expected(FarmTable table) {
        var fields = table.fields();
        var columns = new ArrayList<String>();
        for (int i = 0; i < fields.size(); i++) {
            var required = i == 0 || i == fields.size() - 1 ? " required" : "";
            columns.add(fields.get(i).name() + " " + sql(fields.get(i).type()) + required);
        }
        return columns;
    }

    private static String sql(FarmTable.FieldType type) {
        return switch (type) {
            case LONG -> "BIGINT";
            case STRING, INT, DOUBLE, DECIMAL, TIMESTAMP -> type.name();
        };
    }
}
