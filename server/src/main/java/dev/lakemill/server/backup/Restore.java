package dev.lakemill.server.backup;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.postgres.PointInTime;
import dev.lakemill.postgres.Postgres;
import dev.lakemill.postgres.PostgresConfig;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.wal.LogCopy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Makes a data folder out of a backup folder.
 *
 * <p>Everything is made in a folder beside the final one, which gets its name last: a restore that
 * was killed leaves no data folder, and the next one begins anew. Postgres is brought to the moment
 * by its own recovery; tables, log and pipelines to the newest mark that is not after it. Then what
 * Postgres knows of the lake is brought back to that mark.
 */
public final class Restore {
    /**
     * What is restored, and to where.
     *
     * @param from the backup folder
     * @param moment the last that is in; null for all there is
     */
    public record Order(Path from, Path data, @Nullable Instant moment) {}

    /**
     * What was restored.
     *
     * @param mark the moment of tables, log and pipelines
     * @param moment that of Postgres; empty when all of the archive was replayed
     */
    public record Restored(String base, String mark, String moment, int tables, long bytes) {}

    private record Plan(Base base, Mark mark, List<String> wal) {}

    private final Order order;
    private final BackupFolder backups;
    private final Function<Path, PostgresConfig> postgres;
    private final Consumer<String> progress;
    private long bytes;

    /**
     * @param postgres the settings of Postgres in a data folder
     * @param progress told of each step, for people
     */
    public Restore(
            Order order, Function<Path, PostgresConfig> postgres, Consumer<String> progress) {
        this.order = order;
        this.backups = new BackupFolder(order.from());
        this.postgres = postgres;
        this.progress = progress;
    }

    /**
     * @throws LakemillException FAILED_PRECONDITION when there is data already; NOT_FOUND when the
     *     moment is not in the backups; DATA_LOSS when what is needed is damaged or missing
     */
    public Restored run() {
        var unfinished = order.data().resolveSibling(order.data().getFileName() + ".restoring");
        try {
            checkEmpty();
            var plan = plan();
            progress.accept(
                    "base backup %s, mark %s".formatted(plan.base().id(), plan.mark().time()));
            Retention.delete(unfinished);
            Files.createDirectories(unfinished);
            Files.setPosixFilePermissions(unfinished, PosixFilePermissions.fromString("rwx--x--x"));
            files(plan, unfinished);
            tables(plan.mark(), unfinished);
            for (var part : plan.mark().log()) {
                LogCopy.restore(
                        part,
                        backups.log().resolve(plan.mark().timeline()),
                        unfinished.resolve("log"));
            }
            base(plan, unfinished.resolve("postgres"));
            recover(plan, unfinished);
            Files.deleteIfExists(order.data().resolve("node.lock"));
            Files.deleteIfExists(order.data());
            Files.move(unfinished, order.data(), StandardCopyOption.ATOMIC_MOVE);
            return new Restored(
                    plan.base().id(),
                    plan.mark().time(),
                    order.moment() == null ? "" : order.moment().toString(),
                    plan.mark().tables().size(),
                    bytes);
        } catch (IOException | UncheckedIOException e) {
            throw new LakemillException(
                    ErrorCode.DATA_LOSS,
                    "the restore failed: " + e,
                    "nothing was changed; './lakemill verify' checks a backup, and --to an earlier"
                            + " moment may avoid what is damaged",
                    e);
        } catch (SQLException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the restored Postgres does not answer: " + e.getMessage(),
                    "its log is in " + unfinished.resolve("postgres/log"),
                    e);
        }
    }

    private void checkEmpty() throws IOException {
        if (!Files.exists(order.data())) {
            return;
        }
        try (var there = Files.list(order.data())) {
            if (there.anyMatch(file -> !file.endsWith("node.lock"))) {
                throw new LakemillException(
                        ErrorCode.FAILED_PRECONDITION,
                        "there is data in %s already".formatted(order.data()),
                        "move it away, or restore to another folder with --data");
            }
        }
    }

    private Plan plan() throws IOException {
        var marks = backups.marks();
        var bases = backups.bases();
        if (marks.isEmpty() || bases.isEmpty()) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "there is no whole backup in " + order.from(),
                    "'./lakemill backup' makes one while the node runs");
        }
        var moment = order.moment();
        var newest = marks.getLast();
        if (moment != null && moment.isAfter(newest.at())) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "the backups reach to %s, not to %s".formatted(newest.time(), moment),
                    "leave --to out to restore all there is");
        }
        var end = moment == null ? newest.at() : moment;
        var mark = newest(marks.stream().filter(m -> !m.at().isAfter(end)).toList(), marks, end);
        var timelines = Timelines.of(backups, mark.timeline());
        var base =
                bases.stream()
                        .filter(b -> !b.endedAt().isAfter(end) && timelines.leadHere(b))
                        .reduce((_, later) -> later)
                        .orElseThrow(
                                () ->
                                        new LakemillException(
                                                ErrorCode.NOT_FOUND,
                                                "the oldest backup is of %s, after %s"
                                                        .formatted(bases.getFirst().ended(), end),
                                                "--to names a moment since then"));
        var next = next(marks, end);
        var isLeft = !next.timeline().equals(mark.timeline());
        var wal = wal(base, isLeft ? mark : next, moment == null || isLeft);
        checkWhole(timelines, base, isLeft ? mark : next, wal);
        return new Plan(base, mark, wal);
    }

    private static Mark newest(List<Mark> before, List<Mark> all, Instant end) {
        if (before.isEmpty()) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "the oldest mark is of %s, after %s".formatted(all.getFirst().time(), end),
                    "--to names a moment since the oldest backup");
        }
        return before.getLast();
    }

    /** The first mark that is not before a moment: its commit ends a recovery to that. */
    private static Mark next(List<Mark> marks, Instant moment) {
        return marks.stream().filter(m -> !m.at().isBefore(moment)).findFirst().orElseThrow();
    }

    /**
     * Postgres's log that a recovery reads.
     *
     * @param isWhole whether what is behind the mark is needed too
     */
    private List<String> wal(Base base, Mark through, boolean isWhole) throws IOException {
        var first = Retention.segment(base.startWal());
        var last = Retention.segment(through.wal());
        var needed = new ArrayList<String>();
        for (var name : backups.walFiles()) {
            var segment = name.length() < 24 ? first : Retention.segment(name);
            if (segment.compareTo(first) >= 0 && (isWhole || segment.compareTo(last) <= 0)) {
                needed.add(name);
            }
        }
        return needed;
    }

    /** Refuses an archive with a hole before it costs an hour of recovery. */
    private void checkWhole(Timelines timelines, Base base, Mark through, List<String> wal) {
        var segments =
                wal.stream()
                        .filter(name -> name.length() == 24 && timelines.leadHere(name))
                        .map(Retention::segment)
                        .collect(Collectors.toSet());
        var last = Retention.segment(through.wal());
        for (var segment = Retention.segment(base.startWal());
                segment.compareTo(last) <= 0;
                segment = following(segment)) {
            if (!segments.contains(segment)) {
                throw new LakemillException(
                        ErrorCode.DATA_LOSS,
                        "Postgres's log file with the number %s is not in %s"
                                .formatted(segment, backups.wal()),
                        "restore to a moment before it, or after a later base backup");
            }
        }
    }

    /** File names count 256 files of 16 MB, then the next number of 4 GB. */
    private static String following(String segment) {
        var high = Long.parseLong(segment.substring(0, 8), 16);
        var low = Long.parseLong(segment.substring(8), 16) + 1;
        return low < 256 ? "%08X%08X".formatted(high, low) : "%08X%08X".formatted(high + 1, 0);
    }

    private void files(Plan plan, Path data) throws IOException {
        progress.accept(plan.mark().files().size() + " files of the node");
        for (var file : plan.mark().files()) {
            var target = data.resolve(file.path()).normalize();
            if (!target.startsWith(data)) {
                throw new IOException(file.path() + " leaves the data folder");
            }
            var written = Durable.copy(backups.files().resolve(file.sha256()), target);
            if (!written.sha256().equals(file.sha256())) {
                throw new IOException("the backup's file %s is damaged".formatted(file.sha256()));
            }
            var mode = file.executable() ? "rwx------" : "rw-------";
            Files.setPosixFilePermissions(target, PosixFilePermissions.fromString(mode));
            bytes += written.bytes();
        }
    }

    private void tables(Mark mark, Path data) throws IOException {
        int done = 0;
        for (var table : mark.tables()) {
            LakePool.open(backups.lake().resolve(table.path()).resolve(table.id()))
                    .restore(table.version(), data.resolve(table.path()), b -> bytes += b);
            done++;
            progress.accept(
                    "table %d of %d, %,d MB in all"
                            .formatted(done, mark.tables().size(), bytes >> 20));
        }
    }

    private void base(Plan plan, Path postgresFolder) throws IOException {
        progress.accept("Postgres: %,d MB".formatted(plan.base().bytes() >> 20));
        var target = postgresFolder.resolve("data");
        Files.createDirectories(target);
        for (var folder : plan.base().folders()) {
            Files.createDirectories(target.resolve(folder));
        }
        var source = backups.base(plan.base().id()).resolve("data");
        for (var file : plan.base().files()) {
            var written = Durable.copy(source.resolve(file.path()), target.resolve(file.path()));
            if (!written.sha256().equals(file.sha256())) {
                throw new IOException(
                        "the backup's file %s is damaged".formatted(source.resolve(file.path())));
            }
            bytes += written.bytes();
        }
        closeFolders(target);
        var incoming = postgresFolder.resolve("wal-in");
        Files.createDirectories(incoming);
        for (var name : plan.wal()) {
            try (var unpacked = WalShipper.unpacked(backups.wal().resolve(name + ".gz"))) {
                bytes += Durable.write(unpacked, incoming.resolve(name)).bytes();
            }
        }
    }

    /** Postgres refuses a data folder that others may read. */
    private static void closeFolders(Path target) throws IOException {
        try (var paths = Files.walk(target)) {
            for (var path : paths.toList()) {
                var mode = Files.isDirectory(path) ? "rwx------" : "rw-------";
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
            }
        }
    }

    private void recover(Plan plan, Path unfinished) throws IOException, SQLException {
        progress.accept("Postgres replays %d files of its log".formatted(plan.wal().size()));
        var timeline = Long.parseLong(plan.mark().timeline(), 16);
        var to = new PointInTime(order.moment(), timeline);
        var config = postgres.apply(unfinished).recovering(to);
        try (var recovered = Postgres.start(config)) {
            try (var connection = recovered.owner().getConnection()) {
                connection.setAutoCommit(false);
                Realignment.run(connection, Path.of(plan.mark().data()), order.data(), unfinished);
                connection.commit();
            }
            record(recovered, plan);
        }
        Retention.delete(unfinished.resolve("postgres/wal-in"));
    }

    private void record(Postgres recovered, Plan plan) {
        var catalog = Catalog.open(recovered.owner());
        try (var audit = catalog.audit()) {
            audit.record(
                    AuditEvent.done(
                            catalog.system(),
                            "accounts",
                            "restoreBackup",
                            Map.of(
                                    "backup", plan.base().id(),
                                    "mark", plan.mark().time(),
                                    "to", String.valueOf(order.moment()))));
        }
    }

    static void run(Connection connection, String sql, Object... values) throws SQLException {
        try (var statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            statement.execute();
        }
    }
}
