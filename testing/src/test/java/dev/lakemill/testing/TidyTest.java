package dev.lakemill.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Holds STYLE.md's numbers and words over every source file. */
class TidyTest {
    private static final int MAIN_LINES_MAX = 500;
    private static final int TEST_LINES_MAX = 1000;
    private static final int METHOD_LINES_MAX = 70;

    /**
     * One exhaustive switch is a table, not a course of actions; its labels stand one to a line.
     */
    private static final int SWITCH_LINES_MAX = 170;

    private static final Pattern BAD_NAME =
            Pattern.compile(".*(Util|Utils|Helper|Helpers|Manager|Common|Misc)\\.java");
    private static final Pattern METHOD_START =
            Pattern.compile(
                    "^( {4}| {8})(?! )(?!.*\\b(?:record|return|switch|new)\\b)[^=;]*\\)( throws [\\w., ]+)? \\{$");

    private final Path root = Path.of(System.getProperty("lakemill.root"));

    @Test
    void filesStayShort() {
        assertThat(sources())
                .filteredOn(
                        file ->
                                lines(file).size()
                                        > (isTest(file) ? TEST_LINES_MAX : MAIN_LINES_MAX))
                .isEmpty();
    }

    @Test
    void methodsStayShort() {
        var tooLong = new ArrayList<String>();
        for (var file : sources()) {
            var lines = lines(file);
            for (int i = 0; i < lines.size(); i++) {
                var start = METHOD_START.matcher(lines.get(i));
                // The components of a record on a line of their own begin no method.
                var begins = i == 0 || !lines.get(i - 1).endsWith("(");
                if (begins && start.matches()) {
                    var end = lines.subList(i, lines.size()).indexOf(start.group(1) + "}");
                    var body = lines.subList(i, i + Math.max(0, end));
                    var table = body.stream().anyMatch(l -> l.contains("return switch ("));
                    if (end > (table ? SWITCH_LINES_MAX : METHOD_LINES_MAX)) {
                        tooLong.add(root.relativize(file) + ":" + (i + 1) + " " + end + " lines");
                    }
                }
            }
        }
        assertThat(tooLong).isEmpty();
    }

    @Test
    void namesSayWhatThingsAre() {
        assertThat(sources())
                .filteredOn(file -> BAD_NAME.matcher(file.toString()).matches())
                .isEmpty();
    }

    @Test
    void nothingIsLeftToBeDone() {
        var marks = Pattern.compile("\\b(TODO|FIXME|XXX|SKELETON)\\b");
        assertThat(sources())
                .filteredOn(file -> !file.endsWith("TidyTest.java"))
                .filteredOn(file -> lines(file).stream().anyMatch(marks.asPredicate()))
                .isEmpty();
    }

    @Test
    void testsAreNeverDisabled() {
        assertThat(sources())
                .filteredOn(file -> !file.endsWith("TidyTest.java"))
                .filteredOn(file -> lines(file).stream().anyMatch(l -> l.contains("@Disabled")))
                .isEmpty();
    }

    private List<Path> sources() {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !file.toString().contains("/target/"))
                    .filter(file -> !file.toString().contains("/node_modules/"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static boolean isTest(Path file) {
        return file.toString().contains("/src/test/");
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
