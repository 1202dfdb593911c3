package dev.lakemill.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a demo or a bench found.
 *
 * @param ok every check holds
 * @param checks name to whether it holds
 * @param figures name, which ends in its unit, to number; null for what could not be measured
 * @param notes name of such a figure to the reason
 */
record Report(
        boolean ok,
        Map<String, Boolean> checks,
        Map<String, @Nullable Double> figures,
        Map<String, String> notes,
        Map<String, String> machine,
        String commit) {

    /** Gathers checks and figures in the order in which they are told. One thread uses it. */
    static final class Builder {
        private final Map<String, Boolean> checks = new LinkedHashMap<>();
        private final Map<String, @Nullable Double> figures = new LinkedHashMap<>();
        private final Map<String, String> notes = new LinkedHashMap<>();

        void check(String name, boolean holds) {
            checks.merge(name, holds, Boolean::logicalAnd);
        }

        /** Rounded to four digits behind the point. */
        void figure(String name, double value) {
            figures.put(name, Math.round(value * 1e4) / 1e4);
        }

        /** A figure that could not be measured, and why. */
        void missing(String name, String why) {
            figures.put(name, null);
            notes.put(name, why);
        }

        Report build() {
            return new Report(
                    !checks.containsValue(false),
                    checks,
                    figures,
                    notes,
                    describeMachine(),
                    describeCommit());
        }
    }

    /** Of an even number of values, the upper one of the two in the middle. */
    static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }

    String json() {
        try {
            return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** One line a check and a figure, for people. */
    String text() {
        var text = new StringBuilder();
        checks.forEach(
                (name, holds) ->
                        text.append(holds ? "  ok    " : "  FAIL  ").append(name).append('\n'));
        figures.forEach(
                (name, value) ->
                        text.append(
                                value == null
                                        ? "  %-44s not measured: %s%n"
                                                .formatted(name, notes.get(name))
                                        : "  %-44s %,.3f%n".formatted(name, value)));
        return text.toString();
    }

    private static Map<String, String> describeMachine() {
        var machine = new LinkedHashMap<String, String>();
        machine.put("processor", firstMatch("/proc/cpuinfo", "model name"));
        machine.put("cores", String.valueOf(Runtime.getRuntime().availableProcessors()));
        machine.put("memory", firstMatch("/proc/meminfo", "MemTotal"));
        machine.put(
                "system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        machine.put("java", System.getProperty("java.vm.version"));
        return machine;
    }

    private static String firstMatch(String file, String key) {
        try (var lines = Files.lines(Path.of(file))) {
            return lines.filter(line -> line.startsWith(key))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }

    private static String describeCommit() {
        try {
            var git =
                    new ProcessBuilder("git", "describe", "--always", "--dirty")
                            .directory(Root.folder().toFile())
                            .redirectErrorStream(true)
                            .start();
            var text =
                    new String(
                            git.getInputStream().readAllBytes(),
                            java.nio.charset.StandardCharsets.UTF_8);
            return git.waitFor(10, TimeUnit.SECONDS) && git.exitValue() == 0
                    ? text.strip()
                    : "unknown";
        } catch (IOException e) {
            return "unknown";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "unknown";
        }
    }
}
