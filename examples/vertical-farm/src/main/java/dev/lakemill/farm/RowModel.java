package dev.lakemill.farm;

/** A part of the world that a stream of rows tells about. One thread uses it. */
interface RowModel {
    long MICROS_PER_SECOND = 1_000_000;
    long MICROS_PER_HOUR = 3_600 * MICROS_PER_SECOND;
    long MICROS_PER_DAY = 24 * MICROS_PER_HOUR;

    /**
     * The next row, true to the world at a time that never goes back; without event_id and sent_at.
     *
     * @param atMicros since 1970 UTC
     */
    FarmRow next(long atMicros);
}
