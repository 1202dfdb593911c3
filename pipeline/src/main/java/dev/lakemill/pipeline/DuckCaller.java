package dev.lakemill.pipeline;

/**
 * Who asks, as a query's SQL says it.
 *
 * @param user SQL of the caller's name
 * @param groups SQL of the list of the names of the caller's groups
 */
record DuckCaller(String user, String groups) {}
