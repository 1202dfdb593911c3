package dev.lakemill.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Pipelines written in Java. */
@Timeout(300)
final class PipelineJarTest {
    private static final String SALES =
            """
            import dev.lakemill.api.pipeline.*;
            import java.time.Instant;
            import java.time.LocalDate;
            import java.time.LocalDateTime;
            import java.time.ZoneOffset;

            @Pipeline("sales")
            public class Sales {
                @Statements
                public static String source() {
                    return "CREATE TABLE c.b.t (id BIGINT NOT NULL, word STRING, x INT,"
                        + " at TIMESTAMP);";
                }

                @StreamingTable(value = "c.s.t", comment = "Bob's words")
                @Expect(name = "once", unique = "id", onViolation = OnViolation.DROP_ROW)
                @Expect(name = "low", condition = "coalesce(x, 0) < 100", onViolation = OnViolation.QUARANTINE)
                public Query silver() {
                    return Query.select("id", "shout(word, x) AS word", "twice(x) AS x",
                                    "daily(at) AS day", "next(at) AS next", "wall(at) AS wall",
                                    "share(x, 4) AS share")
                            .fromStream("c.b.t").where("id > 0").query();
                }

                @MaterializedView("c.g.v")
                public static Query gold() {
                    return Query.select("word", "sum(x) AS x").from("c.s.t").groupBy("word");
                }

                @SqlFunction
                public static String shout(String word, Integer times) {
                    if ("bad".equals(word)) {
                        throw new IllegalStateException("no such word");
                    }
                    return word == null ? "nothing " + times : word.toUpperCase();
                }

                @SqlFunction("twice")
                public static long doubled(long x) { return 2 * x; }

                @SqlFunction
                public static LocalDate daily(Instant at) {
                    return at == null ? null : LocalDate.ofInstant(at, ZoneOffset.UTC);
                }

                @SqlFunction
                public static Instant next(Instant at) {
                    return at == null ? null : at.plusNanos(1_000);
                }

                @SqlFunction
                public static LocalDateTime wall(Instant at) {
                    return at == null ? null : LocalDateTime.ofInstant(at, ZoneOffset.UTC);
                }

                @SqlFunction
                public static double share(double part, double whole) { return part / whole; }
            }
            """;

    @TempDir Path folder;

    @Test
    void aJarRunsOnANodeAndAFunctionThatThrowsFailsItsPipelineAlone() throws Exception {
        TestJar.write(folder.resolve("java/sales.jar"), SALES);
        Files.writeString(
                folder.resolve("lakemill.yml"),
                """
                pipelines:
                  - name: sales
                    folder: java
                  - name: other
                    folder: other
                  - name: empty
                    folder: empty.jar
                """);
        Files.createDirectories(folder.resolve("other"));
        Files.writeString(
                folder.resolve("other/p.sql"),
                "CREATE MATERIALIZED VIEW c.g.o AS SELECT count(*) AS n FROM c.b.o;"
                        + " CREATE TABLE c.b.o (id BIGINT NOT NULL);");
        TestJar.write(folder.resolve("empty.jar"), "public class Sales {}");
        try (var node = new TestNode(folder, Map.of("LAKEMILL_PIPELINE_COMMIT_MS", "200"))) {
            assertThat(error(node, "empty"))
                    .contains("empty.jar defines nothing: no public class in it has @Pipeline");
            node.send(
                    "c.b.t",
                    "{\"id\":1,\"word\":\"a\",\"x\":3,\"at\":\"2026-01-02T23:30:00.000001Z\"}",
                    "{\"id\":2,\"x\":60}",
                    "{\"id\":3,\"word\":\"b\"}");
            node.awaitRows("* FROM c.g.v", "A|6", "B|null");
            node.awaitRows(
                    "id, word, x, day, next, wall, share FROM c.s.t",
                    "1|A|6|2026-01-02|2026-01-02T23:30:00.000002Z"
                            + "|2026-01-02T23:30:00.000001|0.75",
                    "3|B|null|null|null|null|null");
            TestNode.await(() -> node.rows("id, word FROM c.s.t_quarantine").size() == 1);
            assertThat(node.rows("id, word FROM c.s.t_quarantine")).containsExactly("2|nothing 60");

            TestJar.write(folder.resolve("java/sales.jar"), SALES.replace("2 * x", "3 * x"));
            node.admin().post("/api/pipelines/sales/refresh", Map.of());
            node.send("c.b.t", "{\"id\":4,\"word\":\"a\",\"x\":1}");
            node.awaitRows("* FROM c.g.v", "A|9", "B|null");

            node.send("c.b.t", "{\"id\":5,\"word\":\"bad\",\"x\":7}");
            TestNode.await(() -> !error(node, "sales").isEmpty());
            assertThat(error(node, "sales"))
                    .contains("sales.jar:Sales.silver:")
                    .contains("shout(word = bad, times = 7) failed")
                    .contains("IllegalStateException: no such word");
            node.send("c.b.o", "{\"id\":1}");
            node.awaitRows("* FROM c.g.o", "1");
            assertThat(node.rows("* FROM c.g.v")).containsExactly("A|9", "B|null");
        }
    }

    @Test
    void whatIsWrongWithAJarIsOneErrorWithItsPlace() throws IOException {
        assertThat(validate(SALES)).contains("pipeline sales: 3 datasets");
        var two = "CREATE MATERIALIZED VIEW c.g.w AS SELECT share(1) AS x; CREATE TABLE c.b.t";
        assertThat(
                        validate(
                                SALES.replace("twice(x)", "twice(word)")
                                        .replace("CREATE TABLE c.b.t", two)))
                .contains("sales.jar:Sales.silver:5:39: ")
                .contains("argument 1 of twice(x BIGINT) is STRING, not BIGINT")
                .contains("share takes 2 arguments, not 1")
                .contains("share(part DOUBLE, whole DOUBLE)")
                .contains("^");
        assertThat(validate(SALES.replace("coalesce(x, 0) < 100", "twice(x) < 9")))
                .contains("an expectation cannot call a function of a jar");
        assertThat(validate(SALES.replace("@SqlFunction(\"twice\")", "@SqlFunction(\"upper\")")))
                .contains("the function 'upper' is Spark's");
        assertThat(
                        validate(
                                SALES.replace(
                                        "long doubled(long x) { return 2 * x; }",
                                        "java.math.BigDecimal doubled(long x) { return null; }")))
                .contains("Sales.doubled has @SqlFunction with the type java.math.BigDecimal");
        assertThat(
                        validate(
                                SALES.replace(
                                        "return Query.select(\"word\"",
                                        "if (true) throw new RuntimeException(\"oh\"); return Query.select(\"word\"")))
                .contains("Sales.gold failed: java.lang.RuntimeException: oh");
        assertThat(
                        validate(
                                SALES.replace(
                                        "return \"CREATE TABLE",
                                        "System.exit(7); return \"CREATE TABLE")))
                .contains("its process ended with exit code 7");
        assertThat(validate("public class Sales {}")).contains("defines nothing");
        Files.writeString(folder.resolve("sales.jar"), "no jar");
        assertThat(validate(folder.resolve("sales.jar"))).contains("sales.jar is no jar");
    }

    private String validate(String source) throws IOException {
        return validate(TestJar.write(folder.resolve("sales.jar"), source));
    }

    private String validate(Path jar) {
        var told = new StringWriter();
        var command = new CommandLine(new PipelineCommand());
        command.setOut(new PrintWriter(told)).setErr(new PrintWriter(told));
        command.setExecutionExceptionHandler(
                (e, _, _) -> {
                    told.write(((LakemillException) e).getMessage());
                    return 1;
                });
        command.execute("validate", jar.toString(), "--project", folder.toString());
        return told.toString();
    }

    private static String error(TestNode node, String pipeline) {
        return node.node().pipelines().named(pipeline).orElseThrow().error().orElse("");
    }
}
