package dev.lakemill.plan;

/**
 * A file of a pipeline.
 *
 * @param path as the user named it; it stands in every message
 */
public record SourceText(String path, String text) {}
