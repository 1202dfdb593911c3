package dev.lakemill.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.util.DecimalUtility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class EveryTypeTest {
    private static final BigDecimal ONE_CENT = new BigDecimal("0.01");

    private TableFolder tables;

    @BeforeEach
    void setUp(@TempDir Path folder) {
        tables = new TableFolder(folder);
    }

    @AfterEach
    void nothingIsLeftAllocated() {
        tables.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void everyValueIsReadAsItWasWritten(long seed) {
        var rows = new RandomValues(seed).rows(RandomValues.EVERY_TYPE, 5_000);
        try (var table = DeltaTable.create(tables.context("t"), RandomValues.EVERY_TYPE)) {
            append(table, rows.subList(0, 1), 1);
            append(table, rows.subList(1, 3_000), 2);
            append(table, rows.subList(3_000, 5_000), 3);
            assertThat(TableFolder.read(table.snapshot().read(List.of())))
                    .isEqualTo(RandomValues.comparable(rows));
            assertThat(table.snapshot().schema()).isEqualTo(RandomValues.EVERY_TYPE);
        }
        try (var table = tables.open("t")) {
            assertThat(table.schema()).isEqualTo(RandomValues.EVERY_TYPE);
            assertThat(TableFolder.read(table.snapshot().read(List.of("c_18", "c_long"))))
                    .hasSize(5_000)
                    .startsWith(RandomValues.comparable(pick(rows.getFirst(), List.of(18, 4))));
        }
    }

    private static List<@Nullable Object> pick(List<@Nullable Object> row, List<Integer> columns) {
        var picked = new ArrayList<@Nullable Object>();
        columns.forEach(column -> picked.add(row.get(column)));
        return picked;
    }

    private void append(DeltaTable table, List<List<@Nullable Object>> rows, long txn) {
        try (var batch = RowsBuilder.rows(RandomValues.EVERY_TYPE, tables.allocator, rows)) {
            table.append(List.of(batch), new long[0], new Txn(TableFolder.APPLICATION, txn));
        }
    }

    /** A bound that the kernel writes as of another year would have readers pass over the file. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "-0043-03-15T00:00:00Z",
                "0000-12-31T23:59:59.999Z",
                "+10000-01-01T00:00:00Z"
            })
    void timesThatStatisticsCannotSayAreNoBounds(String time) throws IOException {
        assertThat(statisticsOf(Instant.parse(time))).doesNotContain("\"t\":\"", "\"n\":\"");
        assertThat(statisticsOf(Instant.parse("0001-01-01T00:00:00Z")))
                .contains("\"t\":\"0001-01-01T00:00:00.000Z\"");
        assertThat(statisticsOf(Instant.parse("9999-12-31T23:59:59.999Z")))
                .contains("\"t\":\"9999-12-31T23:59:59.999Z\"");
    }

    private String statisticsOf(Instant time) throws IOException {
        var schema =
                TableSchema.of(
                        Column.nullable("t", DataType.Primitive.TIMESTAMP),
                        Column.nullable("n", DataType.Primitive.TIMESTAMP_NTZ));
        var micros = ChronoUnit.MICROS.between(Instant.EPOCH, time);
        try (var table = tables.create("t" + micros, schema);
                var rows =
                        RowsBuilder.rows(
                                schema, tables.allocator, List.of(List.of(micros, micros)))) {
            table.append(List.of(rows), new long[0], new Txn(TableFolder.APPLICATION, 1));
            var log = table.location().resolve("_delta_log/00000000000000000001.json");
            return Files.readString(log).replace("\\\"", "\"");
        }
    }

    @Test
    void aNullInsideAStructThatForbidsItIsRefused() {
        try (var table = DeltaTable.create(tables.context("t"), RandomValues.EVERY_TYPE)) {
            var row = new RandomValues(1).rows(RandomValues.EVERY_TYPE, 1).getFirst();
            var struct = new ArrayList<@Nullable Object>();
            struct.add(null);
            struct.add("s");
            row.set(row.size() - 1, struct);
            assertThatThrownBy(() -> append(table, List.of(row), 1))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("c_required.r");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"DECIMAL(5,2)", "DECIMAL(18,2)", "DECIMAL(20,2)"})
    void aDecimalWithTooManyDigitsIsRefused(String type) {
        var schema = TableSchema.of(Column.nullable("d", DataType.parse(type)));
        try (var table = DeltaTable.create(tables.context("t"), schema);
                var rows = RowsBuilder.rows(schema, tables.allocator, List.of(List.of(ONE_CENT)))) {
            var tooLong = new BigDecimal(BigInteger.TEN.pow(25), 2);
            DecimalUtility.writeBigDecimalToArrowBuf(
                    tooLong, rows.vector(0).getDataBuffer(), 0, DecimalVector.TYPE_WIDTH);
            assertThatThrownBy(
                            () ->
                                    table.append(
                                            List.of(rows),
                                            new long[0],
                                            new Txn(TableFolder.APPLICATION, 1)))
                    .isInstanceOf(LakemillException.class)
                    .hasMessageContaining("does not fit " + type);
        }
    }
}
