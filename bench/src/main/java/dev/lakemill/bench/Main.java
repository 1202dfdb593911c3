package dev.lakemill.bench;

import dev.lakemill.types.LakemillException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The verbs of a source checkout that measure and show: demo and bench. */
@Command(
        name = "lakemill",
        mixinStandardHelpOptions = true,
        subcommands = {DemoCommand.class, BenchCommand.class})
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        System.exit(
                new CommandLine(new Main())
                        .setExecutionExceptionHandler(Main::explain)
                        .execute(arguments));
    }

    private static int explain(
            Exception failure, CommandLine line, CommandLine.ParseResult parsed) {
        if (failure instanceof LakemillException known) {
            line.getErr().println("lakemill: " + known.problem());
            if (!known.hint().isEmpty()) {
                line.getErr().println("   hint: " + known.hint());
            }
        } else {
            failure.printStackTrace(line.getErr());
        }
        return 1;
    }
}
