package dev.lakemill.delta;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.jspecify.annotations.Nullable;

/** A folder for tables, an allocator that must be empty in the end, and short words for tests. */
final class TableFolder implements AutoCloseable {
    static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("id", Primitive.LONG),
                    Column.nullable("name", Primitive.STRING));
    static final String APPLICATION = "test";

    final Path folder;
    final BufferAllocator allocator = new RootAllocator();
    DeltaConfig config = DeltaConfig.DEFAULT;
    Clock clock = Clock.systemUTC();
    Disk disk = new LocalDisk();

    TableFolder(Path folder) {
        this.folder = folder;
    }

    TableContext context(String name) {
        return TableContext.of(folder.resolve(name), config, allocator, clock, disk);
    }

    DeltaTable create(String name) {
        return DeltaTable.create(context(name), SCHEMA);
    }

    DeltaTable create(String name, TableSchema schema) {
        return DeltaTable.create(context(name), schema);
    }

    DeltaTable open(String name) {
        return DeltaTable.open(context(name));
    }

    Rows ids(long from, long to) {
        var rows = new ArrayList<List<?>>();
        for (long id = from; id <= to; id++) {
            rows.add(List.of(id, "name " + id));
        }
        return RowsBuilder.rows(SCHEMA, allocator, rows);
    }

    /** Appends rows with these ids, which are their positions too. */
    DeltaTable.Commit append(DeltaTable table, long from, long to, long txn) {
        try (var rows = ids(from, to)) {
            var positions = new long[rows.count()];
            for (int i = 0; i < positions.length; i++) {
                positions[i] = from + i;
            }
            return table.append(List.of(rows), positions, new Txn(APPLICATION, txn));
        }
    }

    static List<List<@Nullable Object>> read(DeltaReader reader) {
        try (reader) {
            var values = new ArrayList<List<@Nullable Object>>();
            for (var rows = reader.next(); rows != null; rows = reader.next()) {
                values.addAll(RowsBuilder.values(rows));
            }
            return values;
        }
    }

    static List<Object> ids(DeltaReader reader) {
        var ids = new ArrayList<Object>();
        for (var row : read(reader)) {
            ids.add(java.util.Objects.requireNonNull(row.getFirst()));
        }
        return ids;
    }

    static List<Object> ids(DeltaSnapshot snapshot) {
        return ids(snapshot.read(List.of("id")));
    }

    static List<Object> range(long from, long to) {
        var ids = new ArrayList<Object>();
        for (long id = from; id <= to; id++) {
            ids.add(id);
        }
        return ids;
    }

    /** Fails when a vector was not freed. */
    @Override
    public void close() {
        allocator.close();
    }
}
