package dev.lakemill.delta;

import io.delta.kernel.exceptions.CheckpointAlreadyExistsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes checkpoints and cleans the log, one at a time; when a commit says that one is due, on a
 * thread of its own, beside further commits. That is a platform thread: the work is all processor
 * time, and would keep a carrier of virtual threads from everybody else.
 */
final class Checkpoints {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);
    private static final String CHECKSUM = ".crc";
    private static final int VERSION_DIGITS = 20;

    private final TableContext table;
    private final TableLog log;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Thread running;

    Checkpoints(TableContext table, TableLog log) {
        this.table = table;
        this.log = log;
    }

    /** Starts a checkpoint, unless one is being written: the next one that is due makes up. */
    synchronized void runSoon() {
        if (running == null || !running.isAlive()) {
            running =
                    Thread.ofPlatform()
                            .daemon()
                            .name("checkpoint " + table.name())
                            .start(this::runOrLog);
        }
    }

    private void runOrLog() {
        try {
            run();
        } catch (RuntimeException e) {
            LOG.warn("The log of {} grows until the next checkpoint", table.name(), e);
        }
    }

    /** Writes a checkpoint of the newest version, where there is none, and cleans the log. */
    void run() {
        lock.lock();
        try {
            KernelActions.checkpoint(log.load(), table.engine(), log.cleanedAsOfMillis());
            deleteOldChecksums();
        } catch (CheckpointAlreadyExistsException e) {
            LOG.debug("{} has its checkpoint", table.name());
        } catch (IOException | RuntimeException e) {
            throw Failures.of("a checkpoint", table.location(), e);
        } finally {
            lock.unlock();
        }
        log.refresh();
    }

    /** The kernel leaves the checksums of versions whose log it deleted. */
    private void deleteOldChecksums() throws IOException {
        var checksums = new ArrayList<Path>();
        var first = "~";
        try (var files = Files.newDirectoryStream(table.logFolder(), "[0-9]*.{json,crc}")) {
            for (var file : files) {
                var name = String.valueOf(file.getFileName());
                if (name.endsWith(CHECKSUM)) {
                    checksums.add(file);
                } else if (name.length() > VERSION_DIGITS && name.compareTo(first) < 0) {
                    first = name;
                }
            }
        }
        for (var checksum : checksums) {
            if (String.valueOf(checksum.getFileName()).compareTo(first) < 0) {
                table.disk().delete(checksum);
            }
        }
    }

    /** Waits for a checkpoint that is being written. */
    void close() {
        Thread last;
        synchronized (this) {
            last = running;
        }
        if (last != null) {
            boolean interrupted = false;
            while (last.isAlive()) {
                try {
                    last.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
