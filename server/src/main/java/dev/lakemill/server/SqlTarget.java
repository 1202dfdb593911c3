package dev.lakemill.server;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Which node a command asks, and on whose account. */
final class SqlTarget {
    private static final String TOKEN_FILE = "cli-token";

    @Option(
            names = "--project",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "folder with lakemill.yml (default: the current one)")
    private Path project;

    SqlClient client() {
        var config = Config.load(project, System.getenv());
        return new SqlClient(RunFile.read(config.data()).http(), token(config));
    }

    /** The JDBC URL of Postgres, as the reader of synced tables. */
    String postgres() {
        return RunFile.read(Config.load(project, System.getenv()).data()).postgresJdbc();
    }

    /** From the environment, else from the file of the one who may read the data folder. */
    private static String token(Config config) {
        var given = System.getenv("LAKEMILL_TOKEN");
        if (given != null && !given.isBlank()) {
            return given.strip();
        }
        var file = config.data().resolve(TOKEN_FILE);
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAUTHENTICATED,
                    "no token was given, and %s cannot be read".formatted(file),
                    "run './lakemill login', or set LAKEMILL_TOKEN",
                    e);
        }
    }
}
