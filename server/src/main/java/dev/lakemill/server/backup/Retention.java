package dev.lakemill.server.backup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;

/**
 * Deletes what no kept base backup needs: older and half ones, marks before the oldest that is kept
 * (but the one just before it), Postgres's log before it, and tables, files and segments that no
 * mark names. Of a table's files those go that were removed from it before the oldest mark.
 */
final class Retention {
    private Retention() {}

    static void prune(BackupFolder backups, int keep) throws IOException {
        for (var half : backups.halfBases()) {
            delete(half);
        }
        var bases = backups.bases();
        if (bases.size() > keep) {
            var dropped = bases.subList(0, bases.size() - keep);
            var oldest = bases.get(bases.size() - keep);
            // The manifest first: what has none is not a backup.
            for (var base : dropped) {
                Files.deleteIfExists(backups.base(base.id()).resolve("manifest.json"));
                delete(backups.base(base.id()));
            }
            dropMarks(backups, oldest);
            dropWal(backups, bases.subList(bases.size() - keep, bases.size()));
        }
        dropUnnamed(backups);
    }

    /** Counts up on a timeline; the next one goes on from where that was left. */
    static String segment(String wal) {
        return wal.substring(8, 24);
    }

    /** A restore to an earlier moment counts back: the oldest backup may not be the lowest one. */
    private static void dropWal(BackupFolder backups, List<Base> kept) throws IOException {
        var needed =
                kept.stream()
                        .map(base -> segment(base.startWal()))
                        .min(Comparator.naturalOrder())
                        .orElseThrow();
        for (var name : backups.walFiles()) {
            if (name.length() >= 24 && segment(name).compareTo(needed) < 0) {
                Files.delete(backups.wal().resolve(name + ".gz"));
            }
        }
    }

    private static void dropMarks(BackupFolder backups, Base oldest) throws IOException {
        var before =
                backups.marks().stream()
                        .filter(mark -> !mark.at().isAfter(oldest.endedAt()))
                        .toList();
        for (var mark : before.subList(0, Math.max(0, before.size() - 1))) {
            Files.delete(backups.marksFolder().resolve(mark.id() + ".json"));
        }
    }

    private static void dropUnnamed(BackupFolder backups) throws IOException {
        var oldest = new HashMap<Path, Long>();
        var named = new HashSet<Path>();
        for (var mark : backups.marks()) {
            for (var table : mark.tables()) {
                oldest.merge(
                        backups.lake().resolve(table.path()).resolve(table.id()),
                        table.version(),
                        Math::min);
            }
            mark.files().forEach(f -> named.add(backups.files().resolve(f.sha256())));
            mark.log()
                    .forEach(
                            p ->
                                    named.add(
                                            backups.log()
                                                    .resolve(mark.timeline())
                                                    .resolve(p.copy())));
        }
        for (var folder : new Path[] {backups.files(), backups.log()}) {
            try (var files = Files.walk(folder)) {
                for (var file :
                        files.filter(Files::isRegularFile)
                                .filter(file -> !named.contains(file))
                                .toList()) {
                    Files.delete(file);
                }
            }
        }
        for (var pool : pools(backups.lake())) {
            var version = oldest.get(pool);
            if (version == null) {
                delete(pool);
            } else {
                LakePool.open(pool).prune(version);
            }
        }
    }

    private static List<Path> pools(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            return files.filter(file -> file.endsWith("index.jsonl"))
                    .map(index -> folder.resolve(folder.relativize(index)).getParent())
                    .toList();
        }
    }

    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (var paths = Files.walk(folder)) {
            for (var path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
