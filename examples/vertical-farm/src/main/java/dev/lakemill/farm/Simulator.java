package dev.lakemill.farm;

import dev.lakemill.api.ClientCredentials;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The vertical farm's producers: reference data, hours of history at full speed, then live rows.
 *
 * <p>Standard output carries one JSON object per line, of type progress, ack or summary; standard
 * error is for people. SIGTERM ends it in order: what was sent is waited for, and the truth about
 * it written.
 */
public final class Simulator {
    private static final Duration FLUSH_PAUSE = Duration.ofMillis(200);
    private static final Duration FLUSH_MAX = Duration.ofSeconds(30);
    private static final long REFERENCES_SETTLE_MILLIS = 1_000;
    private static final long KNOCK_PAUSE_MILLIS = 1_000;
    private static final double SUPPLIER_CHANGES_PER_SECOND = 0.1;
    private static final int SIGNAL_SECONDS_MAX = 60;

    private final Options options;
    private final PrintStream out;
    private final PrintStream log;
    private final LongSupplier clockMicros;
    private final CountDownLatch stop;
    private final String run;
    private final Map<FarmTable, TableSender> senders = new EnumMap<>(FarmTable.class);
    private final AckSamples samples = new AckSamples();

    Simulator(
            Options options,
            PrintStream out,
            PrintStream log,
            LongSupplier clockMicros,
            CountDownLatch stop) {
        this.options = options;
        this.out = out;
        this.log = log;
        this.clockMicros = clockMicros;
        this.stop = stop;
        this.run = run(options.seed(), clockMicros.getAsLong());
    }

    /** See {@link Options#USAGE}. Exit codes: 0 done, 1 refused by the server, 2 wrong usage. */
    public static void main(String[] arguments) {
        if (List.of(arguments).contains("--help")) {
            System.out.print(Options.USAGE);
            return;
        }
        try {
            System.exit(run(Options.parse(List.of(arguments))));
        } catch (IllegalArgumentException | LakemillException e) {
            System.err.println(e.getMessage());
            System.err.print(Options.USAGE);
            System.exit(2);
        }
    }

    private static int run(Options options) {
        var stop = new CountDownLatch(1);
        var done = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> endInOrder(stop, done)));
        try {
            return new Simulator(options, System.out, System.err, Simulator::nowMicros, stop).run();
        } catch (IOException e) {
            System.err.println(e);
            return 1;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 1;
        } finally {
            done.countDown();
        }
    }

    /** On a signal the exit code would be the signal's, though all went well. */
    private static void endInOrder(CountDownLatch stop, CountDownLatch done) {
        if (done.getCount() == 0) {
            return;
        }
        stop.countDown();
        try {
            Runtime.getRuntime().halt(done.await(SIGNAL_SECONDS_MAX, TimeUnit.SECONDS) ? 0 : 1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Sends until the end; returns the exit code. */
    int run() throws IOException, InterruptedException {
        try (var client = ProducerClient.connect(options.endpoint(), token())) {
            open(client);
            var knocking = Thread.ofVirtual().name("doorstep").start(() -> knock(client));
            var code = send();
            stop.countDown();
            knocking.join();
            senders.values().forEach(TableSender::close);
            samples.print(out);
            tell(summary());
            return code;
        }
    }

    /** Who the producers are, as the environment says. */
    private static Supplier<String> token() {
        var url = System.getenv("LAKEMILL_TOKEN_URL");
        var client = System.getenv("LAKEMILL_CLIENT_ID");
        var secret = System.getenv("LAKEMILL_CLIENT_SECRET");
        if (url != null && client != null && secret != null) {
            return new ClientCredentials(URI.create(url), client, secret);
        }
        var token = System.getenv("LAKEMILL_TOKEN");
        return () -> token == null ? "" : token;
    }

    private void open(ProducerClient client) {
        var world = new World(options.seed(), run);
        for (var table : FarmTable.values()) {
            var truth = new StreamTruth(table, run);
            var told = table == FarmTable.SUPPLIER_QUOTES ? samples : null;
            senders.put(table, new TableSender(client, world.source(table), truth, told, log));
        }
    }

    private int send() throws InterruptedException {
        try {
            sendReferences();
            sendEvents();
            flush();
            return 0;
        } catch (LakemillException e) {
            log.println(e.getMessage());
            return 1;
        }
    }

    /**
     * Reference data go first, and everything else a second after they are durable: an event is
     * judged by the reference data that the pipeline has when it comes.
     */
    private void sendReferences() throws InterruptedException {
        sendReferences(FarmTable.SKU_CHANGES, FarmCatalog.SKUS.size());
        sendReferences(FarmTable.SUPPLIER_CHANGES, FarmCatalog.SUPPLIERS.size());
        sendReferences(FarmTable.SITE_CHANGES, FarmCatalog.SITES.size());
        if (stop.await(REFERENCES_SETTLE_MILLIS, TimeUnit.MILLISECONDS)) {
            log.println("stopped before the first event");
        }
    }

    private void sendReferences(FarmTable table, int count) {
        var sender = sender(table);
        sender.send(count, _ -> clockMicros.getAsLong(), 0);
        while (stop.getCount() > 0 && !sender.flush(FLUSH_PAUSE)) {
            // The stream goes on connecting, for as long as it takes.
        }
    }

    private void sendEvents() throws InterruptedException {
        var streams = FarmTable.events().stream().map(this::sender).toList();
        new History(streams, out, stop).send(options.historyHours(), clockMicros.getAsLong());
        var live = new Live(clockMicros, stop);
        for (var stream : streams) {
            live.add(stream, options.rate() * stream.table().ratePercent() / 100.0);
        }
        live.add(sender(FarmTable.SUPPLIER_CHANGES), SUPPLIER_CHANGES_PER_SECOND);
        if (options.ackSamples()) {
            samples.begin();
        }
        live.run(options.seconds(), () -> samples.print(out));
    }

    private void flush() {
        var untilNanos = System.nanoTime() + FLUSH_MAX.toNanos();
        for (var sender : senders.values()) {
            var left = Math.max(0, untilNanos - System.nanoTime());
            if (!sender.flush(Duration.ofNanos(left))) {
                log.println(sender.table().sqlName() + ": not all was acknowledged in time");
            }
        }
    }

    private void knock(ProducerClient client) {
        var doorstep = new Doorstep(client, new World(options.seed(), run), run, clockMicros, log);
        try {
            while (!stop.await(KNOCK_PAUSE_MILLIS, TimeUnit.MILLISECONDS)) {
                doorstep.knock(sender(doorstep.table()).truth());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private TableSender sender(FarmTable table) {
        return Objects.requireNonNull(senders.get(table));
    }

    private Map<String, Object> summary() {
        var streams = new LinkedHashMap<String, Object>();
        senders.forEach((table, sender) -> streams.put(table.sqlName(), sender.truth().summary()));
        var summary = new LinkedHashMap<String, Object>();
        summary.put("type", "summary");
        summary.put("run", run);
        summary.put("streams", streams);
        return summary;
    }

    private void tell(Map<String, Object> summary) throws IOException {
        var text = Json.text(summary);
        out.println(text);
        out.flush();
        var file = options.truth();
        if (file != null) {
            var unfinished = file.resolveSibling(file.getFileName() + ".unfinished");
            Files.writeString(unfinished, text);
            Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Four hexadecimal digits; two runs have the same only 18 hours apart, or by another seed. */
    static String run(long seed, long startMicros) {
        var seconds = startMicros / RowModel.MICROS_PER_SECOND;
        return "%04x".formatted((seconds ^ (seed * 0x9E37)) & 0xFFFF);
    }

    private static long nowMicros() {
        var now = Instant.now();
        return now.getEpochSecond() * RowModel.MICROS_PER_SECOND + now.getNano() / 1_000;
    }
}
