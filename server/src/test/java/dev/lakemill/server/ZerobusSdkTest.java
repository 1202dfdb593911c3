package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.LargeVarCharVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Databricks' own client, unchanged, against a whole node, with OAuth. Its binary is there for
 * 64-bit Intel Linux with glibc alone: elsewhere these tests say that they are skipped.
 */
@Timeout(300)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class ZerobusSdkTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path ROOT = Path.of(System.getProperty("lakemill.root"));
    private static final TableName TABLE = TableName.parse("shop.bronze.orders");
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("order_id", Primitive.STRING),
                    Column.nullable("items", Primitive.INTEGER));
    private static final Set<Privilege> NEEDED =
            Set.of(Privilege.USE_CATALOG, Privilege.USE_SCHEMA, Privilege.SELECT, Privilege.MODIFY);

    @TempDir static Path folder;
    private static @Nullable TestNode node;
    private static int grpcPort;
    private static int httpPort;
    private static String id = "";
    private static String secret = "";

    @BeforeAll
    static void start() throws Exception {
        var binary = "node_modules/@databricks/zerobus-ingest-sdk-linux-x64-gnu/package.json";
        assumeTrue(
                Files.exists(ROOT.resolve(binary)),
                "Databricks' client is not installed here: run 'npm ci' on 64-bit Intel Linux");
        grpcPort = freePort();
        httpPort = freePort();
        open(Map.of());
        node().register(TABLE, SCHEMA);
        producer();
    }

    private static void producer() {
        var made =
                node().admin()
                        .post(
                                "/api/2.0/preview/scim/v2/ServicePrincipals",
                                Map.of("displayName", "till"));
        id = made.path("applicationId").asText();
        var secrets = "/api/2.0/accounts/servicePrincipals/%s/credentials/secrets".formatted(id);
        secret = node().admin().post(secrets, Map.of("lifetime", "3600s")).path("secret").asText();
        grant(new GrantChange("till", NEEDED, Set.of()));
    }

    private static void grant(GrantChange change) {
        var catalog = node().node().catalog();
        catalog.grants().change(catalog.system(), Securable.catalog("shop"), List.of(change));
    }

    private static TestNode node() {
        return Objects.requireNonNull(node);
    }

    private static void open(Map<String, String> more) throws Exception {
        var settings = new HashMap<>(more);
        settings.put("LAKEMILL_GRPC_PORT", String.valueOf(grpcPort));
        settings.put("LAKEMILL_HTTP_PORT", String.valueOf(httpPort));
        node = new TestNode(folder, settings);
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @AfterAll
    static void stop() {
        if (node != null) {
            node.close();
        }
    }

    /** The client in a process of its own. */
    private static final class Producer implements AutoCloseable {
        private final Process process;
        private final BufferedReader out;

        Producer(Map<String, Object> wanted, Map<String, String> environment) throws IOException {
            var all = new HashMap<>(wanted);
            all.putIfAbsent("endpoint", "http://127.0.0.1:" + grpcPort);
            all.put("ucUrl", "http://127.0.0.1:" + httpPort);
            all.putIfAbsent("table", TABLE.toString());
            all.put("id", id);
            all.put("secret", secret);
            all.putIfAbsent("options", Map.of());
            var builder =
                    new ProcessBuilder(
                                    "node",
                                    ROOT.resolve("testing/zerobus/producer.mjs").toString(),
                                    JSON.writeValueAsString(all))
                            .redirectError(folder.resolve("producer.err").toFile());
            builder.environment().putAll(environment);
            process = builder.start();
            out =
                    new BufferedReader(
                            new InputStreamReader(
                                    process.getInputStream(), StandardCharsets.UTF_8));
        }

        JsonNode next(String event) throws IOException {
            var line = out.readLine();
            var told = JSON.readTree(line == null ? "{}" : line);
            assertThat(told.path("event").asText())
                    .as("%s; %s", line, Files.readString(folder.resolve("producer.err")))
                    .isEqualTo(event);
            return told;
        }

        void goOn() throws IOException {
            process.getOutputStream().write('\n');
            process.getOutputStream().flush();
        }

        @Override
        public void close() throws IOException {
            process.destroyForcibly();
            out.close();
        }
    }

    private static void assertSent(Map<String, Object> wanted, long rows) throws Exception {
        assertSent(wanted, rows, Map.of());
    }

    private static void assertSent(
            Map<String, Object> wanted, long rows, Map<String, String> environment)
            throws Exception {
        var before = node().node().ingest().totals().rows();
        try (var producer = new Producer(wanted, environment)) {
            producer.next("opened");
            producer.next("acked");
            producer.next("closed");
            assertThat(producer.process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(node().node().ingest().totals().rows() - before).isEqualTo(rows);
    }

    private static String json(String order) {
        return "{\"order_id\":\"%s\",\"items\":3}".formatted(order);
    }

    private static final DescriptorProto DESCRIPTOR =
            DescriptorProto.newBuilder()
                    .setName("Order")
                    .addField(
                            FieldDescriptorProto.newBuilder()
                                    .setName("order_id")
                                    .setNumber(1)
                                    .setType(FieldDescriptorProto.Type.TYPE_STRING)
                                    .setLabel(FieldDescriptorProto.Label.LABEL_REQUIRED))
                    .addField(
                            FieldDescriptorProto.newBuilder()
                                    .setName("items")
                                    .setNumber(2)
                                    .setType(FieldDescriptorProto.Type.TYPE_INT32)
                                    .setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL))
                    .build();

    private static Map<String, Object> proto(boolean batch, String... orders) {
        var records = new ArrayList<String>();
        for (var order : orders) {
            var text = order.getBytes(StandardCharsets.UTF_8);
            var bytes = new byte[text.length + 4];
            bytes[0] = 1 << 3 | 2;
            bytes[1] = (byte) text.length;
            System.arraycopy(text, 0, bytes, 2, text.length);
            bytes[text.length + 2] = 2 << 3;
            bytes[text.length + 3] = 7;
            records.add(Base64.getEncoder().encodeToString(bytes));
        }
        return Map.of(
                "format",
                "proto",
                "descriptor",
                Base64.getEncoder().encodeToString(DESCRIPTOR.toByteArray()),
                "batch",
                batch,
                "rounds",
                List.of(records));
    }

    @Test
    @Order(1)
    void jsonSingleAndBatch() throws Exception {
        var rows = List.of(List.of(json("a"), json("b"), json("c")));
        assertSent(Map.of("format", "json", "rounds", rows), 3);
        assertSent(Map.of("format", "json", "batch", true, "rounds", rows), 3);
    }

    @Test
    @Order(2)
    void protoSingleAndBatch() throws Exception {
        assertSent(proto(false, "p", "q"), 2);
        assertSent(proto(true, "r", "s", "t"), 3);
    }

    /** As the client's own types are: texts with offsets of 64 bits, and of 32. */
    @Test
    @Order(3)
    void arrowPlainAndPacked() throws Exception {
        var large = arrow(ArrowType.LargeUtf8.INSTANCE, 1_000);
        var small = arrow(ArrowType.Utf8.INSTANCE, 500);
        assertSent(arrowStream(large, 12, Map.of()), 2_000);
        assertSent(arrowStream(large, 12, Map.of("ipcCompression", 0)), 2_000);
        assertSent(arrowStream(large, 12, Map.of("ipcCompression", 1)), 2_000);
        assertSent(arrowStream(small, 11, Map.of("ipcCompression", 1)), 1_000);
    }

    private static Map<String, Object> arrowStream(
            Path file, int textType, Map<String, Object> options) {
        return Map.of(
                "format",
                "arrow",
                "options",
                options,
                "fields",
                List.of(
                        Map.of("name", "order_id", "dataType", textType, "nullable", false),
                        Map.of("name", "items", "dataType", 3, "nullable", true)),
                "rounds",
                List.of(List.of(file.toString(), file.toString())));
    }

    private static Path arrow(ArrowType text, int rows) throws IOException {
        var schema =
                new Schema(
                        List.of(
                                Field.notNullable("order_id", text),
                                Field.nullable("items", new ArrowType.Int(32, true))));
        var file = folder.resolve("rows-" + text.getTypeID() + ".arrows");
        try (var allocator = new RootAllocator();
                var root = VectorSchemaRoot.create(schema, allocator);
                var out = Files.newOutputStream(file);
                var writer = new ArrowStreamWriter(root, null, out)) {
            for (int i = 0; i < rows; i++) {
                var order = ("order-" + i).getBytes(StandardCharsets.UTF_8);
                if (root.getVector(0) instanceof LargeVarCharVector v) {
                    v.setSafe(i, order);
                } else {
                    ((VarCharVector) root.getVector(0)).setSafe(i, order);
                }
                if (i % 3 != 0) {
                    ((IntVector) root.getVector(1)).setSafe(i, i);
                }
            }
            root.setRowCount(rows);
            writer.writeBatch();
        }
        return file;
    }

    @Test
    @Order(4)
    void refusalsReachTheClient() throws Exception {
        var rows = List.of(List.of("{\"order_id\":7}"));
        assertFails(Map.of("format", "json", "rounds", rows), "order_id");
        assertFails(
                Map.of("format", "json", "rounds", rows, "table", "shop.bronze.none"),
                "shop.bronze.none");
        grant(new GrantChange("till", Set.of(), Set.of(Privilege.MODIFY)));
        assertFails(Map.of("format", "json", "rounds", rows), "MODIFY");
        grant(new GrantChange("till", NEEDED, Set.of()));
        var wrong = arrowStream(arrow(ArrowType.Utf8.INSTANCE, 1), 11, Map.of());
        var changed = new HashMap<>(wrong);
        changed.put(
                "fields", List.of(Map.of("name", "order_no", "dataType", 11, "nullable", false)));
        assertFails(changed, "order_no");
    }

    private static void assertFails(Map<String, Object> wanted, String words) throws Exception {
        try (var producer = new Producer(wanted, Map.of())) {
            var line = producer.out.readLine();
            while (line != null && !line.contains("\"failed\"")) {
                line = producer.out.readLine();
            }
            assertThat(line).contains(words);
        }
    }

    /**
     * A close signal ends the old server's stream; the client waits, and goes on at the new one.
     */
    @Test
    @Order(5)
    void aStreamGoesOnThroughARestart() throws Exception {
        for (var wanted :
                List.of(
                        Map.<String, Object>of(
                                "format",
                                "json",
                                "rounds",
                                List.of(List.of(json("1")), List.of(json("2"), json("3")))),
                        restartedArrow())) {
            var paced = new HashMap<>(wanted);
            paced.put("paced", true);
            paced.put("options", Map.of("recoveryRetries", 240, "recoveryBackoffMs", 500));
            goesOn(paced);
        }
    }

    /** Now and then this client closes its stream by itself meanwhile: it has three tries. */
    private static void goesOn(Map<String, Object> wanted) throws Exception {
        for (int left = 2; ; left--) {
            try (var producer = new Producer(wanted, Map.of())) {
                producer.next("opened");
                producer.next("acked");
                node().close();
                open(Map.of());
                producer.goOn();
                producer.next("acked");
                producer.goOn();
                producer.next("closed");
                return;
            } catch (AssertionError e) {
                if (left == 0) {
                    throw e;
                }
            }
        }
    }

    private static Map<String, Object> restartedArrow() throws IOException {
        var file = arrow(ArrowType.LargeUtf8.INSTANCE, 10).toString();
        var wanted = new HashMap<>(arrowStream(Path.of(file), 12, Map.of()));
        wanted.put("rounds", List.of(List.of(file), List.of(file, file)));
        return wanted;
    }

    @Test
    @Order(6)
    void tlsWithAnAuthorityOfOnesOwn() throws Exception {
        var pems = TestCertificates.make(folder);
        node().close();
        open(
                Map.of(
                        "LAKEMILL_GRPC_CERTIFICATE",
                        pems.certificate().toString(),
                        "LAKEMILL_GRPC_KEY",
                        pems.key().toString()));
        var wanted = new HashMap<String, Object>();
        wanted.put("endpoint", "https://localhost:" + grpcPort);
        wanted.put("format", "json");
        wanted.put("rounds", List.of(List.of(json("tls"))));
        var trusted = Map.of("SSL_CERT_FILE", pems.authority().toString());
        assertSent(wanted, 1, trusted);
        var arrow =
                new HashMap<>(arrowStream(arrow(ArrowType.LargeUtf8.INSTANCE, 4), 12, Map.of()));
        arrow.put("endpoint", "https://localhost:" + grpcPort);
        assertSent(arrow, 8, trusted);
    }
}
