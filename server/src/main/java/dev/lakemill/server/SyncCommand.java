package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.sync.Sync;
import dev.lakemill.types.TableName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Looks after synced tables: those that lakemill.yml lists, and others. */
@Command(
        name = "sync",
        mixinStandardHelpOptions = true,
        description = {
            "Looks after synced tables: copies in Postgres of tables of the lake.",
            "CREATE, ALTER, REFRESH, SHOW and DROP SYNCED TABLE of ./lakemill sql do the same."
        },
        synopsisSubcommandLabel = "COMMAND")
final class SyncCommand {
    private static final String NONE =
            """
                    lakemill.yml lists no synced_tables. For example:

                    synced_tables:
                      - name: catalog.schema.copy
                        source_table_full_name: catalog.schema.table
                        primary_key_columns: [id]
                        scheduling_policy: CONTINUOUS""";

    @Spec private CommandSpec spec;

    @Command(
            name = "plan",
            mixinStandardHelpOptions = true,
            description = "Tells what 'apply' would do with the synced_tables of lakemill.yml.")
    int plan(@Mixin SqlTarget target) {
        return steps().plan(
                        SyncedTableProject.plan(
                                SyncedTableProject.read(target.project()), target.node()));
    }

    @Command(
            name = "apply",
            mixinStandardHelpOptions = true,
            description = {
                "Makes and changes synced tables as synced_tables of lakemill.yml lists them.",
                "Others stay as they are; DROP SYNCED TABLE drops one."
            })
    int apply(@Mixin SqlTarget target) {
        var node = target.node();
        var steps = SyncedTableProject.plan(SyncedTableProject.read(target.project()), node);
        return steps().apply(steps, step -> SyncedTableProject.apply(step, node));
    }

    private ProjectSteps<SyncedTableProject.Step> steps() {
        return new ProjectSteps<>(this::print, SyncCommand::line, NONE);
    }

    private static String line(SyncedTableProject.Step step) {
        return switch (step) {
            case SyncedTableProject.Step.Create(var name, var definition) ->
                    "create   %s from %s, %s"
                            .formatted(name, definition.source(), definition.mode());
            case SyncedTableProject.Step.Change(var name, var definition, var fields) -> {
                var json = definition.json();
                yield fields.stream()
                        .map(field -> "%s becomes %s".formatted(field, text(json.get(field))))
                        .collect(Collectors.joining("; ", "change   %s: ".formatted(name), ""));
            }
            case SyncedTableProject.Step.Nothing(var name) -> "as it is " + name;
        };
    }

    private static String text(@Nullable JsonNode value) {
        return value == null ? "what it is by default" : value.toString();
    }

    @Command(
            name = "status",
            mixinStandardHelpOptions = true,
            description = "Tells how each synced table stands.")
    int status(
            @Mixin SqlTarget target,
            @Option(names = "--json", description = "print one JSON object a row") boolean json) {
        var answer = target.client().run("SHOW SYNCED TABLES");
        (json ? SqlTable.JSON : SqlTable.TABLE).print(answer, spec.commandLine().getOut());
        spec.commandLine().getOut().flush();
        return 0;
    }

    @Command(
            name = "refresh",
            mixinStandardHelpOptions = true,
            description = "Has a SNAPSHOT or TRIGGERED table take what its source has now.")
    int refresh(
            @Mixin SqlTarget target,
            @Parameters(paramLabel = "NAME", description = "catalog.schema.table") String name) {
        target.node()
                .post(SyncedTableProject.PATH + "/" + TableName.parse(name) + "/refresh", Map.of());
        print("asked for a refresh of %s; 'sync status' tells when it is done".formatted(name));
        return 0;
    }

    private void print(String line) {
        var out = spec.commandLine().getOut();
        out.println(line);
        out.flush();
    }

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
        print("dropped " + table);
        return 0;
    }
}
