package dev.lakemill.pipeline;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The batches since the last commit rounds, in order, each synced before it runs. One thread uses
 * it.
 *
 * <p>Only the last line can be torn by a crash: such a batch never ran and is forgotten. Damage
 * before a whole line is refused, because the batches behind it may have been seen.
 */
final class Journal {
    private static final String NAME = "journal";

    private final Path file;
    private final Disk disk;
    private List<BatchRecord> records = new ArrayList<>();
    private long sizeBytes;

    /**
     * Reads what is there.
     *
     * @throws LakemillException DATA_LOSS, with file and byte, when the file is damaged
     * @throws UncheckedIOException when the folder cannot be read or written
     */
    Journal(Path folder, Disk disk) {
        this.file = folder.resolve(NAME);
        this.disk = disk;
        try {
            var bytes = disk.read(file);
            read(bytes);
            if (bytes.length == 0) {
                disk.replace(file, bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** In order; numbers count up by one. */
    List<BatchRecord> records() {
        return List.copyOf(records);
    }

    long sizeBytes() {
        return sizeBytes;
    }

    /**
     * Writes and syncs.
     *
     * @throws UncheckedIOException when the disk refuses: the journal is as before
     */
    void append(BatchRecord batch) {
        var line = RecordLine.of(batch);
        try {
            disk.append(file, sizeBytes, line);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        records.add(batch);
        sizeBytes += line.length;
    }

    /** Forgets the batches up to a number. */
    void trim(long upTo) {
        replace(records.stream().filter(record -> record.number() > upTo).toList());
    }

    /** Puts other batches in the place of all. */
    void replace(List<BatchRecord> batches) {
        var bytes = new ByteArrayOutputStream();
        batches.forEach(batch -> bytes.writeBytes(RecordLine.of(batch)));
        try {
            disk.replace(file, bytes.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        records = new ArrayList<>(batches);
        sizeBytes = bytes.size();
    }

    private void read(byte[] bytes) {
        int at = 0;
        while (at < bytes.length) {
            var end = lineEnd(bytes, at);
            var record = RecordLine.batch(Arrays.copyOfRange(bytes, at, end));
            if (record.isEmpty()) {
                refuseDamageBefore(bytes, at, end);
                return;
            }
            var number = record.get().number();
            if (!records.isEmpty() && number != records.getLast().number() + 1) {
                throw damaged(at);
            }
            records.add(record.get());
            at = end;
            sizeBytes = at;
        }
    }

    private void refuseDamageBefore(byte[] bytes, int badAt, int from) {
        int at = from;
        while (at < bytes.length) {
            var end = lineEnd(bytes, at);
            if (RecordLine.batch(Arrays.copyOfRange(bytes, at, end)).isPresent()) {
                throw damaged(badAt);
            }
            at = end;
        }
    }

    private LakemillException damaged(int at) {
        return new LakemillException(
                ErrorCode.DATA_LOSS,
                "the pipeline's journal %s is damaged at byte %d".formatted(file, at),
                "restore the file from a backup; or delete it: the pipeline then goes on from its"
                        + " last checkpoint and cuts the rows since into new batches");
    }

    private static int lineEnd(byte[] bytes, int from) {
        int at = from;
        while (at < bytes.length && bytes[at] != '\n') {
            at++;
        }
        return Math.min(at + 1, bytes.length);
    }
}
