package dev.lakemill.bench;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Hands bytes on unchanged, each a while after it was written. Meanwhile it takes more, so that the
 * delay takes no bandwidth; with {@value #PIECES_MAX} pieces on their way, a write waits. One
 * thread writes and closes, one of its own hands on.
 */
final class DelayedOutput extends OutputStream {
    private static final int PIECES_MAX = 512;

    private final OutputStream target;
    private final long delayNanos;
    private final BlockingQueue<Piece> onTheirWay = new ArrayBlockingQueue<>(PIECES_MAX);
    private final Thread thread = Thread.ofPlatform().unstarted(this::handOn);
    private volatile @Nullable IOException failure;

    /** What one write brought; without bytes, the end. */
    private record Piece(byte[] bytes, long dueNanos) {}

    DelayedOutput(OutputStream target, Duration delay) {
        this.target = target;
        this.delayNanos = delay.toNanos();
        thread.start();
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int count) throws IOException {
        var failed = failure;
        if (failed != null) {
            throw new IOException("the other side is gone", failed);
        }
        if (count > 0) {
            put(Arrays.copyOfRange(bytes, offset, offset + count));
        }
    }

    private void put(byte[] bytes) throws IOException {
        try {
            onTheirWay.put(new Piece(bytes, System.nanoTime() + delayNanos));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while too much was on its way");
        }
    }

    private void handOn() {
        try {
            for (var piece = onTheirWay.take();
                    piece.bytes().length > 0;
                    piece = onTheirWay.take()) {
                handOn(piece);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /** After a failure nothing more, so that who writes does not wait for room. */
    private void handOn(Piece piece) {
        if (failure != null) {
            return;
        }
        for (var left = piece.dueNanos() - System.nanoTime();
                left > 0;
                left = piece.dueNanos() - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
        try {
            target.write(piece.bytes());
        } catch (IOException e) {
            failure = e;
        }
    }

    /** Waits until everything is handed on. */
    @Override
    public void close() throws IOException {
        put(new byte[0]);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while bytes were on their way");
        }
    }
}
