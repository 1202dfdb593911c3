import com.fasterxml.jackson.databind.ObjectMapper;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.api.java.function.VoidFunction2;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The orders pipeline on Spark with Delta, local[2]: a stream from Bronze that keeps good rows in
 * Silver and bad ones in the quarantine, and computes the five views from Silver anew after each
 * batch, as Spark's declarative pipelines do. A program in one file, which the bench has java
 * compile and run on Spark's class path:
 *
 * <pre>java -cp ... SparkOrders.java folder first_micros base_rows batch_rows batches result.json
 * </pre>
 *
 * <p>The result: for each batch the milliseconds from before its rows are appended to Bronze until
 * the last view is committed, the processor's seconds meanwhile, and what the totals are then.
 */
final class SparkOrders {
    private static final String MIXED = "((id * 1103515245L + 12345L) % 2147483648L)";
    private static final String QUARANTINED = "NOT coalesce(amount > 0, false)";
    private static final String KEPT =
            "coalesce(amount > 0, false) AND coalesce(customer IS NOT NULL, false)";

    private static final String[][] VIEWS = {
        {
            "large",
            "SELECT o.id, o.amount, c.region FROM silver AS o JOIN customers AS c"
                    + " ON c.customer = o.customer WHERE o.amount > 500"
        },
        {
            "totals",
            "SELECT customer, count(*) AS orders, sum(amount) AS amount, avg(amount) AS mean"
                    + " FROM silver GROUP BY customer"
        },
        {
            "last_hour",
            "SELECT customer, count(*) AS orders, sum(amount) AS amount FROM silver"
                    + " WHERE placed_at > now() - INTERVAL 1 HOUR GROUP BY customer"
        },
        {
            "extremes",
            "SELECT coalesce(c.region, 'none') AS region, min(o.amount) AS least,"
                    + " max(o.amount) AS greatest FROM silver AS o LEFT JOIN customers AS c"
                    + " ON c.customer = o.customer GROUP BY coalesce(c.region, 'none')"
        },
        {
            "top_three",
            "SELECT customer, id, amount FROM (SELECT *, row_number() OVER (PARTITION BY customer"
                    + " ORDER BY amount DESC, id) AS place FROM silver) WHERE place <= 3"
        },
    };

    private final SparkSession spark;
    private final Path folder;
    private final long firstMicros;

    /** When the batch that ends with an id was all visible. */
    private final ConcurrentHashMap<Long, Long> visibleNanos = new ConcurrentHashMap<>();

    private SparkOrders(SparkSession spark, Path folder, long firstMicros) {
        this.spark = spark;
        this.folder = folder;
        this.firstMicros = firstMicros;
    }

    public static void main(String[] arguments) throws Exception {
        var spark =
                SparkSession.builder()
                        .master("local[2]")
                        .config("spark.ui.enabled", false)
                        .config("spark.sql.session.timeZone", "UTC")
                        .config("spark.sql.shuffle.partitions", 2)
                        .config("spark.databricks.delta.snapshotPartitions", 1)
                        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
                        .config(
                                "spark.sql.catalog.spark_catalog",
                                "org.apache.spark.sql.delta.catalog.DeltaCatalog")
                        .config("spark.driver.bindAddress", "127.0.0.1")
                        .config("spark.driver.host", "127.0.0.1")
                        .getOrCreate();
        new SparkOrders(spark, Path.of(arguments[0]), Long.parseLong(arguments[1]))
                .run(
                        Long.parseLong(arguments[2]),
                        Integer.parseInt(arguments[3]),
                        Integer.parseInt(arguments[4]),
                        Path.of(arguments[5]));
        spark.stop();
    }

    private void run(long baseRows, int batchRows, int batches, Path result) throws Exception {
        var customers =
                spark.range(0, 1000)
                        .selectExpr("id AS customer", "concat('region ', id % 20) AS region");
        customers.write().format("delta").save(path("customers"));
        orders(1, baseRows + 1).write().format("delta").save(path("bronze"));
        var query =
                spark.readStream()
                        .format("delta")
                        .load(path("bronze"))
                        .writeStream()
                        .option("checkpointLocation", folder.resolve("checkpoint").toString())
                        .foreachBatch((VoidFunction2<Dataset<Row>, Long>) (rows, number) -> batch(rows))
                        .start();
        await(baseRows);
        var times = new ArrayList<Double>();
        var cpuBefore = cpuNanos();
        for (int i = 0; i < batches; i++) {
            var last = baseRows + (long) (i + 1) * batchRows;
            var began = System.nanoTime();
            orders(last - batchRows + 1, last + 1)
                    .coalesce(1)
                    .write()
                    .format("delta")
                    .mode("append")
                    .save(path("bronze"));
            times.add((await(last) - began) / 1e6);
        }
        var cpuSeconds = (cpuNanos() - cpuBefore) / 1e9;
        query.stop();
        var json = new ObjectMapper();
        var answer = json.createObjectNode();
        answer.set("freshness_ms", json.valueToTree(times));
        answer.put("cpu_seconds", cpuSeconds);
        var sum =
                spark.read()
                        .format("delta")
                        .load(path("totals"))
                        .selectExpr("sum(orders)", "CAST(sum(amount) AS STRING)")
                        .first();
        answer.put("orders", sum.getLong(0));
        answer.put("amount", sum.getString(1));
        Files.writeString(result, json.writeValueAsString(answer));
    }

    private void batch(Dataset<Row> rows) {
        rows.persist();
        rows.where(QUARANTINED).write().format("delta").mode("append").save(path("quarantine"));
        rows.where(KEPT).write().format("delta").mode("append").save(path("silver"));
        spark.read().format("delta").load(path("silver")).createOrReplaceTempView("silver");
        spark.read().format("delta").load(path("customers")).createOrReplaceTempView("customers");
        for (var view : VIEWS) {
            spark.sql(view[1]).write().format("delta").mode("overwrite").save(path(view[0]));
        }
        var last = rows.selectExpr("max(id)").first().getLong(0);
        visibleNanos.put(last, System.nanoTime());
        rows.unpersist();
    }

    private long await(long last) throws InterruptedException {
        while (true) {
            var at = visibleNanos.get(last);
            if (at != null) {
                return at;
            }
            Thread.sleep(5);
        }
    }

    private Dataset<Row> orders(long from, long to) {
        return spark.range(from, to, 1, 2)
                .selectExpr(
                        "id",
                        "CASE WHEN id % 50 != 0 THEN " + MIXED + " div 16 % 1000 END AS customer",
                        "CAST(CASE WHEN id % 50 = 1 THEN -1 ELSE "
                                + MIXED
                                + " div 8192 % 100000 END / 100 AS DECIMAL(12, 2)) AS amount",
                        "timestamp_micros(%dL + id * 20000L) AS placed_at".formatted(firstMicros));
    }

    private String path(String table) {
        return folder.resolve(table).toString();
    }

    private static long cpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean)
                        ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }
}
