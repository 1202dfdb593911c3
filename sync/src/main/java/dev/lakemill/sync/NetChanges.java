package dev.lakemill.sync;

import dev.lakemill.feed.Changes;
import dev.lakemill.types.Rows;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one or more batches did to one synced table in the end: per key, one row or none.
 *
 * <p>Batches are added in order; in each, deletions come before insertions, and of several rows
 * with one key the last stands. Rows that Postgres cannot hold are counted by reason (and counted
 * down when the source deletes them). A deletion is of one row, not of its key: a row that came and
 * went changes nothing, and one that came beside another of its key outlives that. Where which row
 * is to show then cannot be known here, it is in doubt. One thread uses it.
 */
final class NetChanges {
    /** The bytes of a primary key, by value. */
    private record Key(byte[] bytes, int hash) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Key key && Arrays.equals(bytes, key.bytes);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    private sealed interface Change {
        /**
         * @param fields of the whole row
         * @param replaces whether the batches deleted the key's former row
         * @param hides whether the batches brought others of the key
         */
        record Upsert(byte[] fields, boolean replaces, boolean hides) implements Change {}

        record Delete() implements Change {}
    }

    private static final Change.Delete DELETE = new Change.Delete();

    /** Of objects and headers around a key's bytes and a row's. */
    private static final int ENTRY_BYTES = 150;

    private final RowEncoder encoder;
    private final boolean countSkippedDown;
    private final Map<Key, Change> changes = new LinkedHashMap<>();
    private final Map<SkipReason, Long> skipped = new EnumMap<>(SkipReason.class);
    private final ByteArray scratch = new ByteArray();
    private boolean deletesRows;
    private boolean doubtful;
    private int deletes;
    private int plainInserts;
    private long upsertBytes;
    private long keyBytes;

    /**
     * @param countSkippedDown whether rows may have been set aside before
     */
    NetChanges(RowEncoder encoder, boolean countSkippedDown) {
        this.encoder = encoder;
        this.countSkippedDown = countSkippedDown;
    }

    void add(Changes batch) {
        delete(batch.deleted());
        insert(batch.inserted());
    }

    void delete(Rows rows) {
        deletesRows |= rows.count() > 0;
        encoder.read(rows);
        for (var row = 0; row < rows.count(); row++) {
            delete(row);
        }
    }

    void insert(Rows rows) {
        encoder.read(rows);
        for (var row = 0; row < rows.count(); row++) {
            insert(row);
        }
    }

    private void delete(int row) {
        scratch.truncate(0);
        var reason = encoder.putKey(row, scratch);
        var key = key();
        var before = changes.get(key);
        var came = before instanceof Change.Upsert upsert ? upsert : null;
        scratch.truncate(0);
        if (reason == null && (came != null || countSkippedDown || !skipped.isEmpty())) {
            reason = encoder.putRow(row, scratch);
        }
        if (reason != null) {
            skipped.merge(reason, -1L, Long::sum);
        } else if (came == null) {
            // A second former row of the key was a duplicate, which does not count any more.
            doubtful |= before != null;
            put(key, DELETE);
        } else {
            delete(key, came);
        }
    }

    /** Of a key that a row came for: that one goes, or another that stood beside it. */
    private void delete(Key key, Change.Upsert came) {
        var fields = came.fields();
        var isThatRow =
                Arrays.equals(scratch.array(), 0, scratch.length(), fields, 0, fields.length);
        doubtful |= !isThatRow || came.hides();
        if (!isThatRow) {
            put(key, new Change.Upsert(fields, true, came.hides()));
        } else if (came.replaces()) {
            put(key, DELETE);
        } else {
            count(changes.remove(key), -1);
            keyBytes -= key.bytes().length;
        }
    }

    private void insert(int row) {
        scratch.truncate(0);
        var reason = encoder.putKey(row, scratch);
        var key = key();
        scratch.truncate(0);
        reason = reason == null ? encoder.putRow(row, scratch) : reason;
        if (reason != null) {
            skipped.merge(reason, 1L, Long::sum);
            return;
        }
        var before = changes.get(key);
        put(
                key,
                switch (before) {
                    case null -> new Change.Upsert(scratch.copyFrom(0), false, false);
                    case Change.Delete _ -> new Change.Upsert(scratch.copyFrom(0), true, false);
                    case Change.Upsert upsert -> {
                        countDuplicates(1);
                        var isOlder = encoder.isOlder(scratch.array(), upsert.fields());
                        var fields = isOlder ? upsert.fields() : scratch.copyFrom(0);
                        yield new Change.Upsert(fields, upsert.replaces(), true);
                    }
                });
    }

    void countDuplicates(long count) {
        if (count > 0) {
            skipped.merge(SkipReason.DUPLICATE_KEY, count, Long::sum);
        }
    }

    private void put(Key key, Change change) {
        var before = changes.put(key, change);
        keyBytes += before == null ? key.bytes().length : 0;
        count(before, -1);
        count(change, 1);
    }

    private void count(@Nullable Change change, int by) {
        switch (change) {
            case null -> {}
            case Change.Delete _ -> deletes += by;
            case Change.Upsert upsert -> {
                plainInserts += upsert.replaces() ? 0 : by;
                upsertBytes += (long) by * upsert.fields().length;
            }
        }
    }

    private Key key() {
        var bytes = scratch.copyFrom(0);
        return new Key(bytes, Arrays.hashCode(bytes));
    }

    /** Whether rows went, also where others of the same keys came. */
    boolean deletesRows() {
        return deletesRows;
    }

    /** Whether a row may have to show that is not known here. */
    boolean isDoubtful() {
        return doubtful;
    }

    int size() {
        return changes.size();
    }

    int deletes() {
        return deletes;
    }

    int upserts() {
        return changes.size() - deletes;
    }

    long upsertBytes() {
        return upsertBytes;
    }

    /** What is kept in memory. */
    long bytes() {
        return upsertBytes + keyBytes + (long) changes.size() * ENTRY_BYTES;
    }

    /** Upserts whose key's former row, had there been one, would have been deleted first. */
    int plainInserts() {
        return plainInserts;
    }

    /** Rows set aside, by reason; negative where the source deleted more of them than it added. */
    Map<SkipReason, Long> skipped() {
        return skipped;
    }

    /** Keys whose rows are to go. */
    void writeDeletes(Tuples tuples) throws SQLException {
        for (var entry : changes.entrySet()) {
            if (entry.getValue() instanceof Change.Delete) {
                tuples.put(entry.getKey().bytes());
            }
        }
    }

    /** Rows that are to stand. */
    void writeUpserts(Tuples tuples) throws SQLException {
        for (var change : changes.values()) {
            if (change instanceof Change.Upsert upsert) {
                tuples.put(upsert.fields());
            }
        }
    }
}
