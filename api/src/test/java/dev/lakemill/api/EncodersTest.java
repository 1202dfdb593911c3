package dev.lakemill.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.DynamicMessage;
import com.sun.net.httpserver.HttpServer;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a Java program may hand over as a row, and what it learns of a table. */
final class EncodersTest {
    private enum Size {
        LARGE
    }

    private record Item(String sku, @Nullable Integer trays) {}

    private record Order(
            String orderId,
            BigDecimal euros,
            Instant orderedAt,
            LocalDate day,
            Size size,
            List<Item> items,
            Map<String, Double> weights,
            byte[] photo,
            Optional<String> note,
            boolean paid) {}

    /** A bean. */
    public static final class Reading {
        public String getZoneName() {
            return "a \"b\"";
        }

        public double getValue() {
            return Double.NaN;
        }

        public boolean isGood() {
            return true;
        }
    }

    @Test
    void recordsBeansAndMapsAreRows() {
        var order =
                new Order(
                        "o-1",
                        new BigDecimal("4.50"),
                        Instant.parse("2026-11-28T10:00:00.5Z"),
                        LocalDate.of(2026, 11, 28),
                        Size.LARGE,
                        List.of(new Item("basil", 2), new Item("mint", null)),
                        Map.of("basil", 0.25),
                        new byte[] {1, 2},
                        Optional.empty(),
                        true);
        assertThat(JsonRow.of(order))
                .isEqualTo(
                        "{\"order_id\":\"o-1\",\"euros\":4.50,"
                                + "\"ordered_at\":\"2026-11-28T10:00:00.500Z\","
                                + "\"day\":\"2026-11-28\",\"size\":\"LARGE\","
                                + "\"items\":[{\"sku\":\"basil\",\"trays\":2},"
                                + "{\"sku\":\"mint\",\"trays\":null}],"
                                + "\"weights\":{\"basil\":0.25},\"photo\":\"AQI=\","
                                + "\"note\":null,\"paid\":true}");
        assertThat(JsonRow.of(new Reading()))
                .contains("\"zone_name\":\"a \\\"b\\\"\"", "\"value\":\"NaN\"", "\"good\":true");
        assertThat(JsonRow.of(Map.of("a", 1L))).isEqualTo("{\"a\":1}");
        assertThatThrownBy(() -> JsonRow.of("text")).hasMessageContaining("has no columns");
    }

    @Test
    void aTableHasAProtobufType() throws Exception {
        var schema =
                TableSchema.of(
                        Column.required("id", Primitive.LONG),
                        Column.nullable("at", Primitive.TIMESTAMP),
                        Column.nullable("price", new DataType.Decimal(10, 2)),
                        Column.nullable("tags", DataType.parse("ARRAY<STRING>")),
                        Column.nullable("counts", DataType.parse("MAP<STRING,INT>")),
                        Column.nullable("place", DataType.parse("STRUCT<x:DOUBLE,y:DOUBLE>")));
        var type = ProtoTypes.descriptor(schema);
        var row =
                DynamicMessage.newBuilder(type)
                        .setField(type.findFieldByName("id"), 7L)
                        .setField(type.findFieldByName("price"), "4.50")
                        .addRepeatedField(type.findFieldByName("tags"), "a")
                        .build();
        assertThat(DynamicMessage.parseFrom(type, row.toByteArray())).isEqualTo(row);
        assertThat(type.findFieldByName("id").isRequired()).isTrue();
        assertThat(type.findFieldByName("counts").isMapField()).isTrue();
        assertThat(type.findFieldByName("place").getMessageType().getFields()).hasSize(2);
        var nested = TableSchema.of(Column.nullable("a", DataType.parse("ARRAY<ARRAY<INT>>")));
        assertThatThrownBy(() -> ProtoTypes.descriptor(nested))
                .isInstanceOf(LakemillException.class)
                .hasMessageContaining("column 'a'");
    }

    @Test
    void theCatalogTellsATablesColumns() throws Exception {
        var answer =
                """
                {"name":"orders","columns":[
                  {"name":"order_id","type_text":"string","nullable":false,"position":0,
                   "mask":{"function_name":"f","using_column_names":[]}},
                  {"name":"items","type_text":"array<struct<sku:string,trays:int>>","position":1}],
                 "properties":{"a":"b"}}
                """;
        var server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(
                "/api/2.1/unity-catalog/tables/shop.bronze.orders",
                exchange -> {
                    var known =
                            "Bearer t"
                                    .equals(exchange.getRequestHeaders().getFirst("authorization"));
                    var body = (known ? answer : "no").getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(known ? 200 : 401, body.length);
                    exchange.getResponseBody().write(body);
                    exchange.close();
                });
        server.start();
        try {
            var url = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
            var table = TableName.parse("shop.bronze.orders");
            assertThat(new CatalogSchemas(url, () -> "t").of(table).columns())
                    .containsExactly(
                            Column.required("order_id", Primitive.STRING),
                            Column.nullable(
                                    "items",
                                    DataType.parse("ARRAY<STRUCT<sku:STRING,trays:INT>>")));
            assertThatThrownBy(() -> new CatalogSchemas(url, () -> "x").of(table))
                    .hasMessageContaining("401");
        } finally {
            server.stop(0);
        }
    }
}
