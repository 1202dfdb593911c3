package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.server.rest.CommitStore.Staging;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Managed Delta tables: clients stage one, write its version 0, make it, and from then on commit
 * through the catalog, which alone says which commit a version is. The steps and names are those of
 * Unity Catalog's Managed Tables Specification 1.0.
 */
final class ManagedTables {
    private static final Set<String> READER_FEATURES =
            Set.of(
                    "catalogManaged",
                    "catalogOwned-preview",
                    "columnMapping",
                    "deletionVectors",
                    "timestampNtz",
                    "typeWidening",
                    "v2Checkpoint",
                    "vacuumProtocolCheck",
                    "variantType");
    private static final String FEATURE = "delta.feature.";

    private final Catalog catalog;
    private final Sight sight;
    private final Locations locations;
    private final CommitStore store;
    private final ReentrantLock describing = new ReentrantLock();

    ManagedTables(Catalog catalog, Sight sight, Locations locations, CommitStore store) {
        this.catalog = catalog;
        this.sight = sight;
        this.locations = locations;
        this.store = store;
    }

    /** Reserves an id and a folder for a table that does not exist yet. */
    Staging stage(Caller caller, TableName name) {
        requireCreate(caller, name);
        if (catalog.find(name).isPresent()) {
            throw new LakemillException(
                    ErrorCode.ALREADY_EXISTS,
                    "the table %s exists already".formatted(name),
                    "take another name, or drop the table first");
        }
        var id = UUID.randomUUID();
        var staging =
                new Staging(
                        id, name.toString(), locations.own("managed", id), caller.principal().id());
        store.stage(staging);
        return staging;
    }

    private void requireCreate(Caller caller, TableName name) {
        var schema = Securable.schema(name.catalog(), name.schema());
        sight.require(caller, schema);
        catalog.access().require(caller, Privilege.CREATE_TABLE, schema);
    }

    /** Whoever staged it, and nobody else, may write there. */
    Staging staged(Caller caller, UUID id) {
        return store.staging(id)
                .filter(staging -> staging.createdBy().equals(caller.principal().id()))
                .orElseThrow(() -> Sight.missing(SecurableType.TABLE, id.toString()));
    }

    boolean isStaged(UUID id) {
        return store.staging(id).isPresent();
    }

    /** From Unity Catalog's own request: the protocol stands in the properties. */
    CatalogTable create(Request request, TableName name) {
        var metadata = Shapes.JSON.objectNode();
        metadata.set(
                "columns", ColumnJson.struct(ColumnJson.readInfos(request.body().path("columns"))));
        var partitions = metadata.putArray("partition-columns");
        request.body()
                .path("columns")
                .forEach(
                        column -> {
                            if (column.path("partition_index").isNumber()) {
                                partitions.add(column.path("name").asText());
                            }
                        });
        var properties = request.pairs("properties").orElse(Map.of());
        metadata.set("protocol", protocol(properties));
        var own = metadata.putObject("properties");
        properties.forEach(
                (key, value) -> {
                    if (!key.startsWith(FEATURE) && !isDerived(key)) {
                        own.put(key, value);
                    }
                });
        var staging = staging(request, name, Locations.normal(request.text("storage_location")));
        var claimed = properties.getOrDefault(ManagedContract.TABLE_ID, staging.id().toString());
        if (!claimed.equals(staging.id().toString())) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "%s is not %s".formatted(ManagedContract.TABLE_ID, staging.id()),
                    "use the id that staging-tables answered");
        }
        return create(request, name, staging, metadata, 0);
    }

    /** From the Delta API's request. */
    CatalogTable createDelta(Request request, TableName name) {
        var staging = staging(request, name, Locations.normal(request.text("location")));
        var body = request.body();
        ManagedContract.check(body.path("protocol"), body.path("properties"), staging.id());
        var metadata = Shapes.JSON.objectNode();
        for (var field : new String[] {"columns", "partition-columns", "protocol", "properties"}) {
            if (body.has(field)) {
                metadata.set(field, body.path(field));
            }
        }
        if (body.path("domain-metadata").isObject()) {
            metadata.set("domain-metadata", body.path("domain-metadata"));
        }
        var timestamp = request.number("last-commit-timestamp-ms");
        return create(request, name, staging, metadata, timestamp);
    }

    private Staging staging(Request request, TableName name, String location) {
        requireCreate(request.caller(), name);
        var staging =
                store.staging(location)
                        .filter(s -> s.createdBy().equals(request.caller().principal().id()))
                        .filter(s -> s.name().equalsIgnoreCase(name.toString()))
                        .orElseThrow(
                                () ->
                                        new LakemillException(
                                                ErrorCode.NOT_FOUND,
                                                "%s was not staged at %s by you"
                                                        .formatted(name, location),
                                                "POST staging-tables says where to write first"));
        if (!DeltaFiles.isBegun(staging.location())) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "there is no version 0 at " + staging.location(),
                    "write _delta_log/00000000000000000000.json first");
        }
        return staging;
    }

    private CatalogTable create(
            Request request, TableName name, Staging staging, ObjectNode metadata, long timestamp) {
        var schema = ColumnJson.readStruct(metadata.path("columns"));
        store.create(staging.id(), metadata, timestamp);
        var created =
                catalog.create(
                        request.caller(),
                        staging.id(),
                        name,
                        TableKind.MANAGED,
                        schema,
                        staging.location(),
                        request.optional("comment").orElse(""),
                        shown(metadata, 0, timestamp));
        store.unstage(staging.id());
        return created;
    }

    /**
     * Applies a commit, and shows in the catalog what it changes of the table; what the catalog
     * refuses, such as taking a column away that a mask stands on, refuses the commit.
     *
     * <p>Such commits go one after the other, since each holds two connections to Postgres.
     */
    CommitStore.State commit(Caller caller, CatalogTable table, CommitRules commit) {
        if (!commit.mayDescribe()) {
            return store.run(commit::apply).state();
        }
        describing.lock();
        try {
            return store.run(
                    connection -> {
                        var outcome = commit.apply(connection);
                        if (outcome.described()) {
                            show(caller, table, outcome);
                        }
                        return outcome.state();
                    });
        } finally {
            describing.unlock();
        }
    }

    private void show(Caller caller, CatalogTable table, CommitRules.Outcome outcome) {
        var state = outcome.state();
        catalog.update(
                table.name(),
                ColumnJson.readStruct(state.metadata().path("columns")),
                outcome.comment() == null ? table.comment() : outcome.comment(),
                shown(state.metadata(), state.metadataVersion(), state.metadataTimestamp()));
        record(caller, "updateTable", table.name(), Map.of());
    }

    /** Takes the state of a table away that was dropped; its files stay for a look back. */
    void forget(CatalogTable table) {
        if (table.kind() == TableKind.MANAGED) {
            store.delete(table.id());
        }
    }

    CommitStore.State state(CatalogTable table) {
        return store.find(table.id())
                .orElseThrow(() -> Sight.missing(SecurableType.TABLE, table.name().toString()));
    }

    /**
     * Properties as clients see them: with those that follow from protocol and commits.
     *
     * @param version of the last commit that changed them
     */
    static Map<String, String> shown(JsonNode metadata, long version, long timestamp) {
        var shown = new TreeMap<String, String>();
        metadata.path("properties")
                .properties()
                .forEach(e -> shown.put(e.getKey(), e.getValue().asText()));
        var protocol = metadata.path("protocol");
        shown.put("delta.minReaderVersion", version(protocol, "min-reader-version"));
        shown.put("delta.minWriterVersion", version(protocol, "min-writer-version"));
        for (var features : new String[] {"reader-features", "writer-features"}) {
            protocol.path(features).forEach(f -> shown.put(FEATURE + f.asText(), "supported"));
        }
        var domains = metadata.path("domain-metadata");
        var clustering = domains.path("delta.clustering").path("clusteringColumns");
        if (clustering.isArray()) {
            shown.put("delta.clusteringColumns", clustering.toString());
        }
        var mark = domains.path("delta.rowTracking").path("rowIdHighWaterMark");
        if (mark.isNumber()) {
            shown.put("delta.rowTracking.rowIdHighWaterMark", mark.asText());
        }
        shown.put("delta.lastUpdateVersion", Long.toString(version));
        shown.put("delta.lastCommitTimestamp", Long.toString(timestamp));
        return shown;
    }

    private static String version(JsonNode protocol, String field) {
        return Integer.toString(protocol.path(field).asInt());
    }

    private static boolean isDerived(String key) {
        return key.equals("delta.minReaderVersion")
                || key.equals("delta.minWriterVersion")
                || key.equals("delta.lastUpdateVersion")
                || key.equals("delta.lastCommitTimestamp");
    }

    private static ObjectNode protocol(Map<String, String> properties) {
        var protocol =
                Shapes.JSON.objectNode().put("min-reader-version", 3).put("min-writer-version", 7);
        var readers = protocol.putArray("reader-features");
        var writers = protocol.putArray("writer-features");
        new TreeMap<>(properties)
                .keySet().stream()
                        .filter(key -> key.startsWith(FEATURE))
                        .map(key -> key.substring(FEATURE.length()))
                        .forEach(
                                feature -> {
                                    writers.add(feature);
                                    if (READER_FEATURES.contains(feature)) {
                                        readers.add(feature);
                                    }
                                });
        return protocol;
    }

    void record(Caller caller, String action, TableName table, Map<String, String> parameters) {
        var all = new TreeMap<>(parameters);
        all.put("full_name_arg", table.toString());
        catalog.audit().record(new AuditEvent(caller, "unityCatalog", action, all, 200, ""));
    }
}
