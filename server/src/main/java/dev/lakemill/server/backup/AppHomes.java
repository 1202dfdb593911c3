package dev.lakemill.server.backup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What apps write into their homes. It may be large and change all the time, so it is copied with
 * each base backup alone, file by file as each stands then; marks in between name the newest
 * copies.
 */
final class AppHomes {
    private final BackupFolder backups;

    /** Null before they are asked for. */
    private @Nullable List<Mark.SmallFile> copied;

    AppHomes(BackupFolder backups) {
        this.backups = backups;
    }

    /** Whether a path from the data folder is {@code apps/ID/home} or in it. */
    static boolean isHome(Path path) {
        return path.getNameCount() >= 3
                && path.startsWith("apps")
                && path.getName(2).toString().equals("home");
    }

    /** The newest copies, of apps that are there still. */
    List<Mark.SmallFile> newest(Path data) throws IOException {
        var known = copied;
        if (known == null) {
            var marks = backups.marks();
            known =
                    marks.isEmpty()
                            ? List.of()
                            : marks.getLast().files().stream()
                                    .filter(file -> isHome(Path.of(file.path())))
                                    .toList();
            copied = known;
        }
        return known.stream()
                .filter(file -> Files.isDirectory(data.resolve(Path.of(file.path()).subpath(0, 2))))
                .toList();
    }

    /** Copies all of them anew. A file that goes meanwhile is left out. */
    void copy(Path data) throws IOException {
        var all = new ArrayList<Mark.SmallFile>();
        for (var file : DataFolder.of(data).homes()) {
            try {
                all.add(backups.keep(data, file));
            } catch (NoSuchFileException _) {
                // The app has deleted it.
            }
        }
        copied = List.copyOf(all);
    }
}
