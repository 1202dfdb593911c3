package dev.lakemill.feed;

import dev.lakemill.types.Rows;

/**
 * How one table changed in one batch: {@code deleted} rows went (whole old rows), {@code inserted}
 * came. A key in both was updated. A streaming table never deletes.
 */
public record Changes(Rows inserted, Rows deleted) implements AutoCloseable {
    public long sizeBytes() {
        return inserted.sizeBytes() + deleted.sizeBytes();
    }

    public Changes retain() {
        inserted.retain();
        deleted.retain();
        return this;
    }

    @Override
    public void close() {
        inserted.close();
        deleted.close();
    }
}
