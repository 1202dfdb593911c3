package dev.lakemill.compiler;

import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.CompileRequest;
import dev.lakemill.plan.PlanJson;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.SqlCompilation;
import dev.lakemill.plan.SqlRequest;
import dev.lakemill.plan.TextRefused;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * The compiler's process: it reads requests as JSON on standard input, one a line, and writes an
 * answer a line on standard output, until its input ends. A line begins with what it asks for:
 * {@value #PIPELINE} and a {@link CompileRequest}, answered by a {@link Compilation}; or {@value
 * #SQL} and a {@link SqlRequest}, answered by a {@link SqlCompilation}.
 *
 * <p>With the argument {@value #TRAIN} it compiles a text of its own and ends: so the JVM learns,
 * at build time, what to load ahead of time.
 *
 * <p>Standard output holds nothing else; what the libraries print goes to standard error. Errors of
 * the text are an answer; that the process ends without one is a defect, told on standard error.
 */
public final class CompilerMain {
    private static final String PIPELINE = "pipeline";
    private static final String SQL = "sql";

    private static final String TRAIN = "train";

    private CompilerMain() {}

    public static void main(String[] arguments) throws IOException {
        var answer = System.out;
        System.setOut(new PrintStream(System.err, true, StandardCharsets.UTF_8));
        if (List.of(arguments).contains(TRAIN)) {
            train();
            return;
        }
        var requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (var line = requests.readLine(); line != null; line = requests.readLine()) {
            answer.write((answered(line) + "\n").getBytes(StandardCharsets.UTF_8));
            answer.flush();
        }
    }

    /** A process that does nothing else, so that the JVM notes what a usual text needs. */
    private static void train() throws IOException {
        try (var in = CompilerMain.class.getResourceAsStream("training.sql")) {
            if (in == null) {
                throw new IllegalStateException("training.sql is not there");
            }
            var text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            var request =
                    new CompileRequest(
                            "training",
                            List.of(new SourceText("training.sql", text)),
                            Map.of(),
                            List.of(),
                            List.of(),
                            List.of(),
                            List.of(),
                            "");
            var compilation =
                    PlanJson.readCompilation(
                            compiled(PlanJson.readRequest(PlanJson.writeRequest(request))));
            compilation.orThrow();
        }
    }

    private static String answered(String line) {
        var space = line.indexOf(' ');
        var json = line.substring(space + 1);
        return switch (line.substring(0, Math.max(0, space))) {
            case PIPELINE -> compiled(PlanJson.readRequest(json));
            case SQL -> compiled(PlanJson.readSqlRequest(json));
            default -> throw new IllegalArgumentException("no request: " + line);
        };
    }

    /** A plan nested too deeply to be written is found here. */
    private static String compiled(CompileRequest request) {
        try {
            return Guard.guarded(
                    request.files().isEmpty()
                            ? new SourcePosition("", 1, 1)
                            : new SourcePosition(request.files().getFirst().path(), 1, 1),
                    () ->
                            PlanJson.writeCompilation(
                                    PipelineCompiler.compile(
                                            new Catalyst(request.models(), request.functions()),
                                            request)));
        } catch (TextRefused e) {
            return PlanJson.writeCompilation(
                    new Compilation.Rejected(request.name(), List.of(e.error())));
        }
    }

    private static String compiled(SqlRequest request) {
        try {
            return Guard.guarded(
                    SqlCompiler.position(request),
                    () ->
                            PlanJson.writeSqlCompilation(
                                    SqlCompiler.compile(new Catalyst(), request)));
        } catch (TextRefused e) {
            return PlanJson.writeSqlCompilation(new SqlCompilation.Rejected(List.of(e.error())));
        }
    }
}
