package dev.lakemill.server;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.delta.DeltaSnapshot;
import dev.lakemill.delta.DeltaTable;
import dev.lakemill.feed.TableFeed;
import dev.lakemill.sync.DeltaSourceSnapshot;
import dev.lakemill.sync.SourceSnapshot;
import dev.lakemill.sync.SyncSource;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Files;
import java.util.Optional;
import org.apache.arrow.memory.BufferAllocator;
import org.jspecify.annotations.Nullable;

/** A Delta table of the catalog, as a synced table reads it. */
final class LakeSource implements SyncSource {
    /** What is given of the node. */
    record Parts(Catalog catalog, Tables tables, BufferAllocator allocator) {}

    private final TableName name;
    private final Parts parts;

    /** Of a table that others write; null before it was read. */
    private volatile @Nullable TableSchema columns;

    LakeSource(TableName name, Parts parts) {
        this.name = name;
        this.parts = parts;
    }

    @Override
    public TableName name() {
        return name;
    }

    @Override
    public TableSchema schema() {
        var table = table();
        if (table.kind() == TableKind.INGESTED) {
            return table.schema();
        }
        if (table.kind().fed()) {
            return parts.tables().delta(name).snapshot().schema();
        }
        var known = columns;
        return known == null ? delta().schema() : known;
    }

    @Override
    public SourceSnapshot snapshot() {
        var newest = delta();
        return new DeltaSourceSnapshot(newest, position(newest), this::delta);
    }

    /** The newest version. */
    DeltaSnapshot delta() {
        var table = table();
        if (table.kind().fed()) {
            return parts.tables().delta(name).snapshot();
        }
        var newest = DeltaTable.read(LakeTable.folder(table), parts.allocator());
        columns = newest.schema();
        return newest;
    }

    private DeltaSnapshot delta(long version) {
        var table = table();
        if (table.kind().fed()) {
            return parts.tables().delta(name).snapshot(version);
        }
        return DeltaTable.read(LakeTable.folder(table), version, parts.allocator());
    }

    /** A file of the next version, or none of this one (it is in a checkpoint, or gone). */
    @Override
    public boolean hasNewer(long version) {
        var table = table();
        if (table.kind().fed()) {
            return parts.tables().delta(name).snapshot().version() != version;
        }
        var log = LakeTable.folder(table).resolve("_delta_log");
        return Files.exists(log.resolve("%020d.json".formatted(version + 1)))
                || !Files.exists(log.resolve("%020d.json".formatted(version)));
    }

    @Override
    public Optional<TableFeed> feed() {
        return table().kind() == TableKind.INGESTED
                ? Optional.of(parts.tables().feed(name))
                : Optional.empty();
    }

    private long position(DeltaSnapshot snapshot) {
        return table().kind() == TableKind.INGESTED
                ? snapshot.transaction(parts.tables().logApplication()).orElse(0)
                : snapshot.version();
    }

    private CatalogTable table() {
        return parts.catalog()
                .find(name)
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "the source %s is gone".formatted(name),
                                        "make it again, or drop the synced table"));
    }
}
