package dev.lakemill.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The farm's application as one folder to deploy: manifest, pages, classes, libraries. */
final class FarmAppFolder {
    /** Where the bundler leaves the pages, below the project. */
    private static final String PAGES = "app/dist";

    /** What its classes need of the farm's libraries. */
    private static final List<String> LIBRARIES =
            List.of("api-", "types-", "jackson-", "postgresql-", "jspecify-");

    private FarmAppFolder() {}

    /** Made anew from what is built. */
    static void make(Path project, Path folder) throws IOException {
        var pages = project.resolve(PAGES);
        if (!Files.isRegularFile(pages.resolve("index.html"))) {
            throw new IOException(pages + " is missing: run ./lakemill, or npm run build");
        }
        Folders.delete(folder);
        Files.createDirectories(folder);
        Files.copy(project.resolve("app.yaml"), folder.resolve("app.yaml"));
        copy(pages, folder.resolve("pages"));
        var target = project.resolve("target");
        copy(target.resolve("classes/dev"), folder.resolve("classes/dev"));
        Files.createDirectories(folder.resolve("lib"));
        try (var libraries = Files.list(target.resolve("lib"))) {
            for (var library : libraries.sorted().toList()) {
                var name = library.getFileName().toString();
                if (LIBRARIES.stream().anyMatch(name::startsWith)) {
                    Files.copy(library, folder.resolve("lib").resolve(name));
                }
            }
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (var all = Files.walk(from)) {
            for (var each : all.sorted().toList()) {
                var target = to.resolve(from.relativize(each).toString());
                if (Files.isDirectory(each)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(each, target);
                }
            }
        }
    }
}
