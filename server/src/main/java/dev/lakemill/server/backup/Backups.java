package dev.lakemill.server.backup;

import dev.lakemill.postgres.Postgres;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running node's backups: Postgres's write-ahead log goes to the backup folder as it is written,
 * a mark is made at an interval, a base backup when it is asked for.
 *
 * <p>A mark is the lake's side first ({@link LakeCut}), then a commit in Postgres, then the wait
 * until that commit is in the archive. So Postgres restored to the mark's time or later has all
 * that the mark's tables, log and pipelines rest on.
 */
public final class Backups implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Backups.class);
    private static final Duration SHIP_EVERY = Duration.ofSeconds(1);
    private static final Duration ARCHIVED_MAX = Duration.ofMinutes(5);

    /** How long shipping may fail before a backup or mark does. */
    private static final Duration TROUBLE_MAX = Duration.ofSeconds(10);

    private static final Duration END_WAIT_MAX = Duration.ofSeconds(20);
    private static final DateTimeFormatter ID =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS'Z'").withZone(ZoneOffset.UTC);

    /**
     * What a node gives.
     *
     * @param durableLsn of its log
     * @param ingested the folders of tables that take rows from the log
     */
    public record Source(
            Path data, Postgres postgres, LongSupplier durableLsn, Supplier<Set<Path>> ingested) {}

    /**
     * @param interval between marks
     * @param waitingBytesMax of Postgres's log that the backup folder has not taken
     */
    public record Settings(Path folder, Duration interval, long waitingBytesMax) {}

    private final Source source;
    private final BackupFolder backups;
    private final Duration interval;
    private final String timeline;
    private final LakeCut lake;
    private final AppHomes homes;
    private final WalShipper shipper;
    private final ReentrantLock working = new ReentrantLock();
    private final ReentrantLock shipping = new ReentrantLock();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final AtomicLong bytes = new AtomicLong();
    private final Thread ships;
    private final Thread marks;
    private volatile String problem = "";
    private volatile String doing = "";
    private volatile String lastMark = "";
    private volatile Instant lastWhole = Instant.now();

    private Backups(Source source, Settings settings) {
        this.source = source;
        this.backups = new BackupFolder(settings.folder());
        this.interval = settings.interval();
        this.backups.claim(ask("SELECT system_identifier::text FROM pg_control_system()"));
        this.timeline = ask("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)");
        this.lake = new LakeCut(source, backups, timeline);
        this.homes = new AppHomes(backups);
        this.shipper =
                new WalShipper(source.postgres().walOut(), backups, settings.waitingBytesMax());
        this.ships = Thread.ofVirtual().name("backup-wal").unstarted(this::ships);
        this.marks = Thread.ofVirtual().name("backup-marks").unstarted(this::marks);
    }

    /**
     * Begins.
     *
     * @throws LakemillException FAILED_PRECONDITION for a Postgres that is not embedded, and a
     *     folder that cannot be used
     */
    public static Backups start(Source source, Settings settings) {
        if (!source.postgres().isEmbedded()) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "backup.folder is set, and Postgres is one of your own (postgres.url)",
                    "back that Postgres up by its own means, and leave backup.folder out");
        }
        var started = new Backups(source, settings);
        started.ships.start();
        started.marks.start();
        return started;
    }

    /** What is wrong; empty when nothing is. */
    public String problem() {
        return problem.isEmpty() ? shipper.problem() : problem;
    }

    /** Since the newest mark, or the start. */
    public double markAgeSeconds() {
        return Duration.between(lastWhole, Instant.now()).toMillis() / 1e3;
    }

    /** For people and commands. */
    public Map<String, Object> status() {
        try {
            var answer = new LinkedHashMap<String, Object>();
            answer.put("folder", backups.root().toString());
            answer.put("doing", doing);
            answer.put("bytes", bytes.get());
            answer.put("last_mark", lastMark);
            answer.put("problem", problem());
            answer.put("backups", backups.bases().stream().map(Backups::json).toList());
            return answer;
        } catch (IOException e) {
            throw unavailable(e);
        }
    }

    private static Map<String, Object> json(Base base) {
        return Map.of(
                "id", base.id(),
                "started", base.started(),
                "ended", base.ended(),
                "bytes", base.bytes());
    }

    /**
     * Makes a base backup between two marks, then prunes.
     *
     * @param keep base backups that stay, the newest
     * @return the backup, for people and commands
     */
    public Map<String, Object> backup(int keep) {
        working.lock();
        try {
            bytes.set(0);
            doing = "homes of apps";
            homes.copy(source.data());
            mark();
            doing = "Postgres";
            var base = base(ID.format(Instant.now()));
            var mark = mark();
            doing = "pruning";
            Retention.prune(backups, keep);
            lake.forget();
            return Map.of(
                    "id", base.id(),
                    "bytes", bytes.get(),
                    "restorable_from", base.ended(),
                    "restorable_to", mark.time(),
                    "tables", mark.tables().size());
        } catch (IOException | UncheckedIOException | SQLException e) {
            throw unavailable(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unavailable(e);
        } finally {
            doing = "";
            working.unlock();
        }
    }

    /** Of Postgres. What is half goes again at once: it would take the room that was missing. */
    private Base base(String id) throws IOException, SQLException {
        var folder = backups.base(id);
        var isWhole = false;
        try {
            var taken = source.postgres().baseBackup(folder.resolve("data"), bytes::addAndGet);
            var base = Base.of(id, taken);
            BackupFolder.write(folder.resolve("manifest.json"), base);
            isWhole = true;
            return base;
        } finally {
            if (!isWhole) {
                Retention.delete(folder);
            }
        }
    }

    private static LakemillException unavailable(Exception e) {
        return new LakemillException(
                ErrorCode.UNAVAILABLE,
                "the backup failed: " + e,
                "see that the backup folder can be written and its disk has room; what was copied"
                        + " is used by the next one",
                e);
    }

    private Mark mark() throws IOException, SQLException, InterruptedException {
        doing = "tables";
        var cut = lake.take(bytes::addAndGet);
        doing = "Postgres's log";
        var committed = commit();
        awaitArchived(committed.wal());
        var mark =
                new Mark(
                        ID.format(committed.time()),
                        committed.time().toString(),
                        committed.wal(),
                        timeline,
                        source.data().toString(),
                        cut.tables(),
                        Stream.concat(cut.files().stream(), homes.newest(source.data()).stream())
                                .toList(),
                        cut.log());
        backups.add(mark);
        lastMark = mark.time();
        lastWhole = Instant.now();
        return mark;
    }

    private record Committed(Instant time, String wal) {}

    /** A commit after the moment, so that a recovery to it finds where to stop. */
    private Committed commit() throws SQLException {
        try (var connection = source.postgres().owner().getConnection();
                var statement = connection.createStatement()) {
            Instant time;
            statement.execute(
                    """
                    CREATE TABLE IF NOT EXISTS lakemill.backup_mark (
                        one boolean PRIMARY KEY DEFAULT true CHECK (one), time timestamptz NOT NULL)
                    """);
            try (var row =
                    statement.executeQuery(
                            """
                            INSERT INTO lakemill.backup_mark (time) VALUES (clock_timestamp())
                            ON CONFLICT (one) DO UPDATE SET time = excluded.time RETURNING time
                            """)) {
                row.next();
                time = row.getTimestamp(1).toInstant();
            }
            try (var row = statement.executeQuery("SELECT pg_walfile_name(pg_switch_wal())")) {
                row.next();
                return new Committed(time, row.getString(1));
            }
        }
    }

    private void awaitArchived(String wal) throws InterruptedException, IOException {
        var deadline = System.nanoTime() + ARCHIVED_MAX.toNanos();
        var wellAt = System.nanoTime();
        var file = backups.wal().resolve(wal + ".gz");
        while (!Files.exists(file)) {
            ship();
            if (ending.getCount() == 0) {
                throw new IOException("the node is stopping");
            }
            var now = System.nanoTime();
            wellAt = shipper.problem().isEmpty() ? now : wellAt;
            if (now > deadline || now - wellAt > TROUBLE_MAX.toNanos()) {
                throw new IOException(
                        "Postgres's log file %s does not get into %s: %s"
                                .formatted(wal, backups.wal(), shipper.problem()));
            }
            Thread.sleep(20);
        }
    }

    private void ship() {
        shipping.lock();
        try {
            shipper.ship();
        } finally {
            shipping.unlock();
        }
    }

    private void ships() {
        try {
            while (!ending.await(SHIP_EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
                ship();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void marks() {
        try {
            while (!ending.await(interval.toMillis(), TimeUnit.MILLISECONDS)) {
                working.lock();
                try {
                    markOrSay();
                } finally {
                    doing = "";
                    working.unlock();
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void markOrSay() throws InterruptedException {
        try {
            mark();
            problem = "";
        } catch (IOException | SQLException | RuntimeException e) {
            if (ending.getCount() == 0) {
                return;
            }
            if (problem.isEmpty()) {
                log.error("no mark could be made in {}; trying again", backups.root(), e);
            }
            problem =
                    "no mark since %s: %s"
                            .formatted(lastMark.isEmpty() ? "the start" : lastMark, e);
        }
    }

    private String ask(String query) {
        try (var connection = source.postgres().owner().getConnection();
                var statement = connection.createStatement();
                var row = statement.executeQuery(query)) {
            row.next();
            return row.getString(1);
        } catch (SQLException e) {
            throw unavailable(e);
        }
    }

    /** Ships what is there; a mark that is being made is left. */
    @Override
    public void close() {
        ending.countDown();
        try {
            marks.join(END_WAIT_MAX);
            ships.join(END_WAIT_MAX);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        ship();
    }
}
