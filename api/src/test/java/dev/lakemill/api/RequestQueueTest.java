package dev.lakemill.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The queue against a plain list, through random sends, acknowledgements and lost connections. */
final class RequestQueueTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void everyRequestGoesOutInOrderOnEachConnectionUntilItIsAcknowledged(long seed) {
        var random = new Random(seed);
        var queue = new RequestQueue(false);
        queue.rewind();
        long added = 0;
        long acked = -1;
        long connectionBase = 0;
        long sent = -1;
        long everSent = -1;
        for (int step = 0; step < 5_000; step++) {
            switch (random.nextInt(4)) {
                case 0 -> {
                    var rows = List.of(ByteString.copyFromUtf8("row " + added));
                    assertThat(queue.add(Request.of(rows, true, false))).isEqualTo(added++);
                }
                case 1 -> {
                    var outgoing = queue.send();
                    if (sent + 1 == added) {
                        assertThat(outgoing).isNull();
                    } else {
                        sent++;
                        assertThat(outgoing).isNotNull();
                        assertThat(outgoing.offset()).isEqualTo(sent);
                        assertThat(outgoing.connectionOffset()).isEqualTo(sent - connectionBase);
                        assertThat(outgoing.again()).isEqualTo(sent <= everSent);
                        everSent = Math.max(everSent, sent);
                    }
                }
                case 2 -> {
                    long upTo = acked + random.nextInt(4) - 1;
                    var may = upTo <= sent;
                    assertThat(queue.mayAck(upTo - connectionBase)).isEqualTo(may);
                    if (may) {
                        assertThat(queue.ack(upTo - connectionBase))
                                .isEqualTo((int) Math.max(0, upTo - acked));
                        acked = Math.max(acked, upTo);
                    }
                }
                default -> {
                    if (random.nextInt(10) == 0) {
                        queue.rewind();
                        connectionBase = acked + 1;
                        sent = acked;
                    }
                }
            }
            assertThat(queue.acked()).isEqualTo(acked);
            assertThat(queue.rows()).isEqualTo(added - acked - 1);
            assertThat(queue.awaitsAck()).isEqualTo(sent > acked);
            assertThat(queue.isEmpty()).isEqualTo(acked + 1 == added);
        }
        var left = new ArrayList<String>();
        queue.records()
                .forEach(r -> left.add(new String(r, java.nio.charset.StandardCharsets.UTF_8)));
        assertThat(left).hasSize((int) (added - acked - 1));
        assertThat(left).allMatch(row -> row.startsWith("row "));
    }
}
