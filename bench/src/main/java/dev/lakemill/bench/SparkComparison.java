package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.api.Endpoint;
import dev.lakemill.api.ProducerClient;
import dev.lakemill.api.ProducerObserver;
import dev.lakemill.api.ProducerStream;
import dev.lakemill.api.RecordFormat;
import dev.lakemill.api.StreamOptions;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * The orders pipeline, with the same rows, in a whole Lakemill node and in Spark local[2] with
 * Delta, one after the other, each in processes of its own. A batch of 100 orders is fresh when all
 * five views have it: in Postgres here, in Delta there.
 */
final class SparkComparison {
    private static final int BASE_ROWS = 1_000_000;
    private static final int BATCH_ROWS = 100;
    private static final int BATCHES = 20;
    private static final int REQUEST_ROWS = 2_000;
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int SPARK_SECONDS_MAX = 300;
    private static final String SEEN = "SELECT sum(orders), sum(amount) FROM serving.totals";

    /** What Spark's own launcher opens. */
    private static final List<String> OPENED =
            List.of(
                    "java.lang",
                    "java.lang.invoke",
                    "java.lang.reflect",
                    "java.io",
                    "java.net",
                    "java.nio",
                    "java.util",
                    "java.util.concurrent",
                    "java.util.concurrent.atomic",
                    "jdk.internal.ref",
                    "sun.nio.ch",
                    "sun.nio.cs",
                    "sun.security.action",
                    "sun.util.calendar");

    private final Path folder;
    private final long firstMicros;

    /** What one engine showed. */
    private record Outcome(
            List<Double> freshnessMs, double cpuSeconds, long orders, String amount) {
        double medianMs() {
            return freshnessMs.stream().sorted().toList().get(freshnessMs.size() / 2);
        }

        double cpuMicrosPerRow() {
            return cpuSeconds * 1e6 / (freshnessMs.size() * (double) BATCH_ROWS);
        }
    }

    private SparkComparison(Path folder) {
        this.folder = folder;
        this.firstMicros =
                OrdersPipeline.placedMicros(System.currentTimeMillis() * 1_000, -BASE_ROWS);
    }

    static void run(Report.Builder report) throws IOException, InterruptedException, SQLException {
        var folder = Folders.temporary("lakemill-spark");
        try {
            new SparkComparison(folder).compare(report);
        } finally {
            Folders.delete(folder);
        }
    }

    private void compare(Report.Builder report)
            throws IOException, InterruptedException, SQLException {
        var ours = lakemill();
        var theirs = spark();
        report.figure("lakemill_freshness_ms_median", ours.medianMs());
        report.figure("spark_freshness_ms_median", theirs.medianMs());
        report.figure("freshness_vs_spark", theirs.medianMs() / ours.medianMs());
        report.figure("lakemill_cpu_us_per_row", ours.cpuMicrosPerRow());
        report.figure("spark_cpu_us_per_row", theirs.cpuMicrosPerRow());
        report.figure("cpu_vs_spark", theirs.cpuMicrosPerRow() / ours.cpuMicrosPerRow());
        report.check(
                "totals_equal_spark",
                ours.orders() == theirs.orders()
                        && new BigDecimal(ours.amount()).compareTo(new BigDecimal(theirs.amount()))
                                == 0);
        report.check("ten_times_fresher_than_spark", theirs.medianMs() >= 10 * ours.medianMs());
    }

    private Outcome lakemill() throws IOException, InterruptedException, SQLException {
        var settings =
                Map.of(
                        "LAKEMILL_GRPC_PORT", "0",
                        "LAKEMILL_HTTP_PORT", "0",
                        "LAKEMILL_POSTGRES_PORT", "0");
        try (var server = ServerProcess.start(project(), folder.resolve("data"), settings)) {
            server.awaitReady(PATIENCE);
            var address = "http://" + server.addresses().get("grpc").asText();
            try (var client = ProducerClient.connect(Endpoint.parse(address), server::token);
                    var reader =
                            DriverManager.getConnection(
                                    server.addresses().path("postgres_jdbc").asText());
                    var customers = open(client, "b.bronze.customers");
                    var orders = open(client, "b.bronze.orders")) {
                sendCustomers(customers);
                for (long id = 1; id <= BASE_ROWS; id += REQUEST_ROWS) {
                    send(orders, id, Math.min(BASE_ROWS, id + REQUEST_ROWS - 1));
                }
                orders.flush(PATIENCE);
                awaitSeen(reader, kept(BASE_ROWS));
                return measured(server, orders, reader);
            }
        }
    }

    private Outcome measured(ServerProcess server, ProducerStream orders, Connection reader)
            throws InterruptedException, SQLException {
        var times = new ArrayList<Double>();
        var before = cpuSeconds(server);
        for (int i = 0; i < BATCHES; i++) {
            var last = BASE_ROWS + (i + 1L) * BATCH_ROWS;
            var began = System.nanoTime();
            send(orders, last - BATCH_ROWS + 1, last);
            awaitSeen(reader, kept(last));
            times.add((System.nanoTime() - began) / 1e6);
        }
        var cpu = cpuSeconds(server) - before;
        try (var statement = reader.createStatement();
                var result = statement.executeQuery(SEEN)) {
            result.next();
            return new Outcome(times, cpu, result.getLong(1), result.getString(2));
        }
    }

    private Path project() throws IOException {
        var project = Files.createDirectories(folder.resolve("project"));
        var texts = Files.createDirectories(project.resolve("pipelines"));
        Files.writeString(
                project.resolve("lakemill.yml"),
                "pipelines:\n  - name: orders\n    folder: pipelines\n");
        Files.writeString(
                texts.resolve("orders.sql"), OrdersPipeline.TEXT + OrdersPipeline.SERVING);
        return project;
    }

    private static ProducerStream open(ProducerClient client, String table) {
        var stream =
                client.open(
                        TableName.parse(table),
                        new RecordFormat.Json(),
                        StreamOptions.DEFAULT,
                        ProducerObserver.NONE);
        stream.awaitOpen(PATIENCE);
        return stream;
    }

    private static void sendCustomers(ProducerStream customers) {
        customers.ingestJsonBatch(
                LongStream.range(0, OrdersPipeline.CUSTOMERS)
                        .mapToObj(
                                i ->
                                        "{\"customer\":%d,\"region\":\"%s\"}"
                                                .formatted(i, OrdersPipeline.region(i)))
                        .toList());
        customers.flush(PATIENCE);
    }

    private void send(ProducerStream orders, long first, long last) {
        orders.ingestJsonBatch(
                LongStream.rangeClosed(first, last)
                        .mapToObj(id -> OrdersPipeline.json(firstMicros, id))
                        .toList());
    }

    private static long kept(long last) {
        return LongStream.rangeClosed(1, last).filter(OrdersPipeline::isKept).count();
    }

    private static void awaitSeen(Connection reader, long orders)
            throws InterruptedException, SQLException {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        try (var statement = reader.prepareStatement(SEEN)) {
            while (true) {
                try (var result = statement.executeQuery()) {
                    result.next();
                    if (result.getLong(1) >= orders) {
                        return;
                    }
                }
                if (System.nanoTime() > deadline) {
                    throw new LakemillException(
                            ErrorCode.UNAVAILABLE,
                            "Postgres does not show %d orders".formatted(orders),
                            "the server's log tells why");
                }
                Thread.sleep(5);
            }
        }
    }

    /** Of the server and all processes of Postgres. */
    private static double cpuSeconds(ServerProcess server) {
        var postgres = server.addresses().path("postgres_pid").asLong();
        return Stream.of(ProcessHandle.of(server.pid()), ProcessHandle.of(postgres))
                .flatMap(java.util.Optional::stream)
                .flatMap(process -> Stream.concat(Stream.of(process), process.descendants()))
                .distinct()
                .flatMap(process -> process.info().totalCpuDuration().stream())
                .mapToDouble(duration -> duration.toNanos() / 1e9)
                .sum();
    }

    private Outcome spark() throws IOException, InterruptedException {
        var result = folder.resolve("spark.json");
        var log = folder.resolve("spark.log");
        var process =
                new ProcessBuilder(command(result))
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        try {
            if (!process.waitFor(SPARK_SECONDS_MAX, TimeUnit.SECONDS) || process.exitValue() != 0) {
                var lines = Files.readAllLines(log);
                throw new LakemillException(
                        ErrorCode.UNAVAILABLE,
                        "Spark did not run the orders:\n%s"
                                .formatted(
                                        String.join(
                                                "\n",
                                                lines.subList(
                                                        Math.max(0, lines.size() - 20),
                                                        lines.size()))),
                        "bench/spark/SparkOrders.java is what it ran");
            }
        } finally {
            process.destroyForcibly();
        }
        return outcome(new ObjectMapper().readTree(result.toFile()));
    }

    private static Outcome outcome(JsonNode json) {
        var times = new ArrayList<Double>();
        json.path("freshness_ms").forEach(time -> times.add(time.asDouble()));
        return new Outcome(
                times,
                json.path("cpu_seconds").asDouble(),
                json.path("orders").asLong(),
                json.path("amount").asText());
    }

    private List<String> command(Path result) throws IOException {
        var classPath = Root.folder().resolve("testing/spark/target/class-path.txt");
        if (!Files.exists(classPath)) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    classPath + " is missing",
                    "'mvn -f testing/spark generate-resources' fetches Spark and writes it");
        }
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
        command.add("-Xmx1500m");
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("--sun-misc-unsafe-memory-access=allow");
        for (var opened : OPENED) {
            command.add("--add-opens=java.base/" + opened + "=ALL-UNNAMED");
        }
        command.add("-Djdk.reflect.useDirectMethodHandle=false");
        command.add("-cp");
        command.add(Files.readString(classPath).strip());
        command.add(Root.folder().resolve("bench/spark/SparkOrders.java").toString());
        command.add(Files.createDirectories(folder.resolve("spark")).toString());
        for (var number : new long[] {firstMicros, BASE_ROWS, BATCH_ROWS, BATCHES}) {
            command.add(String.valueOf(number));
        }
        command.add(result.toString());
        return command;
    }
}
