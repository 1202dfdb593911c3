package dev.lakemill.server;

import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/** The process's metrics in Prometheus' text format; every value is read when asked for. */
final class Metrics {
    static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.builder().build();

    Metrics(Supplier<NodeStatus> status) {
        JvmMetrics.builder().register(registry);
        gauge("lakemill_ready", "1 when work can be taken", () -> status.get().ready() ? 1 : 0);
        tables(status);
        pipelines(status);
    }

    /** One more value that only goes up. */
    void counter(String name, String help, DoubleSupplier value) {
        CounterWithCallback.builder()
                .name(name)
                .help(help)
                .callback(callback -> callback.call(value.getAsDouble()))
                .register(registry);
    }

    /** One more value that goes up and down. */
    void gauge(String name, String help, DoubleSupplier value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .callback(callback -> callback.call(value.getAsDouble()))
                .register(registry);
    }

    /** Takes values of a metric, each with the values of its labels. */
    interface Sink {
        void value(double value, String... labels);
    }

    /** Many values under one name; they are told, all of them, each time that somebody asks. */
    void gauges(String name, String help, List<String> labels, Consumer<Sink> values) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames(labels.toArray(String[]::new))
                .callback(callback -> values.accept(callback::call))
                .register(registry);
    }

    /** The same of values that only go up. */
    void counters(String name, String help, List<String> labels, Consumer<Sink> values) {
        CounterWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames(labels.toArray(String[]::new))
                .callback(callback -> values.accept(callback::call))
                .register(registry);
    }

    String text() {
        var bytes = new ByteArrayOutputStream();
        try {
            writer.write(bytes, registry.scrape());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private void tables(Supplier<NodeStatus> status) {
        GaugeWithCallback.builder()
                .name("lakemill_table_rows")
                .help("rows that readers of the table see")
                .labelNames("table", "kind")
                .callback(
                        callback ->
                                status.get()
                                        .tables()
                                        .forEach(
                                                t ->
                                                        callback.call(
                                                                (double) t.rows(),
                                                                t.name(),
                                                                t.kind())))
                .register(registry);
        GaugeWithCallback.builder()
                .name("lakemill_table_freshness_seconds")
                .help("age of the newest row when the table last changed")
                .labelNames("table", "kind")
                .callback(
                        callback ->
                                status.get().tables().stream()
                                        .filter(t -> t.freshnessMs() != null)
                                        .forEach(
                                                t ->
                                                        callback.call(
                                                                seconds(t.freshnessMs()),
                                                                t.name(),
                                                                t.kind())))
                .register(registry);
    }

    /** How far synced tables are behind their sources. */
    void synced(SyncedTables tables) {
        GaugeWithCallback.builder()
                .name("lakemill_synced_table_stale_seconds")
                .help("how long the source has had what the table does not show")
                .labelNames("table")
                .callback(
                        callback ->
                                tables.status()
                                        .forEach(
                                                s ->
                                                        callback.call(
                                                                s.staleMillis() / 1e3,
                                                                s.name().toString())))
                .register(registry);
        GaugeWithCallback.builder()
                .name("lakemill_synced_table_freshness_missed")
                .help("1 while the table misses its freshness_slo_ms: to alert on")
                .labelNames("table")
                .callback(
                        callback ->
                                tables.freshness()
                                        .forEach(
                                                (table, met) ->
                                                        callback.call(
                                                                met ? 0 : 1, table.toString())))
                .register(registry);
    }

    private void pipelines(Supplier<NodeStatus> status) {
        GaugeWithCallback.builder()
                .name("lakemill_pipeline_running")
                .help("1 while the pipeline runs")
                .labelNames("pipeline")
                .callback(
                        callback ->
                                status.get()
                                        .pipelines()
                                        .forEach(
                                                p ->
                                                        callback.call(
                                                                p.state().equals("RUNNING") ? 1 : 0,
                                                                p.name())))
                .register(registry);
        GaugeWithCallback.builder()
                .name("lakemill_pipeline_batch_seconds")
                .help("how long the last micro-batch took")
                .labelNames("pipeline")
                .callback(
                        callback ->
                                status.get()
                                        .pipelines()
                                        .forEach(p -> callback.call(p.batchMs() / 1e3, p.name())))
                .register(registry);
        CounterWithCallback.builder()
                .name("lakemill_expectation_failed_rows")
                .help("rows that failed the rule")
                .labelNames("table", "expectation")
                .callback(
                        callback ->
                                status.get().pipelines().stream()
                                        .flatMap(p -> p.expectations().stream())
                                        .forEach(
                                                e ->
                                                        callback.call(
                                                                (double) e.failed(),
                                                                e.table(),
                                                                e.name())))
                .register(registry);
    }

    private static double seconds(Long milliseconds) {
        return milliseconds / 1e3;
    }
}
