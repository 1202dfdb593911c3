package dev.lakemill.server;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/** Files that hold secrets: of mode 0600 from their first byte, and always whole. */
final class PrivateFile {
    private PrivateFile() {}

    static void write(Path file, byte[] bytes) {
        try {
            var temporary = file.resolveSibling(file.getFileName() + ".new");
            Files.deleteIfExists(temporary);
            Files.createFile(
                    temporary,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------")));
            Files.write(temporary, bytes);
            Files.move(
                    temporary,
                    file,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "cannot write " + file,
                    "check the folder's permissions and free space",
                    e);
        }
    }
}
