package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** The farm's model that ranks suppliers: trained by the farm, in a process of its own. */
final class FarmModel {
    static final String NAME = "farm.ml.supplier_rank";

    private static final int TIMEOUT_SECONDS = 120;

    /** Scores have three digits behind the point. */
    private static final double ROUNDED = 0.00051;

    private FarmModel() {}

    /**
     * Trains on simulated history.
     *
     * @param folder gets MLmodel and the graph; made where missing
     * @param log where the trainer tells what goes wrong
     * @return seconds
     */
    static double train(Path folder, long seed, int hours, Path log)
            throws IOException, InterruptedException {
        Files.createDirectories(log.getParent());
        var started = System.nanoTime();
        var command =
                Root.java(
                        "examples/vertical-farm",
                        "dev.lakemill.farm.Trainer",
                        List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.addAll(
                List.of(
                        folder.toString(),
                        "--seed",
                        String.valueOf(seed),
                        "--hours",
                        String.valueOf(hours)));
        var process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                        .start();
        if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException(
                    "the training did not end within %d s".formatted(TIMEOUT_SECONDS));
        }
        if (process.exitValue() != 0) {
            throw new IOException("the training failed; see " + log);
        }
        return (System.nanoTime() - started) / 1e9;
    }

    /**
     * The leaderboard beside what the registry's champion gives for the same features.
     *
     * @param rows compared
     * @param differenceMax of a score
     * @param otherVersions rows that say another version
     */
    record Compared(int rows, double differenceMax, int otherVersions) {
        boolean equal() {
            return rows > 0 && differenceMax <= ROUNDED && otherVersions == 0;
        }
    }

    /** Asks the registry for every score of the leaderboard. */
    static Compared compared(RestClient rest) throws IOException, InterruptedException {
        var answer =
                rest.statement(
                        """
                        SELECT b.score, b.model_version, f.demand_1h, f.lead_time, f.price,
                            f.price_trend_24h, f.reliability
                        FROM farm.gold.supplier_leaderboard AS b
                        JOIN farm.gold.supplier_features AS f
                            ON f.sku = b.sku AND f.supplier_id = b.supplier_id
                        """);
        var rows = answer.body().at("/result/data_array");
        if (!rows.isArray()) {
            throw new IOException("the leaderboard cannot be read: " + answer.body());
        }
        var features = new ArrayList<List<Double>>();
        for (var row : rows) {
            features.add(IntStream.range(2, 7).mapToObj(i -> row.path(i).asDouble()).toList());
        }
        var path = "/api/2.1/unity-catalog/models/%s/aliases/champion/invocations".formatted(NAME);
        var rowsGiven = Map.of("dataframe_split", Map.of("data", features));
        var scored = rest.post(path, rowsGiven);
        if (!scored.ok()) {
            throw new IOException("the champion does not score: " + scored.body());
        }
        return compared(rows, scored.body());
    }

    private static Compared compared(JsonNode rows, JsonNode scored) {
        var difference = 0.0;
        var others = 0;
        for (int i = 0; i < rows.size(); i++) {
            var score = Math.clamp(scored.path("predictions").path(i).asDouble(), 0, 1);
            difference = Math.max(difference, Math.abs(score - rows.get(i).path(0).asDouble()));
            others += rows.get(i).path(1).asInt() == scored.path("model_version").asInt() ? 0 : 1;
        }
        return new Compared(rows.size(), difference, others);
    }
}
