package dev.lakemill.bench;

import dev.lakemill.feed.Changes;
import dev.lakemill.pipeline.CompilerProcess;
import dev.lakemill.pipeline.MaintenanceChoice;
import dev.lakemill.pipeline.PipelineConfig;
import dev.lakemill.pipeline.PipelineTrial;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Decimal;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.TimeStampMicroTZVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;

/**
 * One batch of 100 rows through expectations, quarantine and five views of different classes (a
 * filtered join, sums, the last hour, extremes, the first three of each customer) over a base of
 * many rows, in the engine alone.
 */
final class BatchBench {
    private static final TableName ORDERS = TableName.parse("b.bronze.orders");
    private static final TableName CUSTOMERS = TableName.parse("b.bronze.customers");
    private static final TableSchema ORDER =
            new TableSchema(
                    List.of(
                            Column.nullable("id", Primitive.LONG),
                            Column.nullable("customer", Primitive.LONG),
                            Column.nullable("amount", new Decimal(12, 2)),
                            Column.nullable("placed_at", Primitive.TIMESTAMP)));
    private static final TableSchema CUSTOMER =
            new TableSchema(
                    List.of(
                            Column.nullable("customer", Primitive.LONG),
                            Column.nullable("region", Primitive.STRING)));
    private static final int BATCH_ROWS = 100;
    private static final int LOAD_ROWS = 200_000;
    private static final int WARM_UP_BATCHES = 30;
    private static final long MEMORY_BYTES_MAX = 3L << 30;

    private final RootAllocator allocator = new RootAllocator();
    private long lastId;

    private BatchBench() {}

    /**
     * The median milliseconds of a batch, also as a figure.
     *
     * @param size the base's rows, as figures call them
     */
    static double run(Path folder, int baseRows, String size, int batches, Report.Builder report) {
        var plan =
                CompilerProcess.compile(
                                "batch",
                                List.of(new SourceText("batch.sql", OrdersPipeline.TEXT)),
                                folder.resolve("compiled"))
                        .orThrow();
        var median = new BatchBench().median(plan, folder, baseRows, batches, report, size);
        report.figure("batch_ms_median_" + size, median);
        return median;
    }

    private double median(
            PipelinePlan plan,
            Path folder,
            int baseRows,
            int batches,
            Report.Builder report,
            String size) {
        var usual = PipelineConfig.DEFAULT;
        var config =
                new PipelineConfig(
                        usual.batches(),
                        usual.rounds(),
                        new PipelineConfig.Duck(
                                MEMORY_BYTES_MAX, usual.duck().temporaryBytesMax(), 1),
                        new PipelineConfig.Views(MaintenanceChoice.MEASURED, Duration.ZERO));
        try (var trial = new PipelineTrial(plan, config, folder.resolve("spill"), allocator)) {
            try (var customers = customers()) {
                run(trial, Map.of(CUSTOMERS, customers));
            }
            while (lastId < baseRows) {
                batch(trial, Math.min(LOAD_ROWS, (int) (baseRows - lastId)));
            }
            for (int i = 0; i < WARM_UP_BATCHES; i++) {
                batch(trial, BATCH_ROWS);
            }
            var times = new ArrayList<Double>();
            for (int i = 0; i < batches; i++) {
                times.add(batch(trial, BATCH_ROWS) / 1e6);
            }
            times.sort(null);
            trial.views()
                    .forEach(
                            (view, status) ->
                                    report.figure(
                                            "%s_ms_%s".formatted(view.table(), size),
                                            status.refreshMicros() / 1e3));
            report.figure("batch_ms_p90_" + size, times.get(times.size() * 9 / 10));
            report.check(
                    "views_equal_their_queries",
                    trial.audit().stream().allMatch(audit -> audit.equal()));
            return times.get(times.size() / 2);
        } finally {
            allocator.close();
        }
    }

    /** Nanoseconds that a batch of so many new orders took. */
    private long batch(PipelineTrial trial, int count) {
        try (var orders = orders(count)) {
            var began = System.nanoTime();
            run(trial, Map.of(ORDERS, orders));
            return System.nanoTime() - began;
        }
    }

    private void run(PipelineTrial trial, Map<TableName, Rows> rows) {
        trial.run(now(), rows).values().forEach(Changes::close);
    }

    private Instant now() {
        return Instant.EPOCH.plus(placedAt(), ChronoUnit.MICROS);
    }

    private long placedAt() {
        return OrdersPipeline.placedMicros(RandomRows.EPOCH_MICROS, lastId);
    }

    private Rows customers() {
        var root = VectorSchemaRoot.create(ArrowTypes.schema(CUSTOMER), allocator);
        root.allocateNew();
        for (int i = 0; i < OrdersPipeline.CUSTOMERS; i++) {
            ((BigIntVector) root.getVector(0)).setSafe(i, i);
            ((VarCharVector) root.getVector(1))
                    .setSafe(i, OrdersPipeline.region(i).getBytes(StandardCharsets.UTF_8));
        }
        root.setRowCount(OrdersPipeline.CUSTOMERS);
        return new Rows(CUSTOMER, root);
    }

    private Rows orders(int count) {
        var root = VectorSchemaRoot.create(ArrowTypes.schema(ORDER), allocator);
        root.allocateNew();
        for (int i = 0; i < count; i++) {
            lastId++;
            ((BigIntVector) root.getVector(0)).setSafe(i, lastId);
            if (OrdersPipeline.hasCustomer(lastId)) {
                ((BigIntVector) root.getVector(1)).setSafe(i, OrdersPipeline.customer(lastId));
            } else {
                root.getVector(1).setNull(i);
            }
            ((DecimalVector) root.getVector(2)).setSafe(i, OrdersPipeline.cents(lastId));
            ((TimeStampMicroTZVector) root.getVector(3)).setSafe(i, placedAt());
        }
        root.setRowCount(count);
        return new Rows(ORDER, root);
    }
}
