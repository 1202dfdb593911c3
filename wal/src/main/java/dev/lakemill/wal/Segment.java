package dev.lakemill.wal;

import java.nio.file.Path;
import java.util.Locale;

/** A segment file that stands in the log, and the kinds of files beside it. */
record Segment(Path path, SegmentHeader header) {
    /** Files of the log. */
    static final String SEGMENT = ".segment";

    /** Preallocated files that wait for use; what they hold means nothing. */
    static final String SPARE = ".spare";

    /** Files that are being preallocated; worthless after a restart. */
    static final String PREPARING = ".preparing";

    /** An operator's word that what is damaged in the segment of this number may be lost. */
    static final String LOST = ".lost";

    static Path path(Path folder, long number, String kind) {
        return folder.resolve(String.format(Locale.ROOT, "%020d%s", number, kind));
    }

    long baseLsn() {
        return header.baseLsn();
    }

    int bytes() {
        return header.segmentBytes();
    }
}
