package dev.lakemill.ingest;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.TableSchema;
import java.util.List;

/**
 * How many values rows of a table have once they are decoded, NULLs included: each takes its place
 * in a vector, up to 16 bytes, also when the request says nothing of it. So a request is limited by
 * its values as well as by its bytes, and so is what is decoded together.
 *
 * @param ofRow without the elements of its arrays and maps
 * @param ofElement of the largest element that they may have, at any depth; 0 when there are none
 */
record Cells(int ofRow, int ofElement) {
    /** A million rows of 16 columns; as DOUBLEs, 128 MiB. */
    static final int REQUEST_MAX = 16 << 20;

    /** In the log's row form an element has a tag, and a length or a value. */
    private static final int ELEMENT_BYTES_MIN = 2;

    static Cells of(TableSchema schema) {
        return new Cells(ofParts(schema.columns()), ofElements(schema.columns()));
    }

    /** Of one value; the elements of arrays and maps are counted as they come. */
    static int of(DataType type) {
        return switch (type) {
            case DataType.Struct struct -> Math.max(1, ofParts(struct.fields()));
            case DataType.Primitive _, DataType.Decimal _, DataType.Array _, DataType.Map _ -> 1;
        };
    }

    private static int ofParts(List<Column> columns) {
        return columns.stream().mapToInt(c -> of(c.type())).sum();
    }

    private static int ofElements(List<Column> columns) {
        return columns.stream().mapToInt(c -> ofElements(c.type())).max().orElse(0);
    }

    private static int ofElements(DataType type) {
        return switch (type) {
            case DataType.Primitive _, DataType.Decimal _ -> 0;
            case DataType.Struct struct -> ofElements(struct.fields());
            case DataType.Array array -> Math.max(of(array.element()), ofElements(array.element()));
            case DataType.Map map ->
                    Math.max(of(map.key()) + of(map.value()), ofElements(map.value()));
        };
    }

    /** What a durable payload has at most: its elements are taken for as many as may be. */
    long atMost(byte[] payload, int rows) {
        long ofRows = (long) rows * ofRow;
        // Arrow's elements stand in buffers of their own, which say all that is decoded.
        return ArrowPayload.is(payload)
                ? ofRows
                : ofRows + (long) (payload.length / ELEMENT_BYTES_MIN) * ofElement;
    }

    /**
     * @throws Refusal for more than a request may have
     */
    static void check(long cells) {
        if (cells > REQUEST_MAX) {
            throw Refusal.badRequest(
                    "the request has %d values or more, NULLs included, beyond the limit of %d"
                            .formatted(cells, REQUEST_MAX),
                    "send fewer rows in one request");
        }
    }
}
