package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.catalog.Caller;
import dev.lakemill.postgres.FrontDoorLogin;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Lakebase's requests for database credentials, over HTTP. */
final class DatabaseCredentialRoutesTest {
    private static final Instant NOW = Instant.parse("2026-11-22T10:00:00.25Z");
    private static final String OLD = "/api/2.0/database/credentials";
    private static final String NEW = "/api/2.0/postgres/credentials";

    /** Keeps what it is asked for; its tokens are for this test alone. */
    private static final class Asked implements DatabaseTokens {
        final List<Request> requests = new CopyOnWriteArrayList<>();

        @Override
        public Credential issue(Caller caller, Request request) {
            requests.add(request);
            if (request.group().filter("others"::equals).isPresent()) {
                throw new LakemillException(
                        ErrorCode.PERMISSION_DENIED, "not a member of others", "ask its owner");
            }
            return new Credential(
                    "token of " + caller.principal().name(), NOW.plus(request.timeToLive()));
        }

        @Override
        public FrontDoorLogin login(String user, String password, InetSocketAddress peer) {
            throw new LakemillException(ErrorCode.UNAUTHENTICATED, "nobody comes in here", "");
        }
    }

    private static final Asked TOKENS = new Asked();
    private static final Vertx VERTX = Vertx.vertx();
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final ObjectMapper JSON = new ObjectMapper();
    private static int port;

    @BeforeAll
    static void start() throws Exception {
        var router = Router.router(VERTX);
        var me = new Principal(UUID.randomUUID(), PrincipalKind.USER, "ann@example.org");
        var routes =
                new Routes(router, context -> new Caller(me, null, "rest", "127.0.0.1", "r-1"));
        DatabaseCredentialRoutes.mount(routes, TOKENS, Clock.fixed(NOW, ZoneOffset.UTC));
        HttpServer server =
                VERTX.createHttpServer()
                        .requestHandler(router)
                        .listen(0, "127.0.0.1")
                        .toCompletionStage()
                        .toCompletableFuture()
                        .get(2, TimeUnit.MINUTES);
        port = server.actualPort();
    }

    @AfterAll
    static void stop() throws Exception {
        VERTX.close().toCompletionStage().toCompletableFuture().get(2, TimeUnit.MINUTES);
    }

    @BeforeEach
    void forget() {
        TOKENS.requests.clear();
    }

    @Test
    void theOlderFormAnswersWithAnHour() throws Exception {
        var answer = post(200, OLD, "{'request_id':'7','instance_names':['lakemill']}");
        assertThat(answer.path("token").asText()).isEqualTo("token of ann@example.org");
        assertThat(answer.path("expiration_time").asText()).isEqualTo("2026-11-22T11:00:00Z");
        assertThat(TOKENS.requests)
                .singleElement()
                .satisfies(r -> assertThat(r.readOnly()).isFalse());
    }

    @Test
    void theNewerFormTakesALifeOrAnEndAndAGroup() throws Exception {
        var endpoint = "'endpoint':'projects/p/branches/b/endpoints/e'";
        var answer = post(200, NEW, "{%s,'ttl':'900s','group_name':'farmers'}".formatted(endpoint));
        assertThat(answer.path("expire_time").asText()).isEqualTo("2026-11-22T10:15:00Z");
        assertThat(TOKENS.requests.getFirst().group()).contains("farmers");
        post(200, NEW, "{%s,'expire_time':'2026-11-22T10:30:00Z'}".formatted(endpoint));
        assertThat(TOKENS.requests.getLast().timeToLive()).isEqualTo(Duration.ofMillis(1_799_750));
    }

    @Test
    void livesOutsideTheRangeAreRefused() throws Exception {
        for (var life :
                List.of(
                        "'ttl':'299s'",
                        "'ttl':3601",
                        "'ttl':'soon'",
                        "'expire_time':'tomorrow'",
                        "'expire_time':'2027-11-22T10:30:00Z'",
                        "'ttl':'900s','expire_time':'2026-11-22T10:30:00Z'")) {
            var answer = post(400, NEW, "{" + life + "}");
            assertThat(answer.path("message").asText()).as(life).contains("300 to 3600 s");
        }
        assertThat(TOKENS.requests).isEmpty();
    }

    @Test
    void readOnlyIsForEverythingOrNotAtAll() throws Exception {
        post(200, OLD, "{'claims':[{'permission_set':'READ_ONLY'}]}");
        assertThat(TOKENS.requests.getFirst().readOnly()).isTrue();
        var single =
                "{'claims':[{'permission_set':'READ_ONLY','resources':[{'table_name':'a.b.c'}]}]}";
        assertThat(post(501, OLD, single).path("message").asText()).contains("single tables");
        post(400, OLD, "{'claims':[{'permission_set':'EVERYTHING'}]}");
        post(403, NEW, "{'group_name':'others'}");
    }

    private static JsonNode post(int status, String path, String body) throws Exception {
        var request =
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .POST(HttpRequest.BodyPublishers.ofString(body.replace('\'', '"')))
                        .build();
        var response = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        return JSON.readTree(response.body());
    }
}
