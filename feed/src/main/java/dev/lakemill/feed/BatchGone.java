package dev.lakemill.feed;

/** A batch is no longer in memory; its content stands in Delta. */
public final class BatchGone extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public BatchGone(String group, long number) {
        super("batch %d of %s is no longer in memory".formatted(number, group));
    }
}
