package dev.lakemill.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * {@code run.json} in the data folder: where the running node listens, for the other commands. Mode
 * 0600, because it holds the reader's password.
 *
 * @param postgres for psql, with the reader's password
 * @param postgresPid of the embedded Postgres; 0 for one of your own
 */
@JsonNaming(SnakeCaseStrategy.class)
record RunFile(
        long pid,
        String grpc,
        String http,
        String postgres,
        String postgresJdbc,
        long postgresPid) {
    private static final String NAME = "run.json";
    private static final ObjectMapper json = new ObjectMapper();

    void write(Path data) {
        try {
            PrivateFile.write(data.resolve(NAME), json.writeValueAsBytes(this));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** NOT_FOUND when nothing runs on this data folder. */
    static RunFile read(Path data) {
        var file = data.resolve(NAME);
        try {
            if (Files.exists(file)) {
                return json.readValue(file.toFile(), RunFile.class);
            }
        } catch (IOException e) {
            throw new LakemillException(ErrorCode.UNAVAILABLE, "cannot read " + file, "", e);
        }
        throw new LakemillException(
                ErrorCode.NOT_FOUND,
                "nothing runs on the data folder " + data,
                "start it with './lakemill up', or name the project with --project");
    }

    /** Whether a process runs on the data folder. */
    static boolean isThere(Path data) {
        return Files.exists(data.resolve(NAME))
                && ProcessHandle.of(read(data).pid()).filter(ProcessHandle::isAlive).isPresent();
    }

    static void delete(Path data) {
        try {
            Files.deleteIfExists(data.resolve(NAME));
        } catch (IOException _) {
            // The next start replaces it; a reader finds that the process is gone.
        }
    }
}
