package dev.lakemill.delta;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Files that vacuum leaves until this is closed, for whoever reads them for longer than removed
 * files are kept. Only vacuums of the same {@link DeltaTable} know of it. One thread uses it.
 */
public final class HeldFiles implements AutoCloseable {
    private record Held(TableContext table, Path file) {}

    private final List<Held> held = new ArrayList<>();

    HeldFiles(TableContext table, List<DataFile> files) {
        hold(table, files);
    }

    private HeldFiles() {}

    /** All files of snapshots. */
    public static HeldFiles of(Collection<DeltaSnapshot> snapshots) {
        var files = new HeldFiles();
        try {
            snapshots.forEach(snapshot -> files.hold(snapshot.table(), snapshot.files()));
            return files;
        } catch (RuntimeException | Error e) {
            files.close();
            throw e;
        }
    }

    private void hold(TableContext table, List<DataFile> files) {
        for (var file : files) {
            var path = file.in(table.location());
            table.held().merge(path, 1, Integer::sum);
            held.add(new Held(table, path));
        }
    }

    @Override
    public void close() {
        for (var each : held) {
            each.table()
                    .held()
                    .computeIfPresent(each.file(), (_, times) -> times == 1 ? null : times - 1);
        }
        held.clear();
    }
}
