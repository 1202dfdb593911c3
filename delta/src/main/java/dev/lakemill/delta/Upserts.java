package dev.lakemill.delta;

import dev.lakemill.delta.DeltaTable.Commit;
import dev.lakemill.delta.TableLog.Change;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Replaces rows by key, by copying: a file with a row that goes is written anew without it.
 *
 * <p>Files of at least half the target stay by themselves, and what is changed in them moves to a
 * small file together with all that is new. So keys that change often soon lie in small files
 * alone, and each further change rewrites only those. Small files are joined when there are more
 * than {@value #SMALL_FILES_MAX}.
 *
 * <p>Which files hold a key is told by an index in memory: the sorted hashes of each file's keys, 8
 * bytes a row, read from the file's key columns once. Beyond {@value #INDEXED_ROWS_MAX} rows, files
 * without an index are read at each call. One thread at a time uses it.
 */
final class Upserts {
    private static final int SMALL_FILES_MAX = 8;
    private static final int ATTEMPTS_MAX = 20;
    private static final long INDEXED_ROWS_MAX = 8_000_000;

    private final TableContext table;
    private final TableLog log;
    private final TableWriter writer;

    /** Sorted hashes by the file's path and the key's columns. */
    private final Map<String, long[]> index = new HashMap<>();

    private List<String> indexed = List.of();

    Upserts(TableContext table, TableLog log, TableWriter writer) {
        this.table = table;
        this.log = log;
        this.writer = writer;
    }

    Commit run(Rows rows, Rows keys, Txn txn) {
        var wanted = new RowKeys(keys);
        for (int attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
            var base = log.newest();
            if (TableLog.isCommitted(base, txn)) {
                return new Commit.Repeated(base.version());
            }
            var removed = touched(base, wanted);
            var written = write(base.schema(), removed, rows, wanted);
            var commit =
                    writer.commit(
                            txn,
                            written,
                            now ->
                                    now.schema().equals(base.schema())
                                                    && new HashSet<>(now.files())
                                                            .containsAll(removed)
                                            ? Optional.of(new Change(written, removed, true))
                                            : Optional.empty());
            if (commit instanceof Commit.Done || TableLog.isCommitted(log.newest(), txn)) {
                return commit;
            }
        }
        throw new LakemillException(
                ErrorCode.UNAVAILABLE,
                "Delta table %s was rewritten by another writer in each of %d attempts"
                        .formatted(table.location(), ATTEMPTS_MAX),
                "repeat when the other writer is done");
    }

    /** The rows of some keys, whole. */
    List<Rows> find(Rows keys) {
        var found = new ArrayList<Rows>();
        var base = log.newest();
        var wanted = new RowKeys(keys);
        for (var file : base.files()) {
            if (mayHold(file, wanted)) {
                try (var rows = new Selected(base.schema(), List.of(file), wanted, true)) {
                    rows.forEachRemaining(found::add);
                }
            }
        }
        return found;
    }

    /** The files to write anew: those with a key, and all small ones once they are many. */
    private List<DataFile> touched(DeltaSnapshot base, RowKeys wanted) {
        var files = base.files();
        if (!base.partitionedBy().isEmpty()) {
            throw new LakemillException(
                    ErrorCode.UNIMPLEMENTED,
                    "Delta table %s is partitioned".formatted(table.location()),
                    "upserts are for tables without partitions");
        }
        var small = files.stream().filter(this::isSmall).count();
        var touched =
                files.stream()
                        .filter(
                                file ->
                                        (small > SMALL_FILES_MAX && isSmall(file))
                                                || mayHold(file, wanted))
                        .toList();
        forget(files);
        return touched;
    }

    private boolean isSmall(DataFile file) {
        return file.sizeBytes() < table.config().fileBytesTarget() / 2;
    }

    private boolean mayHold(DataFile file, RowKeys wanted) {
        var columns = wanted.columns().columns().stream().map(c -> c.name()).toList();
        if (!columns.equals(indexed)) {
            index.clear();
            indexed = columns;
        }
        var hashes = index.get(file.path());
        if (hashes == null) {
            hashes = hashes(file, wanted.columns());
            var rows = index.values().stream().mapToLong(known -> known.length).sum();
            if (rows + hashes.length <= INDEXED_ROWS_MAX) {
                index.put(file.path(), hashes);
            }
        }
        return wanted.mayBeAmong(hashes);
    }

    private void forget(List<DataFile> live) {
        var paths = new HashSet<String>();
        live.forEach(file -> paths.add(file.path()));
        index.keySet().retainAll(paths);
    }

    private long[] hashes(DataFile file, TableSchema key) {
        var hashes = new long[16];
        int count = 0;
        try (var scan = new FileScan(table, List.of(file), key, group -> true)) {
            for (var root = scan.next(); root != null; root = scan.next()) {
                try (var rows = new Rows(key, root)) {
                    hashes = Arrays.copyOf(hashes, Math.max(hashes.length, count + rows.count()));
                    for (int row = 0; row < rows.count(); row++) {
                        hashes[count++] = RowKeys.hash(RowKeys.key(rows, row));
                    }
                }
            }
        }
        hashes = Arrays.copyOf(hashes, count);
        Arrays.sort(hashes);
        return hashes;
    }

    private List<DataFileWriter.Written> write(
            TableSchema schema, List<DataFile> removed, Rows rows, RowKeys wanted) {
        var written = new ArrayList<DataFileWriter.Written>();
        var complete = false;
        try {
            for (var file : removed) {
                if (!isSmall(file)) {
                    try (var left = new Selected(schema, List.of(file), wanted, false)) {
                        written.addAll(writer.writeAll(schema, List.of(), left));
                    }
                }
            }
            var small = removed.stream().filter(this::isSmall).toList();
            try (var left = new Selected(schema, small, wanted, false)) {
                written.addAll(writer.writeAll(schema, List.of(), new Chained(left, rows)));
            }
            complete = true;
            return written;
        } finally {
            if (!complete) {
                writer.giveUp(written);
            }
        }
    }

    /** The rows of files whose key is among some, or is not. */
    private final class Selected implements Iterator<Rows>, AutoCloseable {
        private final TableSchema schema;
        private final RowKeys keys;
        private final boolean among;
        private final FileScan scan;
        private final List<Integer> places;
        private @Nullable Rows next;

        Selected(TableSchema schema, List<DataFile> files, RowKeys keys, boolean among) {
            this.schema = schema;
            this.keys = keys;
            this.among = among;
            this.scan = new FileScan(table, files, schema, group -> true);
            this.places =
                    keys.columns().columns().stream()
                            .map(c -> schema.indexOf(c.name()).orElseThrow())
                            .toList();
        }

        @Override
        public boolean hasNext() {
            while (next == null) {
                var root = scan.next();
                if (root == null) {
                    scan.close();
                    return false;
                }
                try (var rows = new Rows(schema, root)) {
                    next = kept(rows);
                }
            }
            return true;
        }

        private @Nullable Rows kept(Rows rows) {
            int[] kept;
            try (var key = rows.select(places)) {
                kept =
                        IntStream.range(0, rows.count())
                                .filter(row -> keys.contains(RowKeys.key(key, row)) == among)
                                .toArray();
            }
            if (kept.length == 0) {
                return null;
            }
            return kept.length == rows.count() ? rows.retain() : rows.pick(kept);
        }

        @Override
        public void close() {
            scan.close();
            if (next != null) {
                next.close();
                next = null;
            }
        }

        @Override
        public Rows next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            var given = next;
            next = null;
            if (given == null) {
                throw new NoSuchElementException();
            }
            return given;
        }
    }

    /** What an iterator gives, and behind it one batch, which stays its owner's. */
    private static final class Chained implements Iterator<Rows> {
        private final Iterator<Rows> first;
        private final Rows last;
        private boolean ended;

        Chained(Iterator<Rows> first, Rows last) {
            this.first = first;
            this.last = last;
            this.ended = last.count() == 0;
        }

        @Override
        public boolean hasNext() {
            return first.hasNext() || !ended;
        }

        @Override
        public Rows next() {
            if (first.hasNext()) {
                return first.next();
            }
            ended = true;
            return last.retain();
        }
    }
}
