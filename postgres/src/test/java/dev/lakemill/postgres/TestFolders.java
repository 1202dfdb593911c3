package dev.lakemill.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** JUnit makes its folders for one user alone; Postgres runs as another where we are root. */
final class TestFolders {
    private TestFolders() {}

    static Path open(Path folder) throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        return folder;
    }
}
