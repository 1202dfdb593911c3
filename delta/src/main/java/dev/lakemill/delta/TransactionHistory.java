package dev.lakemill.delta;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.OptionalLong;

/** Finds the version at which an application's last transaction was a given one. */
record TransactionHistory(TableContext table) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * Steps back from the newest version over the commits whose transaction is above {@code
     * txnVersion}. Versions of an application's transactions ascend, so the walk ends at the first
     * that is not above.
     */
    long versionAt(DeltaSnapshot newest, String application, long txnVersion) {
        long version = newest.version();
        var last = newest.transaction(application);
        if (last.isEmpty() || last.getAsLong() <= txnVersion) {
            return version;
        }
        long answer = version;
        for (long v = version; v >= 0; v--) {
            var found = inCommit(v, application);
            if (found.isPresent() && found.getAsLong() <= txnVersion) {
                return answer;
            }
            if (found.isPresent()) {
                answer = v - 1;
            }
        }
        return answer;
    }

    private OptionalLong inCommit(long version, String application) {
        var file = table.location().resolve("_delta_log").resolve("%020d.json".formatted(version));
        try (var lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith("{\"txn\""))
                    .mapToLong(line -> version(line, application))
                    .filter(found -> found >= 0)
                    .findFirst();
        } catch (NoSuchFileException e) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "Delta table %s no longer has the log of version %d"
                            .formatted(table.location(), version),
                    "the log retention is shorter than what a recovery steps back over",
                    e);
        } catch (IOException e) {
            throw Failures.reading(file, e);
        }
    }

    /** The transaction version that a line of the log gives an application, or -1. */
    private static long version(String line, String application) {
        try {
            var txn = JSON.readTree(line).path("txn");
            return txn.path("appId").asText().equals(application)
                    ? txn.path("version").asLong(-1)
                    : -1;
        } catch (JsonProcessingException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
