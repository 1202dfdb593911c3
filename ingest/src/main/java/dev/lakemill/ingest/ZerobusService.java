package dev.lakemill.ingest;

import dev.lakemill.api.zerobus.EphemeralStreamResponse;
import dev.lakemill.api.zerobus.ZerobusGrpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.protobuf.ProtoUtils;

/** The service databricks.zerobus.Zerobus. */
final class ZerobusService implements ServerCallHandler<Inbound, EphemeralStreamResponse> {
    private final Streams streams;

    private ZerobusService(Streams streams) {
        this.streams = streams;
    }

    static ServerServiceDefinition definition(Streams streams, int messageBytesMax) {
        var method =
                MethodDescriptor.<Inbound, EphemeralStreamResponse>newBuilder()
                        .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
                        .setFullMethodName(
                                ZerobusGrpc.getEphemeralStreamMethod().getFullMethodName())
                        .setRequestMarshaller(new Inbound.Marshaller(messageBytesMax))
                        .setResponseMarshaller(
                                ProtoUtils.marshaller(EphemeralStreamResponse.getDefaultInstance()))
                        .build();
        return ServerServiceDefinition.builder(ZerobusGrpc.SERVICE_NAME)
                .addMethod(method, new ZerobusService(streams))
                .build();
    }

    @Override
    public ServerCall.Listener<Inbound> startCall(
            ServerCall<Inbound, EphemeralStreamResponse> call, Metadata headers) {
        // At once, before any message: producers send create_stream only when they have these.
        call.sendHeaders(new Metadata());
        var stream = new StreamCall(call, Opening.of(headers, call.getAttributes()), streams);
        try {
            streams.admit(stream);
        } catch (Refusal e) {
            call.close(e.status(), e.trailers());
            return new ServerCall.Listener<>() {};
        }
        call.request(1);
        return stream;
    }
}
