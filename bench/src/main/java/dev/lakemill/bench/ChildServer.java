package dev.lakemill.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A server of this module in a process of its own, which prints its port and ends when its input
 * does.
 */
record ChildServer(Process process, int port) implements AutoCloseable {
    static ChildServer start(Class<?> main, List<String> jvmOptions, List<String> arguments)
            throws IOException {
        var command = Root.java("bench", main.getName(), jvmOptions);
        command.addAll(arguments);
        var process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        var output = new BufferedReader(process.inputReader(StandardCharsets.UTF_8));
        var port = output.readLine();
        if (port == null) {
            throw new IOException(main.getSimpleName() + " did not start");
        }
        return new ChildServer(process, Integer.parseInt(port));
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }
}
