package dev.lakemill.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Bytes that Jazzer makes, guided by what code they reach, against everything that reads bytes of
 * strangers. The corpus stands in {@code bench/fuzz}; what is new goes there, too. A finding's
 * input stands in {@code target/fuzz}.
 */
final class FuzzBench {
    private static final Pattern EXECUTED = Pattern.compile("^#(\\d+)\\s", Pattern.MULTILINE);
    private static final String INSTRUMENTED =
            "dev.lakemill.ingest.**:dev.lakemill.wal.**:dev.lakemill.bench.FuzzTargets**";

    private FuzzBench() {}

    static Report run(BenchOptions options) throws IOException, InterruptedException {
        var report = new Report.Builder();
        for (var target : FuzzTargets.class.getClasses()) {
            fuzz(target, options.seconds(), report);
        }
        return report.build();
    }

    private static void fuzz(Class<?> target, int seconds, Report.Builder report)
            throws IOException, InterruptedException {
        var name = target.getSimpleName().toLowerCase(Locale.ROOT);
        var corpus = Files.createDirectories(Root.folder().resolve("bench/fuzz").resolve(name));
        var findings = Files.createDirectories(Root.folder().resolve("target/fuzz"));
        var log = findings.resolve(name + ".log");
        var command =
                Root.java("bench", "com.code_intelligence.jazzer.Jazzer", List.of("-Xmx512m"));
        command.addAll(
                List.of(
                        "--target_class=" + target.getName(),
                        "--instrumentation_includes=" + INSTRUMENTED,
                        "--reproducer_path=" + findings,
                        "-artifact_prefix=" + findings.resolve(name + "-"),
                        "-max_total_time=" + seconds,
                        "-max_len=4096",
                        "-timeout=20",
                        "-rss_limit_mb=3000",
                        corpus.toString()));
        var process =
                new ProcessBuilder(command)
                        .directory(findings.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        report.check(name + "_without_finding", process.waitFor() == 0);
        report.figure(name + "_executions", executions(log));
        report.figure(name + "_corpus_files", count(corpus));
    }

    private static double executions(Path log) throws IOException {
        var matcher = EXECUTED.matcher(Files.readString(log, StandardCharsets.ISO_8859_1));
        double last = 0;
        while (matcher.find()) {
            last = Double.parseDouble(matcher.group(1));
        }
        return last;
    }

    private static long count(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.count();
        }
    }
}
