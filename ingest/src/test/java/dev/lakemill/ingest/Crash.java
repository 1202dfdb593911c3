package dev.lakemill.ingest;

import dev.lakemill.delta.DeltaTable;
import dev.lakemill.delta.Txn;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import dev.lakemill.wal.Disk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A process's death at a chosen step: a step is a change of the log's disk or a commit to Delta.
 * That step happens or not, its caller never learns which, and after it nothing reaches a disk.
 */
final class Crash implements Disk, Node.Bronzes {
    private final Disk real = Disk.real();
    private int atStep;
    private final boolean lastStepHappens;
    private int step;
    private boolean dead;

    Crash(int atStep, boolean lastStepHappens) {
        this.atStep = atStep;
        this.lastStepHappens = lastStepHappens;
    }

    /** Chooses the step anew, counting from here. */
    synchronized void dieAfter(int steps) {
        atStep = step + steps;
    }

    synchronized boolean isDead() {
        return dead;
    }

    private interface Change<T> {
        T make() throws IOException;
    }

    private <T> T step(Change<T> change) throws IOException {
        synchronized (this) {
            if (dead) {
                throw new IOException("dead");
            }
            dead = ++step == atStep;
            if (dead && !lastStepHappens) {
                throw new IOException("dies before it");
            }
        }
        // Others may make their steps beside this one, as on a real machine.
        var made = change.make();
        if (isDead()) {
            throw new IOException("dies after it");
        }
        return made;
    }

    private void change(Change<?> change) throws IOException {
        step(
                () -> {
                    change.make();
                    return true;
                });
    }

    @Override
    public void createFolder(Path folder) throws IOException {
        real.createFolder(folder);
    }

    @Override
    public List<Path> list(Path folder) throws IOException {
        return real.list(folder);
    }

    @Override
    public Optional<Closeable> tryLock(Path file) throws IOException {
        return real.tryLock(file);
    }

    @Override
    public Handle create(Path file) throws IOException {
        return new DyingHandle(step(() -> real.create(file)));
    }

    @Override
    public Handle open(Path file) throws IOException {
        return new DyingHandle(real.open(file));
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        change(
                () -> {
                    real.rename(from, to);
                    return to;
                });
    }

    @Override
    public void delete(Path file) throws IOException {
        change(
                () -> {
                    real.delete(file);
                    return file;
                });
    }

    @Override
    public void syncFolder(Path folder) throws IOException {
        change(
                () -> {
                    real.syncFolder(folder);
                    return folder;
                });
    }

    private final class DyingHandle implements Handle {
        private final Handle handle;

        DyingHandle(Handle handle) {
            this.handle = handle;
        }

        @Override
        public long size() throws IOException {
            return handle.size();
        }

        @Override
        public void read(ByteBuffer target, long position) throws IOException {
            handle.read(target, position);
        }

        @Override
        public void write(ByteBuffer source, long position) throws IOException {
            change(
                    () -> {
                        handle.write(source, position);
                        return position;
                    });
        }

        @Override
        public void sync() throws IOException {
            change(
                    () -> {
                        handle.sync();
                        return handle;
                    });
        }

        @Override
        public void close() throws IOException {
            handle.close();
        }
    }

    @Override
    public Bronze of(DeltaTable table) {
        var bronze = Bronze.of(table);
        return new Bronze() {
            @Override
            public DeltaTable.Commit append(List<Rows> rows, long[] positions, Txn txn) {
                try {
                    return step(() -> bronze.append(rows, positions, txn));
                } catch (IOException e) {
                    throw new LakemillException(
                            ErrorCode.UNAVAILABLE, String.valueOf(e.getMessage()), "", e);
                }
            }

            @Override
            public void widen(TableSchema schema) {
                bronze.widen(schema);
            }

            @Override
            public OptionalLong transaction(String application) {
                return bronze.transaction(application);
            }

            @Override
            public void compact() {
                if (!isDead()) {
                    bronze.compact();
                }
            }

            @Override
            public void vacuum(Duration retention) {
                if (!isDead()) {
                    bronze.vacuum(retention);
                }
            }
        };
    }
}
