package dev.lakemill.delta;

import java.nio.ByteBuffer;
import java.util.IdentityHashMap;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.parquet.bytes.ByteBufferAllocator;

/**
 * Parquet's buffers out of Arrow's memory: pages live until their row group is written, too long
 * for a collector of the young to leave them alone. One thread uses it.
 */
final class PageMemory implements ByteBufferAllocator, AutoCloseable {
    private final BufferAllocator allocator;
    private final IdentityHashMap<ByteBuffer, ArrowBuf> held = new IdentityHashMap<>();

    PageMemory(BufferAllocator allocator) {
        this.allocator = allocator;
    }

    @Override
    public ByteBuffer allocate(int size) {
        var memory = allocator.buffer(Math.max(1, size));
        var buffer = memory.nioBuffer(0, size);
        held.put(buffer, memory);
        return buffer;
    }

    @Override
    public void release(ByteBuffer buffer) {
        var memory = held.remove(buffer);
        if (memory != null) {
            memory.close();
        }
    }

    @Override
    public boolean isDirect() {
        return true;
    }

    /** Frees what Parquet did not release, as it does not behind a failure. */
    @Override
    public void close() {
        held.values().forEach(ArrowBuf::close);
        held.clear();
    }
}
