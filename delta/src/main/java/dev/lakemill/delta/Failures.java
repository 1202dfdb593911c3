package dev.lakemill.delta;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

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
        var causes = causes(failure);
        var kind =
                causes.stream()
                        .map(Failures::kind)
                        .max(Comparator.naturalOrder())
                        .orElse(Kind.UNKNOWN);
        return new LakemillException(
                kind.code,
                "%s of Delta table %s failed: %s".formatted(doing, table, causes.getLast()),
                kind.hint,
                failure);
    }

    /** Later ones say more. */
    private enum Kind {
        UNKNOWN(ErrorCode.INTERNAL, ""),
        DISK(ErrorCode.UNAVAILABLE, "check the disk, then repeat"),
        NOT_WRITABLE(
                ErrorCode.FAILED_PRECONDITION,
                "make the folder one that user %s may write to"
                        .formatted(System.getProperty("user.name"))),
        FULL(ErrorCode.UNAVAILABLE, "the disk is full; free space there, then repeat");

        private final ErrorCode code;
        private final String hint;

        Kind(ErrorCode code, String hint) {
            this.code = code;
            this.hint = hint;
        }
    }

    private static List<Throwable> causes(Throwable failure) {
        var causes = new ArrayList<Throwable>();
        for (Throwable t = failure; t != null && !causes.contains(t); t = t.getCause()) {
            causes.add(t);
        }
        return causes;
    }

    private static Kind kind(Throwable failure) {
        var text = String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT);
        if (text.contains("no space left") || text.contains("quota exceeded")) {
            return Kind.FULL;
        }
        if (failure instanceof AccessDeniedException
                || failure instanceof ReadOnlyFileSystemException
                || text.contains("read-only file system")
                || text.contains("not a directory")
                || text.contains("permission denied")) {
            return Kind.NOT_WRITABLE;
        }
        return failure instanceof IOException || failure instanceof UncheckedIOException
                ? Kind.DISK
                : Kind.UNKNOWN;
    }
}
