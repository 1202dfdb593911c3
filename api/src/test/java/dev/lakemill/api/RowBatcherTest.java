package dev.lakemill.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.StringValue;
import dev.lakemill.types.TableName;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Single rows become requests: full ones, those that waited, and the rest at the end. */
@Timeout(300)
final class RowBatcherTest {
    private static final TableName TABLE = TableName.parse("farm.bronze.demand_events");
    private static final Duration NEVER = Duration.ofDays(1);
    private static final int LARGE = 1 << 20;

    private final ScriptedServer server = new ScriptedServer();
    private final ProducerClient client =
            ProducerClient.connect(Endpoint.plaintext("127.0.0.1", server.port()), () -> "secret");
    private final ProducerStream stream = client.open(TABLE);
    private final ScriptedServer.Peer peer = server.accept().open();

    @AfterEach
    void close() {
        client.close();
        server.close();
    }

    private RowBatcher batcher(int rowsMax, int bytesMax, Duration linger) {
        return new RowBatcher(
                stream, new RecordFormat.Json(), new RowBatcher.Limits(rowsMax, bytesMax, linger));
    }

    private List<String> nextBatch() {
        return peer.next().getIngestRecordBatch().getJsonBatch().getRecordsList();
    }

    @Test
    void aFullRequestGoesOutAndItsRowsCompleteTogether() throws Exception {
        var batcher = batcher(3, LARGE, NEVER);
        var futures = new ArrayList<CompletableFuture<Void>>();
        for (var row : List.of("a", "b", "c", "d")) {
            futures.add(batcher.add(row));
        }
        assertThat(nextBatch()).containsExactly("a", "b", "c");
        assertThat(futures).noneMatch(CompletableFuture::isDone);
        peer.ack(0);
        futures.get(2).get(2, TimeUnit.MINUTES);
        assertThat(futures.get(0)).isDone();
        assertThat(futures.get(3)).isNotDone();
        batcher.send();
        assertThat(nextBatch()).containsExactly("d");
        peer.ack(1);
        futures.get(3).get(2, TimeUnit.MINUTES);
        batcher.close();
    }

    @Test
    void bytesFillARequestToo() {
        var batcher = batcher(100, 5, NEVER);
        batcher.add("abc");
        batcher.add("de");
        batcher.add("f");
        assertThat(nextBatch()).containsExactly("abc", "de");
    }

    @Test
    void rowsThatWaitedGoOutByThemselves() throws Exception {
        var batcher = batcher(100, LARGE, Duration.ofMillis(1));
        for (int i = 0; i < 3; i++) {
            var row = batcher.add("r" + i);
            assertThat(nextBatch()).containsExactly("r" + i);
            peer.ack(i);
            row.get(2, TimeUnit.MINUTES);
        }
    }

    @Test
    void closingSendsTheRest() {
        var batcher = batcher(100, LARGE, NEVER);
        batcher.add("a");
        batcher.addRow(java.util.Map.of("id", 7));
        batcher.close();
        assertThat(nextBatch()).containsExactly("a", "{\"id\":7}");
        batcher.close(); // Sends nothing more.
        peer.ack(0);
        stream.flush();
    }

    @Test
    void whenTheStreamFailsEveryRowHearsOfIt() {
        var batcher = batcher(2, LARGE, Duration.ofMillis(1));
        var sent = batcher.add("a");
        nextBatch();
        peer.fail(Status.INVALID_ARGUMENT);
        assertFails(sent);
        // The stream is at its end: what comes now fails when it would go out.
        assertFails(batcher.add("b"));
        assertFails(batcher.add("c"));
    }

    private static void assertFails(CompletableFuture<Void> row) {
        assertThatThrownBy(() -> row.get(2, TimeUnit.MINUTES))
                .isInstanceOf(ExecutionException.class);
    }

    @Test
    void messagesAreGatheredAsMessages() {
        var type = DescriptorProto.newBuilder().setName("row").build();
        var format = new RecordFormat.Proto(type);
        var protos = client.open(TABLE, format, StreamOptions.DEFAULT, ProducerObserver.NONE);
        var other = server.accept().open();
        var batcher = new RowBatcher(protos, format, new RowBatcher.Limits(2, LARGE, NEVER));
        var row = StringValue.of("x");
        batcher.add(row);
        batcher.add(row);
        assertThat(other.next().getIngestRecordBatch().getProtoEncodedBatch().getRecordsList())
                .containsExactly(row.toByteString(), row.toByteString());
    }
}
