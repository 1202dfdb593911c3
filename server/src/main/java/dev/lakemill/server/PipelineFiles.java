package dev.lakemill.server;

import dev.lakemill.feed.TableFeed;
import dev.lakemill.pipeline.BucketConfig;
import dev.lakemill.pipeline.FileLanding;
import dev.lakemill.pipeline.FilePlaces;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.FileSource.Format;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.server.NodeStatus.FileState;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.time.Clock;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The folders and buckets of files that one pipeline reads. Deployments use it, one at a time. */
final class PipelineFiles implements AutoCloseable {
    private final PipelineHost.Parts parts;
    private final Runnable grown;
    private volatile Map<TableName, Open> open = Map.of();

    private record Open(Dataset.FileTable table, FileLanding landing) {}

    /**
     * @param grown told when files have new columns, and none is read until another plan is here
     */
    PipelineFiles(PipelineHost.Parts parts, Runnable grown) {
        this.parts = parts;
        this.grown = grown;
    }

    /** Whether the plan has columns that files brought since their tables were made. */
    boolean grows(PipelinePlan plan) {
        return tables(plan).anyMatch(this::grows);
    }

    private boolean grows(Dataset.FileTable table) {
        var now = open.get(table.name());
        return now == null
                ? FileLanding.grows(table, parts.folder(), parts.allocator())
                : now.table().schema().size() < table.schema().size();
    }

    /** Whether a folder or bucket that is read now is to be read in another way. */
    boolean differ(PipelinePlan plan) {
        return tables(plan)
                .anyMatch(
                        table -> {
                            var now = open.get(table.name());
                            return now != null && !now.table().equals(table);
                        });
    }

    /**
     * Begins to read the plan's folders and buckets, and ends with others.
     *
     * @throws LakemillException FAILED_PRECONDITION for a folder that cannot be read so
     */
    void open(PipelinePlan plan) {
        var wanted = new TreeMap<TableName, Open>();
        Set<TableName> kept = new HashSet<>();
        for (var table : tables(plan).toList()) {
            if (table.files().format() != Format.DELTA) {
                check(table);
            }
            var now = open.get(table.name());
            if (now != null && now.table().equals(table)) {
                wanted.put(table.name(), now);
                kept.add(table.name());
            }
        }
        open.forEach(
                (name, now) -> {
                    if (!kept.contains(name)) {
                        now.landing().close();
                    }
                });
        open = Map.copyOf(wanted);
        for (var table : tables(plan).toList()) {
            if (!kept.contains(table.name())) {
                wanted.put(table.name(), new Open(table, start(table)));
                open = Map.copyOf(wanted);
            }
        }
    }

    private FileLanding start(Dataset.FileTable table) {
        return FileLanding.start(
                table,
                new FileLanding.Wiring(
                        places(parts.config()),
                        parts.folder(),
                        parts.allocator(),
                        Clock.systemUTC(),
                        grown));
    }

    /** Where files are, and how buckets are read. */
    static FilePlaces places(Config config) {
        var endpoint = config.text(Setting.S3_ENDPOINT);
        var pathStyle = config.text(Setting.S3_PATH_STYLE);
        var store =
                new BucketConfig.Store(
                        endpoint,
                        config.text(Setting.S3_REGION),
                        pathStyle.isEmpty()
                                ? !endpoint.isEmpty()
                                : Boolean.parseBoolean(pathStyle));
        // What the node keeps is read by its own doors, which ask who may.
        var closed =
                Stream.of(config.data(), config.path(Setting.BACKUP_FOLDER))
                        .filter(Objects::nonNull)
                        .toList();
        return new FilePlaces(
                config.folder(),
                new BucketConfig(
                        store,
                        (long) config.number(Setting.S3_OBJECT_MB) << 20,
                        Duration.ofSeconds(Math.max(1, config.number(Setting.S3_LIST_S))),
                        BucketConfig.DEFAULT.silenceMax()),
                closed);
    }

    private void check(Dataset.FileTable table) {
        try {
            places(parts.config()).check(table.files());
        } catch (LakemillException e) {
            throw new LakemillException(
                    e.code(), "%s: %s".formatted(table.position(), e.problem()), e.hint());
        }
    }

    /** Whether all that is there was read, or is set aside. */
    boolean isIdle() {
        return open.values().stream().allMatch(now -> now.landing().isIdle());
    }

    /** The feed of the rows of a table's files. */
    TableFeed feed(TableName table) {
        var now = open.get(table);
        if (now == null) {
            throw new IllegalArgumentException(table + " reads no files");
        }
        return now.landing().feed();
    }

    List<FileState> state() {
        return open.values().stream()
                .map(
                        now -> {
                            var status = now.landing().status();
                            return new FileState(
                                    now.table().name().toString(),
                                    now.table().files().path(),
                                    status.files(),
                                    status.badFiles(),
                                    status.newestBad(),
                                    status.error());
                        })
                .toList();
    }

    /** Why something of them is not read; empty while all are. */
    Optional<String> error() {
        return state().stream()
                .filter(state -> !state.error().isEmpty())
                .map(state -> "%s: %s".formatted(state.table(), state.error()))
                .findFirst();
    }

    @Override
    public void close() {
        open.values().forEach(now -> now.landing().close());
        open = Map.of();
    }

    private static Stream<Dataset.FileTable> tables(PipelinePlan plan) {
        return plan.datasets().stream()
                .filter(Dataset.FileTable.class::isInstance)
                .map(Dataset.FileTable.class::cast);
    }
}
