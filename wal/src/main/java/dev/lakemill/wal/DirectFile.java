package dev.lakemill.wal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A preallocated file that is written past the page cache, each write lasting when it returns: one
 * call in place of a write and a sync, no copy for the kernel to write back later.
 *
 * <p>The disk takes whole blocks. So the block that a write ends in is kept, and goes to the disk
 * again, filled further, with the next write; behind the last byte it has zeros. What stood in it
 * before is written again as it was: a power cut in the middle of it tears nothing that lasted, as
 * long as the disk writes no sector in part.
 */
final class DirectFile implements Disk.Handle {
    private static final int BUFFER_BYTES = 1 << 20;

    private static final Set<OpenOption> DURABLE =
            Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DSYNC);

    /** The buffer of the file closed last, for the next one: what is direct is freed late. */
    private static final AtomicReference<@Nullable ByteBuffer> SPARE = new AtomicReference<>();

    private final FileChannel channel;
    private final int blockBytes;

    /** From {@link #blockPosition} on; its first {@link #held} bytes stand in the file. */
    private final ByteBuffer buffer;

    private long blockPosition;
    private int held;

    private DirectFile(FileChannel channel, int blockBytes) {
        this.channel = channel;
        this.blockBytes = blockBytes;
        var spare = SPARE.getAndSet(null);
        this.buffer =
                spare != null && spare.alignmentOffset(0, blockBytes) == 0
                        ? spare
                        : ByteBuffer.allocateDirect(BUFFER_BYTES + blockBytes)
                                .alignedSlice(blockBytes);
    }

    /** Empty where the file system, or the file's size, does not allow it. */
    static Optional<Disk.Handle> open(Path file) throws IOException {
        long blockBytes = Files.getFileStore(file).getBlockSize();
        if (blockBytes > BUFFER_BYTES || Files.size(file) % blockBytes != 0) {
            return Optional.empty();
        }
        Set<OpenOption> options = new HashSet<>(DURABLE);
        FileChannel channel;
        try {
            options.add(direct());
            channel = FileChannel.open(file, options);
        } catch (IOException | ReflectiveOperationException | UnsupportedOperationException _) {
            return Optional.empty();
        }
        return Optional.of(new DirectFile(channel, (int) blockBytes));
    }

    /** The JDK has it for everyone, but the compiler warns of every use. */
    private static OpenOption direct() throws ReflectiveOperationException {
        return (OpenOption)
                Class.forName("com.sun.nio.file.ExtendedOpenOption").getField("DIRECT").get(null);
    }

    @Override
    public long size() throws IOException {
        return channel.size();
    }

    @Override
    public void read(ByteBuffer target, long position) {
        throw new UnsupportedOperationException("it is written only");
    }

    @Override
    public void write(ByteBuffer source, long position) throws IOException {
        if (position != blockPosition + held) {
            begin(position);
        }
        while (source.hasRemaining()) {
            int count = Math.min(source.remaining(), buffer.capacity() - held);
            buffer.clear().position(held);
            buffer.put(source.slice(source.position(), count));
            source.position(source.position() + count);
            writeBlocks(held + count);
        }
    }

    /** Takes what stands in the block before the position. */
    private void begin(long position) throws IOException {
        held = 0;
        blockPosition = position - position % blockBytes;
        buffer.clear().limit(blockBytes);
        if (position > blockPosition && channel.read(buffer, blockPosition) < blockBytes) {
            throw new IOException("the file ends before byte " + position);
        }
        held = (int) (position - blockPosition);
    }

    /** Writes the buffer's first bytes in whole blocks, and keeps those of the last one. */
    private void writeBlocks(int filled) throws IOException {
        int kept = filled % blockBytes;
        int whole = filled - kept;
        if (kept > 0) {
            buffer.position(filled);
            while (buffer.position() < whole + blockBytes) {
                buffer.put((byte) 0);
            }
        }
        buffer.flip();
        long at = blockPosition;
        while (buffer.hasRemaining()) {
            // A write that stopped within a block goes on at that block's begin.
            int written = channel.write(buffer, at) / blockBytes * blockBytes;
            if (written == 0) {
                throw new IOException("the disk took no block at byte " + at);
            }
            at += written;
            buffer.position((int) (at - blockPosition));
        }
        buffer.clear();
        buffer.put(0, buffer, whole, kept);
        blockPosition += whole;
        held = kept;
    }

    /** Nothing is left to do. */
    @Override
    public void sync() {}

    @Override
    public void close() throws IOException {
        channel.close();
        SPARE.set(buffer);
    }
}
