package dev.lakemill.bench;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** A Kafka broker that is its own controller, in a process of its own that ends with ours. */
final class KafkaBroker implements AutoCloseable {
    private final Path data;
    private final Process process;
    private final int port;

    private KafkaBroker(Path data, Process process, int port) {
        this.data = data;
        this.process = process;
        this.port = port;
    }

    static KafkaBroker start(Path folder) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        var port = Ports.free();
        var settings = folder.resolve("server.properties");
        var data = folder.resolve("data");
        Files.writeString(settings, settings(data, port, Ports.free()));
        var log = folder.resolve("kafka.log").toFile();
        var id = org.apache.kafka.common.Uuid.randomUuid().toString();
        var format =
                java(
                        "kafka.tools.StorageTool",
                        List.of("format", "-t", id, "-c", settings.toString()),
                        log);
        if (format.waitFor() != 0) {
            throw new IOException("Kafka's storage could not be formatted; see " + log);
        }
        return new KafkaBroker(
                data, java(Child.class.getName(), List.of(settings.toString()), log), port);
    }

    private static Process java(String mainClass, List<String> arguments, File log)
            throws IOException {
        var command = Root.java("bench", mainClass, List.of("-Xmx512m"));
        command.addAll(arguments);
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
                .start();
    }

    private static String settings(Path data, int port, int controllerPort) {
        return """
        process.roles=broker,controller
        node.id=1
        listeners=PLAINTEXT://127.0.0.1:%1$d,CONTROLLER://127.0.0.1:%2$d
        advertised.listeners=PLAINTEXT://127.0.0.1:%1$d
        controller.listener.names=CONTROLLER
        controller.quorum.voters=1@127.0.0.1:%2$d
        log.dirs=%3$s
        log.retention.bytes=1073741824
        log.retention.check.interval.ms=30000
        log.segment.delete.delay.ms=1000
        offsets.topic.replication.factor=1
        transaction.state.log.replication.factor=1
        transaction.state.log.min.isr=1
        """
                .formatted(port, controllerPort, data);
    }

    String address() {
        return "127.0.0.1:" + port;
    }

    boolean alive() {
        return process.isAlive();
    }

    /** Brings to the disk what Kafka leaves to the system to write, of the only partition. */
    void sync(String topic) throws IOException {
        try (var files = Files.newDirectoryStream(data.resolve(topic + "-0"), "*.log")) {
            for (var file : files) {
                try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    channel.force(true);
                } catch (NoSuchFileException _) {
                    // Older than what is kept.
                }
            }
        }
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }

    /** The broker's process: Kafka's own main, and an end when the input ends. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            Thread.ofPlatform().daemon().start(Child::awaitEnd);
            kafka.Kafka.main(arguments);
        }

        private static void awaitEnd() {
            try (var input =
                    new BufferedReader(
                            new java.io.InputStreamReader(System.in, StandardCharsets.UTF_8))) {
                while (input.readLine() != null) {}
            } catch (IOException e) {
                // As good as an end.
            }
            Runtime.getRuntime().halt(0);
        }
    }
}
