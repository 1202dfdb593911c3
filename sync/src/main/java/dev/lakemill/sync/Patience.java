package dev.lakemill.sync;

import java.util.concurrent.TimeUnit;

/**
 * How long a sync leaves alone what did not work out.
 *
 * @param againNanos until a table that was refused, or may differ, is looked at again
 * @param aheadNanosMax how long Postgres may show more than the pipeline has
 */
record Patience(long againNanos, long aheadNanosMax) {
    static final Patience DEFAULT =
            new Patience(TimeUnit.SECONDS.toNanos(10), TimeUnit.SECONDS.toNanos(30));
}
