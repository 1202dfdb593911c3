package dev.lakemill.bench;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.arrow.memory.RootAllocator;

/** A real server with its real Postgres in a folder that outlives both, and ways to kill them. */
final class ChaosNode implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final int STARTS_MAX = 3;

    /** What is killed, by kill -9. */
    enum Victim {
        POSTMASTER,
        BACKEND,
        LAKEMILL,
        BOTH;

        private static final List<Victim> ALL = List.of(values());

        static Victim any(Random random) {
            return ALL.get(random.nextInt(ALL.size()));
        }
    }

    private static final String PIPELINE =
            """
            CREATE TABLE IF NOT EXISTS bench.bronze.history (
                stream INT NOT NULL, n BIGINT NOT NULL, filler STRING);
            CREATE OR REFRESH MATERIALIZED VIEW bench.gold.buckets AS
            SELECT stream, CAST(n % 97 AS INT) AS bucket, count(*) AS events, max(n) AS newest,
                sum(n) AS total
            FROM bench.bronze.history GROUP BY stream, CAST(n % 97 AS INT);
            CREATE SYNCED TABLE bench.serving.buckets FROM bench.gold.buckets
                PRIMARY KEY (stream, bucket);
            """;

    private static final String GOVERNANCE =
            """
            CREATE CATALOG IF NOT EXISTS bench;
            CREATE SCHEMA IF NOT EXISTS bench.app;
            CREATE SCHEMA IF NOT EXISTS bench.serving;
            CREATE SERVICE PRINCIPAL IF NOT EXISTS chaos_app;
            CREATE SERVICE PRINCIPAL IF NOT EXISTS chaos_reader;
            GRANT USE CATALOG, USE SCHEMA, CREATE TABLE, SELECT, MODIFY ON CATALOG bench TO admins;
            GRANT USE CATALOG ON CATALOG bench TO chaos_app;
            GRANT USE CATALOG ON CATALOG bench TO chaos_reader;
            GRANT USE SCHEMA, CREATE TABLE ON SCHEMA bench.app TO chaos_app;
            GRANT USE SCHEMA, SELECT ON SCHEMA bench.app TO chaos_reader;
            GRANT USE SCHEMA, SELECT ON SCHEMA bench.serving TO chaos_reader;
            """;

    private final Path project;
    private final Path data;
    private final Map<String, String> settings;
    private final NodePostgres postgres;
    private ServerProcess server;

    private ChaosNode(Path project, Path data, Map<String, String> settings) throws IOException {
        this.project = project;
        this.data = data;
        this.settings = Map.copyOf(settings);
        this.postgres = new NodePostgres(data);
        this.server = ServerProcess.start(project, data, this.settings);
    }

    /** Writes a project and starts a server on it; does not wait for it. */
    static ChaosNode start(Path folder) throws IOException {
        var project = Files.createDirectories(folder.resolve("project"));
        var texts = Files.createDirectories(project.resolve("pipelines"));
        Files.writeString(
                project.resolve("lakemill.yml"),
                """
                governance: governance.sql
                pipelines:
                  - name: chaos
                    folder: pipelines
                """);
        Files.writeString(project.resolve("governance.sql"), GOVERNANCE);
        Files.writeString(texts.resolve("chaos.sql"), PIPELINE);
        var settings = ports();
        settings.put("LAKEMILL_CAPTURE_SCHEMAS", "bench.app");
        settings.put("LAKEMILL_PIPELINE_COMMIT_MS", "500");
        settings.put("LAKEMILL_LANDING_INTERVAL_MS", "300");
        settings.put("LAKEMILL_POSTGRES_GRANTS_CHECK_SECONDS", "1");
        settings.put("LAKEMILL_BACKUP_FOLDER", folder.resolve("backups").toString());
        settings.put("LAKEMILL_BACKUP_INTERVAL_S", "2");
        return new ChaosNode(project, folder.resolve("data"), settings);
    }

    private static Map<String, String> ports() throws IOException {
        return new HashMap<>(
                Map.of(
                        "LAKEMILL_GRPC_PORT", String.valueOf(Ports.free()),
                        "LAKEMILL_HTTP_PORT", String.valueOf(Ports.free()),
                        "LAKEMILL_POSTGRES_PORT", String.valueOf(Ports.free())));
    }

    /** Another node on a folder that a restore made; it makes no backups. */
    ChaosNode restored(Path folder) throws IOException {
        var other = new HashMap<>(settings);
        other.putAll(ports());
        other.put("LAKEMILL_BACKUP_FOLDER", "");
        return new ChaosNode(project, folder, other);
    }

    /** The command {@code restore} of the node's backups, as of a moment, into a folder. */
    Process restore(Path folder, Instant moment) throws IOException {
        var command = Root.java("server", "dev.lakemill.server.Main", List.of("-Xmx256m"));
        command.addAll(
                List.of(
                        "restore",
                        "--project",
                        project.toString(),
                        "--to",
                        moment.toString(),
                        "--data",
                        folder.toString()));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(settings);
        builder.redirectOutput(
                ProcessBuilder.Redirect.appendTo(folder.resolveSibling("restore.log").toFile()));
        return builder.start();
    }

    ServerProcess server() {
        return server;
    }

    /**
     * Starts the server again where it was killed, and waits until it takes work. A server whose
     * Postgres was killed while it started ends and says so; whoever supervises it starts it again.
     */
    void recover() throws IOException, InterruptedException {
        for (int starts = 1; ; starts++) {
            if (!server.alive()) {
                server = ServerProcess.start(project, data, settings);
            }
            try {
                server.awaitReady(PATIENCE);
                return;
            } catch (LakemillException e) {
                if (server.alive() || starts == STARTS_MAX) {
                    throw e;
                }
            }
        }
    }

    void kill(Victim victim, Random random) throws InterruptedException {
        switch (victim) {
            case POSTMASTER -> postgres.kill();
            case BACKEND -> killBackend(random);
            case LAKEMILL -> server.kill();
            case BOTH -> {
                if (random.nextBoolean()) {
                    postgres.kill();
                    server.kill();
                } else {
                    server.kill();
                    postgres.kill();
                }
            }
        }
    }

    /** One of its processes: of a client, of the write-ahead log, a checkpointer, any. */
    private void killBackend(Random random) {
        var children = postgres.postmaster().stream().flatMap(ProcessHandle::children).toList();
        if (!children.isEmpty()) {
            children.get(random.nextInt(children.size())).destroyForcibly();
        }
    }

    /** A connection past the front door as Postgres's superuser, who is bound by no grant. */
    Connection superuser() throws SQLException {
        return postgres.superuser();
    }

    Path location(TableName name) {
        return data.resolve("tables")
                .resolve(name.catalog())
                .resolve(name.schema())
                .resolve(name.table());
    }

    DeltaSnapshot read(TableName name, RootAllocator allocator) {
        return DeltaTable.read(location(name), allocator);
    }

    @Override
    public void close() {
        server.close();
    }
}
