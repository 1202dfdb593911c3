package dev.lakemill.server;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * A project's lakemill.yml, overridden by environment variables.
 *
 * @param folder the project: where lakemill.yml stands, and what its relative paths start from
 */
record Config(
        Path folder, Map<Setting, String> values, List<PipelineEntry> pipelines, List<App> apps) {

    /**
     * A pipeline: the SQL files and jars of a folder, in order of name.
     *
     * @param folder or a single jar
     * @param owner the principal that it runs as; empty for the node itself
     * @param configuration values of {@code ${name}} in its text
     */
    record PipelineEntry(
            String name, Path folder, String owner, Map<String, String> configuration) {}

    /** A static web application, served at {@code /apps/name/}. */
    record App(String name, Path folder) {}

    static final String FILE = "lakemill.yml";

    Config {
        values = Map.copyOf(values);
        pipelines = List.copyOf(pipelines);
        apps = List.copyOf(apps);
    }

    /** Reads the project's file (an absent one means defaults) and the environment. */
    static Config load(Path folder, Map<String, String> environment) {
        var file = folder.resolve(FILE);
        var tree = Files.exists(file) ? parse(file) : Map.<String, Object>of();
        var flat = new LinkedHashMap<String, Object>();
        flatten("", ModelSection.folderAlone(tree), flat);
        flat.remove(SyncedTableProject.KEY);
        AgentProject.KEYS.forEach(flat::remove);
        var pipelines = pipelines(flat.remove("pipelines"), folder, file);
        var apps = new ArrayList<App>();
        entries(flat.remove("apps"), "apps", file)
                .forEach((name, entry) -> apps.add(new App(name, folder.resolve(entry.folder()))));
        return new Config(
                folder.toAbsolutePath().normalize(),
                values(flat, environment, file),
                pipelines,
                apps);
    }

    private static List<PipelineEntry> pipelines(@Nullable Object section, Path folder, Path file) {
        var pipelines = new ArrayList<PipelineEntry>();
        entries(section, "pipelines", file)
                .forEach(
                        (name, entry) ->
                                pipelines.add(
                                        new PipelineEntry(
                                                name,
                                                folder.resolve(entry.folder()),
                                                entry.owner(),
                                                entry.configuration())));
        return pipelines;
    }

    /** The same with one pipeline alone. */
    Config only(PipelineEntry pipeline) {
        return new Config(folder, values, List.of(pipeline), apps);
    }

    String text(Setting setting) {
        var value = values.get(setting);
        return value == null ? setting.initial() : value;
    }

    /** A whole number, zero or more. */
    int number(Setting setting) {
        var text = text(setting);
        try {
            var number = Integer.parseInt(text.strip());
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException _) {
            // Told below, with the same words as a negative number.
        }
        throw new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "%s is '%s'".formatted(setting.key(), text),
                "set it in %s or by %s to a whole number, zero or more (default %s)"
                        .formatted(FILE, setting.variable(), setting.initial()));
    }

    /** A path, relative ones starting at the project; null when the setting is empty. */
    @Nullable Path path(Setting setting) {
        var text = text(setting);
        return text.isEmpty() ? null : folder.resolve(text).normalize();
    }

    Path data() {
        return folder.resolve(text(Setting.DATA)).normalize();
    }

    private static Map<String, Object> parse(Path file) {
        try (var reader = Files.newBufferedReader(file)) {
            Object tree = new Yaml(new SafeConstructor(new LoaderOptions())).load(reader);
            if (tree == null) {
                return Map.of();
            }
            if (tree instanceof Map<?, ?> map) {
                var result = new LinkedHashMap<String, Object>();
                map.forEach((key, value) -> result.put(String.valueOf(key), value));
                return result;
            }
            throw bad(file + " is not a list of keys", "write 'key: value' lines");
        } catch (YAMLException e) {
            throw bad(file + " is not YAML: " + e.getMessage(), "mend the place it names");
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE, "cannot read " + file, "check its permissions", e);
        }
    }

    private static void flatten(String prefix, Map<?, ?> tree, Map<String, Object> flat) {
        tree.forEach(
                (key, value) -> {
                    var name = prefix + key;
                    if (value instanceof Map<?, ?> inner) {
                        flatten(name + ".", inner, flat);
                    } else if (value != null) {
                        flat.put(name, value);
                    }
                });
    }

    /** What an entry of a list says. */
    private record Entry(String folder, String owner, Map<String, String> configuration) {}

    private static Map<String, Entry> entries(@Nullable Object list, String key, Path file) {
        var found = new LinkedHashMap<String, Entry>();
        if (list == null) {
            return found;
        }
        if (list instanceof List<?> entries) {
            for (var entry : entries) {
                if (entry instanceof Map<?, ?> map
                        && map.get("name") instanceof String name
                        && map.get("folder") instanceof String path
                        && found.put(name, new Entry(path, owner(map), configuration(map)))
                                == null) {
                    continue;
                }
                throw bad(
                        "an entry of '%s' in %s is '%s'".formatted(key, file, entry),
                        "write '- name: a-name-of-its-own' and 'folder: path' for each");
            }
            return found;
        }
        throw bad(
                "'%s' in %s is not a list".formatted(key, file),
                "write '- name: …' and 'folder: …' for each");
    }

    private static String owner(Map<?, ?> entry) {
        return entry.get("owner") instanceof String owner ? owner : "";
    }

    private static Map<String, String> configuration(Map<?, ?> entry) {
        var values = new LinkedHashMap<String, String>();
        if (entry.get("configuration") instanceof Map<?, ?> map) {
            map.forEach((key, value) -> values.put(String.valueOf(key), String.valueOf(value)));
        }
        return values;
    }

    private static Map<Setting, String> values(
            Map<String, Object> flat, Map<String, String> environment, Path file) {
        var values = new EnumMap<Setting, String>(Setting.class);
        for (var setting : Setting.values()) {
            var fromFile = flat.remove(setting.key());
            var fromEnvironment = environment.get(setting.variable());
            if (fromEnvironment != null) {
                values.put(setting, fromEnvironment);
            } else if (fromFile != null) {
                values.put(setting, String.valueOf(fromFile));
            }
        }
        for (var unknown : flat.keySet()) {
            throw bad(
                    "'%s' in %s is not a key".formatted(unknown, file),
                    "did you mean '%s'? './lakemill config' lists all".formatted(nearest(unknown)));
        }
        return values;
    }

    private static String nearest(String unknown) {
        return Stream.of(Setting.values())
                .map(Setting::key)
                .min(Comparator.comparingInt(key -> distance(key, unknown)))
                .orElseThrow();
    }

    /** Levenshtein's distance. */
    private static int distance(String a, String b) {
        var previous = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            var current = new int[b.length() + 1];
            current[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                var change = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(change, Math.min(previous[j], current[j - 1]) + 1);
            }
            previous = current;
        }
        return previous[b.length()];
    }

    private static LakemillException bad(String problem, String hint) {
        return new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint);
    }
}
