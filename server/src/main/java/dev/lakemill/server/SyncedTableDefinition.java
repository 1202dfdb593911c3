package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.sync.SourceStatus;
import dev.lakemill.sync.SyncMode;
import dev.lakemill.sync.SyncedTableForm;
import dev.lakemill.sync.SyncedTableSpec;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a synced table copies, and when: kept as JSON with the names of Databricks' SyncedTableSpec
 * as a property of the catalog's table.
 *
 * @param group of tables that change in one transaction; empty for the table alone
 * @param indexes lists of columns, besides the primary key's index
 * @param form what differs from the usual in Postgres
 * @param freshnessSloMs how old the newest row may be when it shows; 0 for no objective
 */
record SyncedTableDefinition(
        TableName source,
        List<String> primaryKey,
        SyncMode mode,
        String group,
        List<List<String>> indexes,
        SyncedTableForm form,
        boolean createSchema,
        long freshnessSloMs) {
    /** Property of a catalog table that is synced by its own definition. */
    static final String PROPERTY = "synced_table";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SOURCE = "source_table_full_name";
    private static final String KEY = "primary_key_columns";
    private static final String TIMESERIES = "timeseries_key";
    private static final String POLICY = "scheduling_policy";
    private static final String CREATE = "create_database_objects_if_missing";
    private static final String GROUP = "group";
    private static final String INDEXES = "index_columns";
    private static final String FRESHNESS = "freshness_slo_ms";

    /** What Databricks has besides and that has no meaning here. */
    private static final Set<String> IGNORED =
            Set.of(
                    "new_pipeline_spec",
                    "existing_pipeline_id",
                    "branch",
                    "postgres_database",
                    "accelerated_sync");

    private static final Set<String> KNOWN =
            Set.of(
                    SOURCE,
                    KEY,
                    TIMESERIES,
                    SyncedTableFormJson.OVERRIDES,
                    SyncedTableFormJson.COLUMNS,
                    SyncedTableFormJson.INDEXES,
                    POLICY,
                    CREATE,
                    GROUP,
                    INDEXES,
                    FRESHNESS);

    SyncedTableDefinition {
        primaryKey = List.copyOf(primaryKey);
        indexes = indexes.stream().map(List::copyOf).toList();
    }

    static Optional<SyncedTableDefinition> of(CatalogTable table) {
        var json = table.properties().get(PROPERTY);
        try {
            return json == null ? Optional.empty() : Optional.of(of(JSON.readTree(json)));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** INVALID_ARGUMENT for what is missing or unknown. */
    static SyncedTableDefinition of(JsonNode spec) {
        var unknown = new TreeSet<String>();
        spec.fieldNames().forEachRemaining(unknown::add);
        unknown.removeAll(KNOWN);
        unknown.removeAll(IGNORED);
        if (!unknown.isEmpty()) {
            throw wrong(
                    "the spec has %s".formatted(String.join(", ", unknown)),
                    "it may have " + String.join(", ", new TreeSet<>(KNOWN)));
        }
        var source = spec.path(SOURCE).asText("");
        if (source.isEmpty()) {
            throw wrong(SOURCE + " is missing", "name the table that is copied, with its catalog");
        }
        var indexes = new ArrayList<List<String>>();
        spec.path(INDEXES).forEach(index -> indexes.add(texts(index)));
        return new SyncedTableDefinition(
                TableName.parse(source),
                texts(spec.path(KEY)),
                mode(spec.path(POLICY).asText("TRIGGERED")),
                spec.path(GROUP).asText(""),
                indexes,
                SyncedTableFormJson.read(spec.path(TIMESERIES).asText(""), spec),
                spec.path(CREATE).asBoolean(true),
                positive(spec.path(FRESHNESS)));
    }

    private static long positive(JsonNode number) {
        if (number.isMissingNode() || (number.canConvertToLong() && number.asLong() >= 0)) {
            return number.asLong(0);
        }
        throw wrong("%s is %s".formatted(FRESHNESS, number), "give whole milliseconds");
    }

    private static List<String> texts(JsonNode list) {
        var texts = new ArrayList<String>();
        list.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    static SyncMode mode(String text) {
        return Arrays.stream(SyncMode.values())
                .filter(mode -> mode.name().equals(text.toUpperCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(
                        () ->
                                wrong(
                                        "the mode is '%s'".formatted(text),
                                        "write snapshot, triggered or continuous"));
    }

    /** With Databricks' names. */
    ObjectNode json() {
        var json = JSON.createObjectNode();
        json.put(SOURCE, source.toString());
        primaryKey.forEach(json.putArray(KEY)::add);
        json.put(POLICY, mode.name());
        json.put(CREATE, createSchema);
        if (!form.timeseriesKey().isEmpty()) {
            json.put(TIMESERIES, form.timeseriesKey());
        }
        SyncedTableFormJson.write(form, json);
        if (!group.isEmpty()) {
            json.put(GROUP, group);
        }
        if (!indexes.isEmpty()) {
            var all = json.putArray(INDEXES);
            indexes.forEach(index -> index.forEach(all.addArray()::add));
        }
        if (freshnessSloMs > 0) {
            json.put(FRESHNESS, freshnessSloMs);
        }
        return json;
    }

    SyncedTableDefinition withSource(TableName other) {
        return new SyncedTableDefinition(
                other, primaryKey, mode, group, indexes, form, createSchema, freshnessSloMs);
    }

    SyncedTableDefinition withForm(SyncedTableForm other) {
        return new SyncedTableDefinition(
                source, primaryKey, mode, group, indexes, other, createSchema, freshnessSloMs);
    }

    SyncedTableDefinition withIndex(List<String> columns) {
        var more = new ArrayList<>(indexes);
        more.add(columns);
        return new SyncedTableDefinition(
                source, primaryKey, mode, group, more, form, createSchema, freshnessSloMs);
    }

    /** Whether the objective is met; empty without one. */
    String freshness(SourceStatus status) {
        if (freshnessSloMs == 0) {
            return "";
        }
        return status.staleMillis() <= freshnessSloMs ? "MET" : "MISSED";
    }

    /** The tables that change together with one of that name. */
    String groupOf(TableName name) {
        return group.isEmpty() ? name.toString() : "group:" + group;
    }

    /** INVALID_ARGUMENT where Postgres cannot have it. */
    SyncedTableSpec spec(TableName name, TableSchema columns) {
        return new SyncedTableSpec(name, source, columns, primaryKey, indexes, form);
    }

    private static LakemillException wrong(String problem, String hint) {
        return new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint);
    }
}
