package dev.lakemill.bench;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import io.trino.tpch.TpchColumn;
import io.trino.tpch.TpchEntity;
import io.trino.tpch.TpchTable;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.sql.SQLException;
import java.time.LocalDate;
import java.util.List;
import java.util.stream.IntStream;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;

/**
 * TPC-H's queries, as Spark's tests have them, over generated tables: at first, after new orders
 * (RF1) and after old ones are gone (RF2). A query counts once, as equal only if it always is.
 *
 * <p>Money is DECIMAL(12,2), as the specification says, and keys are BIGINT.
 */
final class TpchSuite {
    private static final DataType MONEY = new DataType.Decimal(12, 2);
    private static final int QUERIES = 22;

    private final Conformance conformance;
    private final EngineQueries engine;
    private final SparkPeer spark;
    private final ParquetExchange exchange;
    private final double scale;

    TpchSuite(
            Conformance conformance,
            EngineQueries engine,
            SparkPeer spark,
            ParquetExchange exchange,
            double scale) {
        this.conformance = conformance;
        this.engine = engine;
        this.spark = spark;
        this.exchange = exchange;
        this.scale = scale;
    }

    Conformance.Counts run() throws IOException, SQLException {
        engine.clear();
        spark.fresh(false);
        for (var table : TpchTable.getTables()) {
            fill(table);
        }
        var counts = new Conformance.Counts("tpch");
        var rounds = List.of("loaded", "rf1", "rf2");
        for (int q = 1; q <= QUERIES; q++) {
            var query = spark.read("tpch/q" + q + ".sql");
            conformance.ask(counts, "q" + q + " " + rounds.getFirst(), query);
        }
        insertOrders();
        again(counts, "rf1");
        deleteOrders();
        again(counts, "rf2");
        return counts;
    }

    /** What differs now is wrong, but no query counts twice. */
    private void again(Conformance.Counts counts, String round) throws IOException, SQLException {
        exchange.hand("orders", schema(TpchTable.ORDERS));
        exchange.hand("lineitem", schema(TpchTable.LINE_ITEM));
        var anew = new Conformance.Counts("tpch");
        for (int q = 1; q <= QUERIES; q++) {
            conformance.ask(anew, "q" + q + " " + round, spark.read("tpch/q" + q + ".sql"));
        }
        counts.addWrongs(anew);
    }

    /** A thousandth more orders with their items, under keys that the generator leaves free. */
    private void insertOrders() throws SQLException {
        var count = Math.max(10, (int) (1500 * scale));
        engine.execute(
                "CREATE TEMP TABLE chosen AS SELECT o_orderkey FROM s_orders ORDER BY o_orderkey"
                        + " LIMIT "
                        + count);
        engine.execute(
                "INSERT INTO s_lineitem SELECT l_orderkey + 8, l_partkey, l_suppkey, l_linenumber,"
                        + " l_quantity, l_extendedprice + 1.25, l_discount, l_tax, l_returnflag,"
                        + " l_linestatus, l_shipdate, l_commitdate, l_receiptdate, l_shipinstruct,"
                        + " l_shipmode, l_comment FROM s_lineitem WHERE l_orderkey IN (FROM"
                        + " chosen)");
        engine.execute(
                "INSERT INTO s_orders SELECT o_orderkey + 8, o_custkey, o_orderstatus,"
                        + " o_totalprice + 1.25, o_orderdate, o_orderpriority, o_clerk,"
                        + " o_shippriority, o_comment FROM s_orders WHERE o_orderkey IN (FROM"
                        + " chosen)");
    }

    private void deleteOrders() throws SQLException {
        engine.execute("DELETE FROM s_lineitem WHERE l_orderkey IN (FROM chosen)");
        engine.execute("DELETE FROM s_orders WHERE o_orderkey IN (FROM chosen)");
        engine.execute("DROP TABLE chosen");
    }

    private <E extends TpchEntity> void fill(TpchTable<E> table) throws SQLException, IOException {
        var schema = schema(table);
        exchange.create(table.getTableName(), schema);
        try (var appender =
                ((DuckDBConnection) engine.duck())
                        .createAppender("main", "s_" + table.getTableName())) {
            for (var row : table.createGenerator(scale, 1, 1)) {
                appender.beginRow();
                for (var column : table.getColumns()) {
                    append(appender, column, row);
                }
                appender.endRow();
            }
        }
        exchange.hand(table.getTableName(), schema);
    }

    private static <E extends TpchEntity> void append(
            DuckDBAppender appender, TpchColumn<E> column, E row) throws SQLException {
        switch (column.getType().getBase()) {
            case IDENTIFIER -> appender.append(column.getIdentifier(row));
            case INTEGER -> appender.append(column.getInteger(row));
            case DATE -> appender.append(LocalDate.ofEpochDay(column.getDate(row)));
            case DOUBLE ->
                    appender.append(
                            BigDecimal.valueOf(column.getDouble(row))
                                    .setScale(2, RoundingMode.HALF_UP));
            case VARCHAR -> appender.append(column.getString(row));
        }
    }

    private static <E extends TpchEntity> TableSchema schema(TpchTable<E> table) {
        var columns = table.getColumns();
        return new TableSchema(
                IntStream.range(0, columns.size())
                        .mapToObj(
                                i ->
                                        Column.nullable(
                                                columns.get(i).getColumnName(),
                                                type(columns.get(i))))
                        .toList());
    }

    private static DataType type(TpchColumn<?> column) {
        return switch (column.getType().getBase()) {
            case IDENTIFIER -> Primitive.LONG;
            case INTEGER -> Primitive.INTEGER;
            case DATE -> Primitive.DATE;
            case DOUBLE -> MONEY;
            case VARCHAR -> Primitive.STRING;
        };
    }
}
