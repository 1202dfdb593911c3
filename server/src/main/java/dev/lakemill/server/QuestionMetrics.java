package dev.lakemill.server;

import dev.lakemill.server.models.PipelineQuestions;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** What is measured of pipelines' {@code ai_query}. */
final class QuestionMetrics {
    private static final List<String> PIPELINE = List.of("pipeline");

    private final Metrics metrics;
    private final Supplier<List<PipelineQuestions.Totals>> totals;

    private QuestionMetrics(Metrics metrics, Supplier<List<PipelineQuestions.Totals>> totals) {
        this.metrics = metrics;
        this.totals = totals;
    }

    static void add(Metrics metrics, Supplier<List<PipelineQuestions.Totals>> totals) {
        var questions = new QuestionMetrics(metrics, totals);
        questions.counter("calls", "questions that went to the gateway", t -> t.calls());
        questions.counter(
                "calls_failed",
                "of them without an answer, refused ones among them",
                t -> t.failed());
        questions.counter("seconds", "that these calls took, added up", t -> t.seconds());
        questions.counter(
                "cached",
                "rows of recomputed views with an answer that was kept",
                t -> t.rowsFromKept());
    }

    private void counter(
            String name, String help, ToDoubleFunction<PipelineQuestions.Totals> value) {
        metrics.counters(
                "lakemill_ai_query_" + name,
                help,
                PIPELINE,
                sink ->
                        totals.get()
                                .forEach(
                                        one ->
                                                sink.value(
                                                        value.applyAsDouble(one), one.pipeline())));
    }
}
