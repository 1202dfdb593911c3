package dev.lakemill.api;

import com.google.protobuf.MessageLite;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Gathers single rows into requests, which are much cheaper than rows one by one. A request goes
 * out when it is full, or when its first row has waited long enough. Safe for use by many threads.
 */
public final class RowBatcher implements AutoCloseable {
    /**
     * When a request goes out.
     *
     * @param rowsMax with so many rows
     * @param bytesMax with so many bytes
     * @param linger after its first row has waited so long
     */
    public record Limits(int rowsMax, int bytesMax, Duration linger) {
        /** 500 rows, 1 MiB or 5 ms. */
        public static final Limits DEFAULT = new Limits(500, 1 << 20, Duration.ofMillis(5));
    }

    private final ProducerStream stream;
    private final Limits limits;
    private final boolean json;
    private final Object lock = new Object();
    private final List<String> texts = new ArrayList<>();
    private final List<byte[]> messages = new ArrayList<>();
    private CompletableFuture<Void> acked = new CompletableFuture<>();
    private long bytes;
    private long sinceNanos;
    private boolean closed;
    private @Nullable Thread timer;

    /** The stream stays the caller's to close, after the batcher. */
    public RowBatcher(ProducerStream stream, RecordFormat format, Limits limits) {
        this.stream = stream;
        this.json = format instanceof RecordFormat.Json;
        this.limits = limits;
    }

    /** Adds a JSON object. Completes when it is durable; may block as ingest does. */
    public CompletableFuture<Void> add(String record) {
        synchronized (lock) {
            texts.add(record);
            return added(record.length());
        }
    }

    /** Adds a message of the stream's type. */
    public CompletableFuture<Void> add(MessageLite record) {
        synchronized (lock) {
            var encoded = record.toByteArray();
            messages.add(encoded);
            return added(encoded.length);
        }
    }

    /** Adds a Java record, bean or map as JSON; see {@link JsonRow}. */
    public CompletableFuture<Void> addRow(Object row) {
        return add(JsonRow.of(row));
    }

    private CompletableFuture<Void> added(int rowBytes) {
        bytes += rowBytes;
        var mine = acked;
        if (size() >= limits.rowsMax() || bytes >= limits.bytesMax()) {
            send();
        } else if (size() == 1) {
            sinceNanos = System.nanoTime();
            if (timer == null && !closed) {
                timer = Thread.ofVirtual().name("row-batcher").start(this::sendWhatWaits);
            }
            lock.notifyAll();
        }
        return mine;
    }

    private int size() {
        return texts.size() + messages.size();
    }

    /** Sends what is gathered, without waiting for more. */
    public void send() {
        synchronized (lock) {
            if (size() == 0) {
                return;
            }
            var done = acked;
            acked = new CompletableFuture<>();
            try {
                tell(done, stream.acked(ingest()));
            } catch (RuntimeException e) {
                done.completeExceptionally(e);
                throw e;
            }
        }
    }

    /** Sends what is gathered, after which nothing is, also when the stream does not take it. */
    private long ingest() {
        var textsNow = List.copyOf(texts);
        var messagesNow = List.copyOf(messages);
        texts.clear();
        messages.clear();
        bytes = 0;
        return json ? stream.ingestJsonBatch(textsNow) : stream.ingestProtoBatch(messagesNow);
    }

    private static void tell(CompletableFuture<Void> done, CompletableFuture<Void> of) {
        of.whenComplete(
                (_, failure) -> {
                    if (failure == null) {
                        done.complete(null);
                    } else {
                        done.completeExceptionally(failure);
                    }
                });
    }

    private void sendWhatWaits() {
        synchronized (lock) {
            try {
                while (!closed) {
                    var left = limits.linger().toNanos() - (System.nanoTime() - sinceNanos);
                    if (size() == 0) {
                        lock.wait();
                    } else if (left > 0) {
                        lock.wait(left / 1_000_000, (int) (left % 1_000_000));
                    } else {
                        send();
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (RuntimeException e) {
                // The stream has failed, as who added the rows has heard; the next row looks anew.
                timer = null;
            }
        }
    }

    /** Sends the rest; {@link ProducerStream#flush()} waits for it. */
    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            lock.notifyAll();
            send();
        }
    }
}
