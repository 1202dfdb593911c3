package dev.lakemill.sync;

import static dev.lakemill.sync.TestPostgres.await;
import static dev.lakemill.sync.TestPostgres.postgres;
import static dev.lakemill.sync.TestPostgres.query;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every type on its way into Postgres, by a batch and by a full compare. */
@Timeout(300)
final class SyncTypesTest {
    private static final TableName SOURCE = TableName.parse("farm.gold.types");

    @TempDir Path folder;

    @Test
    void everyTypeArrivesAsItIs() throws Exception {
        arrives("BOOLEAN", "boolean", true, "t", false, "f");
        arrives("TINYINT", "smallint", (byte) -128, "-128", (byte) 127, "127");
        arrives("SMALLINT", "smallint", Short.MIN_VALUE, "-32768", (short) 7, "7");
        arrives("INT", "integer", Integer.MIN_VALUE, "-2147483648", 0, "0");
        arrives("BIGINT", "bigint", Long.MIN_VALUE, "-9223372036854775808", -1L, "-1");
        arrives("FLOAT", "real", 1.5f, "1.5", Float.NaN, "NaN", Float.MIN_VALUE, "1e-45");
        arrives("DOUBLE", "double precision", 0.1, "0.1", Double.NEGATIVE_INFINITY, "-Infinity");
        arrives(
                "STRING",
                "text",
                "",
                "",
                "grün \uD83C\uDF31",
                "grün \uD83C\uDF31",
                "a\tb\\",
                "a\tb\\");
        arrives("BINARY", "bytea", new byte[] {0, (byte) 0xff}, "\\x00ff", new byte[0], "\\x");
        arrives("DATE", "date", 0, "1970-01-01", -719_162, "0001-01-01", 20_779, "2026-11-22");
        arrives(
                "TIMESTAMP",
                "timestamp with time zone",
                1_795_305_600_123_456L,
                "2026-11-22 00:00:00.123456+00",
                -1L,
                "1969-12-31 23:59:59.999999+00");
        arrives(
                "TIMESTAMP_NTZ",
                "timestamp without time zone",
                1_795_305_600_000_000L,
                "2026-11-22 00:00:00");
    }

    @Test
    void decimalsArriveExactly() throws Exception {
        arrives(
                "DECIMAL(38,18)",
                "numeric(38,18)",
                new BigDecimal("12345678901234567890.123456789012345678"),
                "12345678901234567890.123456789012345678",
                new BigDecimal("-99999999999999999999.999999999999999999"),
                "-99999999999999999999.999999999999999999",
                new BigDecimal("0.000000000000000001"),
                "0.000000000000000001",
                new BigDecimal("10000.000000000000000000"),
                "10000.000000000000000000");
        var random = new Random(42);
        for (var type :
                List.of("DECIMAL(38,0)", "DECIMAL(38,38)", "DECIMAL(9,2)", "DECIMAL(37,3)")) {
            var decimal = (DataType.Decimal) DataType.parse(type);
            var pairs = new ArrayList<Object>();
            for (var i = 0; i < 200; i++) {
                var digits = new BigInteger(random.nextInt(1, 126), random);
                digits = digits.mod(BigInteger.TEN.pow(decimal.precision()));
                var value =
                        new BigDecimal(
                                random.nextBoolean() ? digits : digits.negate(), decimal.scale());
                pairs.addAll(List.of(value, value.toPlainString()));
            }
            arrives(
                    type,
                    type.toLowerCase(Locale.ROOT).replace("decimal", "numeric"),
                    pairs.toArray());
        }
    }

    @Test
    void nestedTypesArriveAsJson() throws Exception {
        arrives(
                "ARRAY<STRING>",
                "jsonb",
                List.of("a", "\"b\\"),
                "[\"a\", \"\\\"b\\\\\"]",
                Arrays.asList((Object) null),
                "[null]",
                List.of(),
                "[]");
        arrives(
                "MAP<INT,DECIMAL(10,2)>",
                "jsonb",
                Map.of(7, new BigDecimal("1.50")),
                "{\"7\": 1.50}");
        arrives(
                "STRUCT<a:BIGINT,b:ARRAY<DOUBLE>,c:DATE,d:TIMESTAMP,e:BINARY,f:TIMESTAMP_NTZ>",
                "jsonb",
                Arrays.asList(
                        Long.MAX_VALUE,
                        List.of(0.5, Double.NaN),
                        20_779,
                        1_795_305_600_000_000L,
                        new byte[] {1, 2},
                        null),
                "{\"a\": 9223372036854775807, \"b\": [0.5, \"NaN\"], \"c\": \"2026-11-22\","
                        + " \"d\": \"2026-11-22T00:00:00Z\", \"e\": \"AQI=\", \"f\": null}");
    }

    @Test
    void whatPostgresCannotHoldIsSetAsideAlsoInside() throws Exception {
        setAside("DATE", Integer.MAX_VALUE);
        setAside("DATE", Integer.MIN_VALUE);
        setAside("TIMESTAMP", Long.MIN_VALUE);
        setAside("TIMESTAMP_NTZ", -210_866_803_200_000_001L);
        setAside("STRING", "\0");
        setAside("STRING", new byte[] {(byte) 0xed, (byte) 0xa0, (byte) 0x80});
        setAside("ARRAY<STRING>", List.of("fine", "not\0fine"));
        setAside("MAP<STRING,INT>", Map.of("\0", 1));
    }

    @Test
    void theLastDatesAndTimesThatPostgresHoldsAreNotSetAside() throws Exception {
        arrives("DATE", "date", 2_145_042_905, "5874897-12-31", -2_440_588, "4714-11-24 BC");
        arrives(
                "TIMESTAMP_NTZ",
                "timestamp without time zone",
                Long.MAX_VALUE,
                "294247-01-10 04:00:54.775807",
                -210_866_803_200_000_000L,
                "4714-11-24 00:00:00 BC");
    }

    @Test
    void everyPlainTypeCanBeAKey() throws Exception {
        var keys =
                Map.of(
                        "BOOLEAN",
                        true,
                        "SMALLINT",
                        (short) 1,
                        "DATE",
                        5,
                        "TIMESTAMP",
                        5L,
                        "DECIMAL(20,5)",
                        new BigDecimal("1.00000"),
                        "BINARY",
                        new byte[] {1},
                        "DOUBLE",
                        -0.0);
        for (var key : keys.entrySet()) {
            var schema =
                    TableSchema.of(
                            Column.nullable("k", DataType.parse(key.getKey())),
                            Column.nullable("v", Primitive.INTEGER));
            try (var run = new Run(schema, List.of("k"))) {
                run.pipeline.insert(SOURCE, key.getValue(), 1);
                run.publishAndAwait();
                run.pipeline.delete(SOURCE, List.copyOf(run.pipeline.content(SOURCE).getFirst()));
                run.pipeline.insert(
                        SOURCE, key.getValue() instanceof Double ? 0.0 : key.getValue(), 2);
                run.publishAndAwait();
                assertThat(run.rows("v")).as(key.getKey()).containsExactly("2");
                run.pipeline.delete(SOURCE, List.copyOf(run.pipeline.content(SOURCE).getFirst()));
                run.publishAndAwait();
                assertThat(run.rows("v")).as(key.getKey()).isEmpty();
            }
        }
    }

    /** Values and the texts that Postgres shows for them, in turns. */
    private void arrives(String type, String postgresType, Object... valuesAndTexts)
            throws Exception {
        var schema =
                TableSchema.of(
                        Column.nullable("id", Primitive.INTEGER),
                        Column.nullable("v", DataType.parse(type)));
        var texts = new ArrayList<@Nullable String>();
        try (var run = new Run(schema, List.of("id"))) {
            for (var i = 0; i < valuesAndTexts.length; i += 2) {
                run.pipeline.insert(SOURCE, i, valuesAndTexts[i]);
                texts.add((String) valuesAndTexts[i + 1]);
            }
            run.pipeline.insert(SOURCE, valuesAndTexts.length, null);
            texts.add(null);
            run.publishAndAwait();
            assertThat(run.rows("v")).as(type + " by a batch").isEqualTo(texts);
            assertThat(run.typeOf("v")).isEqualTo(postgresType);
            TestPostgres.execute("DELETE FROM " + run.table());
            run.compare();
            assertThat(run.rows("v")).as(type + " by a compare").isEqualTo(texts);
        }
    }

    private void setAside(String type, Object value) throws Exception {
        var schema =
                TableSchema.of(
                        Column.nullable("id", Primitive.INTEGER),
                        Column.nullable("v", DataType.parse(type)));
        try (var run = new Run(schema, List.of("id"))) {
            run.pipeline.insert(SOURCE, 1, value);
            run.pipeline.insert(SOURCE, 2, null);
            run.publishAndAwait();
            assertThat(run.rows("id")).as(type).containsExactly("2");
            assertThat(run.sync.status().getFirst().skipped()).hasSize(1);
            run.compare();
            assertThat(run.rows("id")).as(type).containsExactly("2");
            assertThat(run.sync.status().getFirst().skipped()).hasSize(1);
        }
    }

    /** A pipeline with one table, synced. */
    private final class Run implements AutoCloseable {
        final TestPipeline pipeline;
        private final SyncPlan plan;
        Sync sync;

        Run(TableSchema schema, List<String> key) {
            var name = TestPostgres.uniqueName("types");
            pipeline =
                    new TestPipeline(name, folder.resolve(name), Map.of(SOURCE, schema), 1 << 20);
            pipeline.commit();
            var table = new TableName("farm", name, "t");
            var spec = new SyncedTableSpec(table, SOURCE, schema, key, List.of());
            plan = new SyncPlan(name, List.of(spec));
            sync = start();
        }

        private Sync start() {
            return Sync.start(plan, pipeline.feed(), postgres().ownerUnpooled());
        }

        void publishAndAwait() throws Exception {
            var batch = pipeline.publish();
            await("batch " + batch, () -> sync.status().getFirst().batch() == batch);
        }

        void compare() throws Exception {
            sync.close();
            pipeline.commit();
            sync = start();
            var batch = pipeline.feed().position();
            await("compared", () -> sync.status().getFirst().batch() == batch);
        }

        String table() {
            return pipeline.name() + ".t";
        }

        List<@Nullable String> rows(String column) throws Exception {
            var values = new ArrayList<@Nullable String>();
            var first = "SELECT %s FROM %s ORDER BY 1".formatted(column, table());
            var byId = "SELECT %s FROM %s ORDER BY id".formatted(column, table());
            var hasId = plan.tables().getFirst().sourceSchema().indexOf("id").isPresent();
            query(hasId ? byId : first).forEach(row -> values.add(row.getFirst()));
            return values;
        }

        String typeOf(String column) throws Exception {
            return TestPostgres.ask(
                    "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
                            + " WHERE attrelid = '%s'::regclass AND attname = '%s'"
                                    .formatted(table(), column));
        }

        @Override
        public void close() {
            sync.close();
            pipeline.close();
        }
    }
}
