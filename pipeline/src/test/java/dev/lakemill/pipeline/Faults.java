package dev.lakemill.pipeline;

import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.types.Rows;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/** Crashes before, in the middle of, or after a chosen effect, and refuses effects now and then. */
final class Faults {
    private final Random random;
    private final AtomicInteger effectsLeft = new AtomicInteger(Integer.MAX_VALUE);
    private volatile double refusals;

    Faults(Random random) {
        this.random = random;
    }

    /** The process is gone. */
    static final class Crash extends Error {
        private static final long serialVersionUID = 1L;
    }

    /** Crashes at the effect after {@code effects} more. */
    void crashAfter(int effects) {
        effectsLeft.set(effects);
    }

    /** The share of effects that the disk refuses, before or after they are done. */
    void refuse(double share) {
        refusals = share;
    }

    void none() {
        effectsLeft.set(Integer.MAX_VALUE);
        refusals = 0;
    }

    Disk disk() {
        return new FaultyDisk();
    }

    OutputTable output(OutputTable table) {
        return new FaultyOutput(table);
    }

    /** An effect on a disk. */
    private interface Effect {
        void run() throws IOException;
    }

    private void effect(Effect whole, Effect part) throws IOException {
        if (effectsLeft.getAndDecrement() == 0) {
            switch (random.nextInt(3)) {
                case 0 -> {}
                case 1 -> part.run();
                default -> whole.run();
            }
            throw new Crash();
        }
        var refused = random.nextDouble() < refusals;
        if (refused && random.nextBoolean()) {
            throw new IOException("No space left on device");
        }
        whole.run();
        if (refused) {
            throw new IOException("Input/output error");
        }
    }

    private final class FaultyDisk implements Disk {
        private final Disk local = new LocalDisk();

        @Override
        public byte[] read(Path file) throws IOException {
            return local.read(file);
        }

        @Override
        public void append(Path file, long offset, byte[] bytes) throws IOException {
            var half = Arrays.copyOf(bytes, random.nextInt(bytes.length));
            effect(() -> local.append(file, offset, bytes), () -> local.append(file, offset, half));
        }

        @Override
        public void replace(Path file, byte[] bytes) throws IOException {
            effect(() -> local.replace(file, bytes), () -> {});
        }

        @Override
        public void delete(Path file) throws IOException {
            effect(() -> local.delete(file), () -> {});
        }

        @Override
        public List<Path> list(Path folder) throws IOException {
            return local.list(folder);
        }
    }

    private final class FaultyOutput implements OutputTable {
        private final OutputTable table;

        FaultyOutput(OutputTable table) {
            this.table = table;
        }

        @Override
        public OptionalLong committed() {
            return table.committed();
        }

        @Override
        public OptionalLong committedAt(long batch) {
            return table.committedAt(batch);
        }

        @Override
        public void append(List<Rows> rows, long batch) {
            unchecked(() -> table.append(rows, batch));
        }

        @Override
        public void replace(Iterator<Rows> rows, long batch) {
            unchecked(() -> table.replace(rows, batch));
        }

        @Override
        public DeltaSnapshot snapshotAt(long batch) {
            return table.snapshotAt(batch);
        }

        @Override
        public DeltaSnapshot snapshot() {
            return table.snapshot();
        }

        @Override
        public void keep(DeltaSnapshot snapshot, long batch) {
            table.keep(snapshot, batch);
        }

        private void unchecked(Effect whole) {
            try {
                effect(whole, () -> {});
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
