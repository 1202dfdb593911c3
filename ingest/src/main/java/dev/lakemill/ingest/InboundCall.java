package dev.lakemill.ingest;

import dev.lakemill.api.zerobus.CreateIngestStreamRequest;
import dev.lakemill.api.zerobus.ResumeIngestStreamRequest;
import io.grpc.ServerCall;

/**
 * Tells a stream what comes on its connection's event loop, one message at a time; what goes wrong
 * with one ends the stream.
 */
abstract class InboundCall extends ServerCall.Listener<Inbound> {
    private final long cameNanos = System.nanoTime();
    private volatile boolean opened;

    /** Of the event loop. */
    private boolean created;

    /** Whether messages still count. */
    abstract boolean isReading();

    /** Opens the stream; may block. */
    abstract void open(CreateIngestStreamRequest request);

    /** Opens a stream of Arrow's batches; may block. */
    abstract void open(Inbound.ArrowSchema schema);

    /** Goes on with a persistent stream; may block. */
    abstract void resume(ResumeIngestStreamRequest request);

    /** Takes rows; never blocks. */
    abstract void take(Inbound.Numbered request);

    /** Ends the stream. */
    abstract void refuse(RuntimeException why);

    /** The stream is open: whom it belongs to is known, and what it is for. */
    final void opened() {
        opened = true;
    }

    /** Whether it came before an instant of System.nanoTime and is not open yet. */
    final boolean isUnopenedSince(long nanos) {
        return !opened && cameNanos - nanos < 0;
    }

    @Override
    public final void onMessage(Inbound message) {
        if (!isReading()) {
            return;
        }
        try {
            switch (message) {
                case Inbound.Create create -> begin(() -> open(create.request()));
                case Inbound.Resume resume -> begin(() -> resume(resume.request()));
                case Inbound.ArrowSchema schema -> begin(() -> open(schema));
                case Inbound.Numbered rows -> take(rows);
                case Inbound.Empty _ -> throw Refusal.noPayload();
                case Inbound.TooLarge large -> throw Refusal.tooLarge(large);
                case Inbound.Malformed malformed -> throw Refusal.malformed(malformed);
            }
        } catch (RuntimeException e) {
            refuse(e);
        }
    }

    private void begin(Runnable opening) {
        if (created) {
            throw Refusal.badRequest(
                    "create_stream came a second time", "open another stream for another table");
        }
        created = true;
        besides(opening);
    }

    /** Who asks catalog or Delta may have to wait: never on the event loop. */
    final void besides(Runnable work) {
        Thread.startVirtualThread(
                () -> {
                    try {
                        work.run();
                    } catch (RuntimeException e) {
                        refuse(e);
                    }
                });
    }
}
