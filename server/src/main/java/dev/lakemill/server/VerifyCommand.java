package dev.lakemill.server;

import dev.lakemill.server.backup.Verify;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Restores a backup elsewhere and looks whether all is well. */
@Command(
        name = "verify",
        mixinStandardHelpOptions = true,
        description = {
            "Restores a backup into a temporary folder, starts Postgres there, and checks it:",
            "every file's checksum, every page and index of Postgres, every row of every Delta",
            "table, and that the catalog and the tables name one another. It needs the space.",
            "Exit code 0 when all is well, 1 when not."
        })
final class VerifyCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Option(
            names = "--project",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "folder with lakemill.yml (default: the current one)")
    private Path project;

    @Option(
            names = "--to",
            paramLabel = "TIME",
            description = "verify what a restore to this moment gives")
    private @Nullable String to;

    @Option(names = "--from", paramLabel = "DIR", description = "instead of backup.folder")
    private @Nullable Path from;

    @Option(
            names = "--in",
            paramLabel = "DIR",
            description = "for the temporary folder (default: beside the backup folder)")
    private @Nullable Path in;

    @Override
    public Integer call() throws IOException {
        var config = Config.load(project, System.getenv());
        var out = spec.commandLine().getOut();
        var source = RestoreCommand.source(config, from);
        var order =
                new Verify.Order(
                        source,
                        in == null ? source.resolve("..").normalize() : in.toAbsolutePath(),
                        RestoreCommand.moment(to));
        var verdict =
                new Verify(
                                order,
                                folder -> NodeSettings.postgresIn(config, folder),
                                step -> {
                                    out.println(step);
                                    out.flush();
                                })
                        .run();
        verdict.problems().forEach(problem -> out.println("BAD: " + problem));
        out.printf(
                "backup %s, mark %s: %,d rows in %d Delta tables, %d Postgres tables: %s%n",
                verdict.base(),
                verdict.mark(),
                verdict.deltaRows(),
                verdict.deltaTables(),
                verdict.postgresTables(),
                verdict.problems().isEmpty() ? "all well" : "NOT WELL");
        out.flush();
        return verdict.problems().isEmpty() ? 0 : 1;
    }
}
