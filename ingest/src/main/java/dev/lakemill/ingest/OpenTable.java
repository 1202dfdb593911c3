package dev.lakemill.ingest;

import com.google.protobuf.ByteString;

/** What a stream writes to, and how it reads its records. */
record OpenTable(Landing landing, boolean json, RecordEncoder encoder) {

    static OpenTable ofJson(Landing landing) {
        var encoder = new JsonEncoder(landing.table().schema());
        return new OpenTable(landing, true, new RecordEncoder(encoder));
    }

    /**
     * @throws Refusal SCHEMA_VALIDATION_FAILED when the descriptor does not fit the table
     */
    static OpenTable ofProto(Landing landing, ByteString descriptor) {
        var table = landing.table();
        var encoder = new ProtoEncoder(table.name(), table.schema(), descriptor.toByteArray());
        return new OpenTable(landing, false, new RecordEncoder(encoder));
    }

    void checkFormat(boolean isJson) {
        if (isJson != json) {
            throw Refusal.badRequest(
                    "the stream was opened for %s records, but a %s record came"
                            .formatted(json ? "JSON" : "PROTO", isJson ? "JSON" : "PROTO"),
                    "open one stream per record type");
        }
    }
}
