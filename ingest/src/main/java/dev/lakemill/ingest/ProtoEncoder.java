package dev.lakemill.ingest;

import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;

/** Records that are messages of the stream's descriptor. */
final class ProtoEncoder implements RowEncoder {
    private final ProtoMessage message;

    /**
     * @throws Refusal SCHEMA_VALIDATION_FAILED when the descriptor does not fit the table
     */
    ProtoEncoder(TableName table, TableSchema schema, byte[] descriptor) {
        this.message = ProtoSchema.reader(table.toString(), schema.columns(), descriptor);
    }

    @Override
    public void encode(byte[] record, int from, int to, RowWriter out) {
        message.append(record, from, to, out);
    }
}
