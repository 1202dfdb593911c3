package dev.lakemill.server.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.ColumnMask;
import dev.lakemill.catalog.PolicyFunction;
import dev.lakemill.catalog.RowFilter;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.server.rest.RestServer.Answer;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who sees what, who gets files, and how grants are told: the rules of docs/reference/rest.md. */
class GovernedRestTest {
    private static final TableSchema PEOPLE =
            TableSchema.of(
                    Column.nullable("name", DataType.Primitive.STRING),
                    Column.nullable("ssn", DataType.Primitive.STRING));

    private final RestServer server = RestServer.shared();

    @BeforeAll
    static void start() throws Exception {
        var server = RestServer.shared();
        server.call("admin", "POST", "/catalogs", Map.of("name", "gov"));
        server.call("admin", "POST", "/schemas", Map.of("name", "s", "catalog_name", "gov"));
        server.call("admin", "POST", "/schemas", Map.of("name", "hidden", "catalog_name", "gov"));
        for (var name : List.of("people", "masked", "filtered")) {
            var made =
                    server.call(
                            "admin",
                            "POST",
                            "/tables",
                            Map.of(
                                    "name", name,
                                    "catalog_name", "gov",
                                    "schema_name", "s",
                                    "table_type", "EXTERNAL",
                                    "storage_location", server.deltaTable(name, PEOPLE)));
            assertThat(made.status()).as(made.text()).isEqualTo(200);
        }
        hide(server);
    }

    private static void hide(RestServer server) {
        var policies = server.catalog.policies();
        var text = List.of(Column.nullable("x", DataType.Primitive.STRING));
        policies.createFunction(
                server.catalog.system(),
                new PolicyFunction(
                        "gov.s.stars",
                        text,
                        DataType.Primitive.STRING,
                        "'***'",
                        "'***'",
                        "'***'",
                        ""),
                false);
        policies.createFunction(
                server.catalog.system(),
                new PolicyFunction(
                        "gov.s.some",
                        text,
                        DataType.Primitive.BOOLEAN,
                        "x = 'a'",
                        "$1 = 'a'",
                        "$1 = 'a'",
                        ""),
                false);
        policies.setMask(
                server.catalog.system(),
                new ColumnMask(
                        new TableName("gov", "s", "masked"), "ssn", "gov.s.stars", List.of()));
        policies.setRowFilter(
                server.catalog.system(),
                new RowFilter(
                        new TableName("gov", "s", "filtered"), "gov.s.some", List.of("name")));
    }

    @AfterAll
    static void everyAnswerFittedTheFile() {
        assertThat(RestServer.shared().faults()).isEmpty();
    }

    private JsonNode ok(Answer answer) {
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        return answer.json();
    }

    private String tableId(String name) {
        return ok(server.call("admin", "GET", "/tables/gov.s." + name)).path("table_id").asText();
    }

    private Answer vend(String who, String table, String operation) {
        return server.call(
                who,
                "POST",
                "/temporary-table-credentials",
                Map.of("table_id", tableId(table), "operation", operation));
    }

    private void may(String who, Securable on, Privilege... privileges) {
        server.grant(who, on, privileges);
    }

    private void reader(String who) {
        server.principal(who);
        may(who, Securable.catalog("gov"), Privilege.USE_CATALOG);
        may(who, Securable.schema("gov", "s"), Privilege.USE_SCHEMA);
    }

    @Test
    void nobodyCallsWithoutBeingKnown() {
        var refused = server.call("nobody", "GET", "/catalogs");
        assertThat(refused.status()).isEqualTo(401);
        var delta = "/delta/v1/catalogs/gov/schemas/s/tables/people";
        assertThat(server.call("nobody", "GET", delta).json().path("error").path("type").asText())
                .isEqualTo("NotAuthorizedException");
        assertThat(server.call("nobody", "GET", "/openapi.yaml").status()).isEqualTo(200);
    }

    @Test
    void whatOneMayNotSeeIsAnsweredLikeWhatIsNotThere() {
        server.principal("stranger");
        for (var path :
                List.of(
                        "/catalogs/gov",
                        "/schemas/gov.s",
                        "/tables/gov.s.people",
                        "/functions/gov.s.stars",
                        "/external-locations/lake",
                        "/permissions/table/gov.s.people",
                        "/effective-permissions/schema/gov.s",
                        "/entity-tag-assignments/tables/gov.s.people/tags",
                        "/delta/v1/catalogs/gov/schemas/s/tables/people")) {
            var there = server.call("stranger", "GET", path);
            var gone = server.call("stranger", "GET", path.replaceAll("(gov|lake|people)", "none"));
            assertThat(there.status()).as(path).isEqualTo(404);
            assertThat(there.text().replaceAll("(gov|lake|people)", "none")).isEqualTo(gone.text());
        }
        assertThat(
                        ok(server.call("stranger", "GET", "/tables/gov.s.people/exists"))
                                .path("table_exists")
                                .asBoolean())
                .isFalse();
        assertThat(ok(server.call("stranger", "GET", "/catalogs")).path("catalogs")).isEmpty();
        assertThat(vend("stranger", "people", "READ").status()).isEqualTo(404);
    }

    @Test
    void listsShowWhatTheCallerMaySee() {
        reader("looker");
        may("looker", Securable.table(new TableName("gov", "s", "people")), Privilege.SELECT);
        var tables = ok(server.call("looker", "GET", "/tables?catalog_name=gov&schema_name=s"));
        assertThat(tables.path("tables").findValuesAsText("full_name"))
                .containsExactly("gov.s.people");
        var schemas = ok(server.call("looker", "GET", "/schemas?catalog_name=gov"));
        assertThat(schemas.path("schemas").findValuesAsText("full_name")).containsExactly("gov.s");
        var all =
                ok(
                        server.call(
                                "admin",
                                "GET",
                                "/table-summaries?catalog_name=gov&table_name_pattern=%25ED"));
        assertThat(all.path("tables").findValuesAsText("full_name"))
                .containsExactly("gov.s.filtered", "gov.s.masked");
    }

    @Test
    void browseShowsATableButNotItsFiles() {
        server.principal("browser");
        may("browser", Securable.catalog("gov"), Privilege.BROWSE);
        var table = ok(server.call("browser", "GET", "/tables/gov.s.people"));
        assertThat(table.path("storage_location").asText()).startsWith("lakemill://withheld/");
        var refused = vend("browser", "people", "READ");
        assertThat(refused.status()).isEqualTo(403);
        assertThat(refused.json().path("error_code").asText()).isEqualTo("PERMISSION_DENIED");
    }

    @Test
    void filesNeedSelectForReadingModifyForWritingAndExternalUseSchema() {
        reader("engine");
        var table = Securable.table(new TableName("gov", "s", "people"));
        may("engine", table, Privilege.SELECT);
        assertThat(vend("engine", "people", "READ").text()).contains("EXTERNAL USE SCHEMA");
        may("engine", Securable.schema("gov", "s"), Privilege.EXTERNAL_USE_SCHEMA);
        assertThat(ok(vend("engine", "people", "READ")).path("url").asText())
                .endsWith("/lake/people");
        assertThat(vend("engine", "people", "READ_WRITE").text()).contains("MODIFY");
        may("engine", table, Privilege.MODIFY);
        ok(vend("engine", "people", "READ_WRITE"));
    }

    @Test
    void noFilesOfATableWithAMaskOrAFilterToAnybody() {
        may("admin", Securable.schema("gov", "s"), Privilege.EXTERNAL_USE_SCHEMA);
        may("admin", Securable.schema("gov", "s"), Privilege.SELECT);
        for (var name : List.of("masked", "filtered")) {
            var refused = vend("admin", name, "READ");
            assertThat(refused.status()).isEqualTo(403);
            assertThat(refused.text())
                    .contains(name.equals("masked") ? "mask of column ssn" : "row filter");
            var table = ok(server.call("admin", "GET", "/tables/gov.s." + name));
            assertThat(table.path("storage_location").asText()).startsWith("lakemill://withheld/");
            var delta = "/delta/v1/catalogs/gov/schemas/s/tables/" + name;
            assertThat(server.call("admin", "GET", delta).status()).isEqualTo(403);
            assertThat(server.call("admin", "GET", delta + "/credentials?operation=READ").status())
                    .isEqualTo(403);
        }
        var masked = ok(server.call("admin", "GET", "/tables/gov.s.masked"));
        assertThat(masked.path("columns").path(1).path("mask").path("function_name").asText())
                .isEqualTo("gov.s.stars");
        var filtered = ok(server.call("admin", "GET", "/tables/gov.s.filtered"));
        assertThat(filtered.path("row_filter").path("input_column_names").path(0).asText())
                .isEqualTo("name");
    }

    @Test
    void noOtherWayLeadsToTheFilesOfAGovernedTable() throws Exception {
        var lake = server.folder.resolve("lake");
        Files.createSymbolicLink(lake.resolve("alias"), lake.resolve("masked"));
        for (var place :
                List.of(
                        "file://" + lake,
                        "file://" + lake.resolve("masked"),
                        "file://" + lake.resolve("masked/_delta_log"),
                        "file://" + lake.resolve("alias"),
                        "file:" + lake.resolve("free/../masked"),
                        "file://" + lake + "/free/%2E%2E/masked",
                        "file://" + lake + "//masked/")) {
            var path =
                    server.call(
                            "admin",
                            "POST",
                            "/temporary-path-credentials",
                            Map.of("url", place, "operation", "PATH_READ"));
            assertThat(path.status()).as(place + path.text()).isEqualTo(403);
            var second =
                    server.call(
                            "admin",
                            "POST",
                            "/tables",
                            Map.of(
                                    "name", "second",
                                    "catalog_name", "gov",
                                    "schema_name", "s",
                                    "table_type", "EXTERNAL",
                                    "storage_location", place));
            assertThat(second.status()).as(place + second.text()).isEqualTo(400);
            var volume =
                    server.call(
                            "admin",
                            "POST",
                            "/volumes",
                            Map.of(
                                    "name", "v",
                                    "catalog_name", "gov",
                                    "schema_name", "s",
                                    "volume_type", "EXTERNAL",
                                    "storage_location", place));
            assertThat(volume.status()).as(place).isEqualTo(400);
        }
    }

    @Test
    void aFileIsAFileHoweverItsSchemeIsWritten() {
        server.principal("placer");
        may("placer", Securable.METASTORE, Privilege.CREATE_EXTERNAL_LOCATION);
        var data = server.folder.resolve("data");
        for (var url : List.of("FILE://" + data, "File://" + data.resolve("managed"))) {
            var asked = Map.of("name", "over", "url", url);
            var refused = server.call("placer", "POST", "/external-locations", asked);
            assertThat(refused.status()).as(refused.text()).isEqualTo(400);
            assertThat(refused.text()).contains("the node's own data folder");
        }
        var asked = Map.of("name", "placed", "url", "FILE://" + server.folder.resolve("placed"));
        var made = ok(server.call("placer", "POST", "/external-locations", asked));
        assertThat(made.path("url").asText()).startsWith("file:///");
    }

    @Test
    void badNamesPlacesAndNumbersAreTheCallersMistake() {
        var place = Map.of("url", "file:foo", "operation", "PATH_READ");
        wrong("POST", "/temporary-path-credentials", place, "'file:foo' is not a location");
        var model = Map.of("name", "m", "catalog_name", "gov", "schema_name", "s");
        ok(server.call("admin", "POST", "/models", model));
        var alias = Map.of("version_num", 3_000_000_000L);
        wrong("PUT", "/models/gov.s.m/aliases/a", alias, "version_num is not a whole number");
        ok(
                server.call(
                        "admin",
                        "POST",
                        "/schemas",
                        Map.of("name", "moved", "catalog_name", "gov")));
        var name = Map.of("new_name", "information_schema");
        wrong("PATCH", "/schemas/gov.moved", name, "is where the catalog shows itself");
    }

    private void wrong(String method, String path, Map<String, ?> body, String problem) {
        var refused = server.call("admin", method, path, body);
        assertThat(refused.status()).as(refused.text()).isEqualTo(400);
        assertThat(refused.text()).contains(problem);
    }

    @Test
    void twoWhoSetDifferentPropertiesBothHaveTheirWay() {
        server.call("admin", "POST", "/catalogs", Map.of("name", "shared"));
        var keys = IntStream.range(0, 40).mapToObj(i -> "k" + i).toList();
        keys.parallelStream()
                .forEach(
                        key ->
                                ok(
                                        server.call(
                                                "admin",
                                                "PATCH",
                                                "/catalogs/shared",
                                                Map.of("properties", Map.of(key, "v")))));
        var properties = ok(server.call("admin", "GET", "/catalogs/shared")).path("properties");
        assertThat(keys).allMatch(properties::has);
    }

    @Test
    void noLocationTouchesTheNodesOwnFolder() {
        for (var url :
                List.of(
                        "file://" + server.folder.resolve("data/tables"),
                        "file://" + server.folder,
                        "file:///")) {
            var refused =
                    server.call(
                            "admin",
                            "POST",
                            "/external-locations",
                            Map.of("name", "all", "url", url));
            assertThat(refused.status()).as(url).isEqualTo(400);
        }
    }

    @Test
    void whatTheNodeWritesIsNeitherWrittenNorDroppedNorRenamedByOthers() {
        server.catalog.create(
                new TableName("gov", "s", "fed"),
                TableKind.MATERIALIZED_VIEW,
                PEOPLE,
                server.deltaTable("fed", PEOPLE),
                "",
                Map.of());
        may(
                "admin",
                Securable.schema("gov", "s"),
                Privilege.SELECT,
                Privilege.MODIFY,
                Privilege.EXTERNAL_USE_SCHEMA);
        ok(vend("admin", "fed", "READ"));
        var write = vend("admin", "fed", "READ_WRITE");
        assertThat(write.status()).isEqualTo(403);
        assertThat(write.text()).contains("written by this node alone");
        assertThat(server.call("admin", "DELETE", "/tables/gov.s.fed").status()).isEqualTo(409);
        assertThat(
                        server.call("admin", "PATCH", "/tables/gov.s.fed", Map.of("new_name", "x"))
                                .status())
                .isEqualTo(409);
        assertThat(server.call("admin", "DELETE", "/catalogs/gov?force=true").status())
                .isEqualTo(409);
        assertThat(
                        server.call("admin", "PATCH", "/schemas/gov.s", Map.of("new_name", "t"))
                                .status())
                .isEqualTo(409);
        var told =
                ok(server.call("admin", "PATCH", "/tables/gov.s.fed", Map.of("comment", "gold")));
        assertThat(told.path("comment").asText()).isEqualTo("gold");
    }

    @Test
    void privilegesAreAnsweredInTheSpellingOfTheCaller() {
        server.principal("speller");
        var path = "/permissions/catalog/gov";
        var underscores =
                ok(
                        server.call(
                                "admin",
                                "PATCH",
                                path,
                                Map.of("changes", List.of(change("speller", "USE_CATALOG")))));
        assertThat(underscores.toString()).contains("USE_CATALOG").doesNotContain("USE CATALOG");
        var spaces =
                ok(
                        server.call(
                                "admin",
                                "PATCH",
                                path,
                                Map.of("changes", List.of(change("speller", "USE CATALOG")))));
        assertThat(spaces.toString()).contains("USE CATALOG").doesNotContain("USE_CATALOG");
        var agent = "databricks-sdk-go/0.100 go/1.25";
        var sdk = server.send("admin", "GET", Api.UNITY + path, "", agent);
        assertThat(sdk.text()).contains("USE_CATALOG");
        var bad =
                server.call(
                        "admin",
                        "PATCH",
                        path,
                        Map.of("changes", List.of(change("speller", "FLY"))));
        assertThat(bad.status()).isEqualTo(400);
    }

    private static Map<String, Object> change(String principal, String privilege) {
        return Map.of("principal", principal, "add", List.of(privilege), "remove", List.of());
    }

    @Test
    void effectivePermissionsSayWhereAPrivilegeComesFrom() {
        server.principal("heir");
        may("heir", Securable.catalog("gov"), Privilege.USE_CATALOG, Privilege.SELECT);
        may("heir", Securable.schema("gov", "s"), Privilege.USE_SCHEMA);
        var shown = ok(server.call("heir", "GET", "/effective-permissions/table/gov.s.people"));
        var own = shown.path("privilege_assignments").path(0);
        assertThat(own.path("principal").asText()).isEqualTo("heir");
        assertThat(own.path("privileges").toString())
                .contains(
                        "{\"privilege\":\"SELECT\",\"inherited_from_type\":\"CATALOG\","
                                + "\"inherited_from_name\":\"gov\"}");
        assertThat(shown.path("privilege_assignments")).hasSize(1);
    }

    @Test
    void onlyWhoManagesItGrantsAndSeesTheGrantsOfOthers() {
        reader("member");
        may("member", Securable.table(new TableName("gov", "s", "people")), Privilege.SELECT);
        var refused =
                server.call(
                        "member",
                        "PATCH",
                        "/permissions/table/gov.s.people",
                        Map.of("changes", List.of(change("member", "MODIFY"))));
        assertThat(refused.status()).isEqualTo(403);
        var seen = ok(server.call("member", "GET", "/permissions/table/gov.s.people"));
        assertThat(seen.path("privilege_assignments").findValuesAsText("principal"))
                .containsExactly("member");
    }

    @Test
    void tagsAreSetOnTablesAndColumns() {
        for (var entity :
                List.of(
                        Map.of("entity_type", "tables", "entity_name", "gov.s.people"),
                        Map.of("entity_type", "columns", "entity_name", "gov.s.people.ssn"))) {
            var body = new HashMap<String, Object>(entity);
            body.put("tag_key", "pii");
            body.put("tag_value", "high");
            var path =
                    "/entity-tag-assignments/%s/%s/tags"
                            .formatted(entity.get("entity_type"), entity.get("entity_name"));
            ok(server.call("admin", "POST", "/entity-tag-assignments", body));
            ok(server.call("admin", "PATCH", path + "/pii", Map.of("tag_value", "low")));
            assertThat(
                            ok(server.call("admin", "GET", path))
                                    .path("tag_assignments")
                                    .path(0)
                                    .path("tag_value")
                                    .asText())
                    .isEqualTo("low");
            ok(server.call("admin", "DELETE", path + "/pii"));
            assertThat(server.call("admin", "GET", path + "/pii").status()).isEqualTo(404);
        }
    }

    @Test
    void ownersChangeByPatch() {
        server.principal("keeper");
        var path = "/schemas/gov.hidden";
        var patched = ok(server.call("admin", "PATCH", path, Map.of("owner", "keeper")));
        assertThat(patched.path("owner").asText()).isEqualTo("keeper");
    }

    @Test
    void badRequestsAreTold() {
        assertThat(server.call("admin", "POST", "/catalogs", Map.of()).status()).isEqualTo(400);
        assertThat(server.call("admin", "GET", "/catalogs?max_results=-1").status()).isEqualTo(400);
        assertThat(server.call("admin", "GET", "/catalogs?page_token=%25").status()).isEqualTo(400);
        assertThat(server.call("admin", "GET", "/tables/gov.s").status()).isEqualTo(400);
        assertThat(server.send("admin", "POST", Api.UNITY + "/catalogs", "{", "x").status())
                .isEqualTo(400);
        assertThat(server.call("admin", "GET", "/permissions/thing/x").status()).isEqualTo(400);
    }
}
