package dev.lakemill.pipeline;

import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import org.jspecify.annotations.Nullable;

/** The result of a query, in an engine that ends when this is closed. One thread uses it. */
public final class StoredRows implements AutoCloseable {
    static final String TABLE = "stored";

    private final DuckSession duck;
    private final TableSchema schema;
    private final Runnable end;

    /**
     * @param end done once the engine has ended
     */
    StoredRows(DuckSession duck, TableSchema schema, Runnable end) {
        this.duck = duck;
        this.schema = schema;
        this.end = end;
    }

    public long rowCount() {
        return duck.count("SELECT count(*) FROM " + TABLE);
    }

    /** From the first row on. */
    public LakeQuery.Reading read() {
        var batches = duck.read("SELECT * FROM " + TABLE, schema);
        return new LakeQuery.Reading() {
            @Override
            public @Nullable Rows next() {
                return batches.hasNext() ? batches.next() : null;
            }

            @Override
            public void close() {
                batches.close();
            }
        };
    }

    @Override
    public void close() {
        try {
            duck.close();
        } finally {
            end.run();
        }
    }
}
