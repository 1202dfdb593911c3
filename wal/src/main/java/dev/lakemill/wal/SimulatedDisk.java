package dev.lakemill.wal;

import java.io.Closeable;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;

/**
 * A disk in memory that does all that a disk may do: it keeps sectors of unsynced writes or not,
 * each by itself and in any order; forgets names that were not synced, the later before the
 * earlier; loses a sync for good while the page cache still shows the bytes; fills up; and stops
 * dead at any operation. What it does is decided by its random numbers. For tests and benches; safe
 * from any thread.
 */
public final class SimulatedDisk implements Disk {
    private static final int SECTOR_BYTES = 512;

    /** How the machine goes down. */
    public enum End {
        /** kill -9: what was written stays in the page cache. */
        KILL,
        /** Only what was synced is sure to stay. */
        POWER_CUT
    }

    private final Random random;
    private Map<Path, Inode> names = new HashMap<>();
    private Map<Path, Inode> lastingNames = new HashMap<>();
    private final List<Consumer<Map<Path, Inode>>> unsyncedNames = new ArrayList<>();
    private long operationsLeft = Long.MAX_VALUE;
    private long syncsLeft = Long.MAX_VALUE;
    private long folderSyncsLeft = Long.MAX_VALUE;
    private long capacityBytes = Long.MAX_VALUE;
    private boolean locked;

    /**
     * @param random decides what the disk does
     */
    public SimulatedDisk(Random random) {
        this.random = random;
    }

    /** Stops at the operation after so many more. */
    public synchronized void stopAfter(long operations) {
        operationsLeft = operations;
    }

    /** Fails the sync of a file after so many more, once. */
    public synchronized void failSyncAfter(long syncs) {
        syncsLeft = syncs;
    }

    /** Fails the sync of a folder after so many more, once. */
    public synchronized void failFolderSyncAfter(long syncs) {
        folderSyncsLeft = syncs;
    }

    /** From now on writes that make the files larger together fail. */
    public synchronized void capacity(long bytes) {
        capacityBytes = bytes;
    }

    synchronized boolean isStopped() {
        return operationsLeft < 0;
    }

    /** What the next start finds. */
    public synchronized void restart(End end) {
        operationsLeft = Long.MAX_VALUE;
        syncsLeft = Long.MAX_VALUE;
        folderSyncsLeft = Long.MAX_VALUE;
        locked = false;
        if (end == End.POWER_CUT) {
            int kept = random.nextInt(unsyncedNames.size() + 1);
            unsyncedNames.subList(0, kept).forEach(change -> change.accept(lastingNames));
            unsyncedNames.clear();
            names = new HashMap<>(lastingNames);
            names.values().forEach(inode -> inode.cutPower(random));
        }
    }

    /** Changes a file behind the log's back. */
    synchronized byte[] bytes(Path file) {
        Inode inode = names.get(file);
        if (inode == null) {
            throw new IllegalArgumentException("there is no " + file);
        }
        return inode.seen;
    }

    synchronized void remove(Path file) {
        names.remove(file);
        lastingNames.remove(file);
    }

    synchronized List<Path> files(String kind) {
        return names.keySet().stream()
                .filter(file -> file.toString().endsWith(kind))
                .sorted()
                .toList();
    }

    private void operation() throws IOException {
        operationsLeft--;
        if (operationsLeft < 0) {
            throw new IOException("the disk has stopped");
        }
    }

    @Override
    public synchronized void createFolder(Path folder) throws IOException {
        operation();
    }

    @Override
    public synchronized List<Path> list(Path folder) throws IOException {
        operation();
        return names.keySet().stream().filter(file -> folder.equals(file.getParent())).toList();
    }

    @Override
    public synchronized Optional<Closeable> tryLock(Path file) throws IOException {
        operation();
        if (locked) {
            return Optional.empty();
        }
        locked = true;
        return Optional.of(() -> locked = false);
    }

    @Override
    public synchronized Handle create(Path file) throws IOException {
        operation();
        Inode inode = new Inode();
        change(map -> map.put(file, inode));
        return new SimulatedHandle(inode);
    }

    @Override
    public synchronized Handle open(Path file) throws IOException {
        operation();
        return new SimulatedHandle(existing(file));
    }

    @Override
    public synchronized void rename(Path from, Path to) throws IOException {
        operation();
        existing(from);
        change(
                map -> {
                    Inode moved = map.remove(from);
                    if (moved != null) {
                        map.put(to, moved);
                    }
                });
    }

    @Override
    public synchronized void delete(Path file) throws IOException {
        operation();
        existing(file);
        change(map -> map.remove(file));
    }

    @Override
    public synchronized void syncFolder(Path folder) throws IOException {
        operation();
        folderSyncsLeft--;
        if (folderSyncsLeft == -1) {
            throw new IOException("Input/output error");
        }
        unsyncedNames.forEach(change -> change.accept(lastingNames));
        unsyncedNames.clear();
    }

    private void change(Consumer<Map<Path, Inode>> change) {
        change.accept(names);
        unsyncedNames.add(change);
    }

    private Inode existing(Path file) throws IOException {
        Inode inode = names.get(file);
        if (inode == null) {
            throw new FileNotFoundException(file.toString());
        }
        return inode;
    }

    private long usedBytes() {
        return names.values().stream().mapToLong(inode -> inode.seen.length).sum();
    }

    private final class SimulatedHandle implements Handle {
        private final Inode inode;

        SimulatedHandle(Inode inode) {
            this.inode = inode;
        }

        @Override
        public long size() throws IOException {
            synchronized (SimulatedDisk.this) {
                operation();
                return inode.seen.length;
            }
        }

        @Override
        public void read(ByteBuffer target, long position) throws IOException {
            synchronized (SimulatedDisk.this) {
                operation();
                int at = (int) Math.min(position, inode.seen.length);
                int count = Math.min(target.remaining(), inode.seen.length - at);
                target.put(inode.seen, at, count);
            }
        }

        @Override
        public void write(ByteBuffer source, long position) throws IOException {
            synchronized (SimulatedDisk.this) {
                if (operationsLeft == 0) {
                    source.limit(source.position() + random.nextInt(source.remaining() + 1));
                    inode.write(source, (int) position);
                }
                operation();
                long end = position + source.remaining();
                if (usedBytes() + Math.max(0, end - inode.seen.length) > capacityBytes) {
                    throw new IOException("No space left on device");
                }
                inode.write(source, (int) position);
                inode.writeBackSome(random);
            }
        }

        @Override
        public void sync() throws IOException {
            synchronized (SimulatedDisk.this) {
                operation();
                syncsLeft--;
                if (syncsLeft == -1) {
                    inode.loseSync();
                    throw new IOException("Input/output error");
                }
                inode.sync();
            }
        }

        @Override
        public void close() {}
    }

    /** A file's bytes: as the page cache shows them, and as the disk has them. */
    private static final class Inode {
        private byte[] seen = {};
        private byte[] lasting = {};
        private final BitSet dirty = new BitSet();
        private final BitSet lost = new BitSet();

        void write(ByteBuffer source, int position) {
            int count = source.remaining();
            if (position + count > seen.length) {
                seen = Arrays.copyOf(seen, position + count);
            }
            source.get(seen, position, count);
            if (count > 0) {
                int from = position / SECTOR_BYTES;
                int to = (position + count - 1) / SECTOR_BYTES + 1;
                dirty.set(from, to);
                lost.clear(from, to);
            }
        }

        /** As the operating system does at any time. */
        void writeBackSome(Random random) {
            if (random.nextInt(8) == 0) {
                dirty.stream().filter(sector -> random.nextBoolean()).forEach(this::writeBack);
            }
        }

        void sync() {
            growLasting();
            dirty.stream().forEach(this::writeBack);
            dirty.clear();
        }

        void loseSync() {
            lost.or(dirty);
            dirty.clear();
        }

        void cutPower(Random random) {
            int mode = random.nextInt(4);
            if (mode > 0 || random.nextBoolean()) {
                growLasting();
            }
            lost.or(dirty);
            lost.stream()
                    .filter(sector -> mode == 1 || (mode > 1 && random.nextInt(3) < mode - 1))
                    .forEach(this::writeBack);
            dirty.clear();
            lost.clear();
            seen = lasting.clone();
        }

        private void growLasting() {
            lasting = Arrays.copyOf(lasting, Math.max(seen.length, lasting.length));
        }

        private void writeBack(int sector) {
            int from = sector * SECTOR_BYTES;
            int count = Math.min(SECTOR_BYTES, Math.min(seen.length, lasting.length) - from);
            if (count > 0) {
                System.arraycopy(seen, from, lasting, from, count);
            }
        }
    }
}
