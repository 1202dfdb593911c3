package dev.lakemill.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The farm's simulators, as the separate process that they are. */
final class SimulatorProcess implements AutoCloseable {
    private static final ObjectMapper json = new ObjectMapper();

    private final Process process;
    private final Thread reader;
    private final Path truth;

    private SimulatorProcess(Process process, Path truth, Consumer<JsonNode> events) {
        this.process = process;
        this.truth = truth;
        this.reader = Thread.ofPlatform().name("simulators").start(() -> read(events));
    }

    /**
     * @param truth the file that they write at their end
     * @param events each JSON line that they print
     * @param arguments further ones
     */
    static SimulatorProcess start(
            ServerProcess server, Path truth, Consumer<JsonNode> events, List<String> arguments)
            throws IOException, InterruptedException {
        var endpoint = server.addresses().get("grpc").asText();
        var login = server.login("farm_sensors");
        var command =
                Root.java(
                        "examples/vertical-farm",
                        "dev.lakemill.farm.Simulator",
                        List.of("-Xmx192m"));
        command.addAll(
                List.of("--endpoint", endpoint, "--truth", truth.toString(), "--ack-samples"));
        command.addAll(new ArrayList<>(arguments));
        var log = truth.resolveSibling("simulators.log").toFile();
        var builder =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(log));
        builder.environment().putAll(login.environment());
        return new SimulatorProcess(builder.start(), truth, events);
    }

    boolean alive() {
        return process.isAlive();
    }

    /** SIGTERM: they stop sending, wait for acknowledgements and write what they sent. */
    Truth stop() throws IOException, InterruptedException {
        process.destroy();
        return await(60);
    }

    /** Waits for their own end. */
    Truth await(int seconds) throws IOException, InterruptedException {
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException("the simulators did not end within " + seconds + " s");
        }
        reader.join(5_000);
        if (process.exitValue() != 0) {
            throw new IOException(
                    "the simulators ended with exit code %d; see %s"
                            .formatted(
                                    process.exitValue(), truth.resolveSibling("simulators.log")));
        }
        return Truth.read(truth);
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    private void read(Consumer<JsonNode> events) {
        try (var lines =
                new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("{")) {
                    events.accept(json.readTree(line));
                }
            }
        } catch (IOException _) {
            // The process ended; await() tells how.
        }
    }
}
