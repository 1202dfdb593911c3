package dev.lakemill.ingest;

/**
 * How fast rows may come. What is beyond a rate is not refused, but read later: HTTP/2 holds its
 * producer back.
 *
 * @param stream for each stream; over REST, for one producer's requests to a table
 * @param table for all that is sent to a table
 * @param principal for all that a principal sends
 */
public record RateLimits(Rate stream, Rate table, Rate principal) {
    /** As fast as there is room. */
    public static final RateLimits NONE = new RateLimits(Rate.NONE, Rate.NONE, Rate.NONE);

    /**
     * A second's worth may come at once.
     *
     * @param rowsPerSecond 0 for any number
     * @param bytesPerSecond in the log's form; 0 for any number
     */
    public record Rate(long rowsPerSecond, long bytesPerSecond) {
        public static final Rate NONE = new Rate(0, 0);

        public Rate {
            if (rowsPerSecond < 0 || bytesPerSecond < 0) {
                throw new IllegalArgumentException("a rate is 0 or more");
            }
        }

        boolean isNone() {
            return rowsPerSecond == 0 && bytesPerSecond == 0;
        }
    }
}
