package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerStream;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.ingest.IngestTable;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A whole node without pipelines, on free ports, for the tests of one class. */
final class TestNode implements AutoCloseable {
    static final String[] OWN_PAGE = {"sec-fetch-site", "same-origin"};
    private static final String[] NOTHING = {};
    private static final int LOOKS = 1_200;

    private final Node node;
    private final Path folder;
    private final HttpClient http =
            HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NEVER).build();
    final String url;
    final Path data;

    TestNode(Path folder, Map<String, String> settings) throws Exception {
        this.folder = folder;
        // Postgres runs as another user where we are root.
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        var environment = new HashMap<String, String>();
        environment.put("LAKEMILL_GRPC_PORT", "0");
        environment.put("LAKEMILL_HTTP_PORT", "0");
        environment.put("LAKEMILL_POSTGRES_PORT", "0");
        environment.putAll(settings);
        var config = Config.load(folder, environment);
        node = Node.start(config);
        data = config.data();
        url = RunFile.read(data).http();
    }

    Node node() {
        return node;
    }

    /** Makes a table that takes rows from now on. */
    void register(TableName name, TableSchema schema) {
        node.tables().ensure(name, TableKind.INGESTED, schema, "", Map.of());
        var known = node.catalog().find(name).orElseThrow();
        node.ingest()
                .register(
                        new IngestTable(
                                known, node.tables().delta(name), node.tables().feed(name)));
    }

    /** What a command prints that is run on the node's project and ends with a code. */
    String run(int expected, String... arguments) {
        var out = new StringWriter();
        var line =
                Main.commandLine()
                        .setOut(new PrintWriter(out, true))
                        .setErr(new PrintWriter(out, true));
        var all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--project", folder.toString()));
        var code = line.execute(all.toArray(String[]::new));
        assertThat(code).as("%s", out).isEqualTo(expected);
        return out.toString();
    }

    /** As the commands on this machine call, but with more patience. */
    NodeClient admin() {
        return NodeClient.local(RunFile.read(data), data).waiting(Duration.ofMinutes(5));
    }

    String adminToken() throws IOException {
        return Files.readString(LocalToken.file(data));
    }

    /** Of a query behind SELECT, in its first column's order, or what is wrong with it. */
    List<String> rows(String query) {
        try {
            return new SqlClient(admin())
                    .run("SELECT " + query + " ORDER BY 1").rows().stream()
                            .map(TestNode::text)
                            .toList();
        } catch (LakemillException e) {
            return List.of(String.valueOf(e.getMessage()));
        }
    }

    /**
     * Waits until the query of {@link #rows} gives them.
     *
     * @throws AssertionError that tells what it gave at last, and how the pipelines stand
     */
    void awaitRows(String query, String... expected) throws InterruptedException {
        var last = new AtomicReference<@Nullable List<String>>();
        try {
            await(
                    () -> {
                        last.set(rows(query));
                        return List.of(expected).equals(last.get());
                    });
        } catch (AssertionError e) {
            var stand = new StringBuilder();
            for (var pipeline : node.pipelines().hosts()) {
                stand.append("\n").append(pipeline.state());
            }
            throw new AssertionError(
                    "%s: SELECT %s gives %s, not %s; the pipelines:%s"
                            .formatted(e.getMessage(), query, last.get(), List.of(expected), stand),
                    e);
        }
    }

    private static String text(List<@Nullable String> row) {
        return String.join("|", row.stream().map(String::valueOf).toList());
    }

    /** Rows as JSON, durable on return; each a request, so a pipeline may take them apart. */
    void send(String table, String... rows) throws IOException {
        produce(table, stream -> Stream.of(rows).forEach(stream::ingestJson));
    }

    /** The same in one request, which a pipeline takes in one batch. */
    void sendTogether(String table, String... rows) throws IOException {
        produce(table, stream -> stream.ingestJsonBatch(List.of(rows)));
    }

    private void produce(String table, Consumer<ProducerStream> rows) throws IOException {
        var endpoint = Endpoint.parse("http://" + RunFile.read(data).grpc());
        var token = adminToken();
        try (var client = ProducerClient.connect(endpoint, () -> token);
                var stream = client.open(TableName.parse(table))) {
            rows.accept(stream);
            stream.flush(Duration.ofMinutes(2));
        }
    }

    /** Looks {@value #LOOKS} times: a machine that stood still for minutes costs one look. */
    static void await(BooleanSupplier condition) throws InterruptedException {
        for (int look = 0; !condition.getAsBoolean(); look++) {
            if (look == LOOKS) {
                throw new AssertionError("looked %d times".formatted(LOOKS));
            }
            Thread.sleep(100);
        }
    }

    HttpResponse<String> get(String path, String... headers) {
        return send(request(path, headers).GET());
    }

    HttpResponse<String> form(String path, Map<String, String> fields, String... headers) {
        var body =
                fields.entrySet().stream()
                        .map(e -> encoded(e.getKey()) + "=" + encoded(e.getValue()))
                        .collect(Collectors.joining("&"));
        return send(
                request(path, headers)
                        .header("content-type", "application/x-www-form-urlencoded")
                        .POST(BodyPublishers.ofString(body)));
    }

    HttpResponse<String> json(String method, String path, String body, String... headers) {
        return send(
                request(path, headers)
                        .header("content-type", "application/json")
                        .method(method, BodyPublishers.ofString(body)));
    }

    private HttpRequest.Builder request(String path, String... headers) {
        var uri = URI.create(path.startsWith("http") ? path : url + path);
        var request = HttpRequest.newBuilder(uri);
        return headers.length == NOTHING.length ? request : request.headers(headers);
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return http.send(request.build(), BodyHandlers.ofString());
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    static JsonNode body(HttpResponse<String> answer) {
        try {
            return new ObjectMapper().readTree(answer.body());
        } catch (JsonProcessingException e) {
            throw new AssertionError(answer.statusCode() + " " + answer.body(), e);
        }
    }

    /** Makes a user; returns the cookie of a browser that logged in by a link. */
    String logIn(String name) {
        return logIn(name, "");
    }

    /** The same, with a password, which takes a while to be kept. */
    String logIn(String name, String password) {
        admin().post("/api/2.0/preview/scim/v2/Users", Map.of("userName", name));
        var link = admin().post("/api/2.0/identity/login-links", Map.of("user", name));
        var code = parameter(link.path("url").asText(), "code");
        var answer =
                form(
                        "/login/code",
                        Map.of("code", code, "password", password, "return_to", "/"),
                        OWN_PAGE);
        return cookie(answer);
    }

    /**
     * A password at the front door, for the user whom a browser's cookie names.
     *
     * @param request as of the REST route
     */
    String databaseToken(String cookie, String request) {
        var answer =
                json(
                        "POST",
                        "/api/2.0/database/credentials",
                        request,
                        "cookie",
                        cookie,
                        OWN_PAGE[0],
                        OWN_PAGE[1]);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return body(answer).path("token").asText();
    }

    /** The part of a Set-Cookie that the browser sends back. */
    static String cookie(HttpResponse<String> answer) {
        return answer.headers()
                .firstValue("set-cookie")
                .orElseThrow(() -> new AssertionError(answer.statusCode() + answer.body()))
                .split(";")[0];
    }

    static String parameter(String url, String name) {
        for (var pair : URI.create(url).getRawQuery().split("&")) {
            if (pair.startsWith(name + "=")) {
                return java.net.URLDecoder.decode(
                        pair.substring(name.length() + 1), StandardCharsets.UTF_8);
            }
        }
        throw new AssertionError("no " + name + " in " + url);
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        node.close();
    }

    /**
     * A token of a service principal, by a new secret.
     *
     * @param asked further fields of the request
     */
    String token(String principal, Map<String, String> asked) {
        var id = node().catalog().principals().find(principal).orElseThrow().principal().id();
        var path = "/api/2.0/accounts/servicePrincipals/%s/credentials/secrets".formatted(id);
        var secret = admin().post(path, Map.of("lifetime", "3600s")).path("secret").asText();
        var form = new HashMap<>(asked);
        form.put("grant_type", "client_credentials");
        form.put("client_id", id.toString());
        form.put("client_secret", secret);
        form.put("scope", "all-apis");
        return body(form("/oidc/v1/token", form)).path("access_token").asText();
    }
}
