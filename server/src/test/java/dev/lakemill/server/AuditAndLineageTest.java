package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.catalog.AuditChain;
import dev.lakemill.catalog.AuditChain.Verdict;
import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.AuditLog;
import dev.lakemill.catalog.AuditReader;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.LineageEntity;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.catalog.Principals;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.postgres.RowAudit;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Audit and lineage over HTTP, on the command line and in Delta, with a catalog in Postgres. */
final class AuditAndLineageTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TABLES = "/api/2.0/lineage-tracking/table-lineage";
    private static final String COLUMNS = "/api/2.0/lineage-tracking/column-lineage";

    @TempDir static Path folder;
    private static Postgres postgres;
    private static Catalog catalog;
    private static Vertx vertx;
    private static String url;

    @BeforeAll
    static void start() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
        catalog = Catalog.open(postgres.owner());
        RowAudit.open(postgres.owner(), catalog.audit());
        principals();
        lineage();
        vertx = Vertx.vertx();
        var router = Router.router(vertx);
        var routes = new Routes(router, context -> caller(user(context.request())));
        LineageRoutes.mount(routes, catalog, Clock.systemUTC());
        AuditRoutes.mount(routes, catalog, postgres.owner());
        var server =
                vertx.createHttpServer()
                        .requestHandler(router)
                        .listen(0, "127.0.0.1")
                        .toCompletionStage()
                        .toCompletableFuture()
                        .get();
        url = "http://127.0.0.1:" + server.actualPort();
    }

    @AfterAll
    static void stop() {
        vertx.close();
        catalog.audit().close();
        postgres.close();
    }

    /** Anna is an admin and may write; Ben sees silver and gold; Carl sees nothing. */
    private static void principals() {
        var system = catalog.system();
        var principals = catalog.principals();
        for (var name : List.of("anna", "ben", "carl")) {
            principals.create(system, PrincipalKind.USER, name, name, "");
        }
        var admins = principals.find(Principals.ADMINS).orElseThrow().principal().id();
        principals.addMember(
                system, admins, principals.find("anna").orElseThrow().principal().id());
        for (var table : PlanLineageTest.plan().datasets()) {
            create(table.name(), TableKind.INGESTED);
        }
        create(TableName.parse("farm.serving.climate"), TableKind.SYNCED);
        var read = Set.of(Privilege.SELECT, Privilege.USE_SCHEMA);
        var write = Set.of(Privilege.USE_CATALOG, Privilege.USE_SCHEMA, Privilege.MODIFY);
        catalog.grants()
                .change(
                        system,
                        Securable.catalog("farm"),
                        List.of(
                                new GrantChange("ben", Set.of(Privilege.USE_CATALOG), Set.of()),
                                new GrantChange("anna", write, Set.of())));
        for (var schema : List.of("silver", "gold")) {
            catalog.grants()
                    .change(
                            system,
                            Securable.schema("farm", schema),
                            List.of(new GrantChange("ben", read, Set.of())));
        }
    }

    private static void create(TableName name, TableKind kind) {
        catalog.create(
                name,
                kind,
                TableSchema.of(Column.nullable("zone", Primitive.LONG)),
                "file:///data/" + name,
                "",
                Map.of());
    }

    private static void lineage() {
        var now = Instant.parse("2026-03-01T10:20:00Z");
        var hour = Instant.parse("2026-03-01T10:00:00Z");
        catalog.lineage()
                .record(LineageRecorder.flows(PlanLineageTest.plan(), "system", hour, now));
        catalog.lineage()
                .wrote(
                        new LineageEntity(LineageEntity.Type.STREAM, "sensor-7", ""),
                        "sensor-7",
                        LineageNode.table(TableName.parse("farm.bronze.readings")),
                        12);
        catalog.lineage().flush();
    }

    /** These tests take a name for a token. */
    private static String user(HttpServerRequest request) {
        var token = request.getHeader("authorization");
        return token == null ? "" : token.substring("Bearer ".length());
    }

    private static Caller caller(String name) {
        var known =
                catalog.principals()
                        .find(name)
                        .orElseThrow(
                                () ->
                                        new LakemillException(
                                                ErrorCode.UNAUTHENTICATED, "who are you?", ""));
        return new Caller(known.principal(), null, "rest", "127.0.0.1", "request");
    }

    @Test
    void tableLineageHasDatabricksForm() throws Exception {
        var body = "{\"table_name\":\"farm.gold.climate\",\"include_entity_lineage\":true}";
        var answer = call("anna", "GET", TABLES, body, 200);
        assertThat(answer.at("/upstreams").size()).isEqualTo(2);
        assertThat(answer.at("/upstreams/1/tableInfo/name").asText()).isEqualTo("readings");
        assertThat(answer.at("/upstreams/1/tableInfo/schema_name").asText()).isEqualTo("silver");
        assertThat(answer.at("/upstreams/1/pipelineInfos/0/pipeline_id").asText())
                .isEqualTo("farm");
        assertThat(answer.at("/downstreams/0/tableInfo/name").asText()).isEqualTo("climate");
        var deep = call("anna", "GET", TABLES + "?table_name=farm.gold.climate&depth=9", "", 200);
        assertThat(deep.at("/upstreams").toString()).contains("sensor-7").contains("zones");
    }

    @Test
    void columnLineageHasDatabricksForm() throws Exception {
        var query = "?table_name=farm.gold.climate&column_name=warmest&depth=9";
        var answer = call("anna", "GET", COLUMNS + query, "", 200);
        assertThat(answer.at("/upstream_cols").findValuesAsText("name"))
                .containsExactlyInAnyOrder("kelvin", "celsius", "offset");
        assertThat(answer.at("/downstream_cols/0/schema_name").asText()).isEqualTo("serving");
    }

    @Test
    void lineageShowsOnlyWhatTheCallerMaySee() throws Exception {
        var query = "?table_name=farm.gold.climate&depth=9";
        var answer = call("ben", "GET", TABLES + query, "", 200);
        assertThat(answer.at("/upstreams").findValuesAsText("schema_name"))
                .containsExactly("silver");
        assertThat(answer.at("/downstreams")).isEmpty();
        assertThat(answer.toString()).doesNotContain("zones").doesNotContain("sensor-7");
        call("carl", "GET", TABLES + query, "", 403);
        call("ben", "GET", TABLES + "?table_name=farm.bronze.zones", "", 403);
        call("nobody", "GET", TABLES + query, "", 401);
        call("anna", "GET", TABLES, "", 400);
        call("anna", "GET", TABLES + query + "0", "", 400);
    }

    @Test
    void openLineageEventsComeInFromThoseWhoMayWriteTheOutput() throws Exception {
        var event =
                """
                {"eventType":"COMPLETE","eventTime":"2026-03-02T09:00:00.5+01:00",
                "run":{"runId":"0190a5e2-7d6c-7a55-8e2d-1d2f3a4b5c6d"},
                "job":{"namespace":"spark","name":"nightly"},
                "inputs":[{"namespace":"s3://bucket","name":"weather"},
                    {"namespace":"x","name":"y","facets":{"symlinks":{"identifiers":[
                        {"namespace":"unity","name":"farm.silver.readings","type":"TABLE"}]}}}],
                "outputs":[{"namespace":"lakemill","name":"farm.gold.climate","facets":{
                    "columnLineage":{"fields":{"zone":{"inputFields":[
                        {"namespace":"s3://bucket","name":"weather","field":"place"}]}}}}}],
                "producer":"https://example.com","schemaURL":"https://openlineage.io"}
                """;
        call("ben", "POST", "/api/v1/lineage", event, 403);
        call("carl", "POST", "/api/v1/lineage", event, 403);
        call("anna", "POST", "/api/v1/lineage", "{}", 400);
        call("anna", "POST", "/api/v1/lineage", event.replace("COMPLETE", "START"), 201);
        call("anna", "POST", "/api/v1/lineage", event.replace("2026-03-02T09", "noon"), 400);
        call("anna", "POST", "/api/v1/lineage", event, 201);
        var columns =
                call(
                        "anna",
                        "GET",
                        COLUMNS + "?table_name=farm.gold.climate&column_name=zone",
                        "",
                        200);
        assertThat(columns.at("/upstream_cols").findValuesAsText("table_name"))
                .contains("s3://bucket/weather");
        var tables = call("anna", "GET", TABLES + "?table_name=farm.gold.climate", "", 200);
        assertThat(tables.at("/upstreams").findValuesAsText("job_id")).contains("spark/nightly");
    }

    @Test
    void ourLineageGoesOutAsOpenLineageEvents() throws Exception {
        var path = "/api/v1/lineage/events?after=2026-03-01T00:00:00Z&before=2026-03-02T00:00:00Z";
        var all = call("anna", "GET", path, "", 200);
        assertThat(all.path("events").size()).isEqualTo(4);
        for (var event : all.path("events")) {
            assertThat(event.at("/run/runId").asText()).hasSize(36);
            assertThat(event.at("/schemaURL").asText()).contains("2-0-2");
            assertThat(event.at("/outputs/0/facets/columnLineage/fields")).isNotEmpty();
        }
        assertThat(all.toString()).contains("\"inputFields\":[{", "pipeline/farm", "sync/farm");
        var first = call("anna", "GET", path + "&limit=3", "", 200);
        var token = first.path("next_page_token").asText();
        var second = call("anna", "GET", path + "&limit=3&page_token=" + token, "", 200);
        assertThat(second.has("next_page_token")).isFalse();
        assertThat(call("carl", "GET", path, "", 200).path("events")).isEmpty();
        assertThat(call("ben", "GET", path, "", 200).toString()).doesNotContain("zones");
        call("anna", "GET", path + "&page_token=nonsense", "", 400);
    }

    @Test
    void adminsAloneSeeTheAuditLogAndRefusalsStandInIt() throws Exception {
        call("ben", "GET", "/api/2.0/audit/events", "", 403);
        call("ben", "POST", "/api/2.0/audit/verify", "", 403);
        catalog.audit().flush();
        var path = "/api/2.0/audit/events?email=ben&action_name=listAuditEvents";
        var events = call("anna", "GET", path, "", 200).path("events");
        assertThat(events.size()).isEqualTo(1);
        assertThat(events.at("/0/response/status_code").asInt()).isEqualTo(403);
        assertThat(events.at("/0/user_identity/email").asText()).isEqualTo("ben");
        call("anna", "GET", "/api/2.0/audit/events?max_results=0", "", 400);
        call("anna", "GET", "/api/2.0/audit/events?start_time=noon", "", 400);
    }

    @Test
    void theCommandVerifiesAndShowsTheLog() throws Exception {
        AuditLog.CHAIN.seal(postgres.owner(), 10_000);
        var verified = command("verify");
        assertThat(verified).contains("audit      whole:").contains("row_audit  whole:");
        var head = verified.lines().filter(l -> l.startsWith("audit ")).findFirst().orElseThrow();
        var known = head.substring(head.indexOf("head ") + 5).strip();
        assertThat(command("verify", "--known", "audit=" + known)).contains("whole");
        var other = known.substring(0, known.indexOf(':') + 1) + "00";
        assertThat(command("verify", "--known", "audit=" + other)).contains("BROKEN", "rewritten");
        assertThat(command("tail", "-n", "5").lines()).hasSize(5);
        assertThat(command("tail", "--action", "createUser", "--json")).contains("\"createUser\"");
    }

    private static String command(String... arguments) {
        var out = new StringWriter();
        var line =
                new CommandLine(new AuditCommand(_ -> new NodeClient(url, "anna")))
                        .setOut(new PrintWriter(out))
                        .setErr(new PrintWriter(out));
        line.execute(arguments);
        return out.toString();
    }

    /** As a function in SQL may. */
    private static void recordNull() throws SQLException {
        try (var connection = postgres.owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(
                    """
                    INSERT INTO lakemill.audit
                        (event_id, event_time, source_ip_address, user_agent, session_id,
                        user_email, user_subject_name, service_name, action_name, request_id,
                        request_params, status_code, error_message, audit_level, run_by, run_as, door)
                    SELECT gen_random_uuid(), event_time, source_ip_address, user_agent, session_id,
                        user_email, user_subject_name, service_name, action_name, request_id,
                        request_params || '{"nothing": null}', status_code, error_message,
                        audit_level, run_by, run_as, door
                    FROM lakemill.audit WHERE action_name = 'land' LIMIT 1""");
        }
    }

    @Test
    void sealedRecordsLandInDeltaOnceEach() throws Exception {
        try (var allocator = new RootAllocator();
                var table =
                        DeltaTable.create(
                                folder.resolve("audit"),
                                AuditRows.SCHEMA,
                                DeltaConfig.DEFAULT,
                                allocator,
                                Clock.systemUTC())) {
            for (var round = 0; round < 3; round++) {
                catalog.audit()
                        .record(
                                AuditEvent.done(
                                        catalog.system(),
                                        "pipelines",
                                        "land",
                                        Map.of("round", "" + round, "other", "")));
                catalog.audit().flush();
                recordNull();
                AuditLog.CHAIN.seal(postgres.owner(), 10_000);
                AuditLanding.ofEvents(landing(allocator, Duration.ZERO), table).close();
            }
            var sealed = new AuditReader(postgres.owner()).sealedAfter(0, 10_000);
            assertThat(table.transaction("lakemill-audit").orElseThrow())
                    .isEqualTo(sealed.getLast().sequence());
            assertThat(table.snapshot().rowCount()).isEqualTo(sealed.size());
            var columns = List.of("sequence", "user_identity", "request_params");
            try (var reader = table.snapshot().read(columns)) {
                var rows = Objects.requireNonNull(reader.next());
                assertThat(rows.vector(0).getObject(0)).isEqualTo(1L);
                assertThat(String.valueOf(rows.vector(1).getObject(0))).contains("system");
                assertThat(String.valueOf(rows.vector(2).getObject(rows.count() - 1)))
                        .contains("round");
                rows.close();
            }
        }
    }

    @Test
    void oldRowsLandInDeltaAndThenLeavePostgres() throws Exception {
        try (var allocator = new RootAllocator();
                var table =
                        DeltaTable.create(
                                folder.resolve("row-audit"),
                                AuditRows.ROW_SCHEMA,
                                DeltaConfig.DEFAULT,
                                allocator,
                                Clock.systemUTC())) {
            auditedWrites();
            RowAudit.CHAIN.seal(postgres.owner(), 10_000);
            AuditLanding.ofRows(landing(allocator, Duration.ZERO), table).close();
            var columns = List.of("operation", "old_row", "new_row", "sequence", "hash");
            try (var reader = table.snapshot().read(columns)) {
                try (var rows = Objects.requireNonNull(reader.next())) {
                    assertThat(rows.count()).isEqualTo(3);
                    assertThat(rows.vector(0).getObject(1)).hasToString("UPDATE");
                    assertThat(rows.vector(1).getObject(1)).hasToString("{\"a\": 1}");
                    assertThat(rows.vector(2).getObject(1)).hasToString("{\"a\": 2}");
                    assertThat(rows.vector(3).getObject(2)).isEqualTo(3L);
                    assertThat(rows.vector(4).getObject(2).toString()).hasSize(64);
                }
            }
            assertThat(postgresRows()).isEqualTo(3);
            AuditLanding.ofRows(landing(allocator, Duration.ofNanos(1)), table).close();
            assertThat(postgresRows()).isZero();
            assertThat(RowAudit.CHAIN.verify(postgres.owner(), null))
                    .isInstanceOfSatisfying(
                            Verdict.Whole.class, whole -> assertThat(whole.expired()).isEqualTo(3));
            assertThatThrownBy(
                            () ->
                                    RowAudit.CHAIN.verify(
                                            postgres.owner(), new AuditChain.Head(2, "00")))
                    .hasMessageContaining("has expired");
            auditedWrites();
            RowAudit.CHAIN.seal(postgres.owner(), 10_000);
            AuditLanding.ofRows(landing(allocator, Duration.ZERO), table).close();
            assertThat(table.snapshot().rowCount()).isEqualTo(6);
            assertThatThrownBy(() -> execute("DELETE FROM lakemill.row_audit"))
                    .hasMessageContaining("never changed or deleted");
            assertThatThrownBy(
                            () ->
                                    execute(
                                            "DELETE FROM lakemill.audit_seals WHERE chain <> 'audit'"))
                    .hasMessageContaining("never changed or deleted");
            assertThat(RowAudit.CHAIN.verify(postgres.owner(), null))
                    .isInstanceOfSatisfying(
                            Verdict.Whole.class,
                            whole -> assertThat(whole.head().sequence()).isEqualTo(6));
        }
    }

    private static AuditLanding.Parts landing(RootAllocator allocator, Duration retention) {
        return new AuditLanding.Parts(catalog, postgres.owner(), allocator, retention);
    }

    /** Three. */
    private static void auditedWrites() throws SQLException {
        execute("CREATE SCHEMA IF NOT EXISTS lands; CREATE TABLE IF NOT EXISTS lands.t (a int)");
        try (var connection = postgres.owner().getConnection()) {
            RowAudit.open(postgres.owner(), catalog.audit())
                    .attach(connection, catalog.system(), "lands", "t");
        }
        execute("INSERT INTO lands.t VALUES (1)");
        execute("UPDATE lands.t SET a = 2");
        execute("DELETE FROM lands.t");
    }

    private static long postgresRows() throws SQLException {
        try (var connection = postgres.owner().getConnection();
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT count(*) FROM lakemill.row_audit")) {
            rows.next();
            return rows.getLong(1);
        }
    }

    private static void execute(String sql) throws SQLException {
        try (var connection = postgres.owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static JsonNode call(String user, String method, String path, String body, int status)
            throws Exception {
        var request =
                HttpRequest.newBuilder(URI.create(url + path))
                        .header("authorization", "Bearer " + user)
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .build();
        try (var client = HttpClient.newHttpClient()) {
            var answer = client.send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
            return answer.body().isEmpty() ? JSON.createObjectNode() : JSON.readTree(answer.body());
        }
    }
}
