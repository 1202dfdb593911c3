package dev.lakemill.feed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.feed.GroupFeed.Round;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GroupFeedTest {
    private static final TableName NAME = TableName.parse("a.b.c");
    private static final TableSchema SCHEMA = TableSchema.of(Column.required("n", Primitive.LONG));

    private final RootAllocator allocator = new RootAllocator();

    @AfterEach
    void nothingLeaks() {
        assertThat(allocator.getAllocatedMemory()).isZero();
        allocator.close();
    }

    @Test
    void aWaitingReaderGetsTheNextBatch() throws Exception {
        try (var feed = new GroupFeed("g", 1 << 20)) {
            var waiting =
                    CompletableFuture.supplyAsync(
                            () -> {
                                try (var batch = feed.await(1, Duration.ofSeconds(20))) {
                                    return batch == null ? -1 : batch.number();
                                } catch (InterruptedException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            feed.publish(batch(1));
            assertThat(waiting.get()).isEqualTo(1);
            assertThat(feed.await(2, Duration.ZERO)).isNull();
        }
    }

    @Test
    void batchesThatMemoryLetGoAreToldSo() throws Exception {
        try (var feed = new GroupFeed("g", 1)) {
            feed.publish(batch(1));
            feed.publish(batch(2));
            assertThatThrownBy(() -> feed.await(1, Duration.ZERO)).isInstanceOf(BatchGone.class);
            try (var newest = feed.await(2, Duration.ZERO)) {
                assertThat(newest).isNotNull();
            }
        }
    }

    @Test
    void batchesThatOnlyDeltaHasAreToldSo() throws Exception {
        try (var feed = new GroupFeed("g", 1 << 20)) {
            feed.committed(round(7));
            assertThatThrownBy(() -> feed.await(7, Duration.ZERO)).isInstanceOf(BatchGone.class);
            assertThat(feed.await(8, Duration.ZERO)).isNull();
            assertThat(feed.awaitRound(7, Duration.ZERO)).isNotNull();
            assertThat(feed.awaitRound(8, Duration.ofMillis(1))).isNull();
        }
    }

    @Test
    void numbersFollowOneAnother() {
        try (var feed = new GroupFeed("g", 1 << 20)) {
            feed.publish(batch(4));
            try (var gap = batch(6)) {
                assertThatThrownBy(() -> feed.publish(gap)).hasMessageContaining("6");
            }
        }
    }

    private static Round round(long number) {
        return new Round(number, Instant.EPOCH, Map.of(), 0, Map.of());
    }

    private GroupBatch batch(long number) {
        return new GroupBatch(
                number,
                Instant.EPOCH,
                Map.of(),
                0,
                Map.of(NAME, new Changes(row(number), Rows.empty(SCHEMA, allocator))));
    }

    private Rows row(long value) {
        var rows = Rows.empty(SCHEMA, allocator);
        var vector = (BigIntVector) rows.vector(0);
        vector.allocateNew(1);
        vector.set(0, value);
        rows.root().setRowCount(1);
        return rows;
    }
}
