package dev.lakemill.farm;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;

/**
 * Tells of some quotes when they are acknowledged, at most twenty a second, so that somebody can
 * measure how long they take to be seen. What is not printed in time is left out.
 */
final class AckSamples {
    private static final long PAUSE_MICROS = 50_000;
    private static final int LINES_WAITING_MAX = 1_000;
    private static final int SAMPLES_WAITING_MAX = 10_000;

    private final TreeMap<Long, FarmRow> waiting = new TreeMap<>();
    private final Queue<String> lines = new ArrayBlockingQueue<>(LINES_WAITING_MAX);
    private long lastMicros;
    private boolean begun;

    /** From now on; what was sent before is not told of. */
    synchronized void begin() {
        begun = true;
    }

    /** A quote, good in every way, goes out with a request. */
    synchronized void sending(long offset, FarmRow quote) {
        var sentMicros = quote.number("sent_at");
        var due = begun && sentMicros - lastMicros >= PAUSE_MICROS;
        if (due && waiting.size() < SAMPLES_WAITING_MAX) {
            waiting.put(offset, quote);
            lastMicros = sentMicros;
        }
    }

    synchronized void acked(long first, long last, long atMicros) {
        var acked = waiting.subMap(first, true, last, true);
        acked.values().forEach(quote -> lines.offer(line(quote, atMicros)));
        acked.clear();
    }

    void print(PrintStream out) {
        for (var line = lines.poll(); line != null; line = lines.poll()) {
            out.println(line);
        }
    }

    private static String line(FarmRow quote, long ackedMicros) {
        var line = new LinkedHashMap<String, Object>();
        line.put("type", "ack");
        line.put("sku", quote.text("sku"));
        line.put("supplier_id", quote.text("supplier_id"));
        line.put("event_id", quote.text("event_id"));
        line.put("quoted_at_us", quote.number("quoted_at"));
        line.put("acked_at_us", ackedMicros);
        return Json.text(line);
    }
}
