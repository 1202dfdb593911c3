package dev.lakemill.delta;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Turns what the disk and the kernel throw into errors that say how to mend them. */
final class Failures {
    private Failures() {}

    static LakemillException reading(Path file, IOException cause) {
        return new LakemillException(
                ErrorCode.UNAVAILABLE,
                "cannot read %s: %s".formatted(file, cause),
                "check the disk; reading can be repeated",
                cause);
    }

    /** A failure while {@code doing} something to the table; ours pass through unchanged. */
    static LakemillException of(String doing, Path table, Throwable failure) {
        if (failure instanceof LakemillException ours) {
            return ours;
        }
        for (Throwable t = failure; t != null; t = t.getCause()) {
            var known = known(doing, table, t);
            if (known != null) {
                return known;
            }
        }
        return new LakemillException(
                ErrorCode.INTERNAL,
                "%s of Delta table %s failed: %s".formatted(doing, table, failure),
                "",
                failure);
    }

    private static @Nullable LakemillException known(String doing, Path table, Throwable failure) {
        var what = "%s of Delta table %s failed: %s".formatted(doing, table, failure);
        var text = String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT);
        if (text.contains("no space left") || text.contains("quota exceeded")) {
            return new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    what,
                    "the disk is full and nothing was committed;"
                            + " free space there, then repeat",
                    failure);
        }
        if (failure instanceof AccessDeniedException
                || failure instanceof ReadOnlyFileSystemException
                || text.contains("read-only file system")
                || text.contains("not a directory")
                || text.contains("permission denied")) {
            return new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    what,
                    "make the folder one that user %s may write to"
                            .formatted(System.getProperty("user.name")),
                    failure);
        }
        if (failure instanceof IOException) {
            return new LakemillException(
                    ErrorCode.UNAVAILABLE, what, "check the disk, then repeat", failure);
        }
        return null;
    }
}
