package dev.lakemill.ingest;

/** Who gave frames to the log and hears which of them stand on disk. */
interface Sender {
    /**
     * The log has the frames up to an offset on disk. One thread at a time.
     *
     * @return whether the sender has to be told by {@link #acknowledge}, and was not before
     */
    boolean durable(long offset);

    /** After all senders of a group know what is durable: tells the producer. */
    void acknowledge();
}
