package dev.lakemill.api;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;

/** What the records of a stream are. */
public sealed interface RecordFormat {

    /** Each record is one JSON object whose keys are column names. */
    RecordFormat JSON = new Json();

    /** Each record is one message of the type. */
    static RecordFormat proto(Descriptor type) {
        return new Proto(type.toProto());
    }

    record Json() implements RecordFormat {}

    /** {@code type} stands alone: the messages it uses are nested in it. */
    record Proto(DescriptorProto type) implements RecordFormat {}
}
