package dev.lakemill.farm.app;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A page that listens. For each of its tables there is one place for what is still to be sent, and
 * what is newer takes it: so the slowest reader costs as much memory as any other.
 */
final class LiveListener {
    private final Set<LiveTable> tables;

    /** Guarded by itself, as is {@link #ended}. */
    private final Map<String, String> waiting = new LinkedHashMap<>();

    private boolean ended;

    LiveListener(Set<LiveTable> tables) {
        this.tables = Set.copyOf(tables);
    }

    Set<LiveTable> tables() {
        return tables;
    }

    /** Of a table, or of the batch where the name is empty. */
    void offer(String table, String event) {
        synchronized (waiting) {
            waiting.put(table, event);
            waiting.notifyAll();
        }
    }

    void end() {
        synchronized (waiting) {
            ended = true;
            waiting.notifyAll();
        }
    }

    boolean hasEnded() {
        synchronized (waiting) {
            return ended;
        }
    }

    /** What is to be sent; empty when nothing has come for that long. */
    List<String> take(long milliseconds) throws InterruptedException {
        synchronized (waiting) {
            if (waiting.isEmpty() && !ended) {
                waiting.wait(milliseconds);
            }
            var taken = new ArrayList<>(waiting.values());
            waiting.clear();
            return taken;
        }
    }
}
