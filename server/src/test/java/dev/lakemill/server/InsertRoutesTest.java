package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Zerobus' REST insert against a whole node. */
final class InsertRoutesTest {
    private static final TableName TABLE = TableName.parse("shop.bronze.orders");

    private static final Set<Privilege> NEEDED =
            Set.of(Privilege.USE_CATALOG, Privilege.USE_SCHEMA, Privilege.SELECT, Privilege.MODIFY);

    @TempDir static Path folder;
    private static TestNode node;

    @BeforeAll
    static void start() throws Exception {
        node = new TestNode(folder, Map.of());
        node.register(
                TABLE,
                TableSchema.of(
                        Column.required("order_id", Primitive.STRING),
                        Column.nullable("items", Primitive.INTEGER)));
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static HttpResponse<String> insert(byte[] body, String... headers) throws Exception {
        return insert(TABLE.toString(), node.adminToken(), body, headers);
    }

    private static HttpResponse<String> insert(
            String table, String token, byte[] body, String... headers) throws Exception {
        var request =
                HttpRequest.newBuilder(
                                URI.create(node.url + "/zerobus/v1/tables/" + table + "/insert"))
                        .header("content-type", "application/json")
                        .POST(BodyPublishers.ofByteArray(body));
        if (!token.isEmpty()) {
            request.header("authorization", "Bearer " + token);
        }
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        try (var client = HttpClient.newHttpClient()) {
            return client.send(request.build(), BodyHandlers.ofString());
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] gzip(byte[] plain) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var out = new GZIPOutputStream(bytes)) {
            out.write(plain);
        }
        return bytes.toByteArray();
    }

    private static void assertRefused(HttpResponse<String> answer, int status, String code) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(TestNode.body(answer).path("error_code").asText()).isEqualTo(code);
        assertThat(TestNode.body(answer).path("message").asText()).isNotEmpty();
    }

    @Test
    void arraysLinesAndGzipAreDurableWhenAnswered() throws Exception {
        var before = node.node().ingest().totals().rows();
        var array = insert(utf8("[{\"order_id\":\"a\",\"items\":1},{\"order_id\":\"b\"}]"));
        assertThat(array.statusCode()).as(array.body()).isEqualTo(200);
        assertThat(array.body()).isEqualTo("{\"rows\":2}");
        assertThat(insert(utf8("{\"order_id\":\"c\"}\n{\"order_id\":\"d\"}\n")).body())
                .isEqualTo("{\"rows\":2}");
        var packed = gzip(utf8("{\"order_id\":\"e\"}\n".repeat(1000)));
        assertThat(insert(packed, "content-encoding", "gzip").body()).isEqualTo("{\"rows\":1000}");
        assertThat(node.node().ingest().totals().rows() - before).isEqualTo(1004);
    }

    @Test
    void refusalsHaveZerobusCodes() throws Exception {
        assertRefused(insert(utf8("[{\"items\":1}]")), 400, "INVALID_PARAMETER_VALUE");
        assertRefused(insert(utf8("nothing")), 400, "INVALID_PARAMETER_VALUE");
        assertRefused(insert(utf8("{}"), "content-encoding", "br"), 400, "INVALID_PARAMETER_VALUE");
        assertRefused(
                insert(utf8("{}"), "content-encoding", "gzip"), 400, "INVALID_PARAMETER_VALUE");
        assertRefused(insert(TABLE.toString(), "", utf8("[]")), 401, "UNAUTHENTICATED");
        assertRefused(insert(TABLE.toString(), "x", utf8("[]")), 401, "UNAUTHENTICATED");
        assertRefused(insert("shop.bronze.none", node.adminToken(), utf8("[]")), 404, "NOT_FOUND");
    }

    @Test
    void nothingIsReadOfWhoIsNotKnown() throws IOException {
        var path = "/zerobus/v1/tables/a.b.c/insert";
        try (var http =
                AppHttp.open(node.url, "POST", "x", path, "Content-Length", "" + (19 << 20))) {
            var answer = http.answer();
            assertThat(answer.status()).isEqualTo(401);
            assertThat(answer.header("www-authenticate")).isEqualTo("Bearer realm=\"lakemill\"");
            assertThat(answer.body()).contains("\"error_code\":\"UNAUTHENTICATED\"");
        }
    }

    @Test
    void whatIsTooLargeIsToldSoPlainOrPacked() throws Exception {
        var large = utf8("{\"order_id\":\"" + "x".repeat(10 << 20) + "\"}");
        assertRefused(insert(large), 400, "INVALID_PARAMETER_VALUE");
        assertRefused(
                insert(gzip(large), "content-encoding", "gzip"), 400, "INVALID_PARAMETER_VALUE");
        assertThat(insert(new byte[21 << 20]).statusCode()).isEqualTo(413);
    }

    @Test
    void aProducerNeedsItsGrantsAndLosesThemAtOnce() throws Exception {
        var token = tokenOf("till");
        var row = utf8("{\"order_id\":\"t\"}");
        assertRefused(insert(TABLE.toString(), token, row), 403, "PERMISSION_DENIED");
        change(new GrantChange("till", NEEDED, Set.of()));
        assertThat(insert(TABLE.toString(), token, row).statusCode()).isEqualTo(200);
        change(new GrantChange("till", Set.of(), NEEDED));
        assertRefused(insert(TABLE.toString(), token, row), 403, "PERMISSION_DENIED");
    }

    @Test
    void anOpenStreamIsCutWithinTwoSecondsOfItsGrant() throws Exception {
        var token = tokenOf("scale");
        change(new GrantChange("scale", NEEDED, Set.of()));
        var failed = new CountDownLatch(1);
        var observer =
                new ProducerObserver() {
                    @Override
                    public void failed(LakemillException error) {
                        failed.countDown();
                    }
                };
        var address = RunFile.read(node.data).grpc().split(":");
        var endpoint = Endpoint.plaintext(address[0], Integer.parseInt(address[1]));
        try (var client = ProducerClient.connect(endpoint, () -> token)) {
            var stream = client.open(TABLE, RecordFormat.JSON, StreamOptions.DEFAULT, observer);
            stream.ingestJson("{\"order_id\":\"s\"}");
            stream.flush(Duration.ofMinutes(2));
            change(new GrantChange("scale", Set.of(), Set.of(Privilege.MODIFY)));
            // Looks, not time: a machine that stood still for seconds costs one look.
            int looks = 0;
            while (looks < 95 && !failed.await(20, TimeUnit.MILLISECONDS)) {
                looks++;
            }
            assertThat(looks).as("cut within two seconds").isLessThan(95);
            assertThat(stream.failure().orElseThrow().code())
                    .isEqualTo(ErrorCode.PERMISSION_DENIED);
            assertThat(stream.failure().orElseThrow()).hasMessageContaining("MODIFY");
            assertThatThrownBy(() -> stream.ingestJson("{\"order_id\":\"late\"}"))
                    .hasMessageContaining("MODIFY");
        }
    }

    /** Of a new service principal. */
    private static String tokenOf(String name) {
        var made =
                node.admin()
                        .post(
                                "/api/2.0/preview/scim/v2/ServicePrincipals",
                                Map.of("displayName", name));
        var id = made.path("applicationId").asText();
        var secrets = "/api/2.0/accounts/servicePrincipals/%s/credentials/secrets".formatted(id);
        var secret =
                node.admin().post(secrets, Map.of("lifetime", "3600s")).path("secret").asText();
        return narrowedToken(id, secret);
    }

    private static void change(GrantChange change) {
        var catalog = node.node().catalog();
        catalog.grants().change(catalog.system(), Securable.catalog("shop"), List.of(change));
    }

    /** As Zerobus' clients ask for one: good for the table, and for ingest alone. */
    private static String narrowedToken(String id, String secret) {
        var details =
                """
                [{"type":"unity_catalog_privileges","privileges":["USE CATALOG"],
                  "object_type":"CATALOG","object_full_path":"shop"},
                 {"type":"unity_catalog_privileges","privileges":["USE SCHEMA"],
                  "object_type":"SCHEMA","object_full_path":"shop.bronze"},
                 {"type":"unity_catalog_privileges","privileges":["SELECT","MODIFY"],
                  "object_type":"TABLE","object_full_path":"shop.bronze.orders"}]
                """;
        var basic =
                Base64.getEncoder()
                        .encodeToString((id + ":" + secret).getBytes(StandardCharsets.UTF_8));
        var answer =
                node.form(
                        "/oidc/v1/token",
                        Map.of(
                                "grant_type",
                                "client_credentials",
                                "scope",
                                "all-apis",
                                "resource",
                                "api://databricks/workspaces/127/zerobusDirectWriteApi",
                                "authorization_details",
                                details),
                        "authorization",
                        "Basic " + basic);
        return TestNode.body(answer).path("access_token").asText();
    }
}
