package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import io.grpc.Status;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Nobody sends rows past identity and grants, at the start of a stream and while it runs. */
@Timeout(300)
final class AccessTest {
    private static final String TABLE = RawClient.TABLE;
    private static final TableSchema SCHEMA =
            TableSchema.of(Column.required("event_id", Primitive.STRING));

    @TempDir private Path folder;
    private Node node;
    private RawClient client;

    @BeforeEach
    void open() {
        node = new Node(folder).table(TABLE, SCHEMA).open().listen();
        client = node.raw();
    }

    @AfterEach
    void close() {
        client.close();
        node.close();
    }

    @Test
    void aStreamWithoutATokenIsRefused() {
        var call = client.call(TABLE, null).send(RawClient.createJson(TABLE));
        assertThat(call.end().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(call.errorInfo().getReason()).isEqualTo("UNAUTHENTICATED");
    }

    @Test
    void anUnknownTokenLearnsNothingOfTables() {
        var call = client.call("a.b.c", "Bearer other").send(RawClient.createJson("a.b.c"));
        assertThat(call.end().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
        assertThat(call.end().getDescription()).doesNotContain(TABLE);
    }

    @Test
    void aStreamThatMayNotWriteItsTableIsRefused() {
        node.access().refuse(TABLE);
        var call = client.call(TABLE).send(RawClient.createJson(TABLE));
        assertThat(call.end().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
        assertThat(call.end().getDescription()).contains("lack MODIFY on " + TABLE);
        assertThat(call.errorInfo().getReason()).isEqualTo("PERMISSION_DENIED");
    }

    @Test
    void aRevokedProducerIsCutOnceItsRowsAreAcknowledged() {
        var call = client.openJson().json(0, "{\"event_id\":\"a\"}");
        call.awaitAck(0);
        node.access().refuse(TABLE);
        assertThat(call.end().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
        Node.await("the end is told", () -> node.access().told().size() == 2);
        assertThat(node.access().told())
                .containsExactly("opened " + TABLE, "closed " + TABLE + " after 1");
    }

    @Test
    void aProducerWhoseTokenEndsIsAskedToComeAgainThenEnded() {
        node.access().expireAt(Instant.now().plusSeconds(2));
        var call = client.openJson().json(0, "{\"event_id\":\"a\"}");
        var signals = 0;
        for (var i = 0; i < 2; i++) {
            signals += call.next().hasCloseStreamSignal() ? 1 : 0;
        }
        assertThat(signals).isEqualTo(1);
        assertThat(call.end().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(call.end().getDescription()).contains("6002");
    }
}
