package dev.lakemill.pipeline;

import dev.lakemill.delta.DeltaConfig;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.feed.TableBatch;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.pipeline.Listing.Found;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.FileSchema;
import dev.lakemill.plan.FileSource;
import dev.lakemill.plan.FileSource.Format;
import dev.lakemill.types.Column;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.arrow.memory.BufferAllocator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the new files of a folder or a bucket, each once, into a table of the pipeline's own, from
 * which they are read as ingested rows are: by position, again after a crash, and from the first
 * for a full refresh.
 *
 * <p>A file is new until its entry stands, synced, in the {@link FileJournal}. The entry gives its
 * rows their positions, and each part of them goes into the table with its position as the
 * transaction's version. So after a crash the rows of the last entry are written again, as far as
 * they are not there. A file of a folder is taken when two looks have found it the same, since it
 * may be being written; and its rows are read whole before its entry is written, so that a bad file
 * leaves none.
 *
 * <p>One thread looks and writes; the feed may be read from any.
 */
public final class FileLanding implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FileLanding.class);
    private static final String APPLICATION = "lakemill-files";
    private static final long FEED_BYTES_MAX = 16L << 20;

    /**
     * How it stands.
     *
     * @param files that were read
     * @param badFiles that were set aside
     * @param newestBad the last of them, with what is wrong
     * @param error why no file is taken now, or one is left out; empty while all are
     */
    public record Status(long files, long badFiles, List<String> newestBad, String error) {}

    /** What the landing is connected to. */
    public record Wiring(
            FilePlaces places,
            Path pipeline,
            BufferAllocator allocator,
            Clock clock,
            Runnable grown) {}

    private final Dataset.FileTable table;
    private final FileSource source;
    private final Wiring wiring;
    private final FileJournal journal;
    private final DeltaTable delta;
    private final TableFeed feed;
    private final Listing listing;
    private final DuckSession duck;
    private final IncomingRows incoming;
    private final Thread thread;
    private Map<String, Found> seen = new HashMap<>();
    private long listNanos;
    private final CountDownLatch ending = new CountDownLatch(1);
    private volatile boolean idle;
    private volatile Status status = new Status(0, 0, List.of(), "");

    private FileLanding(Dataset.FileTable table, Wiring wiring) {
        this.table = table;
        this.source = table.files();
        this.wiring = wiring;
        var folder = SourceSchemas.folder(wiring.pipeline(), table.name());
        this.journal = new FileJournal(folder.resolve("journal"), new LocalDisk());
        this.delta = open(folder.resolve("table"));
        this.feed = new TableFeed(table.name(), delta, APPLICATION, FEED_BYTES_MAX);
        this.listing =
                source.format() == Format.DELTA
                        ? new DeltaListing(source, folder, new LocalDisk(), wiring.allocator())
                        : wiring.places().listing(source, temporary(".objects"));
        this.duck =
                DuckSession.open(PipelineConfig.Duck.DEFAULT, temporary(""), wiring.allocator());
        this.incoming = new IncomingRows(duck, folder);
        this.thread =
                Thread.ofPlatform().name("files-" + table.name().table()).unstarted(this::run);
    }

    /**
     * Opens the table of the rows, and begins to look for files.
     *
     * @throws LakemillException FAILED_PRECONDITION when the table has columns of other types
     */
    public static FileLanding start(Dataset.FileTable table, Wiring wiring) {
        var landing = new FileLanding(table, wiring);
        landing.tell("");
        landing.thread.start();
        return landing;
    }

    public TableName table() {
        return table.name();
    }

    /** Of the rows of all files. */
    public TableFeed feed() {
        return feed;
    }

    public Status status() {
        return status;
    }

    /** Whether the last look found nothing that is to be read. */
    public boolean isIdle() {
        return idle;
    }

    /** Whether the table of an earlier plan is there, and gets columns from this one. */
    public static boolean grows(Dataset.FileTable table, Path pipeline, BufferAllocator allocator) {
        var at = SourceSchemas.folder(pipeline, table.name()).resolve("table");
        if (!DeltaTable.exists(at)) {
            return false;
        }
        try (var opened = DeltaTable.open(at, DeltaConfig.DEFAULT, allocator, Clock.systemUTC())) {
            return opened.schema().size() < table.schema().size();
        }
    }

    private Path temporary(String ending) {
        return wiring.pipeline().resolve("temporary").resolve(table.name() + ending);
    }

    private DeltaTable open(Path at) {
        if (!DeltaTable.exists(at)) {
            return DeltaTable.create(
                    at, table.schema(), DeltaConfig.DEFAULT, wiring.allocator(), wiring.clock());
        }
        var opened = DeltaTable.open(at, DeltaConfig.DEFAULT, wiring.allocator(), wiring.clock());
        try {
            opened.widen(table.schema());
        } catch (LakemillException e) {
            opened.close();
            throw e;
        }
        return opened;
    }

    private void run() {
        try {
            do {
                if (step()) {
                    wiring.grown().run();
                    return;
                }
            } while (!ending.await(pauseNanos(), TimeUnit.NANOSECONDS));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /** A large folder is looked at less often, so that it costs no more than a third of a core. */
    private long pauseNanos() {
        return Math.max(listing.pause().toNanos(), 2 * listNanos);
    }

    /** Whether new columns were found, so that another plan must go on. */
    private boolean step() {
        try {
            resume();
            return look();
        } catch (LakemillException e) {
            tell(String.valueOf(e.getMessage()));
        } catch (UncheckedIOException | DuckException e) {
            tell(String.valueOf(e.getMessage()));
        } catch (RuntimeException | Error e) {
            LOG.error("{} met a defect, and tries again", table.name(), e);
            tell("a defect: " + e);
        }
        return false;
    }

    private void tell(String error) {
        if (isEnding() && !error.isEmpty()) {
            return; // of what the end has cut off
        }
        if (!error.isEmpty() && !error.equals(status.error())) {
            LOG.warn("{}: {}", table.name(), error);
        }
        status =
                new Status(
                        journal.count(),
                        journal.badCount(),
                        journal.newestBad().stream().map(e -> e.path() + ": " + e.bad()).toList(),
                        error);
    }

    /** Writes the rows of the last file that are not in the table. */
    private void resume() {
        var last = journal.last();
        if (last == null || last.end() <= feed.position() || isEmpty(last)) {
            if (incoming.isKept()) {
                incoming.forget();
            }
            return;
        }
        if (incoming.isKept()) {
            incoming.restore(table.schema());
            write(last);
            return;
        }
        var opened = listing.open(last.found());
        if (opened.isEmpty()) {
            giveUp(last);
            return;
        }
        try (var file = opened.get()) {
            read(file, columns(file));
            write(last);
        }
    }

    /** A file that is not there as it was. Of which no row was read is new whenever it is there. */
    private void giveUp(FileJournal.Entry entry) {
        var found = entry.found();
        refuseGone(found);
        var isUnread = feed.position() <= entry.start();
        journal.append(
                FileJournal.Entry.bad(
                        isUnread ? new Found(found.name(), -1, -1) : found,
                        entry.end(),
                        isUnread
                                ? "it was changed or taken away before it was read"
                                : "it was changed or taken away before all its rows were read"));
    }

    /** A file without rows leaves nothing in the table. */
    private static boolean isEmpty(FileJournal.Entry entry) {
        return entry.start() == entry.end();
    }

    private boolean look() {
        var found = new HashMap<String, Found>();
        var refusal = "";
        for (var file : list()) {
            if (isEnding()) {
                return false;
            }
            if (!journal.isNew(file)) {
                continue;
            }
            idle = false;
            found.put(file.name(), file);
            var refused = listing.refusal(file);
            refusal = refusal.isEmpty() ? refused : refusal;
            if (refused.isEmpty() && isWhole(file) && take(file)) {
                return true;
            }
        }
        seen = found;
        idle = found.values().stream().noneMatch(journal::isNew);
        if (!isEnding()) {
            listing.taken();
        }
        tell(refusal);
        return false;
    }

    private List<Found> list() {
        var began = System.nanoTime();
        try {
            return listing.list();
        } finally {
            listNanos = System.nanoTime() - began;
        }
    }

    /** Whether nobody writes the file any more. */
    private boolean isWhole(Found file) {
        return listing.areWhole() || file.equals(seen.get(file.name()));
    }

    /** Whether the file has new columns that must come into the schema first. */
    private boolean take(Found found) {
        var opened = listing.open(found);
        if (opened.isPresent()) {
            try (var file = opened.get()) {
                return take(file);
            }
        }
        refuseGone(found);
        return false;
    }

    /** A table is not whole without each of its files. */
    private void refuseGone(Found file) {
        if (source.format() == Format.DELTA) {
            throw new LakemillException(
                    ErrorCode.DATA_LOSS,
                    "%s of the Delta table %s is gone".formatted(file.name(), source.path()),
                    "bring it back; or delete the pipeline's folder to begin with the table as it"
                            + " is");
        }
    }

    private boolean take(LocalFile file) {
        var found = file.found();
        try {
            if (!listing.areWhole() && FilePattern.isWild(file.path().toString())) {
                throw new LakemillException(
                        ErrorCode.INVALID_ARGUMENT,
                        "its name has one of * ? [ {",
                        "give it another name");
            }
            var columns = columns(file);
            var fresh = columns.stream().filter(c -> !FileSql.has(known(), c.name())).toList();
            if (!fresh.isEmpty() && isGrowing(found, fresh)) {
                return true;
            }
            read(file, columns);
        } catch (DuckException e) {
            var problem = e.problem().replace(file.path().toString(), "the file");
            if (!isFault(e, problem) || source.format() == Format.DELTA) {
                throw e;
            }
            setAside(found, e.problem().replace(file.path().toString(), found.name()));
            return false;
        } catch (LakemillException e) {
            if (e.code() != ErrorCode.INVALID_ARGUMENT) {
                throw e;
            }
            setAside(found, e.problem());
            return false;
        }
        var rows = incoming.count();
        incoming.keep(rows);
        var end = journal.end() + (rows == 0 ? 0 : Math.max(found.sizeBytes(), rows));
        var entry = FileJournal.Entry.of(found, journal.end(), end);
        journal.append(entry);
        write(entry);
        return false;
    }

    private void setAside(Found file, String reason) {
        journal.append(FileJournal.Entry.bad(file, journal.end(), reason));
        LOG.warn("{} is set aside: {}", file.name(), reason);
    }

    /** Whether the disk is well, and the file is what is wrong. */
    private static boolean isFault(DuckException e, String problem) {
        return e.kind() != DuckException.Kind.EXHAUSTED
                || (problem.startsWith("IO Error") && !problem.contains("write"));
    }

    private List<Column> known() {
        return table.schema().columns();
    }

    private List<Column> columns(LocalFile file) {
        return new FileColumns(duck, source).of(file);
    }

    private boolean isGrowing(Found file, List<Column> fresh) {
        return switch (source.evolution()) {
            case RESCUE, NONE -> false;
            case FAIL_ON_NEW_COLUMNS ->
                    throw new LakemillException(
                            ErrorCode.FAILED_PRECONDITION,
                            "%s has columns that the schema has not: %s"
                                    .formatted(file.name(), names(fresh)),
                            "add them to schema or schemaHints, or take the file away");
            case ADD_NEW_COLUMNS -> {
                var all = new ArrayList<>(known());
                all.removeIf(column -> column.name().equalsIgnoreCase(source.rescued()));
                all.addAll(fresh);
                SourceSchemas.keep(wiring.pipeline(), new FileSchema(table.name(), all));
                LOG.info("{}: {} brings the columns {}", table.name(), file.name(), names(fresh));
                yield true;
            }
        };
    }

    private static String names(List<Column> columns) {
        return columns.stream().map(Column::name).collect(Collectors.joining(", "));
    }

    /** The rows of a file, whole, beside the table. */
    private void read(LocalFile file, List<Column> columns) {
        var sql =
                file.isEmpty() || (columns.isEmpty() && source.format() != Format.JSON)
                        ? nothing()
                        : new FileSql(source, table.schema(), file, columns).rows();
        incoming.fill(sql);
    }

    private String nothing() {
        return known().stream()
                .map(c -> "CAST(NULL AS %s)".formatted(DuckTypes.name(c.type())))
                .collect(Collectors.joining(", ", "SELECT ", " LIMIT 0"));
    }

    /** Brings what {@link #read} left into the table, part by part. */
    private void write(FileJournal.Entry entry) {
        var rows = incoming.count();
        long done = 0;
        try (var batches = incoming.read(table.schema())) {
            while (!isEnding() && batches.hasNext()) {
                try (var part = batches.next()) {
                    done += part.count();
                    write(part, done == rows ? entry.end() : entry.start() + done);
                }
            }
        }
        if (!isEnding()) {
            incoming.forget();
        }
    }

    private void write(Rows rows, long position) {
        if (rows.count() == 0 || position <= feed.position()) {
            return;
        }
        var positions = new long[rows.count()];
        Arrays.fill(positions, position);
        delta.append(List.of(rows), positions, new Txn(APPLICATION, position));
        var micros = wiring.clock().millis() * 1_000;
        feed.publish(new TableBatch(rows, positions, micros));
    }

    private boolean isEnding() {
        return ending.getCount() == 0;
    }

    /** Ends with the part of a file that is being written; the next start goes on behind it. */
    @Override
    public void close() {
        ending.countDown();
        listing.close();
        var interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        feed.close();
        delta.close();
        duck.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
