package dev.lakemill.ingest;

import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalProtocolNegotiator.ProtocolNegotiator;
import io.netty.channel.ChannelHandler;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.AsciiString;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Gives streams their HTTP/2 windows, which are what they may send unread: a small one each, and
 * more as long as there is memory for it, whatever their connections. So streams that wait, for a
 * table or their rates, hold bounded memory, however many they are.
 *
 * <p>They hold back no other stream: gRPC gives what a connection received back to its window at
 * once, read or not. That window only has to be wide enough for a fast stream.
 */
final class ConnectionWindow implements ProtocolNegotiator {
    /** What every stream may send unread. */
    static final int STREAM_BYTES_MIN = 64 << 10;

    /**
     * What a stream may while there is enough for others. It hears of what was read by halves of
     * this, so half of it a round trip is the least that it can send: 200 MB/s at 10 ms.
     */
    static final int STREAM_BYTES_MAX = 4 << 20;

    /** What a connection may send before it hears that it was received. */
    private static final int CONNECTION_BYTES = 64 << 20;

    /** A stream gets one of so many parts of what is left, so that later ones get some. */
    private static final int PARTS = 16;

    private final ProtocolNegotiator negotiator;

    /** What streams may still get beyond their small windows. */
    private final AtomicLong spareBytes;

    /**
     * @param spareBytes what all streams may have together beyond small windows
     */
    ConnectionWindow(ProtocolNegotiator negotiator, long spareBytes) {
        this.negotiator = negotiator;
        this.spareBytes = new AtomicLong(spareBytes);
    }

    private static int part(long bytes) {
        return (int) Math.min(STREAM_BYTES_MAX - STREAM_BYTES_MIN, bytes / PARTS);
    }

    @Override
    public AsciiString scheme() {
        return negotiator.scheme();
    }

    @Override
    public ChannelHandler newHandler(GrpcHttp2ConnectionHandler handler) {
        var connection = handler.connection();
        connection.addListener(new Widening(handler));
        return negotiator.newHandler(handler);
    }

    /** Of one connection, on its event loop. */
    private final class Widening extends Http2ConnectionAdapter {
        private final GrpcHttp2ConnectionHandler handler;
        private final Http2Connection.PropertyKey moreBytes;
        private boolean widened;

        Widening(GrpcHttp2ConnectionHandler handler) {
            this.handler = handler;
            this.moreBytes = handler.connection().newKey();
        }

        @Override
        public void onStreamActive(Http2Stream stream) {
            if (!widened) {
                widened = true;
                widen(handler.connection().connectionStream(), CONNECTION_BYTES - STREAM_BYTES_MIN);
            }
            int more = part(spareBytes.getAndUpdate(left -> left - part(left)));
            stream.setProperty(moreBytes, more);
            widen(stream, more);
        }

        @Override
        public void onStreamClosed(Http2Stream stream) {
            Integer more = stream.removeProperty(moreBytes);
            if (more != null) {
                spareBytes.addAndGet(more);
            }
        }

        private void widen(Http2Stream stream, int more) {
            try {
                handler.connection().local().flowController().incrementWindowSize(stream, more);
            } catch (Http2Exception e) {
                throw new IllegalStateException("a window cannot be widened", e);
            }
        }
    }

    @Override
    public void close() {
        negotiator.close();
    }
}
