package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.catalog.Caller;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What of requests' bodies gets into memory, byte by byte over real connections. */
final class BodiesTest {
    private static final String HOST = "node.example.org";
    private static final String[] KNOWN = {"Authorization", "good"};
    private static final String FORM = "application/x-www-form-urlencoded";
    private static final int ROOM_BYTES = 1 << 20;
    private static final int IDLE_MS = 500;
    private static final int TAKES_MS = 5_000;

    private final Vertx vertx = Vertx.vertx();
    private final Semaphore waiting = new Semaphore(0);
    private final CountDownLatch go = new CountDownLatch(1);
    private String url = "";

    @BeforeEach
    void start() throws Exception {
        listen(IDLE_MS);
    }

    private void listen(int idleMs) throws Exception {
        var router = Router.router(vertx);
        var room = new Routes.Room(bodies(idleMs), bodies(idleMs));
        var routes = new Routes(router, this::caller, Callable::call, Routes.PLAIN, room);
        routes.secured(HttpMethod.POST, "/size", (context, _) -> size(context));
        routes.secured(
                HttpMethod.POST,
                "/wait",
                (context, _) -> {
                    waiting.release();
                    go.await();
                    return size(context);
                });
        routes.secured(HttpMethod.GET, "/stream", (context, _) -> stream(context));
        routes.open(
                HttpMethod.POST,
                "/form",
                context -> Map.of("name", OAuthRoutes.form(context).getOrDefault("name", "")));
        var server =
                vertx.createHttpServer()
                        .requestHandler(router)
                        .listen(0, "127.0.0.1")
                        .toCompletionStage()
                        .toCompletableFuture()
                        .get(2, TimeUnit.MINUTES);
        url = "http://127.0.0.1:" + server.actualPort();
    }

    private static Bodies bodies(int idleMs) {
        return new Bodies(ROOM_BYTES, idleMs, TAKES_MS);
    }

    @AfterEach
    void stop() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(2, TimeUnit.MINUTES);
    }

    private Caller caller(RoutingContext context) {
        if (!"good".equals(context.request().getHeader("authorization"))) {
            throw new LakemillException(ErrorCode.UNAUTHENTICATED, "a stranger", "log in");
        }
        var me = new Principal(UUID.randomUUID(), PrincipalKind.USER, "ann@example.org");
        return new Caller(me, null, "rest", "127.0.0.1", "r-1");
    }

    private static Object size(RoutingContext context) {
        return Map.of("bytes", Bodies.of(context).length());
    }

    private static Object stream(RoutingContext context) throws InterruptedException {
        context.response().setChunked(true).write("first");
        Thread.sleep(3 * IDLE_MS);
        context.response().end("last");
        return new Routes.Answered();
    }

    private AppHttp post(String path, int bytes, String... headers) throws IOException {
        var all = new String[headers.length + 2];
        System.arraycopy(headers, 0, all, 2, headers.length);
        all[0] = "Content-Length";
        all[1] = Integer.toString(bytes);
        return AppHttp.open(url, "POST", HOST, path, all);
    }

    @Test
    void aStrangerIsToldSoBeforeTheBodyIsSent() throws IOException {
        try (var http = post("/size", 19 << 20)) {
            assertThat(http.answer().status()).isEqualTo(401);
            http.write("x".repeat(19 << 20));
            http.write("POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n");
            http.write("Authorization: good\r\n\r\nabc");
            var next = http.answer();
            assertThat(next.status()).as("the connection goes on").isEqualTo(200);
            assertThat(next.body()).isEqualTo("{\"bytes\":3}");
        }
    }

    @Test
    void aBodyThatStandsStillIsEnded() throws IOException {
        try (var http = post("/size", 10, KNOWN)) {
            http.write("abc");
            assertThat(http.answer().status()).isEqualTo(408);
            assertThat(http.ends()).isTrue();
        }
        try (var http = post("/size", 10)) {
            assertThat(http.answer().status()).isEqualTo(401);
            assertThat(http.ends()).as("also when it was refused before").isTrue();
        }
    }

    @Test
    void aBodyThatComesForEverIsEnded() throws IOException {
        try (var http = post("/size", 1 << 20, KNOWN)) {
            var drops = Thread.startVirtualThread(() -> dropByDrop(http));
            var answer = http.answer();
            assertThat(answer.status()).isEqualTo(408);
            assertThat(answer.body()).contains("was not whole after");
            assertThat(http.ends()).isTrue();
            drops.interrupt();
        }
    }

    /** Until the connection ends. */
    private static void dropByDrop(AppHttp http) {
        try {
            while (true) {
                http.write("x");
                Thread.sleep(IDLE_MS / 10);
            }
        } catch (IOException | InterruptedException e) {
            // The other end has enough, or the test is over.
        }
    }

    @Test
    void aSlowBodyAndASlowAnswerAreNot() throws Exception {
        listen(2 * IDLE_MS);
        try (var http = post("/wait", 12, KNOWN)) {
            for (int i = 0; i < 12; i++) {
                Thread.sleep(IDLE_MS / 5);
                http.write("x");
            }
            waiting.acquire();
            Thread.sleep(3 * IDLE_MS);
            go.countDown();
            assertThat(http.answer().body()).isEqualTo("{\"bytes\":12}");
        }
        assertThat(AppHttp.get(url, HOST, "/stream", KNOWN).body()).isEqualTo("firstlast");
    }

    @Test
    void allBodiesTogetherAreLimitedUntilTheyAreAnswered() throws Exception {
        var body = "x".repeat(700 << 10);
        try (var first = post("/wait", body.length(), KNOWN)) {
            first.write(body);
            waiting.acquire();
            var second = AppHttp.send(url, "POST", HOST, "/size", body, KNOWN);
            assertThat(second.status()).isEqualTo(429);
            assertThat(second.header("retry-after")).isEqualTo("1");
            assertThat(AppHttp.send(url, "POST", HOST, "/form", "name=x", "Content-Type", FORM))
                    .as("strangers have a room of their own")
                    .returns(200, AppHttp.Answer::status)
                    .returns("{\"name\":\"x\"}", AppHttp.Answer::body);
            go.countDown();
            assertThat(first.answer().status()).isEqualTo(200);
        }
        awaitRoomFor(body);
    }

    private void awaitRoomFor(String body) throws InterruptedException {
        TestNode.await(
                () -> {
                    try {
                        return AppHttp.send(url, "POST", HOST, "/size", body, KNOWN).status()
                                == 200;
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                });
    }

    @Test
    void whatBreaksOffGivesItsRoomBack() throws Exception {
        var body = "x".repeat(700 << 10);
        try (var http = post("/size", 1 << 20, KNOWN)) {
            http.write(body);
        }
        try (var http = post("/size", 1 << 20, KNOWN)) {
            http.write(body);
            http.answer(); // 408, or 429 while the first still counted
        }
        awaitRoomFor(body);
    }

    @Test
    void whatIsTooLargeIsToldSoInWhateverFormItComes() throws IOException {
        var large = "x".repeat((int) Routes.OPEN_BODY_BYTES_MAX + 1);
        assertThat(AppHttp.send(url, "POST", HOST, "/form", large).status()).isEqualTo(413);
        try (var http = AppHttp.open(url, "POST", HOST, "/form", "Transfer-Encoding", "chunked")) {
            http.write("%x\r\n%s\r\n0\r\n\r\n".formatted(large.length(), large));
            assertThat(http.answer().status()).isEqualTo(413);
        }
        var bad = "name=" + "%zz";
        assertThat(AppHttp.send(url, "POST", HOST, "/form", bad, "Content-Type", FORM).status())
                .isEqualTo(400);
    }
}
