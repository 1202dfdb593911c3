package dev.lakemill.types;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;

/**
 * A batch of rows in Arrow's vectors, shared between readers.
 *
 * <p>The rows never change after construction. The batch is counted: it starts with one reference,
 * {@link #retain} adds one, {@link #close} takes one away, and the last one frees the memory. Who
 * hands a batch to somebody who keeps it retains it first. Safe to read and count from any thread.
 */
public final class Rows implements AutoCloseable {
    /** Measured: 400,000 buffers of a few hundred bytes each held 260 MB of heap. */
    private static final int BUFFER_HEAP_BYTES = 512;

    private final TableSchema schema;
    private final VectorSchemaRoot root;
    private final AtomicInteger references = new AtomicInteger(1);

    /** Takes over {@code root}, whose vectors are those of {@link ArrowTypes#schema}. */
    public Rows(TableSchema schema, VectorSchemaRoot root) {
        this.schema = schema;
        this.root = root;
        if (root.getFieldVectors().size() != schema.size()) {
            throw new IllegalArgumentException(
                    "%d vectors for %d columns"
                            .formatted(root.getFieldVectors().size(), schema.size()));
        }
    }

    /** An empty batch of the schema. */
    public static Rows empty(TableSchema schema, BufferAllocator allocator) {
        var root = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
        root.setRowCount(0);
        return new Rows(schema, root);
    }

    public TableSchema schema() {
        return schema;
    }

    public int count() {
        return root.getRowCount();
    }

    public FieldVector vector(int column) {
        return root.getVector(column);
    }

    /** The vectors as one root; the caller reads it and never changes or closes it. */
    public VectorSchemaRoot root() {
        return root;
    }

    /**
     * Bytes that the vectors hold, and what Arrow keeps on the heap for each of their buffers: of a
     * few rows, that is most of it.
     */
    public long sizeBytes() {
        long sum = 0;
        for (var vector : root.getFieldVectors()) {
            sum += vector.getBufferSize();
            sum += (long) vector.getBuffers(false).length * BUFFER_HEAP_BYTES;
        }
        return sum;
    }

    /** Rows {@code from} to {@code from + length}, sharing memory; to be closed by itself. */
    public Rows slice(int from, int length) {
        return new Rows(schema, root.slice(from, length));
    }

    /** Copies of some rows, in this order; to be closed by itself. */
    public Rows pick(int[] rows) {
        var allocator = vector(0).getAllocator();
        var picked = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
        try {
            for (int column = 0; column < schema.size(); column++) {
                var to = picked.getVector(column);
                to.setInitialCapacity(rows.length);
                to.allocateNew();
                for (int i = 0; i < rows.length; i++) {
                    to.copyFromSafe(rows[i], i, vector(column));
                }
            }
            picked.setRowCount(rows.length);
            return new Rows(schema, picked);
        } catch (RuntimeException | Error e) {
            picked.close();
            throw e;
        }
    }

    /** Some columns of all rows, in this order, sharing memory; to be closed by itself. */
    public Rows select(List<Integer> columns) {
        var vectors = new ArrayList<FieldVector>();
        for (int column : columns) {
            var vector = vector(column);
            var transfer = vector.getTransferPair(vector.getAllocator());
            transfer.splitAndTransfer(0, count());
            vectors.add((FieldVector) transfer.getTo());
        }
        var selected = new VectorSchemaRoot(vectors);
        selected.setRowCount(count());
        return new Rows(new TableSchema(columns.stream().map(schema::column).toList()), selected);
    }

    /**
     * The rows as another schema of their table has them, sharing memory where it can: columns are
     * found by name, those that the rows do not have are NULL, and numbers are converted where
     * {@link TypeWidening} allows it, in either direction. To be closed by itself.
     *
     * @throws LakemillException FAILED_PRECONDITION when a type is another one, or a number does
     *     not fit the narrower one
     */
    public Rows conformed(TableSchema wanted) {
        return ConformedRows.of(this, wanted);
    }

    /** One more reference, for one more {@link #close}. */
    public Rows retain() {
        if (references.getAndIncrement() <= 0) {
            throw new IllegalStateException("retained after the last close");
        }
        return this;
    }

    @Override
    public void close() {
        var left = references.decrementAndGet();
        if (left == 0) {
            root.close();
        } else if (left < 0) {
            throw new IllegalStateException("closed more often than retained");
        }
    }
}
