package dev.lakemill.server;

import dev.lakemill.postgres.Postgres;
import dev.lakemill.sync.Sync;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Looks after synced tables while the node is stopped. */
@Command(
        name = "sync",
        mixinStandardHelpOptions = true,
        description = "Looks after synced tables.",
        synopsisSubcommandLabel = "COMMAND")
final class SyncCommand {
    @Spec private CommandSpec spec;

    @Command(
            name = "drop",
            mixinStandardHelpOptions = true,
            description = {
                "Drops a synced table from Postgres; the node must be stopped.",
                "One that the pipeline still names is made anew at the next start: how a changed",
                "primary key or column type is taken over."
            })
    int drop(
            @Parameters(paramLabel = "NAME", description = "catalog.schema.table") String name,
            @Option(names = "--project", paramLabel = "DIR", defaultValue = ".") Path project)
            throws IOException {
        var table = TableName.parse(name);
        var config = Config.load(project, System.getenv());
        try (var _ = NodeLock.take(config.data());
                var postgres = Postgres.start(NodeSettings.postgres(config))) {
            Sync.drop(table, postgres.ownerUnpooled());
        }
        var out = spec.commandLine().getOut();
        out.println("dropped " + table);
        out.flush();
        return 0;
    }
}
