package dev.lakemill.server;

import dev.lakemill.catalog.AuditReader;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.time.Duration;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends the sealed audit records to the Delta table {@code system.access.audit}, each once: the
 * commit's transaction is the last sequence in it, and the next one begins behind that.
 *
 * <p>A thread of its own looks every few seconds and keeps the table's files few.
 */
final class AuditLanding implements AutoCloseable {
    static final TableName TABLE = new TableName("system", "access", "audit");

    private static final Logger log = LoggerFactory.getLogger(AuditLanding.class);
    private static final String APPLICATION = "lakemill-audit";
    private static final Duration PAUSE = Duration.ofSeconds(3);
    private static final Duration END_WAIT_MAX = Duration.ofSeconds(10);
    private static final int COMMIT_RECORDS_MAX = 5_000;
    private static final int COMMITS_TO_COMPACT = 50;

    private final DeltaTable table;
    private final AuditReader reader;
    private final BufferAllocator allocator;
    private final PeriodicWork work;
    private int commits;

    private AuditLanding(DeltaTable table, AuditReader reader, BufferAllocator allocator) {
        this.table = table;
        this.reader = reader;
        this.allocator = allocator;
        this.work = PeriodicWork.start("audit-landing", PAUSE, END_WAIT_MAX, this::land);
    }

    /** The table's schema is that of {@link AuditRows}; it stays the caller's to close. */
    static AuditLanding start(DeltaTable table, AuditReader reader, BufferAllocator allocator) {
        return new AuditLanding(table, reader, allocator);
    }

    /** Lands what is sealed by now. */
    @Override
    public void close() {
        work.close();
    }

    private void land() {
        try {
            var count = COMMIT_RECORDS_MAX;
            while (count == COMMIT_RECORDS_MAX) {
                count = append();
            }
            if (commits >= COMMITS_TO_COMPACT) {
                commits = 0;
                table.compact();
                table.vacuum(Tables.OUTPUT.fileRetention());
            }
        } catch (LakemillException e) {
            log.warn("audit records do not land in {} now: {}", TABLE, e.getMessage());
        }
    }

    private int append() {
        var landed = table.transaction(APPLICATION).orElse(0);
        var records = reader.sealedAfter(landed, COMMIT_RECORDS_MAX);
        if (records.isEmpty()) {
            return 0;
        }
        try (var rows = AuditRows.of(records, allocator)) {
            table.append(
                    List.of(rows), new long[0], new Txn(APPLICATION, records.getLast().sequence()));
        }
        commits++;
        return records.size();
    }
}
