package dev.lakemill.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user gets who starts a node wrongly: one clear error, a hint, exit code 1. */
class BadProjectTest {
    @TempDir private Path project;

    @BeforeEach
    void openToPostgresUser() throws IOException {
        Files.setPosixFilePermissions(project, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @Test
    void anUnknownKeyNamesTheNearest() throws Exception {
        Files.writeString(project.resolve("lakemill.yml"), "htp:\n  port: 8080\n");
        assertThat(failedStart(Map.of()))
                .contains("'htp.port'")
                .contains("did you mean 'http.port'?");
    }

    @Test
    void anOccupiedPortIsNamedWithItsKey() throws Exception {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var port = String.valueOf(taken.getLocalPort());
            assertThat(failedStart(Map.of("LAKEMILL_HTTP_PORT", port)))
                    .contains(port)
                    .contains("http.port");
            assertThat(failedStart(Map.of("LAKEMILL_GRPC_PORT", port)))
                    .contains(port)
                    .contains("grpc.port");
            assertThat(failedStart(Map.of("LAKEMILL_POSTGRES_PORT", port)))
                    .contains(port)
                    .contains("postgres.port");
        }
    }

    @Test
    void anUnwritableDataFolderIsNamed() throws Exception {
        var file = Files.writeString(project.resolve("in-the-way"), "");
        assertThat(failedStart(Map.of("LAKEMILL_DATA", file.resolve("data").toString())))
                .contains("in-the-way")
                .contains("hint");
    }

    @Test
    void aSecondNodeOnTheSameDataIsRefused() throws Exception {
        try (var first = up(Map.of())) {
            while (first.alive() && !Files.exists(project.resolve(".lakemill/run.json"))) {
                Thread.sleep(50);
            }
            assertThat(failedStart(Map.of())).contains("another").contains("hint");
            assertThat(failedDrop()).contains("another node").contains("hint");
            first.terminate();
            assertThat(first.await(300)).as(first.out() + first.err()).isZero();
        }
        assertThat(failedDrop()).contains("no synced table shop.serving.none");
    }

    @Test
    void invalidSqlIsShownWithItsPlaceAndOthersGoOn() throws Exception {
        pipeline("a.sql", "CREATE TABLE shop.bronze.orders (id STRING NOT NULL, euros DOUBLE);");
        pipeline(
                "b.sql",
                """
                CREATE OR REFRESH MATERIALIZED VIEW shop.gold.total AS
                SELECT sum(eurros) AS euros FROM shop.bronze.orders;
                """);
        var message = failedValidation();
        assertThat(message).contains("b.sql:2").contains("eurros").contains("euros");
    }

    @Test
    void aPipelineThatReadsItselfIsNamed() throws Exception {
        pipeline(
                "a.sql",
                """
                CREATE OR REFRESH MATERIALIZED VIEW shop.gold.one AS SELECT * FROM shop.gold.two;
                CREATE OR REFRESH MATERIALIZED VIEW shop.gold.two AS SELECT * FROM shop.gold.one;
                """);
        assertThat(failedValidation())
                .contains("reads itself")
                .contains("shop.gold.one")
                .contains("shop.gold.two");
    }

    private void pipeline(String file, String sql) throws IOException {
        Files.createDirectories(project.resolve("pipelines"));
        Files.writeString(project.resolve("pipelines").resolve(file), sql);
        Files.writeString(
                project.resolve("lakemill.yml"),
                "pipelines:\n  - name: shop\n    folder: pipelines\n");
    }

    private String failedDrop() throws Exception {
        var arguments = List.of("sync", "drop", "shop.serving.none");
        try (var drop = Command.java(project, "server", arguments, Map.of())) {
            assertThat(drop.await(300)).isEqualTo(1);
            return drop.err() + drop.out();
        }
    }

    private String failedValidation() throws Exception {
        try (var validate =
                Command.java(project, "server", List.of("pipeline", "validate"), Map.of())) {
            assertThat(validate.await(300)).isEqualTo(1);
            return validate.err() + validate.out();
        }
    }

    private String failedStart(Map<String, String> environment) throws Exception {
        try (var up = up(environment)) {
            assertThat(up.await(300)).as(up.out() + up.err()).isEqualTo(1);
            return up.err();
        }
    }

    private Command up(Map<String, String> environment) throws IOException {
        var all = new java.util.HashMap<String, String>();
        all.put("LAKEMILL_GRPC_PORT", "0");
        all.put("LAKEMILL_HTTP_PORT", "0");
        all.put("LAKEMILL_POSTGRES_PORT", "0");
        all.putAll(environment);
        return Command.java(project, "server", List.of("up"), all);
    }
}
