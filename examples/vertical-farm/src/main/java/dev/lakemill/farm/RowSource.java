package dev.lakemill.farm;

import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one table in the order of sending, numbered, with a few per mille spoilt in each way
 * (reference data are always good). The same seed gives the same rows for the same times. One
 * thread uses it.
 */
final class RowSource {
    /** Of all rows, the share that has a given fault of the table. */
    static final double FAULT_SHARE = 0.003;

    /** Of all rows, the share that is sent once more. */
    static final double DUPLICATE_SHARE = 0.005;

    /** Then there are no more: the truth lists every one. */
    static final int DUPLICATES_MAX = 1_000_000;

    private final FarmTable table;
    private final String idPrefix;
    private final RowModel model;
    private final RandomGenerator random;
    private final List<Fault> faults;
    private @Nullable Event repeated;
    private int duplicates;
    private long nextNumber;
    private long lastMicros = Long.MIN_VALUE;

    RowSource(FarmTable table, String run, RowModel model, RandomGenerator random) {
        this.table = table;
        this.idPrefix = table.idPrefix(run);
        this.model = model;
        this.random = random;
        this.faults = Fault.of(table);
    }

    FarmTable table() {
        return table;
    }

    /**
     * The next row. Its time is {@code atMicros}, or a microsecond after the row before if that is
     * later, so no two rows of the model have the same time.
     *
     * @param delayMicros from then until it is sent
     */
    Event next(long atMicros, long delayMicros) {
        var again = repeated;
        if (again != null) {
            repeated = null;
            return again;
        }
        lastMicros = Math.max(atMicros, lastMicros + 1);
        return event(model.next(lastMicros), lastMicros + delayMicros);
    }

    private Event event(FarmRow modelled, long sentMicros) {
        var row = identified(modelled, sentMicros);
        var dice = random.nextDouble();
        var fault = (int) (dice / FAULT_SHARE);
        if (fault < faults.size()) {
            var kind = faults.get(fault);
            return new Event(kind.spoil(row, random), nextNumber++, Optional.of(kind));
        }
        if (dice > 1 - DUPLICATE_SHARE && !faults.isEmpty() && duplicates < DUPLICATES_MAX) {
            duplicates++;
            repeated = new Event(row, nextNumber, Optional.of(Fault.DUPLICATE));
        }
        return new Event(row, nextNumber++, Optional.empty());
    }

    private FarmRow identified(FarmRow row, long sentMicros) {
        return row.with("event_id", idPrefix + nextNumber).with("sent_at", sentMicros);
    }
}
