package dev.lakemill.server;

import dev.lakemill.server.backup.Restore;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Makes a data folder out of backups. */
@Command(
        name = "restore",
        mixinStandardHelpOptions = true,
        description = {
            "Makes the project's data folder out of backup.folder, as it was at a moment, or with",
            "all that the backups have. The folder must be missing or empty; nothing is deleted.",
            "State tables, the catalog and grants stand exactly at the moment; Delta tables, the",
            "log and pipelines at the newest mark before it (backup.interval_s apart). Start the",
            "node afterwards as always: it goes on from there, each row once."
        })
final class RestoreCommand implements Callable<Integer> {
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
            description = "the last moment that is in, for example 2026-05-04T10:15:00Z")
    private @Nullable String to;

    @Option(names = "--from", paramLabel = "DIR", description = "instead of backup.folder")
    private @Nullable Path from;

    @Option(names = "--data", paramLabel = "DIR", description = "instead of the data folder")
    private @Nullable Path data;

    @Override
    public Integer call() {
        var config = Config.load(project, System.getenv());
        var out = spec.commandLine().getOut();
        var target = data == null ? config.data() : data.toAbsolutePath().normalize();
        var order = new Restore.Order(source(config, from), target, moment(to));
        var restored =
                new Restore(
                                order,
                                folder -> NodeSettings.postgresIn(config, folder),
                                step -> {
                                    out.println(step);
                                    out.flush();
                                })
                        .run();
        out.printf(
                "restored %s: %,d MB, %d Delta tables as of %s%n",
                target, restored.bytes() >> 20, restored.tables(), restored.mark());
        out.println("'./lakemill up' starts it; then make a new backup with './lakemill backup'");
        out.flush();
        return 0;
    }

    /** The folder that an option or the project names. */
    static Path source(Config config, @Nullable Path option) {
        var folder = option == null ? config.path(Setting.BACKUP_FOLDER) : option;
        if (folder == null) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "backup.folder is not set",
                    "name the folder with --from, or set it in lakemill.yml");
        }
        return folder.toAbsolutePath().normalize();
    }

    /** A time with its offset; none for all there is. */
    static @Nullable Instant moment(@Nullable String text) {
        try {
            return text == null ? null : OffsetDateTime.parse(text.strip()).toInstant();
        } catch (DateTimeException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "--to is '%s'".formatted(text),
                    "write a time with its offset, such as 2026-05-04T10:15:00Z or"
                            + " 2026-05-04T12:15:00+02:00",
                    e);
        }
    }
}
