package dev.lakemill.wal;

/** A frame that stands on disk, with the log sequence number that it got. */
public record Durable(Frame frame, long lsn) {}
