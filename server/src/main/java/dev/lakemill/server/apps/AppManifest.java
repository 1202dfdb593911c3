package dev.lakemill.server.apps;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an app's folder says of it: Databricks' {@code app.yaml}, and ours beside that.
 *
 * @param command program and arguments, run without a shell; empty for a static app
 * @param site folder of a static app's pages, relative; empty for a process
 * @param scopes of the token that the app gets for its user; none: it gets no token
 */
record AppManifest(
        List<String> command,
        String site,
        List<Variable> env,
        List<AppResource> resources,
        Set<String> scopes,
        Limits limits) {
    static final List<String> FILES = List.of("app.yaml", "app.yml");

    /**
     * A variable of the environment.
     *
     * @param resource whose value it gets; null when it has a value of its own
     */
    record Variable(String name, String value, @Nullable String resource) {}

    /**
     * @param healthPath that answers with less than 400 when the app can work; empty: it listens
     * @param memoryMbMax of all its processes together
     */
    record Limits(
            String healthPath,
            int startSecondsMax,
            int responseSecondsMax,
            int bodyMbMax,
            int memoryMbMax,
            int fileMbMax,
            int filesMax) {
        static final Limits INITIAL = new Limits("", 600, 900, 100, 1_024, 1_024, 4_096);
    }

    AppManifest {
        command = List.copyOf(command);
        env = List.copyOf(env);
        resources = List.copyOf(resources);
        scopes = Set.copyOf(scopes);
    }

    /** Of a version's folder: pages without a manifest are a static app. */
    static AppManifest of(Path folder) {
        for (var name : FILES) {
            if (Files.isRegularFile(folder.resolve(name))) {
                var manifest = AppManifestReader.read(folder.resolve(name));
                return manifest.requireIn(folder);
            }
        }
        if (Files.isRegularFile(folder.resolve("index.html"))) {
            return new AppManifest(List.of(), ".", List.of(), List.of(), Set.of(), Limits.INITIAL);
        }
        throw Problems.invalid(
                "the app has neither app.yaml nor index.html",
                "write app.yaml with 'command: [program, argument, …]', or deploy built pages");
    }

    private AppManifest requireIn(Path folder) {
        if (isStatic() && !Files.isRegularFile(folder.resolve(site).resolve("index.html"))) {
            throw Problems.invalid(
                    "the static folder '%s' has no index.html".formatted(site),
                    "build the pages first, and name the folder that they are built to");
        }
        return this;
    }

    boolean isStatic() {
        return command.isEmpty();
    }

    Optional<AppResource> resource(String name) {
        return resources.stream().filter(r -> r.name().equals(name)).findFirst();
    }

    /** All that the app's principal is granted: this and no more. */
    Set<AppResource.Need> needs() {
        var needs = new LinkedHashSet<AppResource.Need>();
        resources.forEach(resource -> needs.addAll(resource.needs()));
        return needs;
    }
}
