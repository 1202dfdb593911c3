package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.ModelVersion;
import dev.lakemill.catalog.PolicyFunction;
import dev.lakemill.catalog.Principals;
import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.server.Routes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableSchema;
import io.unitycatalog.client.ApiClient;
import io.unitycatalog.client.ApiClientBuilder;
import io.unitycatalog.client.auth.TokenProvider;
import io.unitycatalog.client.retry.JitterDelayRetryPolicy;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;

/**
 * The API over a real catalog in a real Postgres, behind a proxy that checks every answer. Who
 * sends a principal's name as bearer token is that principal.
 */
final class RestServer {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** An answer as it came. */
    record Answer(int status, String text) {
        JsonNode json() {
            try {
                return JSON.readTree(text);
            } catch (IOException e) {
                throw new AssertionError(text, e);
            }
        }
    }

    /** Takes every version as it is. */
    private static final ModelScorer NO_SCORER =
            new ModelScorer() {
                @Override
                public void check(ModelVersion version) {}

                @Override
                public double[] score(ModelVersion version, JsonNode request) {
                    throw new UnsupportedOperationException("nothing is scored here");
                }

                @Override
                public void forget(Securable model) {}
            };

    final Path folder;
    final Catalog catalog;
    final Router router;
    private static @Nullable RestServer shared;

    private final Postgres postgres;
    private final RootAllocator allocator = new RootAllocator();
    private final Vertx vertx = Vertx.vertx();
    private final CheckingProxy proxy;
    private final HttpClient http = HttpClient.newHttpClient();

    private RestServer() throws Exception {
        folder = Files.createTempDirectory("lakemill-rest-test-").toRealPath();
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
        catalog = Catalog.open(postgres.owner());
        router = Router.router(vertx);
        var data = Files.createDirectories(folder.resolve("data"));
        UnityApi.mount(
                new Routes(router, this::caller),
                new UnityApi.Parts(
                        catalog,
                        postgres.owner(),
                        data,
                        new DeltaFiles(allocator),
                        RestServer::function,
                        NO_SCORER));
        var server =
                vertx.createHttpServer()
                        .requestHandler(router)
                        .listen(0, "127.0.0.1")
                        .toCompletionStage()
                        .toCompletableFuture()
                        .get(2, TimeUnit.MINUTES);
        proxy = new CheckingProxy(server.actualPort());
        principal("admin");
        catalog.principals().addMember(catalog.system(), id(Principals.ADMINS), id("admin"));
        var lake = Files.createDirectories(folder.resolve("lake"));
        call(
                "admin",
                "POST",
                "/external-locations",
                Map.of("name", "lake", "url", "file://" + lake));
    }

    /** One for all tests of this JVM; each has a catalog and principals of its own. */
    static synchronized RestServer shared() {
        var running = shared;
        if (running == null) {
            try {
                running = new RestServer();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
            Runtime.getRuntime().addShutdownHook(new Thread(running::close));
            shared = running;
        }
        return running;
    }

    private Caller caller(RoutingContext context) {
        var header = context.request().getHeader("authorization");
        var name = header == null ? "" : header.replaceFirst("(?i)^bearer ", "");
        return catalog.principals()
                .find(name)
                .map(info -> new Caller(info.principal(), null, "rest", "127.0.0.1", "test"))
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.UNAUTHENTICATED, "no such principal", ""));
    }

    /** Enough of a compiler for the functions of these tests: one comparison with a constant. */
    private static PolicyFunction function(
            String name, List<Column> parameters, DataType returns, String body, String comment) {
        var sql = body;
        for (var i = 0; i < parameters.size(); i++) {
            sql = sql.replaceAll("\\b" + parameters.get(i).name() + "\\b", "\\$" + (i + 1));
        }
        return new PolicyFunction(name, parameters, returns, body, sql, sql, comment);
    }

    private UUID id(String principal) {
        return catalog.principals().find(principal).orElseThrow().principal().id();
    }

    void principal(String name) {
        catalog.principals().create(catalog.system(), PrincipalKind.USER, name, name, "");
    }

    void grant(String principal, Securable on, Privilege... privileges) {
        catalog.grants()
                .change(
                        catalog.system(),
                        on,
                        List.of(new GrantChange(principal, Set.of(privileges), Set.of())));
    }

    /** Writes an empty Delta table; returns its URI. */
    String deltaTable(String name, TableSchema schema) {
        var at = folder.resolve("lake").resolve(name);
        DeltaTable.create(at, schema, DeltaConfig.DEFAULT, allocator, Clock.systemUTC()).close();
        return "file://" + at;
    }

    int port() {
        return proxy.port();
    }

    Answer call(String who, String method, String path) {
        return send(who, method, Api.UNITY + path, "", "test");
    }

    Answer call(String who, String method, String path, Map<String, ?> body) {
        try {
            return send(who, method, Api.UNITY + path, JSON.writeValueAsString(body), "test");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    Answer send(String who, String method, String path, String body, String agent) {
        var request =
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path))
                        .header("authorization", "Bearer " + who)
                        .header("user-agent", agent)
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .build();
        try {
            var answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            return new Answer(answer.statusCode(), answer.body());
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Unity Catalog's own client, as that principal. */
    ApiClient client(String who) {
        return ApiClientBuilder.create()
                .uri(URI.create("http://127.0.0.1:" + port()))
                .tokenProvider(TokenProvider.create(Map.of("type", "static", "token", who)))
                .retryPolicy(JitterDelayRetryPolicy.builder().maxAttempts(1).build())
                .build();
    }

    List<String> faults() {
        return proxy.faults();
    }

    private void close() {
        proxy.close();
        vertx.close();
        postgres.close();
        try (var paths = Files.walk(folder)) {
            for (var path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
