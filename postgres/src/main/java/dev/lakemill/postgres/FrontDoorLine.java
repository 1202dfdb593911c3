package dev.lakemill.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One side of a connection while it logs in: blocking calls over a channel that reads on demand.
 *
 * <p>The login's thread calls; the channel's event loop brings bytes. Nothing is read from the
 * socket that was not asked for, but for the rest of what one turn of the loop brought.
 */
final class FrontDoorLine extends ChannelInboundHandlerAdapter {
    private static final int RECEIVED_BYTES_MAX = 1 << 20;

    private final Channel channel;
    private final long deadlineNanos;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ByteBuf received = Unpooled.buffer(256, RECEIVED_BYTES_MAX);
    private int wantedBytes;
    private boolean closed;

    FrontDoorLine(Channel channel, long deadlineNanos) {
        this.channel = channel;
        this.deadlineNanos = deadlineNanos;
    }

    Channel channel() {
        return channel;
    }

    long remainingNanos() {
        return deadlineNanos - System.nanoTime();
    }

    /** The next byte, which stays there to be read. */
    int peek() throws IOException, FrontDoorRefusal {
        await(1);
        lock.lock();
        try {
            return received.getUnsignedByte(received.readerIndex());
        } finally {
            lock.unlock();
        }
    }

    int readInt() throws IOException, FrontDoorRefusal {
        return Unpooled.wrappedBuffer(read(4)).readInt();
    }

    byte[] read(int count) throws IOException, FrontDoorRefusal {
        await(count);
        lock.lock();
        try {
            var bytes = new byte[count];
            received.readBytes(bytes);
            received.discardReadBytes();
            return bytes;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the other side closes; what it says until then is dropped. */
    void awaitClose() throws FrontDoorRefusal, IOException {
        try {
            while (true) {
                read(1);
            }
        } catch (EOFException _) {
            return;
        }
    }

    void send(ByteBuf message) {
        channel.writeAndFlush(message, channel.voidPromise());
    }

    void sendLast(ByteBuf message) {
        channel.writeAndFlush(message).addListener(ChannelFutureListener.CLOSE);
    }

    void close() {
        channel.close();
    }

    /**
     * Encrypts from here on. What was received already is taken for TLS, so that nothing sent in
     * the clear can pass for something said inside.
     */
    void startTls(SslHandler tls) throws IOException {
        tls.setHandshakeTimeoutMillis(Math.max(1, remainingNanos() / 1_000_000));
        channel.eventLoop().execute(() -> beginTls(tls));
        if (!tls.handshakeFuture().awaitUninterruptibly(remainingNanos(), TimeUnit.NANOSECONDS)
                || !tls.handshakeFuture().isSuccess()) {
            channel.close();
            throw new IOException("the TLS handshake failed", tls.handshakeFuture().cause());
        }
    }

    private void beginTls(SslHandler tls) {
        channel.pipeline().addFirst(tls);
        ByteBuf early;
        lock.lock();
        try {
            early = received.readBytes(received.readableBytes());
        } finally {
            lock.unlock();
        }
        if (early.isReadable()) {
            channel.pipeline().fireChannelRead(early).fireChannelReadComplete();
        } else {
            early.release();
        }
        channel.read();
    }

    /**
     * Gives the channel, if still open, to its next handler, with what was received; on its loop.
     */
    void handOver(ChannelHandler next) {
        lock.lock();
        try {
            var context = channel.pipeline().context(this);
            if (context == null) {
                return;
            }
            channel.pipeline().addAfter(context.name(), "splice", next);
            if (received.isReadable()) {
                context.fireChannelRead(received.readBytes(received.readableBytes()));
                context.fireChannelReadComplete();
            }
            channel.pipeline().remove(this);
        } finally {
            lock.unlock();
        }
    }

    private void await(int count) throws IOException, FrontDoorRefusal {
        lock.lock();
        try {
            wantedBytes = count;
            if (received.readableBytes() < count) {
                channel.read();
            }
            while (received.readableBytes() < count) {
                if (closed) {
                    throw new EOFException("the other side closed the connection");
                }
                if (changed.awaitNanos(remainingNanos()) <= 0) {
                    throw new FrontDoorRefusal(
                            FrontDoorRefusal.NOT_AUTHORIZED,
                            "the login took too long",
                            "send startup packet and password at once, or see the network");
                }
            }
            wantedBytes = 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted").initCause(e);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        var bytes = (ByteBuf) message;
        lock.lock();
        try {
            if (bytes.readableBytes() > received.maxWritableBytes()) {
                context.close();
            } else {
                received.writeBytes(bytes);
            }
            changed.signalAll();
        } finally {
            lock.unlock();
            bytes.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        lock.lock();
        try {
            if (received.readableBytes() < wantedBytes) {
                context.read();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }
}
