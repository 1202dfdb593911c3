package dev.lakemill.server;

import dev.lakemill.types.LakemillException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line: one verb, one class. */
@Command(
        name = "lakemill",
        description = "Makes a lakehouse operational, in one process.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            UpCommand.class,
            StatusCommand.class,
            SqlCommand.class,
            GrantCommand.Grant.class,
            GrantCommand.Revoke.class,
            PipelineCommand.class,
            ModelCommand.class,
            SyncCommand.class,
            AgentCommand.class,
            AppCommand.class,
            IngestCommand.class,
            AuditCommand.class,
            LoginCommand.class,
            TokenCommand.class,
            PrincipalCommand.class,
            ConfigCommand.class,
            BackupCommand.class,
            RestoreCommand.class,
            VerifyCommand.class,
            ImportCommand.class,
            DoctorCommand.class
        },
        footerHeading = "%nAlso, from a source checkout:%n",
        footer = {
            "  demo      run the vertical farm: server, simulators, pipeline, Postgres, page",
            "  test      run every check and test",
            "  bench     measure: ingest, soak, sync, serve, pipeline, crash, audit",
            "",
            "Begin with  ./lakemill demo  and open the page it prints.",
            "Exit codes: 0 all well, 1 it failed, 2 the command line is wrong."
        })
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    static CommandLine commandLine() {
        var line = new CommandLine(new Main());
        line.setExecutionExceptionHandler(Main::explain);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        return line;
    }

    private static int explain(
            Exception failure, CommandLine line, CommandLine.ParseResult parsed) {
        if (failure instanceof LakemillException known) {
            line.getErr().println("lakemill: " + known.problem());
            if (!known.hint().isEmpty()) {
                line.getErr().println("   hint: " + known.hint());
            }
        } else {
            line.getErr().println("lakemill: this is a defect; please report it with what follows");
            failure.printStackTrace(line.getErr());
        }
        return 1;
    }
}
