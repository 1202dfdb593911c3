package dev.lakemill.sync;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.Optional;

/** A Delta table that is copied, whoever writes it. Used by one thread. */
public interface SyncSource {
    TableName name();

    /** The columns that it has now. */
    TableSchema schema();

    /** The newest version. */
    DeltaSnapshot snapshot();

    /** An older one; NOT_FOUND when it is gone, or when the table was made anew since. */
    DeltaSnapshot snapshot(long version);

    /** Whether there is a newer version; cheap. */
    boolean hasNewer(long version);

    /** Its rows before Delta has them, for a table that producers write through this node. */
    Optional<TableFeed> feed();

    /** Up to which position of the log the version has rows; the version where no log is. */
    long position(DeltaSnapshot snapshot);
}
