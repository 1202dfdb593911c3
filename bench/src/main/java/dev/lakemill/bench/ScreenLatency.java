package dev.lakemill.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerStream;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * Measures how long a quote takes from its producer to a person's screen: the app in Chromium, in a
 * process of its own, which tells when it has painted a quote that we have marked by its id.
 *
 * <p>Marked quotes are of an offer that the screen shows, beside all others that it gets; their
 * time is a few seconds ahead, so that the simulators' own, of which there is about one a second
 * for each offer, do not take their place before they are seen. What is not seen until a later one
 * is, or the end, counts as long as it took until then. Both clocks are the machine's.
 */
final class ScreenLatency implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TableName TABLE = TableName.parse("farm.bronze.supplier_quotes");
    private static final String MARK = "q-screen-";
    private static final int PAUSE_MS_MIN = 600;
    private static final int PAUSE_MS_MAX = 1_100;
    private static final long AHEAD_MICROS = 4_000_000;
    private static final int READY_SECONDS_MAX = 120;
    private static final int FINISH_SECONDS_MAX = 5;
    private static final int STOP_SECONDS_MAX = 20;

    /** Of this run: Silver keeps one row of an event id, also of one that an earlier run sent. */
    private final String mark = MARK + System.currentTimeMillis() + "-";

    private final Process browser;
    private final ServerProcess server;
    private final Thread reader;

    /** When each was sent that is not seen yet, by number. Guarded by itself. */
    private final TreeMap<Long, Double> waiting = new TreeMap<>();

    private final List<Double> seenMs = new ArrayList<>();
    private volatile JsonNode ready = JSON.createObjectNode();
    private volatile String problem = "";
    private volatile boolean closed;

    private ScreenLatency(Process browser, ServerProcess server) {
        this.browser = browser;
        this.server = server;
        this.reader = Thread.ofPlatform().name("screen").daemon().start(this::read);
    }

    /** Why it cannot be measured on this machine; empty when it can. */
    static String obstacle() {
        var chromium = System.getenv().getOrDefault("LAKEMILL_CHROMIUM", "/usr/bin/chromium");
        if (!Files.isExecutable(Path.of(chromium))) {
            return "there is no Chromium: apt-get install chromium";
        }
        return Files.isDirectory(Root.folder().resolve("node_modules/playwright-core"))
                ? ""
                : "there is no Playwright: npm ci";
    }

    /** Opens the app, and sends marked quotes as soon as it shows any. */
    static ScreenLatency start(ServerProcess server, FarmApp app, Path data)
            throws IOException, InterruptedException {
        var command =
                List.of(
                        "node",
                        "testing/browser/screen.mjs",
                        FarmApp.loginLink(server, FarmApp.CLERK),
                        app.url());
        var browser =
                new ProcessBuilder(command)
                        .directory(Root.folder().toFile())
                        .redirectError(data.resolve("screen.log").toFile())
                        .start();
        return new ScreenLatency(browser, server);
    }

    private void read() {
        try (var lines =
                new BufferedReader(
                        new InputStreamReader(browser.getInputStream(), StandardCharsets.UTF_8))) {
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                told(JSON.readTree(line));
            }
        } catch (IOException e) {
            problem = "the browser ended: " + e.getMessage();
        }
    }

    private void told(JsonNode event) {
        switch (event.path("type").asText()) {
            case "ready" -> {
                ready = event;
                Thread.ofPlatform().name("marked-quotes").daemon().start(this::send);
            }
            case "seen" -> seen(event.path("event_id").asText(), event.path("at_ms").asDouble());
            default -> problem = event.path("message").asText();
        }
    }

    private void seen(String eventId, double atMs) {
        if (!eventId.startsWith(mark)) {
            return; // An earlier run's, which stands on the screen until ours does.
        }
        var number = Long.parseLong(eventId.substring(mark.length()));
        synchronized (waiting) {
            var until = waiting.headMap(number, true);
            until.values().forEach(sentMs -> seenMs.add(atMs - sentMs));
            until.clear();
        }
    }

    private void send() {
        try {
            var login = server.login("farm_sensors");
            var endpoint = Endpoint.parse("http://" + server.addresses().get("grpc").asText());
            try (var client = ProducerClient.connect(endpoint, login.tokens());
                    var stream = client.open(TABLE)) {
                send(stream);
            }
        } catch (IOException | LakemillException e) {
            problem = "marked quotes are not sent: " + e.getMessage();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void send(ProducerStream stream) throws IOException, InterruptedException {
        var random = RandomGenerator.getDefault();
        for (long number = 0; !closed; number++) {
            var record = quote(number);
            synchronized (waiting) {
                waiting.put(number, System.currentTimeMillis() + 0.0);
            }
            stream.ingestJson(record);
            Thread.sleep(random.nextInt(PAUSE_MS_MIN, PAUSE_MS_MAX));
        }
    }

    /** As the one on the screen, at another price: each differs from the one before. */
    private String quote(long number) throws JsonProcessingException {
        var shown = ready.path("quote");
        var nowMicros = System.currentTimeMillis() * 1_000;
        var price =
                new BigDecimal(shown.path("price_per_kg").asText())
                        .multiply(BigDecimal.valueOf(1_000 + number % 7))
                        .divide(BigDecimal.valueOf(1_000), 2, RoundingMode.HALF_UP);
        var record = new LinkedHashMap<String, Object>();
        record.put("event_id", mark + number);
        record.put("supplier_id", shown.path("supplier_id").asText());
        record.put("sku", shown.path("sku").asText());
        record.put("price_per_kg", price);
        record.put("currency", "EUR");
        record.put("min_order_grams", shown.path("min_order_grams").asLong());
        record.put("lead_time_hours", shown.path("lead_time_hours").asInt());
        record.put("valid_until", nowMicros + TimeUnit.MINUTES.toMicros(30));
        record.put("quoted_at", nowMicros + AHEAD_MICROS);
        record.put("sent_at", nowMicros);
        return JSON.writeValueAsString(record);
    }

    /** Waits until the app shows quotes; why it does not, or empty. */
    String awaitReady() throws InterruptedException {
        for (int look = 0; look < READY_SECONDS_MAX * 10; look++) {
            if (!ready.isEmpty() || !problem.isEmpty()) {
                return problem;
            }
            if (!browser.isAlive()) {
                break;
            }
            Thread.sleep(100);
        }
        return "the app shows no quotes";
    }

    /** Sends no more, and waits for what is on its way. */
    void finish() throws InterruptedException {
        closed = true;
        for (int look = 0; look < FINISH_SECONDS_MAX * 10; look++) {
            synchronized (waiting) {
                if (waiting.isEmpty()) {
                    return;
                }
            }
            Thread.sleep(100);
        }
    }

    /** What was measured, or why nothing was. */
    void figures(Report.Builder report) {
        var sorted = sorted();
        report.figure("screen_samples", sorted.length);
        if (sorted.length > 0) {
            report.figure("screen_ms_p50", Freshness.percentile(sorted, 0.50));
            report.figure("screen_ms_p95", Freshness.percentile(sorted, 0.95));
            report.figure(
                    "first_contentful_paint_ms",
                    ready.path("first_contentful_paint_ms").asDouble(Double.NaN));
            report.figure("bundle_gz_kb", ready.path("bundle_gz_kb").asDouble(Double.NaN));
        } else {
            missing(report, problem.isEmpty() ? "no quote was seen" : problem);
        }
    }

    static void missing(Report.Builder report, String why) {
        report.missing("screen_ms_p50", why);
        report.missing("screen_ms_p95", why);
    }

    /** Milliseconds, ascending; quotes still waiting are in it with their age so far. */
    private double[] sorted() {
        synchronized (waiting) {
            var nowMs = System.currentTimeMillis();
            var unseen = waiting.values().stream().mapToDouble(sentMs -> nowMs - sentMs);
            var seen = seenMs.stream().mapToDouble(Double::doubleValue);
            var all = java.util.stream.DoubleStream.concat(seen, unseen).toArray();
            Arrays.sort(all);
            return all;
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            browser.getOutputStream().close();
            if (!browser.waitFor(STOP_SECONDS_MAX, TimeUnit.SECONDS)) {
                browser.destroy();
            }
            reader.join(1_000);
        } catch (IOException _) {
            browser.destroy();
        } catch (InterruptedException _) {
            browser.destroy();
            Thread.currentThread().interrupt();
        }
    }
}
