package dev.lakemill.pipeline;

import dev.lakemill.types.TableName;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps small what the engine holds of tables that only grow: rows that no query will read again
 * are deleted, and DuckDB writes what changed anew, compressed, which it does not do by itself in
 * memory.
 */
final class StateUpkeep {
    private static final Logger LOG = LoggerFactory.getLogger(StateUpkeep.class);

    /** So many more in all tables are compressed, which takes some 50 ms. */
    private static final long COMPRESSED_ROWS = 250_000;

    /** A table is looked through when it has grown by this part of its rows, and so many. */
    private static final int GROWN_PART = 8;

    private static final long GROWN_ROWS_MIN = 50_000;

    private final Program program;
    private final DuckSession duck;
    private final Map<TableName, Kept> tables = new HashMap<>();
    private long addedRows;
    private long compressedRows = COMPRESSED_ROWS;
    private long grownRowsMin = GROWN_ROWS_MIN;

    /** The rows of a table that is read in part. */
    private static final class Kept {
        final List<Program.Reading> readings;
        long rows;
        long addedRows;

        Kept(List<Program.Reading> readings) {
            this.readings = readings;
        }

        boolean hasGrown(long atLeast) {
            return addedRows >= Math.max(atLeast, rows / GROWN_PART);
        }

        String readable(Instant since) {
            return Retention.readable(
                    readings.stream().flatMap(reading -> reading.conditions().stream()).toList(),
                    Engine.literal(since));
        }
    }

    StateUpkeep(Program program, DuckSession duck) {
        this.program = program;
        this.duck = duck;
        for (var table : program.appended()) {
            var readings = program.limitedReadings(table.name());
            if (!readings.isEmpty()) {
                tables.put(table.name(), new Kept(readings));
            }
        }
    }

    /** Does it sooner than usual. */
    void every(long rows) {
        compressedRows = rows;
        grownRowsMin = rows;
    }

    /**
     * SQL of whether a row of the table may still be read; empty of a table all of whose rows are.
     *
     * @param since the time of the batch behind which queries read
     */
    String readable(TableName table, Instant since) {
        var kept = tables.get(table);
        return kept == null ? "" : kept.readable(since);
    }

    /** Notes rows that were added to what is held of a table. */
    void added(TableName table, long rows) {
        addedRows += rows;
        var kept = tables.get(table);
        if (kept != null) {
            kept.rows += rows;
            kept.addedRows += rows;
        }
    }

    /** Whether there is much to be compressed. */
    boolean isDue() {
        return addedRows >= compressedRows;
    }

    /**
     * Does what is due, between two batches.
     *
     * @param refreshed the time of the last batch that refreshed a view
     */
    void run(Function<TableName, Instant> refreshed, Instant now) {
        tables.forEach(
                (table, kept) -> {
                    if (kept.hasGrown(grownRowsMin)) {
                        forget(table, kept, since(kept, refreshed, now));
                    }
                });
        if (isDue()) {
            compress();
        }
    }

    /** A view follows the rows that the clock takes from it, from its last refresh on. */
    private Instant since(Kept kept, Function<TableName, Instant> refreshed, Instant now) {
        return kept.readings.stream()
                .map(Program.Reading::reader)
                .filter(reader -> program.views().stream().anyMatch(v -> v.name().equals(reader)))
                .map(refreshed)
                .reduce(now, (a, b) -> a.isBefore(b) ? a : b);
    }

    private void forget(TableName table, Kept kept, Instant since) {
        kept.addedRows = 0;
        try {
            var whole = Engine.whole(table);
            addedRows +=
                    duck.execute(
                            "DELETE FROM %s WHERE NOT %s".formatted(whole, kept.readable(since)));
            kept.rows = duck.count("SELECT count(*) FROM " + whole);
        } catch (DuckException e) {
            LOG.warn("{}: rows that are not read again stay in memory: {}", table, e.problem());
        }
    }

    /** Writes what changed anew, without the rows that are gone. */
    void compress() {
        addedRows = 0;
        try {
            duck.execute("CHECKPOINT");
        } catch (DuckException e) {
            // Another connection reads what has changed since: next time.
            LOG.debug("the engine's tables are not compressed now: {}", e.problem());
        }
    }
}
