package dev.lakemill.server;

import dev.lakemill.plan.Lexer;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.plan.Token;
import dev.lakemill.types.LakemillException;
import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs SQL on the running node. */
@Command(
        name = "sql",
        mixinStandardHelpOptions = true,
        description = {
            "Runs SQL over the lake's tables, and GRANT, SHOW, ALTER … about the catalog.",
            "Without text or file it reads statements from the terminal, each ended by ;"
        })
final class SqlCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;
    @Mixin private SqlTarget target;

    @Parameters(arity = "0..1", paramLabel = "SQL", description = "statements, ended by ;")
    private @Nullable String text;

    @Option(names = "-f", paramLabel = "FILE", description = "read the statements from a file")
    private @Nullable Path file;

    @Option(names = "--json", description = "print one JSON object a row")
    private boolean json;

    @Option(names = "--csv", description = "print CSV")
    private boolean csv;

    @Option(names = "--postgres", description = "run it in Postgres, as it is written, as yourself")
    private boolean postgres;

    private interface Runner {
        SqlClient.Answer run(String statement);
    }

    @Override
    public Integer call() throws IOException {
        if (!postgres) {
            return run(target.client()::run);
        }
        try (var session = target.postgres()) {
            return run(session::run);
        }
    }

    private int run(Runner runner) throws IOException {
        var out = spec.commandLine().getOut();
        if (text == null
                && file == null
                && Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent()) {
            return interactive(runner, out);
        }
        for (var statement : statements(script())) {
            print(runner.run(statement), out);
        }
        return 0;
    }

    private String script() throws IOException {
        if (text != null) {
            return text;
        }
        return file == null
                ? new String(System.in.readAllBytes(), Charset.defaultCharset())
                : Files.readString(file);
    }

    private void print(SqlClient.Answer answer, PrintWriter out) {
        var form = json ? SqlTable.JSON : csv ? SqlTable.CSV : SqlTable.TABLE;
        if (!answer.columns().isEmpty()) {
            form.print(answer, out);
        } else if (form == SqlTable.TABLE) {
            out.println("done");
        }
        out.flush();
    }

    /** An error is told, and the next statement is read. */
    private int interactive(Runner runner, PrintWriter out) throws IOException {
        var in = new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset()));
        var entered = new StringBuilder();
        while (true) {
            out.print(entered.isEmpty() ? "lakemill> " : "      ... ");
            out.flush();
            var line = in.readLine();
            if (line == null
                    || (entered.isEmpty() && line.strip().matches("(?i)exit|quit|\\\\q"))) {
                return 0;
            }
            entered.append(line).append('\n');
            if (line.stripTrailing().endsWith(";")) {
                run(entered.toString(), runner, out);
                entered.setLength(0);
            }
        }
    }

    private void run(String script, Runner runner, PrintWriter out) {
        try {
            for (var statement : statements(script)) {
                print(runner.run(statement), out);
            }
        } catch (LakemillException e) {
            out.println(e.problem() + (e.hint().isEmpty() ? "" : "\n   hint: " + e.hint()));
        }
    }

    /** Cut where a ; stands outside of strings and comments. */
    static List<String> statements(String script) {
        var source = new SourceText("sql", script);
        var statements = new ArrayList<String>();
        try {
            var start = 0;
            var isEmpty = true;
            for (var token : Lexer.tokens(source)) {
                var ends = token.isSign(';') || token.kind() == Token.Kind.END;
                if (ends && !isEmpty) {
                    statements.add(script.substring(start, token.start()).strip());
                }
                start = ends ? token.end() : start;
                isEmpty = ends;
            }
            return statements;
        } catch (TextRefused e) {
            throw e.error().toException(source);
        }
    }
}
