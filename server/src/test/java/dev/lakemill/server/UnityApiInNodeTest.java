package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import io.unitycatalog.client.ApiClient;
import io.unitycatalog.client.ApiClientBuilder;
import io.unitycatalog.client.ApiException;
import io.unitycatalog.client.api.FunctionsApi;
import io.unitycatalog.client.api.GrantsApi;
import io.unitycatalog.client.api.TablesApi;
import io.unitycatalog.client.auth.TokenProvider;
import io.unitycatalog.client.model.PermissionsChange;
import io.unitycatalog.client.model.Privilege;
import io.unitycatalog.client.model.SecurableType;
import io.unitycatalog.client.model.UpdatePermissions;
import io.unitycatalog.client.retry.JitterDelayRetryPolicy;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Unity Catalog's client against a whole node, logged in as a service principal by OAuth. */
final class UnityApiInNodeTest {
    @TempDir static Path folder;
    private static TestNode node;
    private static String robot = "";
    private static String secret = "";

    @BeforeAll
    static void start() throws Exception {
        node = new TestNode(folder, Map.of());
        var made =
                node.admin()
                        .post(
                                "/api/2.0/preview/scim/v2/ServicePrincipals",
                                Map.of("displayName", "robot"));
        robot = made.path("applicationId").asText();
        secret =
                node.admin()
                        .post(
                                "/api/2.0/accounts/servicePrincipals/%s/credentials/secrets"
                                        .formatted(robot),
                                Map.of("lifetime", "3600s"))
                        .path("secret")
                        .asText();
        node.node()
                .catalog()
                .create(
                        new TableName("farm", "gold", "yield"),
                        TableKind.EXTERNAL,
                        TableSchema.of(Column.nullable("kg", DataType.Primitive.DOUBLE)),
                        "file:///lake/yield",
                        "",
                        Map.of());
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static ApiClient client(Map<String, String> login) {
        return ApiClientBuilder.create()
                .uri(node.url)
                .tokenProvider(TokenProvider.create(login))
                .retryPolicy(JitterDelayRetryPolicy.builder().maxAttempts(1).build())
                .build();
    }

    private static ApiClient admin() throws Exception {
        return client(Map.of("type", "static", "token", node.adminToken().strip()));
    }

    private static ApiClient robot() {
        return client(
                Map.of(
                        "type",
                        "oauth",
                        "oauth.uri",
                        node.url + "/oidc/v1/token",
                        "oauth.clientId",
                        robot,
                        "oauth.clientSecret",
                        secret));
    }

    private static void grant(
            String principal, SecurableType type, String name, Privilege... privileges)
            throws Exception {
        var change =
                new PermissionsChange()
                        .principal(principal)
                        .add(List.of(privileges))
                        .remove(List.of());
        new GrantsApi(admin()).update(type, name, new UpdatePermissions().changes(List.of(change)));
    }

    @Test
    void aServicePrincipalSeesATableOnceItMayReadIt() throws Exception {
        var tables = new TablesApi(robot());
        assertThatThrownBy(() -> tables.getTable("farm.gold.yield", null, null))
                .isInstanceOfSatisfying(
                        ApiException.class, e -> assertThat(e.getCode()).isEqualTo(404));
        grant("robot", SecurableType.CATALOG, "farm", Privilege.USE_CATALOG);
        grant("robot", SecurableType.SCHEMA, "farm.gold", Privilege.USE_SCHEMA);
        grant("robot", SecurableType.TABLE, "farm.gold.yield", Privilege.SELECT);
        assertThat(tables.getTable("farm.gold.yield", null, null).getStorageLocation())
                .isEqualTo("file:///lake/yield");
    }

    @Test
    void functionsAreCompiledForBothEngines() throws Exception {
        grant("admin", SecurableType.CATALOG, "farm", Privilege.USE_CATALOG);
        grant(
                "admin",
                SecurableType.SCHEMA,
                "farm.gold",
                Privilege.USE_SCHEMA,
                Privilege.CREATE_FUNCTION);
        var made =
                node.json(
                        "POST",
                        "/api/2.1/unity-catalog/functions",
                        """
                        {"function_info":{"name":"heavy","catalog_name":"farm",
                          "schema_name":"gold","full_data_type":"BOOLEAN","routine_body":"SQL",
                          "routine_definition":"kg > 3.5",
                          "input_params":{"parameters":[{"name":"kg","type_text":"double"}]}}}
                        """,
                        "authorization",
                        "Bearer " + node.adminToken().strip());
        assertThat(made.statusCode()).as(made.body()).isEqualTo(200);
        assertThat(new FunctionsApi(admin()).getFunction("farm.gold.heavy").getRoutineDefinition())
                .isEqualTo("kg > 3.5");
        var function = node.node().catalog().policies().function("farm.gold.heavy").orElseThrow();
        assertThat(function.duckSql()).contains("$1");
        assertThat(function.postgresSql()).contains("$1");
    }

    @Test
    void nothingOfItIsOpenButItsDescription() {
        assertThat(node.get("/api/2.1/unity-catalog/catalogs").statusCode()).isEqualTo(401);
        assertThat(node.get("/api/2.1/unity-catalog/openapi.yaml").statusCode()).isEqualTo(200);
    }
}
