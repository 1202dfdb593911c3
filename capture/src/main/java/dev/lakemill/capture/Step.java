package dev.lakemill.capture;

/** Where a crash may come, for the tests. */
enum Step {
    /** The slot is gone, and there is no other one yet. */
    SLOT_DROPPED,
    /** A table's history has changes that its current state does not have. */
    HISTORY_COMMITTED,
    /** A table has changes that others of the same round may not have. */
    TABLE_COMMITTED,
    /** All tables have what the slot was not told of. */
    ROUND_COMMITTED,
    /** A current state has columns that nobody wrote down. */
    COLUMNS_CHANGED,
    /** A snapshot stands, and no table has been read. */
    SNAPSHOT_TAKEN,
    /** A table's history has rows of a snapshot that its current state does not have. */
    SNAPSHOT_IN_HISTORY,
    /** A table has the rows of a snapshot, and nobody wrote that down. */
    SNAPSHOT_COMMITTED
}
