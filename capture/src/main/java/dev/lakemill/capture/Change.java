package dev.lakemill.capture;

import org.jspecify.annotations.Nullable;

/**
 * A row's change as it goes into the history.
 *
 * @param kind in Lakebase's words
 * @param numbers of the columns that the values are of
 * @param values as text; null for NULL, {@link PgOutput#UNCHANGED} for what is to be filled in
 * @param oldNumbers of the columns of {@code old}
 * @param old for an update or delete, the old row or its key; null where the key stayed
 */
record Change(
        Kind kind,
        int[] numbers,
        byte[][] values,
        int[] oldNumbers,
        byte @Nullable [][] old,
        Origin origin,
        int place) {
    /** What happened to the row. */
    enum Kind {
        INSERT("insert"),
        /** The row before an update, or its key: only where Postgres tells it. */
        UPDATE_PREIMAGE("update_preimage"),
        UPDATE("update_postimage"),
        DELETE("delete"),
        /** All rows went; the row has no values. */
        TRUNCATE("truncate");

        private final String text;

        Kind(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }

        /** The kind that a row of a history tells. */
        static Kind of(String text) {
            for (var kind : values()) {
                if (kind.text.equals(text)) {
                    return kind;
                }
            }
            throw new IllegalStateException("no kind of change is called " + text);
        }
    }

    /**
     * A transaction.
     *
     * @param lsn the first place of the log behind it
     * @param xid 0 for rows of a snapshot
     */
    record Origin(long lsn, long xid, long commitMicros) {}

    private static final long CHANGE_BYTES = 160;
    private static final long VALUE_BYTES = 24;

    static Change of(Kind kind, int[] numbers, byte[][] values, Origin origin, int place) {
        return new Change(kind, numbers, values, numbers, null, origin, place);
    }

    /** About what it holds in memory. */
    long sizeBytes() {
        return CHANGE_BYTES + size(values) + (old == null ? 0 : size(old));
    }

    private static long size(byte[][] values) {
        long sum = 0;
        for (var value : values) {
            sum += VALUE_BYTES + (value == null ? 0 : value.length);
        }
        return sum;
    }

    boolean isIncomplete() {
        for (var value : values) {
            if (PgOutput.isUnchanged(value)) {
                return true;
            }
        }
        return false;
    }

    /** With values that did not change taken from the old row, where Postgres sent it whole. */
    Change filledFromOld() {
        if (old == null || !isIncomplete()) {
            return this;
        }
        var filled = values.clone();
        for (int i = 0; i < filled.length; i++) {
            if (PgOutput.isUnchanged(filled[i]) && i < old.length) {
                filled[i] = old[i];
            }
        }
        return new Change(kind, numbers, filled, oldNumbers, old, origin, place);
    }
}
