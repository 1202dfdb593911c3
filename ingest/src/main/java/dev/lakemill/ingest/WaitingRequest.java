package dev.lakemill.ingest;

import dev.lakemill.wal.Frame;

/** A stream's request that there is no room for yet. */
record WaitingRequest(Frame frame, Payload payload, long sinceNanos) {
    /** What it holds in memory. */
    long bytes() {
        var letter = payload.letter();
        long ofLetter = letter == null ? 0 : letter.frame().payload().length;
        return frame.payload().length + ofLetter;
    }
}
