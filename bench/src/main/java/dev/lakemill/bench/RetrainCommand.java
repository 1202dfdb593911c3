package dev.lakemill.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains the farm's model anew, and watches the running pipeline roll forward to it. */
@Command(
        name = "retrain",
        mixinStandardHelpOptions = true,
        description = {
            "Trains the farm's supplier-ranking model anew while the demo runs, registers it as",
            "the next version with the alias champion, and waits until Gold's leaderboard shows it.",
            "Run it in a second terminal beside ./lakemill demo."
        })
final class RetrainCommand implements Callable<Integer> {
    private static final int ROLL_SECONDS_MAX = 60;

    @Spec private CommandSpec spec;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "7",
            description = "of the simulated world that it learns from (default: ${DEFAULT-VALUE})")
    private long seed;

    @Option(
            names = "--hours",
            paramLabel = "N",
            defaultValue = "96",
            description = "of history, the first 24 to warm up (default: ${DEFAULT-VALUE})")
    private int hours;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "of the demo (default: .lakemill beside the farm's lakemill.yml)")
    private @Nullable Path data;

    @Override
    public Integer call() throws IOException, InterruptedException {
        var project = Root.folder().resolve("examples/vertical-farm");
        var lake = data == null ? project.resolve(".lakemill") : data.toAbsolutePath();
        var out = spec.commandLine().getOut();
        var before = shown(lake);
        var folder = Folders.temporary("lakemill-retrain");
        try {
            var seconds = FarmModel.train(folder, seed, hours, lake.resolve("training.log"));
            out.printf("trained on %d hours of history in %.1f s%n", hours, seconds);
            out.flush();
            register(project, lake, folder);
        } finally {
            Folders.delete(folder);
        }
        var started = System.nanoTime();
        while (shown(lake) <= before) {
            if (System.nanoTime() - started > ROLL_SECONDS_MAX * 1_000_000_000L) {
                throw new IOException("the leaderboard still shows version " + before);
            }
            Thread.sleep(200);
        }
        out.printf(
                "version %d scores every row of the leaderboard, %.1f s after its alias%n",
                shown(lake), (System.nanoTime() - started) / 1e9);
        out.flush();
        return 0;
    }

    private static void register(Path project, Path data, Path folder)
            throws IOException, InterruptedException {
        var command = Root.java("server", "dev.lakemill.server.Main", List.of("-Xmx128m"));
        command.addAll(List.of("model", "register", FarmModel.NAME, folder.toString()));
        command.addAll(List.of("--alias", "champion", "--project", project.toString()));
        var builder = new ProcessBuilder(command).inheritIO();
        builder.environment().put("LAKEMILL_DATA", data.toString());
        if (builder.start().waitFor() != 0) {
            throw new IOException("the model was not registered; is the demo running?");
        }
    }

    /** The one version that all rows have; 0 while there are several. */
    private static int shown(Path data) throws IOException {
        var run = new ObjectMapper().readTree(data.resolve("run.json").toFile());
        try (var connection = DriverManager.getConnection(run.path("postgres_jdbc").asText());
                var statement = connection.createStatement();
                var result =
                        statement.executeQuery(
                                "SELECT min(model_version), max(model_version)"
                                        + " FROM serving.supplier_leaderboard")) {
            result.next();
            return result.getInt(1) == result.getInt(2) ? result.getInt(1) : 0;
        } catch (SQLException e) {
            throw new IOException("the leaderboard cannot be read: " + e.getMessage(), e);
        }
    }
}
