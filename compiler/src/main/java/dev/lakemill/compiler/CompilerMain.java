package dev.lakemill.compiler;

import dev.lakemill.plan.PlanJson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

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
        var compilation = PipelineCompiler.compile(new Catalyst(), request);
        answer.write(PlanJson.writeCompilation(compilation).getBytes(StandardCharsets.UTF_8));
        answer.flush();
    }

    private static void serve(PrintStream answer) throws IOException {
        var requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (var line = requests.readLine(); line != null; line = requests.readLine()) {
            var compilation = SqlCompiler.compile(new Catalyst(), PlanJson.readSqlRequest(line));
            answer.write(
                    (PlanJson.writeSqlCompilation(compilation) + "\n")
                            .getBytes(StandardCharsets.UTF_8));
            answer.flush();
        }
    }
}
