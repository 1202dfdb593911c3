package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who sends faster than allowed is read later, and holds back nobody else. */
@Timeout(300)
final class RatesTest {
    private static final String TABLE = RawClient.TABLE;
    private static final String ROW = "{\"event_id\":\"a\"}";
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("event_id", Primitive.STRING),
                    Column.nullable("filler", Primitive.STRING));
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    @TempDir private Path folder;
    private Node node = new Node(Path.of("."));

    @AfterEach
    void close() {
        node.close();
    }

    private void open(RateLimits limits, Duration stallMax) {
        node = new Node(folder).table(TABLE, SCHEMA);
        var grpc = node.config().grpc().withRates(limits);
        node.with(node.config().withGrpc(grpc.withLimits(10, stallMax, Duration.ofMillis(200))))
                .open()
                .listen();
    }

    private static RateLimits ofStream(long rows) {
        return new RateLimits(
                new RateLimits.Rate(rows, 0), RateLimits.Rate.NONE, RateLimits.Rate.NONE);
    }

    @Test
    void aSecondsWorthComesAtOnceAndTheRestAtTheRate() {
        var meter = new RateMeter("a stream", new RateLimits.Rate(100, 1_000));
        assertThat(meter.waitNanos(0)).isNotPositive();
        meter.sent(100, 10, 0);
        assertThat(meter.waitNanos(0)).isZero();
        meter.sent(50, 10, 0);
        assertThat(meter.waitNanos(0)).isEqualTo(SECOND / 2);
        assertThat(meter.waitNanos(SECOND / 2)).isZero();
        meter.sent(1, 2_000, 10 * SECOND); // What was not used before is not saved up.
        assertThat(meter.waitNanos(10 * SECOND)).isEqualTo(SECOND);
        assertThat(meter).hasToString("a stream may send 100 rows or 1000 bytes a second");
    }

    @Test
    void tablesAndPrincipalsShareTheirRates() {
        var rate = new RateLimits.Rate(10, 0);
        try (var rates = new Rates(new RateLimits(RateLimits.Rate.NONE, rate, rate))) {
            var one = TableName.parse("a.b.one");
            var two = TableName.parse("a.b.two");
            rates.pace(one, "ann").sent(30, 1, 0);
            assertThat(rates.pace(one, "bob").waitNanos(0)).isEqualTo(2 * SECOND);
            assertThat(rates.pace(two, "ann").waitNanos(0)).isEqualTo(2 * SECOND);
            assertThat(rates.pace(two, "bob").waitNanos(0)).isZero();
        }
    }

    @Test
    void aStreamThatIsTooFastIsReadLater() {
        open(ofStream(100), LONG);
        try (var client = node.raw()) {
            var call = client.openJson();
            long began = System.nanoTime();
            call.jsonBatch(0, Collections.nCopies(250, ROW)).json(1, ROW);
            call.awaitAck(1);
            // 250 rows, of which a second's worth were free.
            assertThat(System.nanoTime() - began).isGreaterThan(3 * SECOND / 2);
            call.halfClose();
            assertThat(call.end().isOk()).isTrue();
        }
    }

    /** It has sent more than HTTP/2 lets a stream send unread. */
    @Test
    void aStreamThatWaitsHoldsBackNoOtherOnItsConnection() {
        open(ofStream(100), LONG);
        try (var client = node.raw()) {
            var greedy = client.openJson();
            greedy.jsonBatch(0, Collections.nCopies(5_000, ROW));
            var big = "{\"event_id\":\"a\",\"filler\":\"%s\"}".formatted("x".repeat(1 << 20));
            for (int i = 1; i <= 6; i++) {
                greedy.json(i, big);
            }
            greedy.awaitAck(0);
            Node.await("it waits", () -> node.ingest().totals().streamsStalled() == 1);
            var modest = client.openJson();
            for (int i = 0; i < 5; i++) {
                modest.json(i, big);
            }
            modest.awaitAck(4);
            assertThat(node.ingest().totals().streamsStalled()).isEqualTo(1);
        }
    }

    @Test
    void aStreamThatWouldWaitTooLongIsToldTo() {
        open(ofStream(100), Duration.ofSeconds(10));
        try (var client = node.raw()) {
            var call = client.openJson();
            call.jsonBatch(0, Collections.nCopies(50_000, ROW));
            call.awaitAck(0);
            var end = call.end();
            assertThat(end.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
            assertThat(end.getDescription()).contains("a stream may send 100 rows a second");
        }
    }

    @Test
    void requestsWithoutStreamAreToldToComeLater() {
        // Five minutes' worth, so that no machine is too slow to ask again within them.
        open(ofStream(1), LONG);
        var body = ROW.repeat(300).getBytes(StandardCharsets.UTF_8);
        var request = new InsertRequest(TABLE, "Bearer token", "here", body);
        assertThat(node.ingest().insert(request)).isEqualTo(300);
        var refused =
                catchThrowableOfType(LakemillException.class, () -> node.ingest().insert(request));
        assertThat(refused.code()).isEqualTo(ErrorCode.RESOURCE_EXHAUSTED);
    }
}
