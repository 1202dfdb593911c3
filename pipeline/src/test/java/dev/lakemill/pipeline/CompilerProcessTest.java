package dev.lakemill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.ModelReference;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CompilerProcessTest {
    private static final String PROPERTY = "lakemill.compiler.classpath";
    private static final String TABLE = "CREATE TABLE a.b.t (x INT, s STRING);\n";

    @TempDir Path folder;

    private final @Nullable String classPath = System.getProperty(PROPERTY);

    @AfterEach
    void restoreClassPath() {
        if (classPath == null) {
            System.clearProperty(PROPERTY);
        } else {
            System.setProperty(PROPERTY, classPath);
        }
    }

    @Test
    void theFarmCompilesAndPrints() throws IOException {
        var sources = new ArrayList<SourceText>();
        var farm = Path.of(System.getProperty("lakemill.root"), "examples/vertical-farm/pipelines");
        try (var files = Files.list(farm)) {
            for (var file : files.sorted().toList()) {
                sources.add(new SourceText(file.getFileName().toString(), Files.readString(file)));
            }
        }
        var plan =
                CompilerProcess.compile(
                                "farm", sources, Map.of(), CompilerProcessTest::farmModel, folder)
                        .orThrow();
        assertThat(plan.datasets()).hasSizeGreaterThan(15);
        assertThat(Program.of(plan).usesNow()).isTrue();
    }

    private static ModelReference farmModel(String written) {
        var features =
                Stream.of("price", "lead_time", "reliability", "demand", "trend")
                        .map(name -> Column.required(name, Primitive.DOUBLE))
                        .toList();
        return new ModelReference.Resolved(
                written, "farm.ml.supplier_rank", 1, features, Primitive.DOUBLE);
    }

    @Test
    void aTextCompiledBeforeStartsNoProcess() {
        var files = List.of(new SourceText("p.sql", TABLE));
        var first = CompilerProcess.compile("p", files, folder);
        assertThat(first).isInstanceOf(Compilation.Compiled.class);
        assertThat(folder.toFile().list()).hasSize(1);
        assertThat(CompilerProcess.compile("p", files, folder)).isEqualTo(first);

        var changed = List.of(new SourceText("p.sql", TABLE + "-- changed"));
        var second = CompilerProcess.compile("p", changed, folder);
        assertThat(second.orThrow().textHash()).isNotEqualTo(first.orThrow().textHash());
        assertThat(folder.toFile().list()).hasSize(1);
    }

    @Test
    void aPlanThatCannotBeReadIsCompiledAgain() throws IOException {
        var files = List.of(new SourceText("p.sql", TABLE));
        var first = CompilerProcess.compile("p", files, folder);
        try (var kept = Files.list(folder)) {
            Files.writeString(kept.findFirst().orElseThrow(), "{torn");
        }
        assertThat(CompilerProcess.compile("p", files, folder)).isEqualTo(first);
    }

    @Test
    void whatCannotBePrintedIsAnErrorOfTheText() {
        var text =
                TABLE
                        + "CREATE MATERIALIZED VIEW a.b.v AS SELECT x,\n"
                        + "  s LIKE s AS l FROM a.b.t;\n"
                        + "CREATE STREAMING TABLE a.b.w (CONSTRAINT c EXPECT (s RLIKE '(?=a)b'))\n"
                        + "AS SELECT * FROM STREAM a.b.t;";
        var compilation =
                CompilerProcess.compile("p", List.of(new SourceText("p.sql", text)), folder);
        assertThat(errors(compilation))
                .containsExactly(
                        "p.sql:3:5: a pattern that is not a constant is not supported; hint: write"
                                + " a constant",
                        "p.sql:4:54: '(?' in the regular expression '(?=a)b' is not supported;"
                                + " hint: use literals, . ^ $ [a-z] \\d \\w \\s | ( ) * + ? {n,m}");
        assertThatThrownBy(compilation::orThrow)
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT));
    }

    @Test
    void everythingOnTheListOfRefusalsIsRefused() throws IOException {
        var lines =
                Files.readAllLines(DifferentialTest.FOLDER.resolve("refused.txt")).stream()
                        .filter(line -> !line.startsWith("--"))
                        .toList();
        var tables =
                Files.readString(DifferentialTest.FOLDER.resolve("tables.sql"))
                        .replaceAll("(?s)-- rows\nSELECT.*?;\n", "")
                        .replaceAll("(?m)^--.*\n", "")
                        .replace("\n", " ");
        var views =
                lines.stream()
                        .map(
                                line ->
                                        "CREATE MATERIALIZED VIEW a.b.r%d AS SELECT %s AS r FROM test.t.v;"
                                                .formatted(lines.indexOf(line), line))
                        .collect(Collectors.joining("\n"));
        var refusedByCompiler =
                refused(new SourceText("all.sql", tables + "\n" + views), lines.size());
        var rest =
                views.lines()
                        .filter(
                                view ->
                                        !refusedByCompiler.contains(
                                                views.lines().toList().indexOf(view)))
                        .toList();
        var refusedByPrinter =
                refused(
                        new SourceText("all.sql", tables + "\n" + String.join("\n", rest)),
                        rest.size());
        assertThat(
                        IntStream.range(0, rest.size())
                                .filter(i -> !refusedByPrinter.contains(i))
                                .mapToObj(rest::get))
                .isEmpty();
    }

    /** The places in the list, from the lines that have errors. */
    private List<Integer> refused(SourceText text, int count) {
        var compilation = CompilerProcess.compile("r", List.of(text), folder);
        assertThat(compilation).isInstanceOf(Compilation.Rejected.class);
        return ((Compilation.Rejected) compilation)
                .errors().stream()
                        .map(e -> e.position().line() - 2)
                        .distinct()
                        .filter(place -> place < count)
                        .toList();
    }

    @Test
    void aProcessThatDiesIsToldWithItsLastWords() {
        System.setProperty(PROPERTY, folder.toString());
        assertThatThrownBy(
                        () ->
                                CompilerProcess.compile(
                                        "p", List.of(new SourceText("p.sql", TABLE)), folder))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE))
                .hasMessageContaining("exit code 1")
                .hasMessageContaining("CompilerMain");
    }

    private static List<String> errors(Compilation compilation) {
        return ((Compilation.Rejected) compilation)
                .errors().stream().map(TextError::toString).toList();
    }
}
