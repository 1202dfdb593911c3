package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.sync.ExtraColumn;
import dev.lakemill.sync.ExtraIndex;
import dev.lakemill.sync.SyncedTableForm;
import dev.lakemill.sync.TypeOverride;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The form of a synced table as fields of Databricks' SyncedTableSpec. */
final class SyncedTableFormJson {
    static final String OVERRIDES = "type_overrides";
    static final String COLUMNS = "extra_columns";
    static final String INDEXES = "extra_index_definitions";
    private static final String PG_TYPE = "PG_SPECIFIC_TYPE_";
    private static final String COLUMN = "column_name";
    private static final String AFTER_LOAD = "CREATION_POINT_AFTER_DATA_LOAD";

    private SyncedTableFormJson() {}

    static SyncedTableForm read(String timeseriesKey, JsonNode spec) {
        return new SyncedTableForm(
                timeseriesKey,
                types(spec.path(OVERRIDES)),
                columns(spec.path(COLUMNS)),
                indexes(spec.path(INDEXES)));
    }

    private static Map<String, TypeOverride> types(JsonNode overrides) {
        var types = new TreeMap<String, TypeOverride>();
        for (var override : overrides) {
            var name = override.path("pg_type").asText("").replaceFirst("^" + PG_TYPE, "");
            var kind = find(TypeOverride.Kind.values(), name);
            if (kind.isEmpty() || !override.path("size").canConvertToInt()) {
                throw wrong(
                        "an entry of %s is %s".formatted(OVERRIDES, override),
                        "write {\"column_name\": …, \"pg_type\": \"PG_SPECIFIC_TYPE_VARCHAR\","
                                + " \"size\": 20}; there are VECTOR and HALFVEC besides");
            }
            types.put(
                    override.path(COLUMN).asText(""),
                    new TypeOverride(kind.get(), override.path("size").asInt()));
        }
        return types;
    }

    private static List<ExtraColumn> columns(JsonNode columns) {
        var extra = new ArrayList<ExtraColumn>();
        for (var column : columns) {
            var name = column.path(COLUMN).asText("");
            var type = column.path("column_type").asText("");
            var compute = column.path("compute").asText("");
            var how = column.path("maintenance").asText("STORED_GENERATED");
            var maintenance =
                    Stream.of(ExtraColumn.Maintenance.values())
                            .filter(m -> how.endsWith(m.name()))
                            .findFirst();
            if (name.isEmpty() || type.isEmpty() || compute.isEmpty() || maintenance.isEmpty()) {
                throw wrong(
                        "an entry of %s is %s".formatted(COLUMNS, column),
                        "write {\"column_name\": \"words\", \"column_type\": \"tsvector\","
                                + " \"compute\": \"to_tsvector('english', name)\","
                                + " \"maintenance\": \"STORED_GENERATED\" or \"DEFAULT_VALUE\"}");
            }
            extra.add(new ExtraColumn(name, type, compute, maintenance.get()));
        }
        return extra;
    }

    private static List<ExtraIndex> indexes(JsonNode indexes) {
        var extra = new ArrayList<ExtraIndex>();
        for (var index : indexes) {
            var name = index.path("name").asText("");
            var definition = index.path("definition").asText("");
            if (name.isEmpty() || definition.isEmpty()) {
                throw wrong(
                        "an entry of %s is %s".formatted(INDEXES, index),
                        "write {\"name\": \"by_words\", \"definition\": \"USING gin (words)\"}");
            }
            extra.add(new ExtraIndex(name, definition));
        }
        return extra;
    }

    private static <E extends Enum<E>> Optional<E> find(E[] values, String name) {
        return Stream.of(values).filter(value -> value.name().equals(name)).findFirst();
    }

    static void write(SyncedTableForm form, ObjectNode json) {
        new TreeMap<>(form.types())
                .forEach(
                        (column, type) ->
                                json.withArray(OVERRIDES)
                                        .addObject()
                                        .put(COLUMN, column)
                                        .put("pg_type", PG_TYPE + type.kind())
                                        .put("size", type.size()));
        for (var column : form.extraColumns()) {
            json.withArray(COLUMNS)
                    .addObject()
                    .put(COLUMN, column.name())
                    .put("column_type", column.type())
                    .put("compute", column.compute())
                    .put("maintenance", column.maintenance().name());
        }
        for (var index : form.extraIndexes()) {
            json.withArray(INDEXES)
                    .addObject()
                    .put("name", index.name())
                    .put("definition", index.definition())
                    .put("creation_point", AFTER_LOAD);
        }
    }

    private static LakemillException wrong(String problem, String hint) {
        return new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint);
    }
}
