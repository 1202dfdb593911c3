package dev.lakemill.ingest;

import dev.lakemill.wal.DelayedDisk;
import java.io.IOException;

/** What syncs of a disk wait at while it is shut: nothing becomes durable meanwhile. */
final class Gate implements DelayedDisk.Delay {
    private boolean open = true;

    synchronized void open(boolean nowOpen) {
        open = nowOpen;
        notifyAll();
    }

    @Override
    public synchronized void await() throws IOException {
        try {
            while (!open) {
                wait();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }
}
