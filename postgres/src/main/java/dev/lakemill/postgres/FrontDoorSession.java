package dev.lakemill.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.util.concurrent.Future;
import java.security.MessageDigest;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A client that is in: two channels on one event loop, which owns {@code ready} and {@code told}.
 * Whoever ends it says why, and only the first reason counts.
 */
final class FrontDoorSession {
    private static final int READY_BYTES = 6;
    private static final long LINGER_SECONDS = 1;
    private static final long LAST_WORD_MILLIS = 200;

    private final FrontDoorConnection facts;
    private final Channel client;
    private final Channel backend;
    private final byte[] cancelKey;
    private final long startedNanos = System.nanoTime();
    private final AtomicLong reads = new AtomicLong();
    private final AtomicBoolean ending = new AtomicBoolean();
    private volatile String reason = "closed by the client or Postgres";

    /** Whether the last that went either way was Postgres's word that it waits for a command. */
    private boolean ready = true;

    private boolean told;

    private long readsSeen;
    private long quietSinceNanos = startedNanos;

    FrontDoorSession(FrontDoorConnection facts, Channel client, Channel backend, byte[] cancelKey) {
        this.facts = facts;
        this.client = client;
        this.backend = backend;
        this.cancelKey = cancelKey;
    }

    FrontDoorConnection facts() {
        return facts;
    }

    String reason() {
        return reason;
    }

    boolean isOpen() {
        return !ending.get();
    }

    boolean hasKey(byte[] key) {
        return MessageDigest.isEqual(cancelKey, key);
    }

    byte[] cancelKey() {
        return cancelKey;
    }

    long ageNanos() {
        return System.nanoTime() - startedNanos;
    }

    /** How long nothing has moved, as far as this has been asked; for one thread. */
    long quietNanos() {
        var now = System.nanoTime();
        var seen = reads.get();
        if (seen != readsSeen) {
            readsSeen = seen;
            quietSinceNanos = now;
        }
        return now - quietSinceNanos;
    }

    /** Splices the two sides, on their event loop; {@code closed} runs when both are done. */
    void start(FrontDoorLine clientLine, FrontDoorLine backendLine, Runnable closed) {
        client.eventLoop()
                .execute(
                        () -> {
                            clientLine.handOver(new FrontDoorSplice(this, backend, false));
                            backendLine.handOver(new FrontDoorSplice(this, client, true));
                            client.closeFuture().addListener(_ -> close(backend));
                            backend.closeFuture().addListener(_ -> close(client));
                            backend.closeFuture().addListener(_ -> closed.run());
                            client.config().setAutoRead(isOpen());
                            backend.config().setAutoRead(true);
                        });
    }

    /** What is on its way to the other side still arrives there, if it does so soon. */
    private static void close(Channel channel) {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        if (channel.isActive()) {
            channel.eventLoop().schedule(() -> channel.close(), LINGER_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** Whether the bytes go on: after the last word, which was ours, nothing does. */
    boolean passes(ByteBuf bytes, boolean fromBackend) {
        reads.lazySet(reads.getPlain() + 1);
        ready = fromBackend && endsReady(bytes);
        return !told;
    }

    /** Ends with ReadyForQuery: Z, its length of 5, and the state of the transaction. */
    private static boolean endsReady(ByteBuf bytes) {
        var at = bytes.writerIndex() - READY_BYTES;
        return at >= bytes.readerIndex() && bytes.getByte(at) == 'Z' && bytes.getInt(at + 1) == 5;
    }

    /**
     * Takes no more from the client and, where Postgres has told it everything, tells it why. When
     * that is done the caller terminates Postgres's side, and then {@link #cut}s.
     *
     * @return null when it ends already
     */
    @Nullable Future<?> end(FrontDoorRefusal why) {
        if (!ending.compareAndSet(false, true)) {
            return null;
        }
        reason = why.problem();
        return client.eventLoop().submit(() -> tell(why));
    }

    private void tell(FrontDoorRefusal why) {
        client.config().setAutoRead(false);
        if (ready) {
            told = true;
            client.writeAndFlush(FrontDoorMessages.fatal(why));
        }
    }

    /** Closes both sides; what Postgres still says reaches the client, if it does so soon. */
    void cut() {
        client.eventLoop().schedule(() -> backend.close(), LAST_WORD_MILLIS, TimeUnit.MILLISECONDS);
    }
}
