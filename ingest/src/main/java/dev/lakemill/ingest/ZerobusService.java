package dev.lakemill.ingest;

import com.google.protobuf.Message;
import dev.lakemill.api.flight.FlightServiceGrpc;
import dev.lakemill.api.flight.PutResult;
import dev.lakemill.api.zerobus.EphemeralStreamResponse;
import dev.lakemill.api.zerobus.PersistentStreamResponse;
import dev.lakemill.api.zerobus.RetireStreamRequest;
import dev.lakemill.api.zerobus.RetireStreamResponse;
import dev.lakemill.api.zerobus.ZerobusGrpc;
import dev.lakemill.types.LakemillException;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerServiceDefinition;
import io.grpc.protobuf.ProtoUtils;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The services of streams: databricks.zerobus.Zerobus, and Arrow Flight's DoPut. */
final class ZerobusService {
    private static final Logger LOG = LoggerFactory.getLogger(ZerobusService.class);

    private final Streams streams;
    private final int messageBytesMax;

    private ZerobusService(Streams streams, int messageBytesMax) {
        this.streams = streams;
        this.messageBytesMax = messageBytesMax;
    }

    static ServerServiceDefinition definition(Streams streams, int messageBytesMax) {
        var service = new ZerobusService(streams, messageBytesMax);
        return ServerServiceDefinition.builder(ZerobusGrpc.SERVICE_NAME)
                .addMethod(
                        service.method(
                                ZerobusGrpc.getEphemeralStreamMethod().getFullMethodName(),
                                Messages.EPHEMERAL,
                                EphemeralStreamResponse.getDefaultInstance()),
                        service.handler(() -> Messages.EPHEMERAL))
                .addMethod(
                        service.method(
                                ZerobusGrpc.getPersistentStreamMethod().getFullMethodName(),
                                Messages.PERSISTENT,
                                PersistentStreamResponse.getDefaultInstance()),
                        service.handler(() -> Messages.PERSISTENT))
                .addMethod(ZerobusGrpc.getRetireStreamMethod(), service::retire)
                .build();
    }

    /** The service arrow.flight.protocol.FlightService, as far as it puts batches. */
    static ServerServiceDefinition flight(Streams streams, int messageBytesMax) {
        var service = new ZerobusService(streams, messageBytesMax);
        return ServerServiceDefinition.builder(FlightServiceGrpc.SERVICE_NAME)
                .addMethod(
                        service.method(
                                FlightServiceGrpc.getDoPutMethod().getFullMethodName(),
                                new FlightMessages(),
                                PutResult.getDefaultInstance()),
                        service.handler(FlightMessages::new))
                .build();
    }

    private <R extends Message> MethodDescriptor<Inbound, R> method(
            String name, Messages<R> messages, R answer) {
        return MethodDescriptor.<Inbound, R>newBuilder()
                .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
                .setFullMethodName(name)
                .setRequestMarshaller(new Inbound.Marshaller(messageBytesMax, messages))
                .setResponseMarshaller(ProtoUtils.marshaller(answer))
                .build();
    }

    private <R> ServerCallHandler<Inbound, R> handler(Supplier<Messages<R>> messages) {
        return (call, headers) -> {
            // At once, before any message: producers send create_stream only when they have these.
            call.sendHeaders(new Metadata());
            var opening = Opening.of(headers, call.getAttributes());
            var stream = new StreamCall<>(call, messages.get(), opening, streams);
            try {
                streams.admit(stream);
            } catch (Refusal e) {
                call.close(e.status(), e.trailers());
                return new ServerCall.Listener<>() {};
            }
            call.request(1);
            return stream;
        };
    }

    private ServerCall.Listener<RetireStreamRequest> retire(
            ServerCall<RetireStreamRequest, RetireStreamResponse> call, Metadata headers) {
        var opening = Opening.of(headers, call.getAttributes());
        call.request(2);
        return new ServerCall.Listener<>() {
            @Override
            public void onMessage(RetireStreamRequest request) {
                Thread.startVirtualThread(() -> retire(call, request, opening));
            }
        };
    }

    private void retire(
            ServerCall<RetireStreamRequest, RetireStreamResponse> call,
            RetireStreamRequest request,
            Opening opening) {
        try {
            streams.retire(request, opening);
            call.sendHeaders(new Metadata());
            call.sendMessage(RetireStreamResponse.getDefaultInstance());
            call.close(io.grpc.Status.OK, new Metadata());
        } catch (Refusal e) {
            call.close(e.status(), e.trailers());
        } catch (LakemillException e) {
            var refusal = Refusal.of(e);
            call.close(refusal.status(), refusal.trailers());
        } catch (RuntimeException e) {
            LOG.error("A stream cannot be retired", e);
            var refusal = Refusal.internal("the request failed: " + e);
            call.close(refusal.status(), refusal.trailers());
        }
    }
}
