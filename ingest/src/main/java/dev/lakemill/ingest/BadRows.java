package dev.lakemill.ingest;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of one stream's rows that do not fit: rescued, kept as dead letters, or refused. Not
 * thread-safe.
 */
final class BadRows {
    private final @Nullable JsonRescue rescue;
    private final @Nullable DeadLetters deadLetters;

    private BadRows(@Nullable JsonRescue rescue, @Nullable DeadLetters deadLetters) {
        this.rescue = rescue;
        this.deadLetters = deadLetters;
    }

    /** All are refused. */
    static BadRows refused() {
        return new BadRows(null, null);
    }

    /**
     * @param deadLetters where they go; empty for nowhere
     */
    static BadRows of(
            Landing landing,
            RowPolicy policy,
            boolean json,
            Optional<Landing> deadLetters,
            Supplier<UUID> stream) {
        var column = policy.rescueColumn();
        return new BadRows(
                json && column.isPresent()
                        ? new JsonRescue(landing.table().schema(), column.get())
                        : null,
                deadLetters
                        .map(dead -> new DeadLetters(dead, landing.table().name(), json, stream))
                        .orElse(null));
    }

    /** Writes what of a JSON record fits, and the rest into the rescue column; false if in vain. */
    boolean rescued(byte[] record, int from, int to, RowWriter out) {
        var found = rescue;
        return found != null && found.write(record, from, to, out);
    }

    /** A row that could not be read. */
    record Bad(int row, byte[] record, RefusedRow why) {}

    /**
     * The rows as dead letters; null when there are none.
     *
     * @throws Refusal naming the rows by their place when nothing takes them
     */
    DeadLetters.@Nullable Letter kept(List<Bad> bad, long offset) {
        if (bad.isEmpty()) {
            return null;
        }
        var letters = deadLetters;
        if (letters == null) {
            throw Refusal.badRows(bad, offset);
        }
        return letters.letter(bad, offset);
    }
}
