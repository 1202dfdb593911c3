package dev.lakemill.server;

import dev.lakemill.catalog.AuditChain;
import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.AuditLog;
import dev.lakemill.catalog.AuditReader;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.postgres.RowAudit;
import dev.lakemill.postgres.RowAuditReader;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends the sealed records of a chain to a Delta table, each once: the commit's transaction is
 * the last sequence in it, and the next one begins behind that. What has landed leaves Postgres
 * when it is older than the retention; Delta keeps it.
 *
 * <p>A thread of its own looks every few seconds and keeps the table's files few.
 */
final class AuditLanding implements AutoCloseable {
    private static final TableName AUDIT = new TableName("system", "access", "audit");
    private static final TableName ROW_AUDIT = new TableName("system", "access", "row_audit");

    private static final Logger log = LoggerFactory.getLogger(AuditLanding.class);
    private static final String APPLICATION = "lakemill-audit";
    private static final Duration PAUSE = Duration.ofSeconds(3);
    private static final Duration EXPIRED_EVERY = Duration.ofHours(1);
    private static final Duration END_WAIT_MAX = Duration.ofSeconds(10);
    private static final int COMMIT_RECORDS_MAX = 5_000;
    private static final int EXPIRED_RECORDS_MAX = 20_000;
    private static final int COMMITS_TO_COMPACT = 50;

    /** Sealed records behind a place of their chain; null when there are none. */
    private interface Source {
        @Nullable Sealed after(long sequence, int recordsMax);
    }

    /** The rows, which the taker closes, and the last one's place in the chain. */
    private record Sealed(Rows rows, long last) {}

    /** What the two landings share. */
    record Parts(
            Catalog catalog, DataSource database, BufferAllocator allocator, Duration retention) {}

    private final Parts parts;
    private final AuditChain chain;
    private final DeltaTable table;
    private final Source source;
    private final PeriodicWork work;
    private Instant expired = Instant.EPOCH;
    private int commits;

    private AuditLanding(Parts parts, AuditChain chain, DeltaTable table, Source source) {
        this.parts = parts;
        this.chain = chain;
        this.table = table;
        this.source = source;
        this.work = PeriodicWork.start(chain.name() + "-landing", PAUSE, END_WAIT_MAX, this::land);
    }

    /** Both, into tables of the catalog. */
    static List<AuditLanding> of(Parts parts, Tables tables) {
        tables.ensure(
                AUDIT,
                TableKind.STREAMING_TABLE,
                AuditRows.SCHEMA,
                "Who did what, when and through what",
                Map.of());
        tables.ensure(
                ROW_AUDIT,
                TableKind.STREAMING_TABLE,
                AuditRows.ROW_SCHEMA,
                "Old and new rows of state tables",
                Map.of());
        return List.of(
                ofEvents(parts, tables.delta(AUDIT)), ofRows(parts, tables.delta(ROW_AUDIT)));
    }

    /** Into a table of {@link AuditRows#SCHEMA}, which stays the caller's to close. */
    static AuditLanding ofEvents(Parts parts, DeltaTable table) {
        var reader = new AuditReader(parts.database());
        Source source =
                (sequence, recordsMax) -> {
                    var records = reader.sealedAfter(sequence, recordsMax);
                    return records.isEmpty()
                            ? null
                            : new Sealed(
                                    AuditRows.of(records, parts.allocator()),
                                    records.getLast().sequence());
                };
        return new AuditLanding(parts, AuditLog.CHAIN, table, source);
    }

    /** Into a table of {@link AuditRows#ROW_SCHEMA}, which stays the caller's to close. */
    static AuditLanding ofRows(Parts parts, DeltaTable table) {
        var reader = new RowAuditReader(parts.database());
        Source source =
                (sequence, recordsMax) -> {
                    var changes = reader.sealedAfter(sequence, recordsMax);
                    return changes.isEmpty()
                            ? null
                            : new Sealed(
                                    AuditRows.ofRows(changes, parts.allocator()),
                                    changes.getLast().sequence());
                };
        return new AuditLanding(parts, RowAudit.CHAIN, table, source);
    }

    /** Lands what is sealed by now. */
    @Override
    public void close() {
        work.close();
    }

    private void land() {
        try {
            while (append() == COMMIT_RECORDS_MAX) {
                log.debug("{}: {} records landed", chain.name(), COMMIT_RECORDS_MAX);
            }
            if (commits >= COMMITS_TO_COMPACT) {
                commits = 0;
                table.compact();
                table.vacuum(Tables.OUTPUT.fileRetention());
            }
            var now = Instant.now();
            if (parts.retention().isPositive() && now.isAfter(expired.plus(EXPIRED_EVERY))) {
                expire(now.minus(parts.retention()));
                expired = now;
            }
        } catch (LakemillException e) {
            log.warn("records of the chain {} do not land now: {}", chain.name(), e.getMessage());
        }
    }

    private int append() {
        var sealed = source.after(landed(), COMMIT_RECORDS_MAX);
        if (sealed == null) {
            return 0;
        }
        try (var rows = sealed.rows()) {
            table.append(List.of(rows), new long[0], new Txn(APPLICATION, sealed.last()));
            commits++;
            return rows.root().getRowCount();
        }
    }

    private long landed() {
        return table.transaction(APPLICATION).orElse(0);
    }

    private void expire(Instant before) {
        long total = 0;
        long count = EXPIRED_RECORDS_MAX;
        while (count == EXPIRED_RECORDS_MAX) {
            count = chain.expire(parts.database(), before, landed(), EXPIRED_RECORDS_MAX);
            total += count;
        }
        if (total > 0) {
            var parameters =
                    Map.of(
                            "chain", chain.name(),
                            "before", before.toString(),
                            "records", String.valueOf(total));
            parts.catalog()
                    .audit()
                    .record(
                            AuditEvent.done(
                                    parts.catalog().system(),
                                    "accounts",
                                    "expireAudit",
                                    parameters));
        }
    }
}
