package dev.lakemill.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import dev.lakemill.api.StreamOptions.WhenFull;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import io.grpc.Status;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
final class ProducerStreamTest {
    private static final TableName TABLE = TableName.parse("farm.bronze.demand_events");
    private static final Duration WAIT = Duration.ofMinutes(2);
    private static final StreamOptions QUICK =
            StreamOptions.DEFAULT.withReconnects(
                    StreamOptions.RECONNECT_FOR_EVER, Duration.ofMillis(1), Duration.ofMillis(5));

    private final ScriptedServer server = new ScriptedServer();
    private final RecordingObserver observer = new RecordingObserver();
    private final ProducerClient client =
            ProducerClient.connect(Endpoint.plaintext("127.0.0.1", server.port()), () -> "secret");

    @AfterEach
    void close() {
        client.close();
        server.close();
    }

    private ProducerStream open(StreamOptions options) {
        return client.open(TABLE, RecordFormat.JSON, options, observer);
    }

    @Test
    void rowsGoOutInOrderAndFuturesCompleteWithTheCumulativeAck() throws Exception {
        try (var stream = open(QUICK)) {
            var peer = server.accept().open();
            assertThat(stream.ingestJson("a")).isZero();
            assertThat(stream.ingestJsonBatch(List.of("b", "c"))).isEqualTo(1);
            assertThat(stream.ingestJson("d")).isEqualTo(2);
            var second = stream.acked(1);
            assertThat(peer.rows(0, 4)).containsExactly("a", "b", "c", "d");
            assertThat(second).isNotDone();
            assertThat(stream.inFlightRows()).isEqualTo(4);
            peer.ack(1);
            second.get(2, TimeUnit.MINUTES);
            assertThat(stream.ackedOffset()).isEqualTo(1);
            assertThat(stream.inFlightRows()).isEqualTo(1);
            peer.ack(2);
            stream.flush(WAIT);
            assertThat(observer.events).containsExactly("opened", "acked 0-1", "acked 2-2");
        }
    }

    @Test
    void theCallCarriesTokenTableAndFormat() {
        var stream = open(QUICK);
        var peer = server.accept().open();
        assertThat(peer.header("authorization")).isEqualTo("Bearer secret");
        assertThat(peer.header("x-databricks-zerobus-table-name")).isEqualTo(TABLE.toString());
        assertThat(peer.create().getTableName()).isEqualTo(TABLE.toString());
        assertThat(peer.create().getRecordType().name()).isEqualTo("JSON");
        assertThat(peer.create().hasDescriptorProto()).isFalse();
        stream.close();
    }

    @Test
    void aProtoStreamCarriesItsDescriptor() {
        var type = DescriptorProto.newBuilder().setName("row").build();
        try (var stream = client.open(TABLE, new RecordFormat.Proto(type), QUICK, observer)) {
            var peer = server.accept().open();
            assertThat(peer.create().getDescriptorProto()).isEqualTo(type.toByteString());
            stream.ingestProto("a".getBytes(StandardCharsets.UTF_8));
            stream.ingestProtoBatch(List.of("b".getBytes(StandardCharsets.UTF_8)));
            assertThat(peer.rows(0, 2)).containsExactly("a", "b");
            peer.ack(1);
            assertThatThrownBy(() -> stream.ingestJson("{}"))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("takes PROTO records");
        }
    }

    @Test
    void afterALostConnectionExactlyTheUnackedRowsAreSentAgain() {
        try (var stream = open(QUICK)) {
            var first = server.accept().open();
            for (int i = 0; i < 10; i++) {
                stream.ingestJson("r" + i);
            }
            first.rows(0, 10);
            first.ack(3);
            first.fail(Status.UNAVAILABLE);
            var second = server.accept().open();
            assertThat(second.rows(0, 6)).containsExactly("r4", "r5", "r6", "r7", "r8", "r9");
            stream.ingestJson("r10");
            assertThat(second.rows(6, 1)).containsExactly("r10");
            second.ack(6);
            stream.flush(WAIT);
            assertThat(stream.resentRows()).isEqualTo(6);
            assertThat(stream.ackedOffset()).isEqualTo(10);
            assertThat(observer.events)
                    .containsExactly(
                            "opened",
                            "acked 0-3",
                            "reconnecting 1",
                            "opened",
                            "resent 4-9 rows 6",
                            "acked 4-10");
        }
    }

    @Test
    void rowsThatNeverWentOutAreNotCountedAsResent() {
        try (var stream = open(QUICK)) {
            var first = server.accept();
            stream.ingestJson("a");
            stream.ingestJson("b");
            first.fail(Status.INTERNAL);
            var second = server.accept().open();
            assertThat(second.rows(0, 2)).containsExactly("a", "b");
            second.ack(1);
            stream.flush(WAIT);
            assertThat(stream.resentRows()).isZero();
        }
    }

    @Test
    void anEndWithoutErrorIsFollowedByANewConnection() {
        try (var stream = open(QUICK)) {
            server.accept().open().complete();
            stream.ingestJson("a");
            var second = server.accept().open();
            assertThat(second.rows(0, 1)).containsExactly("a");
            second.ack(0);
        }
    }

    @Test
    void aRefusalForGoodFailsTheStreamAndGivesTheRestBack() {
        var stream = open(QUICK);
        var peer = server.accept().open();
        stream.ingestJson("a");
        stream.ingestJson("b");
        var future = stream.acked(1);
        peer.rows(0, 2);
        peer.ack(0);
        peer.fail(Status.INVALID_ARGUMENT.withDescription("row 0 is bad"));
        assertThatThrownBy(() -> stream.flush(WAIT))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("row 0 is bad");
        assertThat(future).isCompletedExceptionally();
        assertThat(stream.unacked()).containsExactly("b".getBytes(StandardCharsets.UTF_8));
        assertThat(stream.failure().orElseThrow().code()).isEqualTo(ErrorCode.INVALID_ARGUMENT);
        assertThatThrownBy(() -> stream.ingestJson("c")).hasMessageContaining("row 0 is bad");
        assertThatThrownBy(stream::close).hasMessageContaining("row 0 is bad");
        assertThat(observer.events)
                .containsExactly("opened", "acked 0-0", "failed INVALID_ARGUMENT");
    }

    @Test
    void attemptsAreBoundedWhenAsked() {
        var twice = QUICK.withReconnects(2, Duration.ofMillis(1), Duration.ofMillis(2));
        var stream = open(twice);
        for (int i = 0; i < 3; i++) {
            server.accept().fail(Status.UNAVAILABLE.withDescription("going down"));
        }
        assertThatThrownBy(() -> stream.awaitOpen(WAIT)).hasMessageContaining("going down");
        assertThat(observer.events)
                .containsExactly("reconnecting 1", "reconnecting 2", "failed UNAVAILABLE");
    }

    @Test
    void aFullStreamThrowsWhenItShouldNotBlock() {
        var stream = open(QUICK.withInFlight(2, 1 << 20, WhenFull.FAIL));
        stream.ingestJson("a");
        stream.ingestJson("b");
        assertThatThrownBy(() -> stream.ingestJson("c"))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.RESOURCE_EXHAUSTED));
        assertThat(stream.inFlightRows()).isEqualTo(2);
        var peer = server.accept().open();
        assertThat(peer.rows(0, 2)).containsExactly("a", "b");
        peer.ack(1);
        stream.close();
    }

    @Test
    void aFullStreamBlocksUntilAnAck() {
        try (var stream = open(QUICK.withInFlight(100, 2, WhenFull.BLOCK))) {
            stream.ingestJson("aa");
            var blocked = CompletableFuture.supplyAsync(() -> stream.ingestJson("b"));
            var peer = server.accept().open();
            assertThat(peer.rows(0, 1)).containsExactly("aa");
            assertThat(peer.isQuiet()).isTrue();
            assertThat(blocked).isNotDone();
            peer.ack(0);
            assertThat(peer.rows(1, 1)).containsExactly("b");
            assertThat(blocked.join()).isEqualTo(1);
            peer.ack(1);
        }
    }

    @Test
    void aCloseSignalDrainsThisConnectionAndContinuesOnTheNext() {
        try (var stream = open(QUICK)) {
            var first = server.accept().open();
            stream.ingestJson("a");
            first.rows(0, 1);
            first.signalClose(30);
            first.ack(0);
            assertThat(first.end()).isEqualTo("half-closed");
            stream.ingestJson("b");
            assertThat(first.isQuiet()).isTrue();
            var second = server.accept().open();
            assertThat(second.rows(0, 1)).containsExactly("b");
            second.ack(0);
            stream.flush(WAIT);
            assertThat(stream.resentRows()).isZero();
        }
    }

    @Test
    void aCloseSignalWithoutGraceEndsTheConnectionAtOnce() {
        try (var stream = open(QUICK)) {
            var first = server.accept().open();
            stream.ingestJson("a");
            first.rows(0, 1);
            first.signalClose(0);
            assertThat(first.end()).isEqualTo("CANCELLED");
            var second = server.accept().open();
            second.rows(0, 1);
            second.ack(0);
            stream.flush(WAIT);
            assertThat(stream.resentRows()).isEqualTo(1);
        }
    }

    @Test
    void anAckOfWhatWasNotSentIsNotBelieved() {
        try (var stream = open(QUICK)) {
            var first = server.accept().open();
            stream.ingestJson("a");
            first.rows(0, 1);
            first.ack(7);
            var second = server.accept().open();
            assertThat(second.rows(0, 1)).containsExactly("a");
            second.ack(0);
            stream.flush(WAIT);
            assertThat(stream.ackedOffset()).isZero();
        }
    }

    @Test
    void anAckThatGoesBackIsIgnored() {
        try (var stream = open(QUICK)) {
            var peer = server.accept().open();
            for (int i = 0; i < 4; i++) {
                stream.ingestJson("r" + i);
            }
            peer.rows(0, 4);
            peer.ack(2);
            peer.ack(0);
            peer.ack(2);
            peer.ack(3);
            stream.flush(WAIT);
            assertThat(observer.events).containsExactly("opened", "acked 0-2", "acked 3-3");
        }
    }

    @Test
    void aSilentServerIsLeft() {
        var impatient = QUICK.withTimeouts(Duration.ofMillis(300), Duration.ofMillis(300), WAIT);
        try (var stream = open(impatient)) {
            stream.ingestJson("a");
            assertThat(server.accept().end()).isEqualTo("CANCELLED");
            var second = server.accept().open();
            second.rows(0, 1);
            assertThat(second.end()).isEqualTo("CANCELLED");
            var third = server.accept().open();
            third.rows(0, 1);
            third.ack(0);
            stream.flush(WAIT);
            assertThat(stream.resentRows()).isEqualTo(1);
        }
    }

    @Test
    void rowsMayBeSentBeforeTheServerIsThere() throws IOException {
        int port = freePort();
        try (var early =
                        ProducerClient.connect(
                                Endpoint.parse("http://127.0.0.1:" + port), () -> "t");
                var stream = early.open(TABLE, RecordFormat.JSON, QUICK, observer)) {
            stream.ingestJson("a");
            assertThatThrownBy(() -> stream.awaitOpen(Duration.ofMillis(50)))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("was not opened within 50 ms");
            try (var late = new ScriptedServer(port)) {
                var peer = late.accept().open();
                peer.rows(0, 1);
                peer.ack(0);
                stream.flush(WAIT);
            }
        }
    }

    @Test
    void closingWaitsForTheAcksAndSaysThatNothingFollows() {
        var stream = open(QUICK);
        var peer = server.accept().open();
        stream.ingestJson("a");
        peer.rows(0, 1);
        var closed = CompletableFuture.runAsync(stream::close);
        peer.ack(0);
        assertThat(peer.end()).isEqualTo("half-closed");
        closed.join();
        assertThat(stream.failure()).isEmpty();
        assertThatThrownBy(() -> stream.ingestJson("b")).hasMessageContaining("is closed");
        assertThat(observer.events).containsExactly("opened", "acked 0-0");
    }

    @Test
    void closingTheClientFailsStreamsThatAreStillOpen() {
        var stream = open(QUICK);
        var peer = server.accept().open();
        stream.ingestJson("a");
        peer.rows(0, 1);
        client.close();
        assertThatThrownBy(() -> stream.flush(WAIT)).isInstanceOf(LakemillException.class);
        assertThat(stream.failure()).isPresent();
        assertThat(stream.unacked()).hasSize(1);
    }

    @Test
    void aRequestThatNoServerTakesIsRefusedHereAndTheStreamGoesOn() {
        try (var stream = open(QUICK)) {
            var peer = server.accept().open();
            var huge = "x".repeat(ProducerStream.REQUEST_BYTES_MAX + 1);
            assertThatThrownBy(() -> stream.ingestJson(huge))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("send 1 row or more and at most 10420224 bytes");
            assertThatThrownBy(() -> stream.ingestJsonBatch(List.of()))
                    .isInstanceOf(LakemillException.class);
            assertThat(stream.ingestJson("a")).isZero();
            peer.rows(0, 1);
            peer.ack(0);
        }
    }

    @Test
    void manyThreadsSendThroughOneStream() {
        long threads = 8;
        int each = 500;
        try (var stream = open(QUICK.withInFlight(64, 1 << 20, WhenFull.BLOCK))) {
            var senders = new ArrayList<Thread>();
            for (int t = 0; t < threads; t++) {
                var name = "t" + t + "-";
                senders.add(
                        Thread.startVirtualThread(
                                () -> {
                                    for (int i = 0; i < each; i++) {
                                        stream.ingestJson(name + i);
                                    }
                                }));
            }
            var peer = server.accept().open();
            for (int offset = 0; offset < threads * each; offset++) {
                peer.rows(offset, 1);
                peer.ack(offset);
            }
            stream.flush(WAIT);
            assertThat(stream.ackedOffset()).isEqualTo(threads * each - 1);
            senders.forEach(ProducerStreamTest::join);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
