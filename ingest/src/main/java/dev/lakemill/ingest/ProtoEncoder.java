package dev.lakemill.ingest;

import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;

/** Records that are messages of the stream's descriptor. */
final class ProtoEncoder implements RowEncoder {
    private final ProtoMessage message;
    private final int cells;

    /**
     * @throws Refusal SCHEMA_VALIDATION_FAILED when the descriptor does not fit the table
     */
    ProtoEncoder(TableName table, TableSchema schema, byte[] descriptor) {
        this(table, schema, descriptor, false);
    }

    /**
     * @param narrower whether narrower types than the columns' are taken
     * @throws Refusal SCHEMA_VALIDATION_FAILED when the descriptor does not fit the table
     */
    ProtoEncoder(TableName table, TableSchema schema, byte[] descriptor, boolean narrower) {
        this.message = ProtoSchema.reader(table.toString(), schema.columns(), descriptor, narrower);
        this.cells = Cells.of(schema).ofRow();
    }

    @Override
    public int cells() {
        return cells;
    }

    @Override
    public void encode(byte[] record, int from, int to, RowWriter out) {
        message.append(record, from, to, out);
    }
}
