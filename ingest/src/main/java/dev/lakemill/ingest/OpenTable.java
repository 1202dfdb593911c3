package dev.lakemill.ingest;

import com.google.protobuf.ByteString;
import dev.lakemill.api.zerobus.IngestRecordBatchRequest;
import dev.lakemill.api.zerobus.IngestRecordRequest;
import dev.lakemill.types.TypeWidening;
import java.util.List;
import org.apache.arrow.vector.types.pojo.Field;

/** What a stream writes to, and how it reads its records. */
record OpenTable(Landing landing, Format format) {
    /** What the records of a stream are. */
    sealed interface Format {
        record Json(RecordEncoder encoder) implements Format {}

        record Proto(RecordEncoder encoder) implements Format {}

        record Arrow(ArrowSchema schema) implements Format {}
    }

    static OpenTable ofJson(Landing landing, RowPolicy policy, BadRows badRows) {
        var schema = landing.table().schema();
        var units = new TimeUnits(schema, policy.microsecondColumns());
        var encoder = new JsonEncoder(schema, policy.evolves());
        var growth = policy.evolves() ? new JsonGrowth(landing, schema, policy) : null;
        return new OpenTable(
                landing, new Format.Json(new RecordEncoder(encoder, units, badRows, growth)));
    }

    /**
     * @throws Refusal SCHEMA_VALIDATION_FAILED when the descriptor does not fit the table
     * @throws NewColumns when it would fit if the table had more columns, as it may
     */
    static OpenTable ofProto(
            Landing landing, ByteString descriptor, RowPolicy policy, BadRows badRows) {
        var table = landing.table();
        var bytes = descriptor.toByteArray();
        if (policy.evolves()) {
            checkColumns(landing, bytes, policy.widens());
        }
        var encoder = new ProtoEncoder(table.name(), table.schema(), bytes, policy.widens());
        var units = new TimeUnits(table.schema(), policy.microsecondColumns());
        return new OpenTable(landing, new Format.Proto(new RecordEncoder(encoder, units, badRows)));
    }

    private static void checkColumns(Landing landing, byte[] descriptor, boolean widens) {
        var table = landing.table();
        var needed = ProtoGrowth.columns(table.schema(), descriptor, widens);
        if (!needed.isEmpty()) {
            // Refused for what no column would mend, before the table has any.
            var grown = TypeWidening.grown(table.schema(), needed);
            ProtoSchema.reader(table.name().toString(), grown.columns(), descriptor, widens);
            throw new NewColumns(landing, needed);
        }
    }

    /**
     * @throws Refusal SCHEMA_VALIDATION_FAILED when the schema does not fit the table
     * @throws NewColumns when it would fit if the table had more columns, as it may
     */
    static OpenTable ofArrow(Landing landing, ByteString schema, RowPolicy policy) {
        var table = landing.table();
        var fields = ArrowSchema.fields(schema);
        if (policy.evolves()) {
            checkColumns(landing, fields, policy);
        }
        var reader = new ArrowSchema(table.name(), table.schema(), policy, fields);
        return new OpenTable(landing, new Format.Arrow(reader));
    }

    private static void checkColumns(Landing landing, List<Field> fields, RowPolicy policy) {
        var table = landing.table();
        var needed = ArrowGrowth.columns(table.schema(), fields, policy.widens());
        if (!needed.isEmpty()) {
            // Refused for what no column would mend, before the table has any.
            var grown = TypeWidening.grown(table.schema(), needed);
            var _ = new ArrowSchema(table.name(), grown, policy, fields);
            throw new NewColumns(landing, needed);
        }
    }

    IngestHistory.DataFormat dataFormat() {
        return switch (format) {
            case Format.Json _ -> IngestHistory.DataFormat.JSON;
            case Format.Proto _ -> IngestHistory.DataFormat.PROTOBUF;
            case Format.Arrow _ -> IngestHistory.DataFormat.ARROW;
        };
    }

    boolean json() {
        return format instanceof Format.Json;
    }

    /**
     * The rows of a request.
     *
     * @throws Refusal when there are none, those of another type, or some that do not fit
     * @throws NewColumns when they would fit if the table had more columns, as it may
     */
    Payload payload(Inbound.Numbered request) {
        return switch (request) {
            case Inbound.Single single -> payload(records(single.request()), single.offset());
            case Inbound.Batch batch -> payload(records(batch.request()), batch.offset());
            case Inbound.ArrowBatch batch ->
                    switch (format) {
                        case Format.Arrow arrow -> arrow.schema().payload(batch);
                        case Format.Json _, Format.Proto _ -> throw otherFormat("Arrow");
                    };
        };
    }

    /** The same of records alone; {@link RecordEncoder#NO_OFFSET} for those without an offset. */
    Payload payload(List<ByteString> records, long offset) {
        var encoder =
                switch (format) {
                    case Format.Json f -> f.encoder();
                    case Format.Proto f -> f.encoder();
                    case Format.Arrow _ -> throw otherFormat("JSON or PROTO");
                };
        return encoder.payload(records, offset);
    }

    private List<ByteString> records(IngestRecordRequest request) {
        return switch (request.getRecordCase()) {
            case JSON_RECORD -> {
                checkFormat(true);
                yield List.of(request.getJsonRecordBytes());
            }
            case PROTO_ENCODED_RECORD -> {
                checkFormat(false);
                yield List.of(request.getProtoEncodedRecord());
            }
            case RECORD_NOT_SET -> throw noRecord();
        };
    }

    private List<ByteString> records(IngestRecordBatchRequest request) {
        switch (request.getBatchCase()) {
            case JSON_BATCH -> checkFormat(true);
            case PROTO_ENCODED_BATCH -> checkFormat(false);
            case BATCH_NOT_SET -> throw noRecord();
        }
        var records =
                json()
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
        if (isJson != json()) {
            throw otherFormat(isJson ? "JSON" : "PROTO");
        }
    }

    private Refusal otherFormat(String came) {
        var opened =
                switch (format) {
                    case Format.Json _ -> "JSON";
                    case Format.Proto _ -> "PROTO";
                    case Format.Arrow _ -> "Arrow";
                };
        return Refusal.badRequest(
                "the stream was opened for %s records, but a %s record came"
                        .formatted(opened, came),
                "open one stream per record type");
    }
}
