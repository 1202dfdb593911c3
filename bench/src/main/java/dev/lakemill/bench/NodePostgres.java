package dev.lakemill.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/** The Postgres of a server, past the server: its processes, and its superuser. */
final class NodePostgres {
    private final Path folder;

    /**
     * @param data the server's data folder
     */
    NodePostgres(Path data) {
        this.folder = data.resolve("postgres");
    }

    /** kill -9 of the whole Postgres. */
    void kill() {
        postmaster().ifPresent(ProcessHandle::destroyForcibly);
    }

    Optional<ProcessHandle> postmaster() {
        return postmasterLines()
                .flatMap(lines -> ProcessHandle.of(Long.parseLong(lines.getFirst().strip())))
                .filter(p -> p.info().command().orElse("").endsWith("postgres"));
    }

    private Optional<List<String>> postmasterLines() {
        try {
            var lines = Files.readAllLines(folder.resolve("data/postmaster.pid"));
            return lines.size() < 4 ? Optional.empty() : Optional.of(lines);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** A connection past the front door as Postgres's superuser, who is bound by no grant. */
    Connection superuser() throws SQLException {
        var lines = postmasterLines();
        if (lines.isEmpty()) {
            throw new SQLException("Postgres is down");
        }
        try {
            var password = Files.readString(folder.resolve("owner.secret")).strip();
            return DriverManager.getConnection(
                    "jdbc:postgresql://127.0.0.1:%s/lakemill?user=lakemill&password=%s%s"
                            .formatted(
                                    lines.get().get(3).strip(),
                                    password,
                                    "&connectTimeout=5&socketTimeout=60&ApplicationName=bench"));
        } catch (IOException e) {
            throw new SQLException("Postgres has no password yet", e);
        }
    }
}
