package dev.lakemill.api;

import com.google.protobuf.ByteString;
import dev.lakemill.api.zerobus.IngestRecordBatchRequest;
import dev.lakemill.api.zerobus.IngestRecordRequest;
import dev.lakemill.api.zerobus.JsonRecordBatch;
import dev.lakemill.api.zerobus.ProtoEncodedRecordBatch;
import java.util.List;

/** What one ingest call sends: a record, or a batch of them. */
record Request(List<ByteString> records, boolean json, boolean batch, long bytes) {

    static Request of(List<ByteString> records, boolean json, boolean batch) {
        long bytes = 0;
        for (var record : records) {
            bytes += record.size();
        }
        return new Request(records, json, batch, bytes);
    }

    int rows() {
        return records.size();
    }

    /** Of one record, with the offset that it has on its connection. */
    IngestRecordRequest singleMessage(long connectionOffset) {
        var message = IngestRecordRequest.newBuilder().setOffsetId(connectionOffset);
        var record = records.getFirst();
        return (json ? message.setJsonRecordBytes(record) : message.setProtoEncodedRecord(record))
                .build();
    }

    /** The same of a batch. */
    IngestRecordBatchRequest batchMessage(long connectionOffset) {
        var message = IngestRecordBatchRequest.newBuilder().setOffsetId(connectionOffset);
        if (json) {
            var batchOfJson = JsonRecordBatch.newBuilder();
            records.forEach(batchOfJson::addRecordsBytes);
            return message.setJsonBatch(batchOfJson).build();
        }
        return message.setProtoEncodedBatch(
                        ProtoEncodedRecordBatch.newBuilder().addAllRecords(records))
                .build();
    }
}
