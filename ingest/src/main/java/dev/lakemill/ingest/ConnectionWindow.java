package dev.lakemill.ingest;

import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalProtocolNegotiator.ProtocolNegotiator;
import io.netty.channel.ChannelHandler;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.AsciiString;

/**
 * Gives connections a larger HTTP/2 window than streams. gRPC makes both the same size, so that one
 * stream that is not read for a while fills the window of all streams of its producer, and stalls
 * them. What a connection may send unread stays bounded.
 */
final class ConnectionWindow implements ProtocolNegotiator {
    /** What a stream may send unread. 100 MB/s with 20 ms of round trip. */
    static final int STREAM_BYTES_MAX = 2 << 20;

    /** What a connection may: 31 streams that wait hold back none of the others. */
    static final int CONNECTION_BYTES_MAX = 64 << 20;

    private final ProtocolNegotiator negotiator;

    ConnectionWindow(ProtocolNegotiator negotiator) {
        this.negotiator = negotiator;
    }

    @Override
    public AsciiString scheme() {
        return negotiator.scheme();
    }

    @Override
    public ChannelHandler newHandler(GrpcHttp2ConnectionHandler handler) {
        var connection = handler.connection();
        connection.addListener(
                new Http2ConnectionAdapter() {
                    private boolean widened;

                    @Override
                    public void onStreamActive(Http2Stream stream) {
                        if (!widened) {
                            widened = true;
                            widen(handler);
                        }
                    }
                });
        return negotiator.newHandler(handler);
    }

    private static void widen(GrpcHttp2ConnectionHandler handler) {
        var connection = handler.connection();
        try {
            connection
                    .local()
                    .flowController()
                    .incrementWindowSize(
                            connection.connectionStream(), CONNECTION_BYTES_MAX - STREAM_BYTES_MAX);
        } catch (Http2Exception e) {
            throw new IllegalStateException("the window of a connection cannot be widened", e);
        }
    }

    @Override
    public void close() {
        negotiator.close();
    }
}
