package dev.lakemill.farm;

import java.io.PrintStream;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * The hours before now, sent at full speed: slices of ten minutes, one request per slice and table,
 * and progress told on the way.
 */
final class History {
    private static final int SLICES_PER_HOUR = 6;
    private static final long SLICE_MICROS = RowModel.MICROS_PER_HOUR / SLICES_PER_HOUR;
    private static final int ROWS_PER_SLICE = 1_400;
    private static final int SLICES_PER_LINE = 6;
    private static final long DELAY_MICROS = 40_000;
    private static final Duration FLUSH_PAUSE = Duration.ofMillis(200);

    private final List<TableSender> senders;
    private final PrintStream out;
    private final CountDownLatch stop;

    History(List<TableSender> senders, PrintStream out, CountDownLatch stop) {
        this.senders = senders;
        this.out = out;
        this.stop = stop;
    }

    /** Sends the hours that end at a time, if any, and waits for the last acknowledgement. */
    void send(int hours, long endMicros) throws InterruptedException {
        var slices = hours * SLICES_PER_HOUR;
        var rowsPerSlice = senders.stream().mapToLong(s -> rows(s.table())).sum();
        for (int slice = 0; slice < slices && stop.getCount() > 0; slice++) {
            var from = endMicros - (slices - slice) * SLICE_MICROS;
            for (var sender : senders) {
                send(sender, from);
            }
            if (slice % SLICES_PER_LINE == 0) {
                progress(slice * rowsPerSlice, slices * rowsPerSlice);
            }
        }
        if (slices > 0 && flushed()) {
            progress(slices * rowsPerSlice, slices * rowsPerSlice);
        }
    }

    /** Rows of a table in a slice. */
    static int rows(FarmTable table) {
        return ROWS_PER_SLICE * table.ratePercent() / 100;
    }

    private void send(TableSender sender, long fromMicros) throws InterruptedException {
        var rows = rows(sender.table());
        while (!sender.hasRoom(rows)) {
            if (stop.await(1, TimeUnit.MILLISECONDS)) {
                return;
            }
        }
        sender.send(rows, k -> fromMicros + SLICE_MICROS * k / rows, DELAY_MICROS);
    }

    private boolean flushed() {
        for (var sender : senders) {
            while (!sender.flush(FLUSH_PAUSE)) {
                if (stop.getCount() == 0) {
                    return false;
                }
            }
        }
        return stop.getCount() > 0;
    }

    private void progress(long done, long total) {
        var line = new LinkedHashMap<String, Object>();
        line.put("type", "progress");
        line.put("phase", "history");
        line.put("done", done);
        line.put("total", total);
        out.println(Json.text(line));
    }
}
