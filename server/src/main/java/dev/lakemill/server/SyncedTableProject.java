package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * The synced tables that a project's lakemill.yml lists, and what is to be done so that the node
 * has them. What the node has besides is left alone.
 */
final class SyncedTableProject {
    static final String KEY = "synced_tables";
    static final String PATH = "/api/2.0/database/synced_tables";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** What is to be done with one table. */
    sealed interface Step {
        TableName name();

        record Create(TableName name, SyncedTableDefinition definition) implements Step {}

        /**
         * @param fields of the spec that differ
         */
        record Change(TableName name, SyncedTableDefinition definition, List<String> fields)
                implements Step {}

        record Nothing(TableName name) implements Step {}
    }

    private SyncedTableProject() {}

    /**
     * Each entry is the fields of Databricks' SyncedTableSpec and the table's name.
     *
     * @throws LakemillException INVALID_ARGUMENT for an entry that is none
     */
    static Map<TableName, SyncedTableDefinition> read(Path folder) {
        var file = folder.resolve(Config.FILE);
        var tables = new LinkedHashMap<TableName, SyncedTableDefinition>();
        for (var entry : entries(file)) {
            var spec = entry.deepCopy();
            if (!(spec instanceof ObjectNode fields)) {
                throw wrong(file, "an entry is " + entry);
            }
            var name = fields.remove("name");
            if (name == null) {
                throw wrong(file, "an entry has no name: " + entry);
            }
            if (tables.put(TableName.parse(name.asText()), SyncedTableDefinition.of(fields))
                    != null) {
                throw wrong(file, name.asText() + " stands there twice");
            }
        }
        return tables;
    }

    private static JsonNode entries(Path file) {
        var listed = ProjectYaml.read(file, problem -> wrong(file, problem)).path(KEY);
        if (!listed.isMissingNode() && !listed.isArray()) {
            throw wrong(file, KEY + " is not a list");
        }
        return listed;
    }

    private static LakemillException wrong(Path file, String problem) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "%s of %s: %s".formatted(KEY, file, problem),
                "write '- name: catalog.schema.table', 'source_table_full_name: …',"
                        + " 'primary_key_columns: [id]' and 'scheduling_policy: CONTINUOUS'");
    }

    /** What is to be done, in the order of the file. */
    static List<Step> plan(Map<TableName, SyncedTableDefinition> wanted, NodeClient node) {
        var present = new LinkedHashMap<String, SyncedTableDefinition>();
        for (var table : node.get(PATH).path(KEY)) {
            present.put(
                    table.path("name").asText().toLowerCase(Locale.ROOT),
                    SyncedTableDefinition.of(table.path("spec")));
        }
        var steps = new ArrayList<Step>();
        wanted.forEach(
                (name, definition) -> {
                    var before = present.get(name.toString().toLowerCase(Locale.ROOT));
                    steps.add(
                            before == null
                                    ? new Step.Create(name, definition)
                                    : change(name, before, definition));
                });
        return steps;
    }

    private static Step change(
            TableName name, SyncedTableDefinition before, SyncedTableDefinition after) {
        var old = before.json();
        var fresh = after.json();
        var fields = new TreeSet<String>();
        old.fieldNames().forEachRemaining(fields::add);
        fresh.fieldNames().forEachRemaining(fields::add);
        fields.removeIf(
                field -> old.path(field).toString().equalsIgnoreCase(fresh.path(field).toString()));
        return fields.isEmpty()
                ? new Step.Nothing(name)
                : new Step.Change(name, after, List.copyOf(fields));
    }

    /** Does it; what is done already changes nothing when done again. */
    static void apply(Step step, NodeClient node) {
        switch (step) {
            case Step.Create(var name, var definition) ->
                    node.post(PATH, Map.of("name", name.toString(), "spec", definition.json()));
            case Step.Change(var name, var definition, var fields) -> {
                var spec = new LinkedHashMap<String, JsonNode>();
                var json = definition.json();
                fields.forEach(field -> spec.put(field, json.path(field)));
                spec.replaceAll((_, value) -> value.isMissingNode() ? JSON.nullNode() : value);
                node.patch(PATH + "/" + name, Map.of("spec", spec));
            }
            case Step.Nothing _ -> {}
        }
    }
}
