package dev.lakemill.pipeline;

import dev.lakemill.catalog.TableKind;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The tables that a pipeline writes. */
public final class PipelineOutputs {
    static final String FAILED_RULES = "_failed_rules";
    static final String BATCH = "_batch";

    private PipelineOutputs() {}

    /**
     * A table that a pipeline writes.
     *
     * @param kind STREAMING_TABLE, QUARANTINE or MATERIALIZED_VIEW
     * @param comment empty for none
     */
    public record Output(TableName name, TableKind kind, TableSchema schema, String comment) {}

    /**
     * What the plan writes, in the plan's order, a quarantine table behind its streaming table.
     *
     * <p>The quarantine table of {@code t} is {@code t_quarantine}: the columns of {@code t}, all
     * nullable, then {@code _failed_rules ARRAY<STRING>}, the names of all rules that the row
     * failed, and {@code _batch BIGINT}.
     */
    public static List<Output> of(PipelinePlan plan) {
        return of(Program.stepsOf(plan));
    }

    /** How each materialized view is kept equal to its query, and why so. */
    public static Map<TableName, String> maintenance(PipelinePlan plan) {
        return RefreshPolicies.told(plan);
    }

    static TableName quarantineOf(TableName table) {
        return new TableName(table.catalog(), table.schema(), table.table() + "_quarantine");
    }

    static boolean quarantines(Step.Stream stream) {
        return stream.rules().stream()
                .anyMatch(rule -> rule.onViolation() == OnViolation.QUARANTINE);
    }

    static TableSchema quarantineSchema(TableSchema schema) {
        var columns = new ArrayList<Column>();
        for (var column : schema.columns()) {
            columns.add(new Column(column.name(), column.type(), true, column.comment()));
        }
        columns.add(Column.required(FAILED_RULES, new DataType.Array(Primitive.STRING, false)));
        columns.add(Column.required(BATCH, Primitive.LONG));
        return new TableSchema(columns);
    }

    static List<Output> of(List<Step> steps) {
        var outputs = new ArrayList<Output>();
        for (var step : steps) {
            switch (step) {
                case Step.Source _ -> {}
                case Step.Stream stream -> {
                    outputs.add(output(stream, TableKind.STREAMING_TABLE));
                    if (quarantines(stream)) {
                        outputs.add(quarantine(stream));
                    }
                }
                case Step.View view -> outputs.add(output(view, TableKind.MATERIALIZED_VIEW));
            }
        }
        return List.copyOf(outputs);
    }

    private static Output output(Step step, TableKind kind) {
        return new Output(step.name(), kind, step.schema(), step.comment());
    }

    private static Output quarantine(Step.Stream stream) {
        return new Output(
                quarantineOf(stream.name()),
                TableKind.QUARANTINE,
                quarantineSchema(stream.schema()),
                "Rows that " + stream.name() + " set aside");
    }
}
