package dev.lakemill.server.apps;

import dev.lakemill.catalog.Privileges;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;

/** Reads a manifest; whatever it does not know it refuses, with line and column. */
final class AppManifestReader {
    private static final int BYTES_MAX = 256 << 10;
    private static final int ENTRIES_MAX = 200;
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");

    /** What the node itself sets. */
    private static final Pattern OURS =
            Pattern.compile("(DATABRICKS_|LAKEMILL_|LD_).*|HOME|TMPDIR");

    private static final Set<String> TOP =
            Set.of("command", "env", "resources", "user_api_scopes", "lakemill");
    private static final Set<String> SECTION =
            Set.of(
                    "static",
                    "resources",
                    "user_api_scopes",
                    "health_path",
                    "start_seconds_max",
                    "response_seconds_max",
                    "body_mb_max",
                    "memory_mb_max",
                    "file_mb_max",
                    "files_max");
    private static final Set<Privilege> TOO_MUCH =
            Set.of(Privilege.MANAGE, Privilege.ALL_PRIVILEGES);

    private final String file;

    private AppManifestReader(String file) {
        this.file = file;
    }

    static AppManifest read(Path path) {
        try {
            if (Files.size(path) > BYTES_MAX) {
                throw Problems.invalid(
                        "%s has more than %d bytes".formatted(path.getFileName(), BYTES_MAX),
                        "a manifest is short");
            }
            return read(String.valueOf(path.getFileName()), Files.readString(path));
        } catch (IOException e) {
            throw Problems.invalid(
                    "%s cannot be read: %s".formatted(path.getFileName(), e.getMessage()),
                    "it is UTF-8 text");
        }
    }

    /**
     * @param file as the messages call it
     */
    static AppManifest read(String file, String text) {
        var reader = new AppManifestReader(file);
        var options = new LoaderOptions();
        options.setMaxAliasesForCollections(10);
        try {
            var root = new Yaml(options).compose(new java.io.StringReader(text));
            if (root == null) {
                throw Problems.invalid(file + " is empty", "write 'command: [program, …]'");
            }
            return reader.manifest(root);
        } catch (MarkedYAMLException e) {
            var mark = e.getProblemMark();
            var at = mark == null ? "1:1" : (mark.getLine() + 1) + ":" + (mark.getColumn() + 1);
            throw Problems.invalid(
                    "%s:%s: %s".formatted(file, at, e.getProblem()), "mend the YAML there");
        } catch (YAMLException e) {
            throw Problems.invalid(file + " is not YAML: " + e.getMessage(), "mend it");
        }
    }

    private AppManifest manifest(Node root) {
        var top = fields(root, TOP);
        Map<String, Node> ours =
                top.containsKey("lakemill")
                        ? fields(top.get("lakemill"), SECTION)
                        : Map.<String, Node>of();
        var command = command(top.get("command"));
        var site = ours.containsKey("static") ? site(ours.get("static")) : "";
        if (command.isEmpty() == site.isEmpty()) {
            throw at(
                    root,
                    command.isEmpty()
                            ? "there is neither a command nor 'lakemill: {static: folder}'"
                            : "there is a command, and a static folder as well",
                    "an app is a process or a folder of pages");
        }
        var resources = new ArrayList<AppResource>();
        resources(top.get("resources"), resources);
        resources(ours.get("resources"), resources);
        var scopes = new LinkedHashSet<String>();
        scopes(top.get("user_api_scopes"), scopes);
        scopes(ours.get("user_api_scopes"), scopes);
        var env = env(top.get("env"), resources);
        return new AppManifest(command, site, env, resources, scopes, limits(ours));
    }

    private List<String> command(@Nullable Node node) {
        if (node == null) {
            return List.of();
        }
        var parts = new ArrayList<String>();
        for (var part : list(node, "a list: program, then arguments; there is no shell")) {
            parts.add(text(part));
        }
        if (parts.isEmpty() || parts.getFirst().isBlank()) {
            throw at(node, "the command is empty", "write [program, argument, …]");
        }
        return parts;
    }

    private String site(Node node) {
        var text = text(node);
        var path = Path.of(text).normalize();
        if (path.isAbsolute() || path.startsWith("..") || text.isBlank()) {
            throw at(node, "'%s' is not a folder of the app".formatted(text), "name one in it");
        }
        return path.toString().isEmpty() ? "." : path.toString();
    }

    private List<AppManifest.Variable> env(@Nullable Node node, List<AppResource> resources) {
        var env = new LinkedHashMap<String, AppManifest.Variable>();
        if (node == null) {
            return List.of();
        }
        for (var entry : list(node, "a list of '- name: …' with value or valueFrom")) {
            var fields = fields(entry, Set.of("name", "value", "valueFrom", "value_from"));
            var name = text(require(entry, fields, "name"));
            if (!VARIABLE.matcher(name).matches() || OURS.matcher(name).matches()) {
                throw at(
                        entry,
                        "'%s' cannot be set".formatted(name),
                        "names are letters, digits and underscores; DATABRICKS_… and LAKEMILL_…"
                                + " are set by the node");
            }
            var from =
                    fields.containsKey("valueFrom")
                            ? fields.get("valueFrom")
                            : fields.get("value_from");
            if ((from == null) == (fields.get("value") == null)) {
                throw at(entry, name + " needs a value or a valueFrom", "write one of them");
            }
            var variable =
                    from == null
                            ? new AppManifest.Variable(name, text(fields.get("value")), null)
                            : new AppManifest.Variable(name, "", known(from, resources));
            if (env.put(name, variable) != null) {
                throw at(entry, name + " is set twice", "set it once");
            }
        }
        return List.copyOf(env.values());
    }

    private String known(Node node, List<AppResource> resources) {
        var name = text(node);
        if (resources.stream().noneMatch(r -> r.name().equals(name))) {
            throw at(
                    node,
                    "there is no resource '%s'".formatted(name),
                    "declare it under 'resources', with '- name: %s'".formatted(name));
        }
        return name;
    }

    private void scopes(@Nullable Node node, Set<String> scopes) {
        if (node == null) {
            return;
        }
        for (var entry : list(node, "a list of scopes")) {
            var scope = text(entry);
            if (!AppScopes.KNOWN.contains(scope)) {
                throw at(
                        entry,
                        "'%s' is not a scope here".formatted(scope),
                        "known are " + String.join(", ", AppScopes.KNOWN));
            }
            scopes.add(scope);
        }
    }

    private AppManifest.Limits limits(Map<String, Node> ours) {
        var initial = AppManifest.Limits.INITIAL;
        var health = ours.containsKey("health_path") ? text(ours.get("health_path")) : "";
        if (!health.isEmpty() && !health.matches("/[!-~]{0,255}")) {
            throw at(ours.get("health_path"), "'%s' is no path".formatted(health), "write /health");
        }
        return new AppManifest.Limits(
                health,
                number(ours.get("start_seconds_max"), initial.startSecondsMax(), 3_600),
                number(ours.get("response_seconds_max"), initial.responseSecondsMax(), 86_400),
                number(ours.get("body_mb_max"), initial.bodyMbMax(), 1 << 20),
                number(ours.get("memory_mb_max"), initial.memoryMbMax(), 1 << 20),
                number(ours.get("file_mb_max"), initial.fileMbMax(), 1 << 20),
                number(ours.get("files_max"), initial.filesMax(), 1 << 20));
    }

    private int number(@Nullable Node node, int initial, int max) {
        if (node == null) {
            return initial;
        }
        try {
            var number = Integer.parseInt(text(node).strip());
            if (number >= 1 && number <= max) {
                return number;
            }
        } catch (NumberFormatException _) {
            // Told below, as a number out of bounds.
        }
        throw at(node, "'%s' is not a number".formatted(text(node)), "write 1 to " + max);
    }

    private void resources(@Nullable Node node, List<AppResource> found) {
        if (node == null) {
            return;
        }
        for (var entry : list(node, "a list of '- name: …' with what it is")) {
            var kinds = new LinkedHashSet<>(Set.of("name", "description"));
            for (var kind : AppResource.Kind.values()) {
                kinds.add(kind.name().toLowerCase(Locale.ROOT));
            }
            var fields = fields(entry, kinds);
            var name = text(require(entry, fields, "name"));
            if (found.stream().anyMatch(r -> r.name().equals(name))) {
                throw at(entry, "there are two resources '%s'".formatted(name), "rename one");
            }
            var of = new ArrayList<AppResource>();
            for (var kind : AppResource.Kind.values()) {
                var body = fields.get(kind.name().toLowerCase(Locale.ROOT));
                if (body != null) {
                    of.add(located(body, n -> resource(name, kind, n)));
                }
            }
            if (of.size() != 1) {
                throw at(
                        entry,
                        "the resource '%s' is %d things".formatted(name, of.size()),
                        "write one of uc_securable, postgres, secret, serving_endpoint, app");
            }
            found.addAll(of);
        }
    }

    /** A name that is none is told with its place. */
    private AppResource located(Node node, Function<Node, AppResource> read) {
        try {
            return read.apply(node);
        } catch (LakemillException e) {
            if (e.problem().startsWith(file + ":")) {
                throw e;
            }
            throw at(node, e.problem(), e.hint());
        }
    }

    private AppResource resource(String name, AppResource.Kind kind, Node node) {
        return switch (kind) {
            case UC_SECURABLE -> securable(name, node);
            case POSTGRES -> postgres(name, node);
            case SECRET -> {
                var f = fields(node, Set.of("scope", "key", "permission"));
                permission(node, f, "READ");
                var scope = part(require(node, f, "scope"));
                var key = part(require(node, f, "key"));
                yield new AppResource(name, kind, scope + "/" + key, Set.of());
            }
            case SERVING_ENDPOINT -> {
                var f = fields(node, Set.of("name", "permission"));
                permission(node, f, "CAN_QUERY");
                var endpoint = text(require(node, f, "name"));
                // The gateway's endpoints are models of one schema, by their name alone.
                var model = endpoint.contains(".") ? endpoint : "system.ai." + endpoint;
                var on = new Securable(SecurableType.REGISTERED_MODEL, model);
                yield new AppResource(
                        name, kind, endpoint, AppResource.needs(on, Privilege.EXECUTE));
            }
            case APP -> {
                var f = fields(node, Set.of("name", "permission"));
                permission(node, f, "CAN_USE");
                var app = part(require(node, f, "name"));
                var on = new Securable(SecurableType.APP, app);
                yield new AppResource(name, kind, app, AppResource.needs(on, Privilege.EXECUTE));
            }
        };
    }

    private AppResource securable(String name, Node node) {
        var f = fields(node, Set.of("securable_full_name", "securable_type", "permission"));
        var full = text(require(node, f, "securable_full_name"));
        var typeNode = require(node, f, "securable_type");
        var type =
                switch (text(typeNode).toUpperCase(Locale.ROOT)) {
                    case "TABLE" -> SecurableType.TABLE;
                    case "VOLUME" -> SecurableType.VOLUME;
                    case "FUNCTION" -> SecurableType.FUNCTION;
                    case "REGISTERED_MODEL" -> SecurableType.REGISTERED_MODEL;
                    case "SCHEMA" -> SecurableType.SCHEMA;
                    default ->
                            throw at(
                                    typeNode,
                                    "'%s' is not granted to apps".formatted(text(typeNode)),
                                    "TABLE, VOLUME, FUNCTION, REGISTERED_MODEL or SCHEMA are");
                };
        var on = new Securable(type, full);
        var permission = require(node, f, "permission");
        var privilege = Privilege.parse(text(permission));
        if (!Privileges.grantable(type).contains(privilege) || TOO_MUCH.contains(privilege)) {
            throw at(
                    permission,
                    "%s on a %s is not for apps".formatted(privilege.sql(), type),
                    "ask for what the app does, for example SELECT");
        }
        return new AppResource(
                name, AppResource.Kind.UC_SECURABLE, full, AppResource.needs(on, privilege));
    }

    private AppResource postgres(String name, Node node) {
        var f = fields(node, Set.of("branch", "database", "schema", "permission"));
        permission(node, f, "CAN_CONNECT_AND_CREATE");
        var schema = text(require(node, f, "schema"));
        var on = new Securable(SecurableType.SCHEMA, schema);
        return new AppResource(
                name,
                AppResource.Kind.POSTGRES,
                schema,
                AppResource.needs(on, Privilege.CREATE_TABLE));
    }

    private void permission(Node node, Map<String, Node> fields, String only) {
        var permission = require(node, fields, "permission");
        if (!text(permission).equals(only)) {
            throw at(
                    permission,
                    "'%s' is not a permission of this".formatted(text(permission)),
                    "write " + only);
        }
    }

    private String part(Node node) {
        var text = text(node);
        if (!text.matches("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")) {
            throw at(node, "'%s' is no name".formatted(text), "letters, digits, _ . and -");
        }
        return text;
    }

    private Node require(Node node, Map<String, Node> fields, String key) {
        var found = fields.get(key);
        if (found == null) {
            throw at(node, "'%s' is missing".formatted(key), "add it");
        }
        return found;
    }

    private Map<String, Node> fields(@Nullable Node node, Set<String> known) {
        if (!(node instanceof MappingNode map)) {
            throw at(node, "this is not 'key: value'", "keys here: " + sorted(known));
        }
        var fields = new LinkedHashMap<String, Node>();
        for (var pair : map.getValue()) {
            var key = text(pair.getKeyNode());
            if (!known.contains(key)) {
                throw at(
                        pair.getKeyNode(),
                        "'%s' is not a key here".formatted(key),
                        "keys here: " + sorted(known));
            }
            if (fields.put(key, pair.getValueNode()) != null) {
                throw at(pair.getKeyNode(), "'%s' stands there twice".formatted(key), "once");
            }
        }
        return fields;
    }

    private static String sorted(Set<String> keys) {
        return String.join(", ", keys.stream().sorted().toList());
    }

    private List<Node> list(Node node, String what) {
        if (!(node instanceof SequenceNode sequence)) {
            throw at(node, "this is not a list", "it is " + what);
        }
        if (sequence.getValue().size() > ENTRIES_MAX) {
            throw at(
                    node,
                    "the list is too long",
                    "it has %d entries at most".formatted(ENTRIES_MAX));
        }
        return sequence.getValue();
    }

    private String text(@Nullable Node node) {
        if (node instanceof ScalarNode scalar && scalar.getValue().indexOf('\0') < 0) {
            return scalar.getValue();
        }
        throw at(node, "this is not a text", "write one value; quote it where in doubt");
    }

    private LakemillException at(@Nullable Node node, String problem, String hint) {
        var mark = node == null ? null : node.getStartMark();
        var line = mark == null ? 1 : mark.getLine() + 1;
        var column = mark == null ? 1 : mark.getColumn() + 1;
        return Problems.invalid("%s:%d:%d: %s".formatted(file, line, column, problem), hint);
    }
}
