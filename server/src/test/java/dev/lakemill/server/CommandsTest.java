package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Commands against a node that answers as a test wants it. */
@Timeout(60)
final class CommandsTest {
    @TempDir Path folder;

    private HttpServer node;
    private String url;

    @BeforeEach
    void listen() throws IOException {
        node = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        node.start();
        url = "http://127.0.0.1:" + node.getAddress().getPort();
    }

    @AfterEach
    void close() {
        node.stop(0);
    }

    @Test
    void aFollowedAuditLogShowsNoOlderRecordLater() throws Exception {
        var newest = new AtomicInteger(10);
        node.createContext(
                "/api/2.0/audit/events",
                exchange -> {
                    var asked = exchange.getRequestURI().getQuery().replaceFirst(".*=", "");
                    var events =
                            IntStream.iterate(newest.get(), i -> i > 0, i -> i - 1)
                                    .limit(Integer.parseInt(asked))
                                    .mapToObj("{\"event_id\":\"e%d\"}"::formatted)
                                    .collect(Collectors.joining(","));
                    var answer = "{\"events\":[%s]}".formatted(events);
                    exchange.sendResponseHeaders(200, 0);
                    try (var body = exchange.getResponseBody()) {
                        body.write(answer.getBytes(StandardCharsets.UTF_8));
                    }
                });
        var out = new StringWriter();
        var line =
                new CommandLine(new AuditCommand(_ -> new NodeClient(url, "token")))
                        .setOut(new PrintWriter(out))
                        .setErr(new PrintWriter(out));
        var command =
                Thread.ofVirtual().start(() -> line.execute("tail", "-f", "-n", "2", "--json"));
        TestNode.await(() -> out.toString().contains("e10"));
        newest.set(11);
        TestNode.await(() -> out.toString().contains("e11"));
        command.interrupt();
        command.join();
        assertThat(out.toString().lines().limit(3))
                .containsExactly(
                        "{\"event_id\":\"e9\"}",
                        "{\"event_id\":\"e10\"}",
                        "{\"event_id\":\"e11\"}");
    }

    @Test
    void whoseLoginHasEndedIsNotTheAdministratorInstead() throws Exception {
        var home = System.getProperty("user.home");
        System.setProperty("user.home", folder.resolve("home").toString());
        try {
            Files.writeString(LocalToken.file(folder), "of the administrator");
            assertThat(NodeClient.requireToken(url, folder)).isEqualTo("of the administrator");
            var past = Instant.now().minusSeconds(60).getEpochSecond();
            var program = new Credentials.Login("old", null, past);
            var person = new Credentials.Login("old", "refused by this node", past);
            for (var login : List.of(program, person)) {
                Credentials.ofUser().put(url, login);
                assertThatThrownBy(() -> NodeClient.requireToken(url, folder))
                        .isInstanceOfSatisfying(
                                LakemillException.class,
                                e -> assertThat(e.code()).isEqualTo(ErrorCode.UNAUTHENTICATED))
                        .hasMessageContaining("your login to %s has ended".formatted(url))
                        .hasMessageContaining("lakemill login");
            }
            node.stop(0);
            assertThatThrownBy(() -> NodeClient.requireToken(url, folder))
                    .hasMessageContaining("does not answer");
        } finally {
            System.setProperty("user.home", home);
        }
    }

    @Test
    void aNodeThatStopsSaysWhoseRowsAreNotInDelta() {
        assertThat(UpCommand.problem(List.of(), List.of())).isEmpty();
        assertThat(UpCommand.problem(List.of(TableName.parse("a.b.t")), List.of()).orElseThrow())
                .contains("rows of [a.b.t] stay in the log");
        assertThat(UpCommand.problem(List.of(), List.of("Ingest")).orElseThrow())
                .contains("[Ingest] did not close");
    }
}
