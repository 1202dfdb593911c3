package dev.lakemill.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Disk;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A close that ends before Delta has all rows. */
@Timeout(60)
@ExtendWith(QuietLogs.class)
final class LeftInLogTest {
    private static final String QUICK = "farm.bronze.quick";
    private static final String SLOW = "farm.bronze.slow";
    private static final TableSchema SCHEMA =
            TableSchema.of(Column.required("event_id", Primitive.STRING));

    @TempDir private Path folder;

    @Test
    void tellsWhoseRowsTheNextStartLands() {
        var bronze = new FailingBronze(true);
        var slow = folder.resolve(TableName.parse(SLOW).table());
        var node = new Node(folder).table(SLOW, SCHEMA).table(QUICK, SCHEMA);
        var soon = Duration.ofSeconds(2);
        var landing =
                node.config()
                        .landing()
                        .withWaits(Duration.ofMillis(5), Duration.ofSeconds(1), soon);
        node.with(Disk.real(), t -> t.location().equals(slow) ? bronze.of(t) : Bronze.of(t))
                .with(node.config().withLanding(landing))
                .open();
        var ingest = node.ingest();
        var row = "{\"event_id\":\"a\"}".getBytes(StandardCharsets.UTF_8);
        for (var table : new String[] {QUICK, SLOW}) {
            ingest.insert(new InsertRequest(table, "Bearer token", "127.0.0.1", row));
        }
        node.close();
        assertThat(ingest.leftInLog()).containsExactly(TableName.parse(SLOW));

        bronze.full.set(false);
        node.open();
        Node.await("in Delta", () -> node.status(SLOW).rowsCommitted() == 1);
        ingest = node.ingest();
        node.close();
        assertThat(ingest.leftInLog()).isEmpty();
    }
}
