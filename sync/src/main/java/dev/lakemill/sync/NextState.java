package dev.lakemill.sync;

import dev.lakemill.feed.TableBatch;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where the next transaction leads. */
final class NextState implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NextState.class);

    /** More changed rows are not kept in memory: the table is compared in full. */
    private static final long DIFFERENCE_ROWS_MAX = 200_000;

    final Map<TableName, Advance> advances = new HashMap<>();
    final Map<TableName, Long> positions = new HashMap<>();
    final Map<TableName, Long> versions = new HashMap<>();
    private final Set<TableBatch> taken = new HashSet<>();
    private final List<SourceSnapshot> opened = new ArrayList<>();
    private long receivedMicros;

    NextState(@Nullable SyncState before) {
        if (before != null) {
            positions.putAll(before.sources());
            versions.putAll(before.versions());
        }
    }

    long position(SyncSource source) {
        return positions.getOrDefault(source.name(), 0L);
    }

    void appended(TableName source, List<TableBatch> batches) {
        if (!batches.isEmpty()) {
            taken.addAll(batches);
            advances.put(source, new Advance.Appended(batches));
            positions.put(source, batches.getLast().lastPosition());
            batches.forEach(b -> received(b.receivedMicros()));
        }
    }

    /** The newest version, open as long as this. */
    SourceSnapshot open(SyncSource source) {
        var snapshot = source.snapshot();
        opened.add(snapshot);
        return snapshot;
    }

    void whole(SyncSource source, SourceSnapshot snapshot) {
        advances.put(source.name(), new Advance.Whole(snapshot));
        reached(source, snapshot);
    }

    /** By what lies between, where that is known and not too much. */
    void changed(SyncSource source, SourceSnapshot snapshot, long version) {
        try {
            var difference =
                    snapshot.since(version).filter(d -> d.rowCount() <= DIFFERENCE_ROWS_MAX);
            if (difference.isPresent()) {
                advances.put(source.name(), new Advance.Difference(difference.get(), snapshot));
                reached(source, snapshot);
                return;
            }
        } catch (LakemillException e) {
            LOG.info("comparing {} in full: {}", source.name(), e.getMessage());
        }
        whole(source, snapshot);
    }

    private void reached(SyncSource source, SourceSnapshot snapshot) {
        versions.put(source.name(), snapshot.version());
        positions.put(source.name(), snapshot.position());
        received(snapshot.committedAt().toEpochMilli() * 1_000);
    }

    private void received(long micros) {
        receivedMicros = Math.max(receivedMicros, micros);
    }

    SyncState state(long batch) {
        return new SyncState(batch, Instant.now(), positions, versions, receivedMicros);
    }

    @Override
    public void close() {
        taken.forEach(TableBatch::close);
        opened.forEach(SourceSnapshot::close);
    }
}
