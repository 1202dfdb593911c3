package dev.lakemill.farm;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;

/** Trains the farm's supplier-ranking model, and writes it as a folder to register. */
public final class Trainer {
    private static final String USAGE =
            """
            Trains the model that ranks the vertical farm's suppliers, from simulated history.

              FOLDER     where MLmodel and model.onnx are written
              --seed N   of the simulated world (42)
              --hours N  of history, the first 24 of which only warm up (72)
            """;

    private static final int HOURS_MIN = 25;
    private static final int HOURS_MAX = 24 * 30;

    private Trainer() {}

    /** Prints one JSON object; exit codes: 0 done, 1 it failed, 2 wrong usage. */
    public static void main(String[] arguments) {
        if (List.of(arguments).contains("--help")) {
            System.out.print(USAGE);
            return;
        }
        try {
            run(List.of(arguments));
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.err.print(USAGE);
            System.exit(2);
        } catch (IOException e) {
            System.err.println(e);
            System.exit(1);
        }
    }

    private static void run(List<String> arguments) throws IOException {
        if (arguments.isEmpty() || arguments.size() % 2 == 0) {
            throw new IllegalArgumentException("name one FOLDER, and a value for each option");
        }
        var seed = 42L;
        var hours = 72;
        for (int i = 1; i < arguments.size(); i += 2) {
            var number = number(arguments.get(i), arguments.get(i + 1));
            switch (arguments.get(i)) {
                case "--seed" -> seed = number;
                case "--hours" -> hours = Math.clamp(number, HOURS_MIN, HOURS_MAX);
                default ->
                        throw new IllegalArgumentException(
                                "there is no option " + arguments.get(i));
            }
        }
        var started = System.nanoTime();
        var end = Instant.now().getEpochSecond() * RowModel.MICROS_PER_SECOND;
        var model = RankingModel.train(seed, hours, end);
        RankingModel.save(model, Path.of(arguments.getFirst()));
        var line = new LinkedHashMap<String, Object>();
        line.put("type", "trained");
        line.put("hours", (long) hours);
        line.put("millis", (System.nanoTime() - started) / 1_000_000);
        System.out.println(Json.text(line));
    }

    private static long number(String name, String value) {
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException _) {
            throw new IllegalArgumentException("%s is '%s', not a number".formatted(name, value));
        }
    }
}
