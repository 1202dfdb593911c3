package dev.lakemill.ingest;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Writes down in a Delta table how many requests persistent streams have. Whoever comes while a
 * commit is under way shares the next one: a thousand streams that are opened at once cost a few
 * commits, where one each would take longer than their producers wait, who would come again, for
 * ever. Safe from any thread.
 */
final class StreamNotes {
    /** In one commit. */
    private static final int NOTES_MAX = 1_000;

    private final Bronze bronze;
    private final ConcurrentLinkedQueue<Note> waiting = new ConcurrentLinkedQueue<>();
    private final ReentrantLock writing = new ReentrantLock();

    /** What one stream has; its outcome is guarded by the lock. */
    private static final class Note {
        private final UUID stream;
        private final long requests;
        private boolean written;
        private @Nullable RuntimeException failure;

        Note(UUID stream, long requests) {
            this.stream = stream;
            this.requests = requests;
        }

        String application() {
            return PersistentStreams.application(stream);
        }
    }

    StreamNotes(Bronze bronze) {
        this.bronze = bronze;
    }

    /** Returns when it stands in Delta; throws what its commit threw. */
    void write(UUID stream, long requests) {
        var note = new Note(stream, requests);
        waiting.add(note);
        writing.lock();
        try {
            while (!note.written && note.failure == null) {
                writeWaiting();
            }
            var failure = note.failure;
            if (failure != null) {
                throw failure;
            }
        } finally {
            writing.unlock();
        }
    }

    private void writeWaiting() {
        var group = new ArrayList<Note>();
        var streams = new HashSet<UUID>();
        // Of one stream only one: a later note waits for the next commit.
        var next = waiting.peek();
        while (next != null && group.size() < NOTES_MAX && streams.add(next.stream)) {
            waiting.remove();
            group.add(next);
            next = waiting.peek();
        }
        try {
            append(group);
            group.forEach(note -> note.written = true);
        } catch (RuntimeException e) {
            group.forEach(note -> note.failure = e);
        }
    }

    private void append(List<Note> group) {
        var also = new HashMap<String, Long>();
        group.stream().skip(1).forEach(note -> also.put(note.application(), note.requests));
        var first = group.getFirst();
        var txn = new Txn(first.application(), first.requests, also);
        var commit = bronze.append(List.of(), new long[0], txn);
        if (commit instanceof DeltaTable.Commit.Repeated && group.size() > 1) {
            // Delta has the first one, and so wrote none of the others.
            append(group.subList(1, group.size()));
        }
    }
}
