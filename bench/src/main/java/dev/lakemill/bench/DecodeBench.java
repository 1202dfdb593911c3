package dev.lakemill.bench;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.lakemill.ingest.RecordEncoder;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.infra.Blackhole;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * What one core decodes and validates: requests of 100 rows of ten columns, from the records' bytes
 * to the payload of a log frame. Beside it protobuf's own DynamicMessage, the usual way to read by
 * a descriptor, which checks nothing against a table.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class DecodeBench {
    private static final int REQUEST_ROWS = 100;
    private static final double PROTOBUF_ROWS_PER_SECOND_MIN = 5e6;
    private static final double JSON_ROWS_PER_SECOND_MIN = 1.5e6;

    private List<ByteString> messages = List.of();
    private List<ByteString> objects = List.of();
    private RecordEncoder protobuf = RecordEncoder.json(WideRows.SCHEMA);
    private RecordEncoder json = protobuf;
    private Descriptors.Descriptor type = FieldDescriptorProto.getDescriptor();

    static Report run(BenchOptions options) throws RunnerException {
        var results =
                new Runner(
                                new OptionsBuilder()
                                        .include(DecodeBench.class.getName() + "\\..*")
                                        .forks(1)
                                        .warmupIterations(3)
                                        .warmupTime(TimeValue.seconds(options.seconds()))
                                        .measurementIterations(options.rounds())
                                        .measurementTime(TimeValue.seconds(options.seconds()))
                                        .verbosity(VerboseMode.SILENT)
                                        .build())
                        .run();
        var report = new Report.Builder();
        for (var result : results) {
            var primary = result.getPrimaryResult();
            // The median: this machine is shared.
            var rows = primary.getStatistics().getPercentile(50);
            var name = primary.getLabel();
            report.figure(name + "_rows_per_second_core", rows);
            if (name.equals("protobuf")) {
                report.check("protobuf_5_million_rows", rows >= PROTOBUF_ROWS_PER_SECOND_MIN);
            } else if (name.equals("json")) {
                report.check("json_1500_thousand_rows", rows >= JSON_ROWS_PER_SECOND_MIN);
            }
        }
        report.figure("protobuf_row_bytes", bytes(WideRows.messages(REQUEST_ROWS)));
        report.figure("json_row_bytes", bytes(WideRows.objects(REQUEST_ROWS)));
        return report.build();
    }

    private static double bytes(List<ByteString> rows) {
        return rows.stream().mapToInt(ByteString::size).average().orElseThrow();
    }

    /** Makes the rows. */
    @Setup
    public void makeRows() throws DescriptorValidationException {
        messages = WideRows.messages(REQUEST_ROWS);
        objects = WideRows.objects(REQUEST_ROWS);
        DescriptorProto descriptor = WideRows.type();
        protobuf = RecordEncoder.proto(WideRows.NAME, WideRows.SCHEMA, descriptor.toByteArray());
        json = RecordEncoder.json(WideRows.SCHEMA);
        var file = FileDescriptorProto.newBuilder().setName("row").addMessageType(descriptor);
        type =
                Descriptors.FileDescriptor.buildFrom(
                                file.build(), new Descriptors.FileDescriptor[0])
                        .getMessageTypes()
                        .getFirst();
    }

    /** Records in protobuf's wire format. */
    @Benchmark
    @OperationsPerInvocation(REQUEST_ROWS)
    public byte[] protobuf() {
        return protobuf.rows(messages);
    }

    /** Records in JSON. */
    @Benchmark
    @OperationsPerInvocation(REQUEST_ROWS)
    public byte[] json() {
        return json.rows(objects);
    }

    /** The peer. */
    @Benchmark
    @OperationsPerInvocation(REQUEST_ROWS)
    public void dynamicMessage(Blackhole to) throws InvalidProtocolBufferException {
        for (var message : messages) {
            to.consume(DynamicMessage.parseFrom(type, message));
        }
    }
}
