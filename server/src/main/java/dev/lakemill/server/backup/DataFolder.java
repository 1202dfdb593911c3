package dev.lakemill.server.backup;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What stands in a node's data folder, but for Postgres and the log, which are copied in ways of
 * their own, and what only the running process needs.
 *
 * @param tables folders of Delta tables
 * @param files all others, none of them inside a table
 * @param homes files that apps have written
 */
record DataFolder(List<Path> tables, List<Path> files, List<Path> homes) {
    private static final Set<String> ELSEWHERE = Set.of("log", "postgres");

    /** Of deployments that have not ended. */
    private static final Set<String> UNFINISHED = Set.of(".uploads", ".unfinished");

    /** What a pipeline's engine puts aside, and objects that it has brought here to read. */
    private static final String TEMPORARY = "temporary";

    private static final Set<String> OF_THE_PROCESS = Set.of("node.lock", "run.json", "cli-token");

    /** Passwords of Postgres's roles: the one thing of its folder, besides the data, to keep. */
    private static final String SECRET = ".secret";

    DataFolder {
        tables = List.copyOf(tables);
        files = List.copyOf(files);
        homes = List.copyOf(homes);
    }

    static DataFolder of(Path data) throws IOException {
        var tables = new ArrayList<Path>();
        var files = new ArrayList<Path>();
        var homes = new ArrayList<Path>();
        Files.walkFileTree(
                data,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes about) {
                        var path = data.relativize(dir);
                        if (!path.startsWith("apps")
                                && Files.isDirectory(dir.resolve("_delta_log"))) {
                            tables.add(dir);
                            return FileVisitResult.SKIP_SUBTREE;
                        }
                        var unfinished =
                                path.startsWith("apps")
                                        && UNFINISHED.contains(String.valueOf(path.getFileName()));
                        var isTemporary =
                                path.startsWith("pipelines")
                                        && path.getNameCount() > 2
                                        && path.endsWith(TEMPORARY);
                        return unfinished || isTemporary || ELSEWHERE.contains(path.toString())
                                ? FileVisitResult.SKIP_SUBTREE
                                : FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes about) {
                        var path = data.relativize(file).toString();
                        if (about.isRegularFile() && AppHomes.isHome(Path.of(path))) {
                            homes.add(file);
                        } else if (about.isRegularFile()
                                && !OF_THE_PROCESS.contains(path)
                                && !path.endsWith(".new")) {
                            files.add(file);
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException failure)
                            throws IOException {
                        if (failure instanceof NoSuchFileException) {
                            return FileVisitResult.CONTINUE;
                        }
                        throw failure;
                    }
                });
        try (var secrets = Files.list(data.resolve("postgres"))) {
            secrets.filter(file -> file.toString().endsWith(SECRET)).forEach(files::add);
        }
        return new DataFolder(tables, files, homes);
    }
}
