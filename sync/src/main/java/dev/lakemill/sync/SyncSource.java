package dev.lakemill.sync;

import dev.lakemill.feed.TableFeed;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.Optional;

/** A table or view of the lake that is copied, whoever writes it. Used by one thread. */
public interface SyncSource {
    TableName name();

    /** The columns that it has now. */
    TableSchema schema();

    /** The newest version; what that takes may be a whole evaluation of a query. */
    SourceSnapshot snapshot();

    /** Whether there is a newer version; cheap. */
    boolean hasNewer(long version);

    /** Whether its versions are those of a Delta table, and so tell people something. */
    default boolean isDelta() {
        return true;
    }

    /** Whether a newer version is better read a little later, unless somebody asks for it. */
    default boolean isResting() {
        return false;
    }

    /** Ends what {@link #snapshot} does now, and will not do it again; called by any thread. */
    default void cancel() {}

    /** Its rows before Delta has them, for a table that producers write through this node. */
    Optional<TableFeed> feed();
}
