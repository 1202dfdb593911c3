package dev.lakemill.bench;

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

    /** Whether each score of the leaderboard is what the registry gives for its features. */
    static boolean scoresAreTheChampions(RestClient rest) throws IOException, InterruptedException {
        var rows =
                rest.statement(
                                """
                                SELECT b.score, b.model_version, f.demand_1h, f.lead_time, f.price,
                                    f.price_trend_24h, f.reliability
                                FROM farm.gold.supplier_leaderboard AS b
                                JOIN farm.gold.supplier_features AS f
                                    ON f.sku = b.sku AND f.supplier_id = b.supplier_id
                                """)
                        .body()
                        .at("/result/data_array");
        var features = new ArrayList<List<Double>>();
        for (var row : rows) {
            features.add(IntStream.range(2, 7).mapToObj(i -> row.path(i).asDouble()).toList());
        }
        var path = "/api/2.1/unity-catalog/models/%s/aliases/champion/invocations".formatted(NAME);
        var rowsGiven = Map.of("dataframe_split", Map.of("data", features));
        var scored = rest.post(path, rowsGiven).body();
        var equal = !rows.isEmpty();
        for (int i = 0; i < rows.size(); i++) {
            var score = Math.clamp(scored.path("predictions").path(i).asDouble(), 0, 1);
            equal &= Math.abs(score - rows.get(i).path(0).asDouble()) <= ROUNDED;
            equal &= rows.get(i).path(1).asInt() == scored.path("model_version").asInt();
        }
        return equal;
    }
}
