package dev.lakemill.farm;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import java.math.BigDecimal;
import org.junit.jupiter.api.Test;

class RowEncodingTest {
    private static final FarmRow QUOTE =
            FarmRow.of(
                            FarmTable.SUPPLIER_QUOTES,
                            "nordfroe",
                            "basil \"sweet\"",
                            new BigDecimal("12.3400"),
                            "EUR",
                            2_500L,
                            48,
                            1_795_000_000_000_001L,
                            1_795_000_000_000_000L)
                    .with("event_id", "q-00ff-0")
                    .with("sent_at", 1_795_000_000_000_002L);

    @Test
    void jsonHasColumnNamesAndMicroseconds() {
        assertThat(RowEncoding.json(QUOTE))
                .isEqualTo(
                        "{\"event_id\":\"q-00ff-0\",\"supplier_id\":\"nordfroe\","
                                + "\"sku\":\"basil \\\"sweet\\\"\",\"price_per_kg\":12.3400,"
                                + "\"currency\":\"EUR\",\"min_order_grams\":2500,"
                                + "\"lead_time_hours\":48,\"valid_until\":1795000000000001,"
                                + "\"quoted_at\":1795000000000000,\"sent_at\":1795000000000002}");
    }

    @Test
    void aMissingValueIsLeftOut() {
        assertThat(RowEncoding.json(QUOTE.with("sent_at", null))).doesNotContain("sent_at");
    }

    @Test
    void protobufReadsBackByItsDescriptor() throws Exception {
        var file =
                FileDescriptorProto.newBuilder()
                        .setName("row.proto")
                        .addMessageType(RowEncoding.descriptor(FarmTable.SUPPLIER_QUOTES))
                        .build();
        var type =
                FileDescriptor.buildFrom(file, new FileDescriptor[0]).getMessageTypes().getFirst();
        var message = DynamicMessage.parseFrom(type, RowEncoding.proto(QUOTE));
        assertThat(message.getUnknownFields().asMap()).isEmpty();
        for (int i = 0; i < FarmTable.SUPPLIER_QUOTES.fields().size(); i++) {
            var value = QUOTE.value(i);
            var expected = value instanceof BigDecimal decimal ? decimal.toPlainString() : value;
            assertThat(message.getField(type.findFieldByNumber(i + 1))).isEqualTo(expected);
        }
    }
}
