package dev.lakemill.bench;

/** Being written. */
final class IngestBench {
    private IngestBench() {}

    static Report run(BenchOptions options) {
        throw new IllegalStateException("not there yet" + options);
    }
}
