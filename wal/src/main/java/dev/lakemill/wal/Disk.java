package dev.lakemill.wal;

/** The disk, as the log sees it; tests give one that fails. SKELETON. */
public interface Disk {}
