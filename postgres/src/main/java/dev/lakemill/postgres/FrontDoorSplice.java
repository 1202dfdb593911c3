package dev.lakemill.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/**
 * Moves the bytes of one side to the other, which lives on the same event loop. Where the other
 * side is slow, this side is not read: what waits between them is bounded by the write mark and a
 * read.
 */
final class FrontDoorSplice extends ChannelInboundHandlerAdapter {
    private final FrontDoorSession session;
    private final Channel other;
    private final boolean fromBackend;

    FrontDoorSplice(FrontDoorSession session, Channel other, boolean fromBackend) {
        this.session = session;
        this.other = other;
        this.fromBackend = fromBackend;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        var bytes = (ByteBuf) message;
        if (session.passes(bytes, fromBackend)) {
            other.write(bytes, other.voidPromise());
        } else {
            bytes.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        other.flush();
        if (!other.isWritable()) {
            context.channel().config().setAutoRead(false);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (context.channel().isWritable() && session.isOpen()) {
            other.config().setAutoRead(true);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }
}
