package dev.lakemill.bench;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;

/**
 * Nexmark's queries q0 to q8 in Spark's SQL, as views over an auction's events: of fifty, one
 * person, three auctions and forty-six bids, generated from a seed.
 */
final class NexmarkSuite {
    private static final TableSchema PERSON =
            TableSchema.of(
                    Column.nullable("id", Primitive.LONG),
                    Column.nullable("name", Primitive.STRING),
                    Column.nullable("city", Primitive.STRING),
                    Column.nullable("state", Primitive.STRING),
                    Column.nullable("date_time", Primitive.TIMESTAMP));
    private static final TableSchema AUCTION =
            TableSchema.of(
                    Column.nullable("id", Primitive.LONG),
                    Column.nullable("item_name", Primitive.STRING),
                    Column.nullable("initial_bid", Primitive.LONG),
                    Column.nullable("reserve", Primitive.LONG),
                    Column.nullable("date_time", Primitive.TIMESTAMP),
                    Column.nullable("expires", Primitive.TIMESTAMP),
                    Column.nullable("seller", Primitive.LONG),
                    Column.nullable("category", Primitive.LONG));
    private static final TableSchema BID =
            TableSchema.of(
                    Column.nullable("auction", Primitive.LONG),
                    Column.nullable("bidder", Primitive.LONG),
                    Column.nullable("price", Primitive.LONG),
                    Column.nullable("date_time", Primitive.TIMESTAMP));

    private static final List<String> STATES = List.of("OR", "ID", "CA", "WA", "AZ", "WY");
    private static final List<String> CITIES =
            List.of("Phoenix", "Bend", "Boise", "Kent", "Cheyenne");
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final long SEED = 20_260_101;
    private static final int EVENTS_PER_ROUND = 50;

    private final Conformance conformance;
    private final EngineQueries engine;
    private final SparkPeer spark;
    private final ParquetExchange exchange;
    private final int events;

    NexmarkSuite(
            Conformance conformance,
            EngineQueries engine,
            SparkPeer spark,
            ParquetExchange exchange,
            int events) {
        this.conformance = conformance;
        this.engine = engine;
        this.spark = spark;
        this.exchange = exchange;
        this.events = events;
    }

    Conformance.Counts run() throws IOException, SQLException {
        engine.clear();
        spark.fresh(false);
        exchange.create("person", PERSON);
        exchange.create("auction", AUCTION);
        exchange.create("bid", BID);
        generate();
        exchange.hand("person", PERSON);
        exchange.hand("auction", AUCTION);
        exchange.hand("bid", BID);
        var counts = new Conformance.Counts("nexmark");
        var number = 0;
        for (var query : queries()) {
            conformance.ask(counts, "q" + number++, query);
        }
        return counts;
    }

    private static List<String> queries() throws IOException {
        try (var in = NexmarkSuite.class.getResourceAsStream("nexmark.sql")) {
            if (in == null) {
                throw new IllegalStateException("nexmark.sql is not on the class path");
            }
            var text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return Arrays.stream(text.split(";\n")).map(String::strip).toList();
        }
    }

    private void generate() throws SQLException {
        var random = new Random(SEED);
        var duck = (DuckDBConnection) engine.duck();
        try (var person = duck.createAppender("main", "s_person");
                var auction = duck.createAppender("main", "s_auction");
                var bid = duck.createAppender("main", "s_bid")) {
            long people = 0;
            long auctions = 0;
            for (int event = 0; event < events; event++) {
                var time = START.plusMillis(20L * event + random.nextInt(15));
                switch (event % EVENTS_PER_ROUND) {
                    case 0 -> person(person, people++, time, random);
                    case 1, 2, 3 -> auction(auction, auctions++, people, time, random);
                    default -> bid(bid, auctions, people, time, random);
                }
            }
        }
    }

    private static void person(DuckDBAppender out, long id, Instant time, Random random)
            throws SQLException {
        out.beginRow();
        out.append(id);
        out.append("person " + id);
        out.append(CITIES.get(random.nextInt(CITIES.size())));
        out.append(STATES.get(random.nextInt(STATES.size())));
        append(out, time);
        out.endRow();
    }

    private static void auction(
            DuckDBAppender out, long id, long people, Instant time, Random random)
            throws SQLException {
        long initial = 1L + random.nextInt(1000);
        out.beginRow();
        out.append(id);
        out.append("item " + id);
        out.append(initial);
        out.append(initial + random.nextInt(500));
        append(out, time);
        append(out, time.plusMillis(500 + random.nextInt(20_000)));
        out.append(recent(people, random));
        out.append(10L + random.nextInt(5));
        out.endRow();
    }

    private static void bid(
            DuckDBAppender out, long auctions, long people, Instant time, Random random)
            throws SQLException {
        out.beginRow();
        out.append(recent(auctions, random));
        out.append(recent(people, random));
        out.append((long) (100 * Math.pow(10, 4 * random.nextDouble())));
        append(out, time);
        out.endRow();
    }

    /** Most events are about the newest hundred. */
    private static long recent(long count, Random random) {
        return Math.max(0, count - 1 - random.nextInt(100));
    }

    private static void append(DuckDBAppender out, Instant time) throws SQLException {
        out.append(LocalDateTime.ofInstant(time, ZoneOffset.UTC));
    }
}
