package dev.lakemill.bench;

/**
 * The pipeline that {@link BatchBench} and {@link SparkComparison} measure, and its input: orders
 * whose columns follow from their number, so that every engine makes the same rows. One in fifty
 * has no customer, one in fifty an amount below zero.
 *
 * <p>bench/spark/SparkOrders.java is the same for Spark.
 */
final class OrdersPipeline {
    static final int CUSTOMERS = 1_000;

    private static final long MICROS_BETWEEN_ROWS = 20_000;

    /** Beside TEXT: what Postgres shows. */
    static final String SERVING =
            """
            CREATE SYNCED TABLE b.serving.totals FROM b.gold.totals PRIMARY KEY (customer);
            CREATE SYNCED TABLE b.serving.last_hour FROM b.gold.last_hour PRIMARY KEY (customer);
            CREATE SYNCED TABLE b.serving.extremes FROM b.gold.extremes PRIMARY KEY (region);
            CREATE SYNCED TABLE b.serving.top_three FROM b.gold.top_three
              PRIMARY KEY (customer, id);
            CREATE SYNCED TABLE b.serving.large FROM b.gold.large PRIMARY KEY (id);
            """;

    static final String TEXT =
            """
            CREATE TABLE b.bronze.orders (
              id BIGINT, customer BIGINT, amount DECIMAL(12,2), placed_at TIMESTAMP);
            CREATE TABLE b.bronze.customers (customer BIGINT, region STRING);
            CREATE OR REFRESH STREAMING TABLE b.silver.orders (
              CONSTRAINT positive EXPECT (amount > 0) ON VIOLATION QUARANTINE,
              CONSTRAINT known EXPECT (customer IS NOT NULL) ON VIOLATION DROP ROW,
              CONSTRAINT usual EXPECT (amount < 900))
            AS SELECT * FROM STREAM(b.bronze.orders);
            CREATE OR REFRESH MATERIALIZED VIEW b.gold.large AS
            SELECT o.id, o.amount, c.region FROM b.silver.orders AS o
            JOIN b.bronze.customers AS c ON c.customer = o.customer WHERE o.amount > 500;
            CREATE OR REFRESH MATERIALIZED VIEW b.gold.totals AS
            SELECT customer, count(*) AS orders, sum(amount) AS amount, avg(amount) AS mean
            FROM b.silver.orders GROUP BY customer;
            CREATE OR REFRESH MATERIALIZED VIEW b.gold.last_hour AS
            SELECT customer, count(*) AS orders, sum(amount) AS amount FROM b.silver.orders
            WHERE placed_at > now() - INTERVAL 1 HOUR GROUP BY customer;
            CREATE OR REFRESH MATERIALIZED VIEW b.gold.extremes AS
            SELECT coalesce(c.region, 'none') AS region,
              min(o.amount) AS least, max(o.amount) AS greatest
            FROM b.silver.orders AS o LEFT JOIN b.bronze.customers AS c ON c.customer = o.customer
            GROUP BY coalesce(c.region, 'none');
            CREATE OR REFRESH MATERIALIZED VIEW b.gold.top_three AS
            SELECT customer, id, amount FROM (
              SELECT *, row_number() OVER (PARTITION BY customer ORDER BY amount DESC, id) AS place
              FROM b.silver.orders)
            WHERE place <= 3;
            """;

    private OrdersPipeline() {}

    static boolean hasCustomer(long id) {
        return id % 50 != 0;
    }

    /** From 0 to 2^31, without an order. */
    private static long mixed(long id) {
        return (id * 1_103_515_245L + 12_345) % 2_147_483_648L;
    }

    static long customer(long id) {
        return mixed(id) / 16 % CUSTOMERS;
    }

    /** Of the amount. */
    static long cents(long id) {
        return id % 50 == 1 ? -1 : mixed(id) / 8_192 % 100_000;
    }

    static long placedMicros(long firstMicros, long id) {
        return firstMicros + id * MICROS_BETWEEN_ROWS;
    }

    static String region(long customer) {
        return "region " + customer % 20;
    }

    /** Whether it stands in silver. */
    static boolean isKept(long id) {
        return hasCustomer(id) && cents(id) > 0;
    }

    /** An order as a producer sends it. */
    static String json(long firstMicros, long id) {
        var cents = cents(id);
        return "{\"id\":%d,\"customer\":%s,\"amount\":%s,\"placed_at\":%d}"
                .formatted(
                        id,
                        hasCustomer(id) ? String.valueOf(customer(id)) : "null",
                        java.math.BigDecimal.valueOf(cents, 2).toPlainString(),
                        placedMicros(firstMicros, id));
    }
}
