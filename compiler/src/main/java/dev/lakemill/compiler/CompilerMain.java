package dev.lakemill.compiler;

import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.CompileRequest;
import dev.lakemill.plan.PlanJson;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.SqlCompilation;
import dev.lakemill.plan.SqlRequest;
import dev.lakemill.plan.TextRefused;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The compiler's process: reads one {@link dev.lakemill.plan.CompileRequest} as JSON on standard
 * input, writes one {@link dev.lakemill.plan.Compilation} as JSON on standard output, and ends.
 *
 * <p>With the argument {@value #SERVE} it reads one {@link dev.lakemill.plan.SqlRequest} a line and
 * writes one {@link dev.lakemill.plan.SqlCompilation} a line, until its input ends.
 *
 * <p>Standard output holds nothing else; what the libraries print goes to standard error. Errors of
 * the text are an answer, with exit code 0; any other exit code is a defect, told on standard
 * error.
 */
public final class CompilerMain {
    private static final String SERVE = "serve";

    private CompilerMain() {}

    public static void main(String[] arguments) throws IOException {
        var answer = System.out;
        System.setOut(new PrintStream(System.err, true, StandardCharsets.UTF_8));
        if (arguments.length == 1 && arguments[0].equals(SERVE)) {
            serve(answer);
            return;
        }
        var request =
                PlanJson.readRequest(new String(System.in.readAllBytes(), StandardCharsets.UTF_8));
        answer.write(compiled(request).getBytes(StandardCharsets.UTF_8));
        answer.flush();
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
                                            new Catalyst(request.models()), request)));
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

    private static void serve(PrintStream answer) throws IOException {
        var requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (var line = requests.readLine(); line != null; line = requests.readLine()) {
            var compiled = compiled(PlanJson.readSqlRequest(line));
            answer.write((compiled + "\n").getBytes(StandardCharsets.UTF_8));
            answer.flush();
        }
    }
}
