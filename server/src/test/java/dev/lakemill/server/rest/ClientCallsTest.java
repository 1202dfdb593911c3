package dev.lakemill.server.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.server.rest.RestServer.Answer;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The very requests of Spark's connector, DuckDB's extension and MLflow, one after the other. */
class ClientCallsTest {
    private static final TableSchema SALES =
            TableSchema.of(
                    Column.required("id", DataType.Primitive.LONG),
                    Column.nullable("amount", new DataType.Decimal(10, 2)),
                    Column.nullable(
                            "lines",
                            new DataType.Map(
                                    DataType.Primitive.STRING, DataType.Primitive.INTEGER, true)));

    private final RestServer server = RestServer.shared();

    @BeforeAll
    static void start() throws Exception {
        var server = RestServer.shared();
        server.call("admin", "POST", "/catalogs", Map.of("name", "calls"));
        server.call("admin", "POST", "/schemas", Map.of("name", "gold", "catalog_name", "calls"));
        server.principal("reader");
        server.grant("reader", Securable.catalog("calls"), Privilege.USE_CATALOG);
        server.grant(
                "reader",
                Securable.schema("calls", "gold"),
                Privilege.USE_SCHEMA,
                Privilege.SELECT,
                Privilege.EXTERNAL_USE_SCHEMA);
        table("view", TableKind.MATERIALIZED_VIEW, server.deltaTable("view", SALES));
        table("stream", TableKind.STREAMING_TABLE, server.deltaTable("stream", SALES));
        table("bronze", TableKind.INGESTED, server.deltaTable("bronze", SALES));
        table("synced", TableKind.SYNCED, "postgres:gold.synced");
        table("state", TableKind.STATE, "postgres:gold.state");
    }

    private static void table(String name, TableKind kind, String location) {
        RestServer.shared()
                .catalog
                .create(new TableName("calls", "gold", name), kind, SALES, location, "", Map.of());
    }

    @AfterAll
    static void everyAnswerFittedTheFile() {
        assertThat(RestServer.shared().faults()).isEmpty();
    }

    private JsonNode ok(Answer answer) {
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        return answer.json();
    }

    @Test
    void sparkLoadsEveryDeltaTableThroughTheDeltaApi() {
        for (var name : new String[] {"view", "stream", "bronze"}) {
            var path = "/delta/v1/catalogs/calls/schemas/gold/tables/" + name;
            var loaded = ok(server.call("reader", "GET", path));
            var metadata = loaded.path("metadata");
            assertThat(metadata.path("location").asText()).startsWith("file:///");
            assertThat(metadata.path("etag").asText()).isNotEmpty();
            assertThat(metadata.path("table-type").asText()).isEqualTo("EXTERNAL");
            assertThat(metadata.path("properties").isObject()).isTrue();
            var fields = metadata.path("columns").path("fields");
            assertThat(fields.path(0).path("type").asText()).isEqualTo("long");
            assertThat(fields.path(0).path("nullable").asBoolean()).isFalse();
            assertThat(fields.path(1).path("type").asText()).isEqualTo("decimal(10,2)");
            assertThat(fields.path(2).path("type").path("key-type").asText()).isEqualTo("string");
            assertThat(fields.path(2).path("type").path("value-contains-null").asBoolean())
                    .isTrue();
            assertThat(loaded.path("commits")).isEmpty();
        }
    }

    @Test
    void sparkFallsBackFromATableOfPostgresToTheTablesOfUnityCatalog() {
        for (var name : new String[] {"synced", "state"}) {
            var path = "/delta/v1/catalogs/calls/schemas/gold/tables/" + name;
            var refused = server.call("reader", "GET", path);
            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.text()).contains("UnsupportedTableFormatException");
            var found =
                    ok(
                            server.call(
                                    "reader",
                                    "GET",
                                    "/tables/calls.gold."
                                            + name
                                            + "?read_streaming_table_as_managed=true"
                                            + "&read_materialized_view_as_managed=true"));
            assertThat(found.path("table_type").asText()).isEqualTo("FOREIGN");
            assertThat(found.path("data_source_format").asText()).isEqualTo("POSTGRESQL_FORMAT");
            assertThat(found.path("securable_kind_manifest").path("securable_kind").asText())
                    .isEqualTo("TABLE_MANAGED_POSTGRESQL");
            assertThat(found.path("storage_location").asText()).startsWith("postgres:");
            var vended =
                    server.call(
                            "reader",
                            "POST",
                            "/temporary-table-credentials",
                            Map.of(
                                    "table_id",
                                    found.path("table_id").asText(),
                                    "operation",
                                    "READ_WRITE"));
            assertThat(vended.status()).isEqualTo(400);
        }
    }

    @Test
    void sparkAsksForWritingThenForReading() {
        var path = "/delta/v1/catalogs/calls/schemas/gold/tables/view/credentials?operation=";
        var write = server.call("reader", "GET", path + "READ_WRITE");
        assertThat(write.status()).isEqualTo(403);
        assertThat(write.json().path("error").path("type").asText())
                .isEqualTo("PermissionDeniedException");
        var read = ok(server.call("reader", "GET", path + "READ"));
        var credential = read.path("storage-credentials").path(0);
        assertThat(credential.path("operation").asText()).isEqualTo("READ");
        assertThat(credential.path("prefix").asText()).startsWith("file:///");
    }

    @Test
    void sparkPresentsStreamingTablesAndViewsAsManagedWhenAsked() {
        var plain = ok(server.call("reader", "GET", "/tables/calls.gold.view"));
        assertThat(plain.path("table_type").asText()).isEqualTo("MATERIALIZED_VIEW");
        var managed =
                ok(
                        server.call(
                                "reader",
                                "GET",
                                "/tables/calls.gold.view?read_materialized_view_as_managed=true"));
        assertThat(managed.path("table_type").asText()).isEqualTo("MANAGED");
    }

    @Test
    void sparkNeverMeetsWhatItDereferencesUnchecked() {
        var listed =
                ok(
                        server.call(
                                "reader",
                                "GET",
                                "/tables?catalog_name=calls&schema_name=gold&max_results=0"));
        assertThat(listed.path("tables")).hasSize(5);
        for (var table : listed.path("tables")) {
            for (var field :
                    new String[] {
                        "created_at",
                        "properties",
                        "columns",
                        "data_source_format",
                        "storage_location",
                        "table_type",
                        "table_id"
                    }) {
                assertThat(table.hasNonNull(field)).as(field).isTrue();
            }
            for (var column : table.path("columns")) {
                assertThat(column.path("nullable").isBoolean()).isTrue();
                assertThat(column.path("type_precision").isInt()).isTrue();
                assertThat(column.path("type_scale").isInt()).isTrue();
            }
        }
        var schema = ok(server.call("reader", "GET", "/schemas/calls.gold"));
        assertThat(schema.path("properties").isObject()).isTrue();
    }

    @Test
    void sparkCreatesAnExternalTableAndDropsIt() {
        var location = "file://" + server.folder.resolve("lake/spark");
        ok(
                server.call(
                        "admin",
                        "POST",
                        "/temporary-path-credentials",
                        Map.of("url", location, "operation", "PATH_CREATE_TABLE")));
        var request =
                """
                {"name":"made","catalog_name":"calls","schema_name":"gold","table_type":"EXTERNAL",
                 "data_source_format":"DELTA","storage_location":"%s",
                 "columns":[{"name":"id","type_text":"bigint","type_json":"\\"long\\"",
                   "type_name":"LONG","position":0,"nullable":true}],
                 "properties":{"delta.minReaderVersion":"1"}}
                """
                        .formatted(location);
        var made = server.send("admin", "POST", Api.UNITY + "/tables", request, "Spark");
        assertThat(ok(made).path("properties").path("delta.minReaderVersion").asText())
                .isEqualTo("1");
        var again = server.send("admin", "POST", Api.UNITY + "/tables", request, "Spark");
        assertThat(again.status()).as(again.text()).isIn(400, 409);
        var head = "/delta/v1/catalogs/calls/schemas/gold/tables/made";
        assertThat(server.call("admin", "HEAD", head).status()).isEqualTo(204);
        assertThat(
                        server.call("admin", "POST", head + "/rename", Map.of("new-name", "other"))
                                .status())
                .isEqualTo(204);
        assertThat(server.call("admin", "HEAD", head).status()).isEqualTo(404);
        assertThat(ok(server.call("admin", "DELETE", "/tables/calls.gold.other"))).isEmpty();
    }

    @Test
    void deltaClientsAgreeOnTheVersionOfTheApi() {
        var path = "/delta/v1/config?catalog=calls&protocol-versions=";
        var config = ok(server.call("reader", "GET", path + "1.1,2.3"));
        assertThat(config.path("protocol-version").asText()).isEqualTo("1.0");
        assertThat(config.path("endpoints").toString())
                .contains("GET /v1/catalogs/{catalog}/schemas/{schema}/tables/{table}");
        assertThat(server.call("reader", "GET", path + "2.0").status()).isEqualTo(400);
    }

    @Test
    void duckDbAttachesListsAndAsksForCredentials() {
        var setting =
                server.send(
                        "reader",
                        "GET",
                        "/api/2.0/settings/types/default_namespace_ws/names/default",
                        "",
                        "duckdb");
        assertThat(ok(setting).path("setting_name").asText()).isEqualTo("main");
        var schemas = ok(server.call("reader", "GET", "/schemas?catalog_name=calls"));
        assertThat(schemas.path("schemas").path(0).path("name").asText()).isEqualTo("gold");
        var tables =
                ok(server.call("reader", "GET", "/tables?catalog_name=calls&schema_name=gold"));
        assertThat(tables.has("next_page_token")).isFalse();
        for (var table : tables.path("tables")) {
            assertThat(table.path("columns").path(2).path("type_text").asText())
                    .isEqualTo("map<string,int>");
            assertThat(table.path("columns").path(0).path("position").isNumber()).isTrue();
            table.path("properties").forEach(value -> assertThat(value.isTextual()).isTrue());
            if (table.path("data_source_format").asText().equals("DELTA")) {
                assertThat(table.path("storage_location").asText()).startsWith("file://");
            }
        }
    }

    @Test
    void namesWithADotMayBeWrittenWithAUnitSeparator() {
        var table = ok(server.call("reader", "GET", "/tables/calls%1Fgold%1Fview"));
        assertThat(table.path("full_name").asText()).isEqualTo("calls.gold.view");
    }

    @Test
    void mlflowRegistersAModelAndItsVersions() {
        var full = "calls.gold.churn";
        var created =
                server.call(
                        "admin",
                        "POST",
                        "/models",
                        Map.of("name", "churn", "catalog_name", "calls", "schema_name", "gold"));
        assertThat(ok(created).path("full_name").asText()).isEqualTo(full);
        var list = ok(server.call("admin", "GET", "/models?max_results=100"));
        assertThat(list.path("registered_models").findValuesAsText("full_name")).contains(full);
        var version =
                ok(
                        server.call(
                                "admin",
                                "POST",
                                "/models/versions",
                                Map.of(
                                        "model_name", "churn",
                                        "catalog_name", "calls",
                                        "schema_name", "gold",
                                        "source", "file:///tmp/run/artifacts/model",
                                        "run_id", "abc",
                                        "comment", "first")));
        assertThat(version.path("status").asText()).isEqualTo("PENDING_REGISTRATION");
        assertThat(version.path("storage_location").asText()).startsWith("file:///");
        var one = "/models/" + full + "/versions/1";
        var ready =
                ok(
                        server.call(
                                "admin",
                                "PATCH",
                                one + "/finalize",
                                Map.of("full_name", full, "version", "1")));
        assertThat(ready.path("status").asText()).isEqualTo("READY");
        ok(server.call("admin", "GET", one + "?full_name=" + full + "&version=1"));
        ok(
                server.call(
                        "admin",
                        "PUT",
                        "/models/" + full + "/aliases/best",
                        Map.of("version_num", 1)));
        var best = ok(server.call("admin", "GET", "/models/" + full + "/aliases/best"));
        assertThat(best.path("aliases").path(0).path("alias_name").asText()).isEqualTo("best");
        ok(server.call("admin", "PUT", one + "/tags/stage", Map.of("value", "prod")));
        assertThat(ok(server.call("admin", "GET", one)).path("tags").path("stage").asText())
                .isEqualTo("prod");
        assertThat(ok(server.call("admin", "DELETE", one + "/tags/stage"))).isEmpty();
        assertThat(ok(server.call("admin", "DELETE", "/models/" + full + "/aliases/best")))
                .isEmpty();
        assertThat(ok(server.call("admin", "DELETE", one))).isEmpty();
        assertThat(ok(server.call("admin", "DELETE", "/models/" + full))).isEmpty();
        var gone = server.call("admin", "GET", "/models/" + full);
        assertThat(gone.status()).isEqualTo(404);
        assertThat(gone.json().path("error_code").asText()).isEqualTo("NOT_FOUND");
    }
}
