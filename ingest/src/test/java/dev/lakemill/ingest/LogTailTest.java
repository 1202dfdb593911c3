package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Disk;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Whoever reads the log's tail and then Delta reads each acknowledged row once. */
@Timeout(300)
@ExtendWith(QuietLogs.class)
final class LogTailTest {
    private static final String TABLE = RawClient.TABLE;
    private static final TableSchema SCHEMA = TableSchema.of(Column.required("id", Primitive.LONG));
    private static final int ROWS = 6_000;

    @TempDir private Path folder;
    private final FailingBronze bronze = new FailingBronze(false);
    private Node node = new Node(Path.of("."));

    @AfterEach
    void close() {
        node.close();
    }

    private void open() {
        node = new Node(folder).table(TABLE, SCHEMA).with(Disk.real(), bronze);
        var quick =
                node.config()
                        .landing()
                        .with(Duration.ofMillis(3), 16L << 20, 64L << 20)
                        .withWaits(
                                Duration.ofMillis(1), Duration.ofMillis(20), Duration.ofSeconds(5));
        node.with(node.config().withLanding(quick)).open().listen();
    }

    /** Tail first, then the snapshot. */
    private List<Long> read() {
        var ids = new ArrayList<Long>();
        try (var tail = node.ingest().tail(TableName.parse(TABLE))) {
            var snapshot = node.table(TABLE).delta().snapshot();
            try (var reader = snapshot.read(List.of())) {
                for (var rows = reader.next(); rows != null; rows = reader.next()) {
                    addIds(rows, ids);
                    rows.close();
                }
            }
            long position = snapshot.transaction(tail.application()).orElse(0);
            tail.after(position).forEach(batch -> addIds(batch.rows(), ids));
        }
        return ids;
    }

    private static void addIds(Rows rows, List<Long> ids) {
        VectorValues.rows(rows).forEach(row -> ids.add(((Number) row[0]).longValue()));
    }

    private static List<Long> upTo(long count) {
        return LongStream.range(0, count).boxed().toList();
    }

    @Test
    void rowsThatDeltaDoesNotTakeAreReadAsSoonAsTheyAreAcknowledged() {
        open();
        bronze.full.set(true);
        try (var client = node.raw()) {
            var call = client.openJson();
            for (int i = 0; i < 50; i++) {
                call.json(i, "{\"id\":%d}".formatted(i));
                call.awaitAck(i);
                assertThat(read()).isEqualTo(upTo(i + 1));
            }
        }
        assertThat(node.firsts(TABLE)).isEmpty();
        bronze.full.set(false);
        Node.await("all rows in Delta", () -> node.status(TABLE).rowsCommitted() == 50);
        assertThat(read()).isEqualTo(upTo(50));
    }

    /** Commits run beside the reads, and some of their answers are lost. */
    @Test
    void noRowIsReadTwiceAndNoneIsMissingWhileDeltaTakesThem() {
        open();
        bronze.losesAnswers.set(5);
        try (var client = node.client()) {
            var stream =
                    client.open(
                            TableName.parse(TABLE),
                            RecordFormat.JSON,
                            StreamOptions.DEFAULT,
                            ProducerObserver.NONE);
            int reads = 0;
            for (int i = 0; i < ROWS; i++) {
                stream.ingestJson("{\"id\":%d}".formatted(i));
                if (i % 50 == 0) {
                    long acknowledged = i + 1 - stream.inFlightRows();
                    var ids = read();
                    assertThat(ids).isEqualTo(upTo(ids.size()));
                    assertThat((long) ids.size()).isGreaterThanOrEqualTo(acknowledged);
                    reads++;
                }
            }
            stream.flush(Node.WAIT);
            assertThat(read()).isEqualTo(upTo(ROWS));
            assertThat(reads).isGreaterThan(100);
            stream.close();
        }
    }

    @Test
    void whatTheLogHeldAtTheStartIsReadToo() {
        open();
        bronze.full.set(true);
        try (var client = node.raw()) {
            var call = client.openJson();
            call.json(0, "{\"id\":0}").json(1, "{\"id\":1}");
            call.awaitAck(1);
        }
        node.close();
        node.open();
        assertThat(read()).isEqualTo(upTo(2));
        bronze.full.set(false);
    }
}
