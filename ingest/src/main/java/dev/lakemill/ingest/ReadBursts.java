package dev.lakemill.ingest;

import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalProtocolNegotiator.ProtocolNegotiator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerAdapter;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.AsciiString;

/**
 * Has the log hear of what came with one read of a connection when all of it was offered. So it
 * becomes durable together, and where that is quick on the connection's event loop, which saves the
 * way to the log's thread and back.
 */
final class ReadBursts implements ProtocolNegotiator {
    private final ProtocolNegotiator negotiator;
    private final LogOffers offers;

    ReadBursts(ProtocolNegotiator negotiator, LogOffers offers) {
        this.negotiator = negotiator;
        this.offers = offers;
    }

    @Override
    public AsciiString scheme() {
        return negotiator.scheme();
    }

    @Override
    public ChannelHandler newHandler(GrpcHttp2ConnectionHandler handler) {
        var next = negotiator.newHandler(handler);
        return new ChannelHandlerAdapter() {
            @Override
            public void handlerAdded(ChannelHandlerContext context) {
                context.pipeline().addBefore(context.name(), null, new Reads());
                context.pipeline().replace(this, null, next);
            }
        };
    }

    private final class Reads extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            offers.beginBurst();
            context.fireChannelRead(message);
        }

        /** Follows on every run of reads, also on one that failed. */
        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            try {
                context.fireChannelReadComplete();
            } finally {
                offers.endBurst();
            }
        }
    }

    @Override
    public void close() {
        negotiator.close();
    }
}
