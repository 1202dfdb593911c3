package dev.lakemill.bench;

/**
 * What every bench can be told.
 *
 * @param rounds how often the interleaved measurements repeat; medians are reported
 * @param seconds of one measurement
 * @param json print the report as one JSON object and nothing else on standard output
 */
record BenchOptions(int rounds, int seconds, boolean json) {}
