package dev.lakemill.ingest;

import com.google.protobuf.ByteString;
import dev.lakemill.api.zerobus.IngestRecordBatchRequest;
import dev.lakemill.api.zerobus.IngestRecordRequest;
import java.util.List;

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

    /**
     * The one record of a request.
     *
     * @throws Refusal when there is none, or one of the other type
     */
    List<ByteString> records(IngestRecordRequest request) {
        switch (request.getRecordCase()) {
            case JSON_RECORD -> checkFormat(true);
            case PROTO_ENCODED_RECORD -> checkFormat(false);
            case RECORD_NOT_SET -> throw noRecord();
        }
        return List.of(json ? request.getJsonRecordBytes() : request.getProtoEncodedRecord());
    }

    /**
     * The records of a request.
     *
     * @throws Refusal when there are none, or those of the other type
     */
    List<ByteString> records(IngestRecordBatchRequest request) {
        switch (request.getBatchCase()) {
            case JSON_BATCH -> checkFormat(true);
            case PROTO_ENCODED_BATCH -> checkFormat(false);
            case BATCH_NOT_SET -> throw noRecord();
        }
        var records =
                json
                        ? request.getJsonBatch().getRecordsList().asByteStringList()
                        : request.getProtoEncodedBatch().getRecordsList();
        if (records.isEmpty()) {
            throw noRecord();
        }
        return records;
    }

    private static Refusal noRecord() {
        return Refusal.badRequest("the request holds no record", "send one record or more");
    }

    private void checkFormat(boolean isJson) {
        if (isJson != json) {
            throw Refusal.badRequest(
                    "the stream was opened for %s records, but a %s record came"
                            .formatted(json ? "JSON" : "PROTO", isJson ? "JSON" : "PROTO"),
                    "open one stream per record type");
        }
    }
}
