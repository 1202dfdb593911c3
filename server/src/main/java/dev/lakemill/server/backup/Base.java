package dev.lakemill.server.backup;

import dev.lakemill.postgres.BaseBackup;
import java.time.Instant;
import java.util.List;

/** A base backup of Postgres: the file {@code manifest.json} beside its {@code data} folder. */
record Base(
        String id,
        String started,
        String ended,
        String startWal,
        String stopWal,
        List<BaseBackup.CopiedFile> files,
        List<String> folders) {
    Base {
        files = List.copyOf(files);
        folders = List.copyOf(folders);
    }

    static Base of(String id, BaseBackup taken) {
        return new Base(
                id,
                taken.started().toString(),
                taken.ended().toString(),
                taken.startWal(),
                taken.stopWal(),
                taken.files(),
                taken.folders());
    }

    Instant endedAt() {
        return Instant.parse(ended);
    }

    long bytes() {
        return files.stream().mapToLong(BaseBackup.CopiedFile::bytes).sum();
    }
}
