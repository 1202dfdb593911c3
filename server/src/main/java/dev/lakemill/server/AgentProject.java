package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The agents that a project's lakemill.yml declares, and what is to be done so that the node has
 * them so. The section {@code agents} is a list of them, or has it as {@code declared} beside the
 * settings of agents. What the node has besides is left alone, but for triggers of a declared agent
 * whose triggers are declared.
 */
final class AgentProject {
    /** Keys of the file, flat, that are no settings. */
    static final List<String> KEYS = List.of("agents", "agents.declared");

    private static final String AGENTS = "/api/2.0/agents";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JsonNode USUAL = usual();
    private static final Set<String> TRIGGER_FIELDS =
            Set.of(
                    "name",
                    "cron",
                    "time_zone",
                    "table",
                    "key_columns",
                    "operations",
                    "changed_column",
                    "becomes",
                    "input");

    /** What is to be done. */
    sealed interface Step {
        record Register(String agent, JsonNode definition) implements Step {}

        /**
         * @param changes field by field, in words
         */
        record Change(String agent, JsonNode definition, List<String> changes) implements Step {}

        record Nothing(String agent) implements Step {}

        /**
         * @param replaces whether there is one of its name, which differs
         */
        record AddTrigger(String agent, JsonNode trigger, boolean replaces) implements Step {}

        record DropTrigger(String agent, String trigger) implements Step {}
    }

    private AgentProject() {}

    /** What a definition says where it says nothing, as REST has it. */
    private static JsonNode usual() {
        var usual = JSON.createObjectNode().put("description", "").put("steps_max", 200);
        usual.put("tokens_max", 200_000).put("cost_micros_max", 1_000_000);
        usual.put("seconds_max", 3_600).put("failures_max", 5).put("mail_needs_approval", true);
        usual.putArray("callers");
        usual.putArray("approvers");
        return usual;
    }

    /**
     * Each entry is the fields of {@code PUT /api/2.0/agents/NAME}, the name, and triggers.
     *
     * @throws LakemillException INVALID_ARGUMENT for an entry that is none
     */
    static Map<String, ObjectNode> read(Path folder) {
        var file = folder.resolve(Config.FILE);
        var agents = new LinkedHashMap<String, ObjectNode>();
        for (var entry : entries(file)) {
            if (!(entry instanceof ObjectNode fields) || !fields.path("name").isTextual()) {
                throw wrong(file, "an entry has no name: " + entry);
            }
            var name = fields.path("name").asText();
            if (!fields.path("principal").isTextual()) {
                throw wrong(file, name + " has no principal");
            }
            fields.fieldNames().forEachRemaining(field -> requireKnown(file, name, field));
            for (var trigger : fields.path("triggers")) {
                requireTrigger(file, name, trigger);
            }
            if (agents.put(name, fields) != null) {
                throw wrong(file, name + " stands there twice");
            }
        }
        return agents;
    }

    private static void requireKnown(Path file, String agent, String field) {
        if (!USUAL.has(field)
                && !Set.of("name", "principal", "owner", "addresses", "triggers").contains(field)) {
            throw wrong(file, "%s has an unknown key %s".formatted(agent, field));
        }
    }

    private static void requireTrigger(Path file, String agent, JsonNode trigger) {
        if (!trigger.path("name").isTextual() || trigger.has("cron") == trigger.has("table")) {
            throw wrong(
                    file,
                    "a trigger of %s needs a name, and either cron or table: %s"
                            .formatted(agent, trigger));
        }
        trigger.fieldNames()
                .forEachRemaining(
                        field -> {
                            if (!TRIGGER_FIELDS.contains(field)) {
                                throw wrong(
                                        file,
                                        "a trigger of %s has an unknown key %s"
                                                .formatted(agent, field));
                            }
                        });
    }

    private static JsonNode entries(Path file) {
        var section = ProjectYaml.read(file, problem -> wrong(file, problem)).path("agents");
        var listed = section.isObject() ? section.path("declared") : section;
        if (!listed.isMissingNode() && !listed.isArray()) {
            throw wrong(file, "the agents are no list");
        }
        return listed;
    }

    private static LakemillException wrong(Path file, String problem) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "agents of %s: %s".formatted(file, problem),
                "docs/using/agents.md shows an entry");
    }

    /** What is to be done, in the order of the file. */
    static List<Step> plan(Map<String, ObjectNode> wanted, NodeClient node) {
        var present = new LinkedHashMap<String, JsonNode>();
        node.get(AGENTS).path("agents").forEach(a -> present.put(a.path("name").asText(), a));
        var steps = new ArrayList<Step>();
        wanted.forEach(
                (name, entry) -> {
                    var before = present.get(name);
                    steps.add(step(name, entry, before));
                    if (entry.has("triggers")) {
                        triggers(name, entry.path("triggers"), before != null, node, steps);
                    }
                });
        return steps;
    }

    private static Step step(
            String name, ObjectNode entry, @org.jspecify.annotations.Nullable JsonNode before) {
        var definition = (ObjectNode) USUAL.deepCopy();
        definition.setAll(entry);
        definition.remove(List.of("name", "triggers"));
        if (before == null) {
            return new Step.Register(name, definition);
        }
        if (!definition.has("owner")) {
            definition.set("owner", before.path("owner"));
        }
        var changes = new ArrayList<String>();
        var now = (ObjectNode) before.deepCopy();
        now.set("addresses", addresses(before));
        for (var field : definition.properties()) {
            var value = field.getValue();
            if (!now.path(field.getKey()).equals(value) && !sameNumber(now, field)) {
                changes.add("%s becomes %s".formatted(field.getKey(), value));
            }
        }
        if (!definition.has("addresses") && !now.path("addresses").isNull()) {
            changes.add("it gets no addresses");
        }
        return changes.isEmpty()
                ? new Step.Nothing(name)
                : new Step.Change(name, definition, List.copyOf(changes));
    }

    /** YAML and JSON may hold the same number in other classes. */
    private static boolean sameNumber(JsonNode now, Map.Entry<String, JsonNode> field) {
        var before = now.path(field.getKey());
        return before.isNumber()
                && field.getValue().isNumber()
                && before.decimalValue().compareTo(field.getValue().decimalValue()) == 0;
    }

    private static JsonNode addresses(JsonNode agent) {
        if (agent.path("address_table").asText().isEmpty()) {
            return JSON.nullNode();
        }
        return JSON.createObjectNode()
                .put("table", agent.path("address_table").asText())
                .put("key", agent.path("address_key").asText())
                .put("column", agent.path("address_column").asText());
    }

    private static void triggers(
            String agent, JsonNode wanted, boolean known, NodeClient node, List<Step> steps) {
        var present = new LinkedHashMap<String, JsonNode>();
        if (known) {
            node.get("%s/%s/triggers".formatted(AGENTS, agent))
                    .path("triggers")
                    .forEach(t -> present.put(t.path("name").asText(), t));
        }
        for (var trigger : wanted) {
            var before = present.remove(trigger.path("name").asText());
            if (before == null || !isSame(trigger, before)) {
                steps.add(new Step.AddTrigger(agent, trigger, before != null));
            }
        }
        present.keySet().forEach(name -> steps.add(new Step.DropTrigger(agent, name)));
    }

    private static boolean isSame(JsonNode wanted, JsonNode present) {
        var same =
                wanted.path("input").isMissingNode()
                        ? present.path("input").isEmpty()
                        : wanted.path("input").equals(present.path("input"));
        if (wanted.has("cron")) {
            return same
                    && text(wanted, "cron", "").equals(text(present, "cron", ""))
                    && text(wanted, "time_zone", "UTC").equals(text(present, "time_zone", "UTC"));
        }
        return same
                && text(wanted, "table", "").equalsIgnoreCase(text(present, "table_name", ""))
                && text(wanted, "changed_column", "").equals(text(present, "changed_column", ""))
                && text(wanted, "becomes", "").equals(text(present, "becomes", ""))
                && (!wanted.has("key_columns")
                        || texts(wanted, "key_columns").equals(texts(present, "key_columns")))
                && operations(wanted).equals(operations(present));
    }

    private static String text(JsonNode node, String field, String otherwise) {
        return node.hasNonNull(field) ? node.path(field).asText() : otherwise;
    }

    private static List<String> texts(JsonNode node, String field) {
        var texts = new ArrayList<String>();
        node.path(field).forEach(value -> texts.add(value.asText()));
        return texts;
    }

    private static Set<String> operations(JsonNode trigger) {
        var named = Set.copyOf(texts(trigger, "operations"));
        return named.isEmpty() ? Set.of("insert", "update", "delete") : named;
    }

    /** Does it; what is done already changes nothing when done again. */
    static void apply(Step step, NodeClient node) {
        switch (step) {
            case Step.Register(var agent, var definition) -> register(agent, definition, node);
            case Step.Change(var agent, var definition, _) -> register(agent, definition, node);
            case Step.Nothing _ -> {}
            case Step.AddTrigger(var agent, var trigger, var replaces) -> {
                var path = "%s/%s/triggers".formatted(AGENTS, agent);
                if (replaces) {
                    node.delete(path + "/" + trigger.path("name").asText());
                }
                node.post(path, fields(trigger));
            }
            case Step.DropTrigger(var agent, var trigger) ->
                    node.delete("%s/%s/triggers/%s".formatted(AGENTS, agent, trigger));
        }
    }

    private static void register(String agent, JsonNode definition, NodeClient node) {
        node.put("%s/%s".formatted(AGENTS, agent), fields(definition));
    }

    private static Map<String, JsonNode> fields(JsonNode node) {
        var fields = new LinkedHashMap<String, JsonNode>();
        node.properties().forEach(field -> fields.put(field.getKey(), field.getValue()));
        return fields;
    }

    /** A line for people. */
    static String line(Step step) {
        return switch (step) {
            case Step.Register(var agent, var definition) ->
                    "register %s as %s".formatted(agent, definition.path("principal").asText());
            case Step.Change(var agent, _, var changes) ->
                    "change   %s: %s".formatted(agent, String.join("; ", changes));
            case Step.Nothing(var agent) -> "as it is " + agent;
            case Step.AddTrigger(var agent, var trigger, var replaces) ->
                    "%s trigger %s of %s: %s"
                            .formatted(
                                    replaces ? "replace " : "add     ",
                                    trigger.path("name").asText(),
                                    agent,
                                    trigger.has("cron")
                                            ? trigger.path("cron").asText()
                                            : trigger.path("table").asText());
            case Step.DropTrigger(var agent, var trigger) ->
                    "drop     trigger %s of %s".formatted(trigger, agent);
        };
    }
}
