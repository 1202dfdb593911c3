package dev.lakemill.delta;

/**
 * What makes a commit exactly-once: Delta refuses a version of the same application that is not
 * above the last one.
 */
public record Txn(String application, long version) {}
