package dev.lakemill.server.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.ColumnMask;
import dev.lakemill.catalog.PolicyFunction;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import io.delta.kernel.Operation;
import io.delta.kernel.Snapshot;
import io.delta.kernel.defaults.engine.DefaultEngine;
import io.delta.kernel.engine.Engine;
import io.delta.kernel.exceptions.MaxCommitRetryLimitReachedException;
import io.delta.kernel.types.LongType;
import io.delta.kernel.types.StringType;
import io.delta.kernel.types.StructType;
import io.delta.kernel.unitycatalog.UCCatalogManagedClient;
import io.delta.kernel.unitycatalog.UCTableIdentifier;
import io.delta.kernel.utils.CloseableIterable;
import io.delta.storage.commit.TableIdentifier;
import io.delta.storage.commit.uccommitcoordinator.UCClient;
import io.delta.storage.commit.uccommitcoordinator.UCDeltaModels;
import io.delta.storage.commit.uccommitcoordinator.UCDeltaTokenBasedRestClient;
import io.delta.storage.commit.uccommitcoordinator.UCTokenBasedRestClient;
import io.delta.storage.commit.uccommitcoordinator.exceptions.NoSuchTableException;
import io.delta.storage.commit.uccommitcoordinator.exceptions.UnsupportedTableFormatException;
import io.unitycatalog.client.api.TablesApi;
import io.unitycatalog.client.auth.TokenProvider;
import io.unitycatalog.client.model.CreateStagingTable;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Managed tables by Delta's own clients: Delta Spark's of 4.3 and later, the older one, and raw.
 */
class ManagedTablesTest {
    private static final StructType SCHEMA =
            new StructType().add("id", LongType.LONG, false).add("name", StringType.STRING);

    private final RestServer server = RestServer.shared();
    private final Engine engine = DefaultEngine.create(new Configuration());

    @BeforeAll
    static void start() throws Exception {
        var server = RestServer.shared();
        server.call("admin", "POST", "/catalogs", Map.of("name", "managed"));
        server.call("admin", "POST", "/schemas", Map.of("name", "s", "catalog_name", "managed"));
        server.principal("maker");
        server.grant("maker", Securable.catalog("managed"), Privilege.USE_CATALOG);
        server.grant(
                "maker",
                Securable.schema("managed", "s"),
                Privilege.USE_SCHEMA,
                Privilege.CREATE_TABLE,
                Privilege.EXTERNAL_USE_SCHEMA);
    }

    @AfterAll
    static void everyAnswerFittedTheFile() {
        assertThat(RestServer.shared().faults()).isEmpty();
    }

    private String uri() {
        return "http://127.0.0.1:" + server.port();
    }

    private UCDeltaTokenBasedRestClient client(String who) {
        return new UCDeltaTokenBasedRestClient(
                Map.of("uri", uri(), "auth.type", "static", "auth.token", who), Configuration::new);
    }

    private UCTokenBasedRestClient legacyClient(String who) {
        return new UCTokenBasedRestClient(
                uri(), TokenProvider.create(Map.of("type", "static", "token", who)), Map.of());
    }

    private static TableIdentifier named(String table) {
        return new TableIdentifier(new String[] {"managed", "s"}, table);
    }

    /** Stages, writes version 0 and makes the table, as Delta Spark does. */
    private UCDeltaModels.StagingTableInfo create(UCDeltaTokenBasedRestClient client, String table)
            throws Exception {
        var staged = client.createStagingTable(named(table));
        var properties = new HashMap<String, String>(staged.getRequiredProperties());
        properties.remove("io.unitycatalog.tableId");
        var committed =
                new UCCatalogManagedClient(client)
                        .buildCreateTableTransaction(
                                staged.getTableId().toString(),
                                staged.getLocation(),
                                SCHEMA,
                                "test",
                                new UCTableIdentifier("managed", "s", table))
                        .withTableProperties(properties)
                        .build(engine)
                        .commit(engine, CloseableIterable.emptyIterable());
        assertThat(committed.getVersion()).isZero();
        return staged;
    }

    private Snapshot load(UCClient client, UUID id, String location, String table) {
        return new UCCatalogManagedClient(client)
                .loadSnapshot(
                        engine,
                        id.toString(),
                        location,
                        new UCTableIdentifier("managed", "s", table),
                        Optional.empty(),
                        Optional.empty());
    }

    private Snapshot commit(Snapshot snapshot, long number) {
        return snapshot.buildUpdateTableTransaction("test", Operation.WRITE)
                .withTransactionId("app", number)
                .withMaxRetries(0)
                .build(engine)
                .commit(engine, CloseableIterable.emptyIterable())
                .getPostCommitSnapshot()
                .orElseThrow();
    }

    @Test
    void kernelCreatesCommitsPublishesAndReadsThroughTheDeltaApi() throws Exception {
        try (var client = client("maker")) {
            var staged = create(client, "kernel");
            var loaded = client.loadTable(named("kernel"));
            assertThat(loaded.getTableId()).isEqualTo(staged.getTableId());
            assertThat(loaded.getTableType()).isEqualTo(UCDeltaModels.TableType.MANAGED);
            assertThat(loaded.getMetadata().getConfiguration())
                    .containsEntry("delta.feature.catalogManaged", "supported")
                    .containsEntry("io.unitycatalog.tableId", staged.getTableId().toString());
            var snapshot = load(client, staged.getTableId(), staged.getLocation(), "kernel");
            for (var number = 1; number <= 12; number++) {
                snapshot = commit(snapshot, number);
                if (number % 5 == 0) {
                    snapshot = snapshot.publish(engine);
                }
            }
            var fresh = load(client, staged.getTableId(), staged.getLocation(), "kernel");
            assertThat(fresh.getVersion()).isEqualTo(12);
            assertThat(fresh.getSchema()).isEqualTo(SCHEMA);
            assertThat(fresh.getLatestTransactionVersion(engine, "app")).contains(12L);
        }
    }

    @Test
    void ofTwoWritersOfOneVersionOneIsToldToTryAgain() throws Exception {
        try (var client = client("maker")) {
            var staged = create(client, "raced");
            var first = load(client, staged.getTableId(), staged.getLocation(), "raced");
            var second = load(client, staged.getTableId(), staged.getLocation(), "raced");
            commit(first, 1);
            assertThatThrownBy(() -> commit(second, 2))
                    .isInstanceOf(MaxCommitRetryLimitReachedException.class)
                    .hasStackTraceContaining("CommitVersionConflictException");
            var fresh = load(client, staged.getTableId(), staged.getLocation(), "raced");
            assertThat(fresh.getVersion()).isEqualTo(1);
            assertThat(fresh.getLatestTransactionVersion(engine, "app")).contains(1L);
        }
    }

    @Test
    void theOlderClientCommitsToTheSameTables() throws Exception {
        try (var legacy = legacyClient("maker")) {
            var tables = new TablesApi(server.client("maker"));
            var staged =
                    tables.createStagingTable(
                            new CreateStagingTable()
                                    .catalogName("managed")
                                    .schemaName("s")
                                    .name("older"));
            var id = UUID.fromString(staged.getId());
            var at = staged.getStagingLocation();
            new UCCatalogManagedClient(legacy)
                    .buildCreateTableTransaction(
                            staged.getId(),
                            at,
                            SCHEMA,
                            "test",
                            new UCTableIdentifier("managed", "s", "older"))
                    .build(engine)
                    .commit(engine, CloseableIterable.emptyIterable());
            var snapshot = load(legacy, id, at, "older");
            commit(commit(snapshot, 1), 2);
            assertThat(load(legacy, id, at, "older").getVersion()).isEqualTo(2);
            try (var client = client("maker")) {
                assertThat(load(client, id, at, "older").getVersion()).isEqualTo(2);
            }
            assertThat(tables.getTable("managed.s.older", null, null).getProperties())
                    .containsEntry("delta.feature.catalogManaged", "supported");
            assertThat(legacy.getMetastoreId()).isNotBlank();
        }
    }

    @Test
    void clientsAreToldWhatIsNotThereAndWhatIsNotDelta() throws Exception {
        server.catalog.create(
                new TableName("managed", "s", "state"),
                TableKind.STATE,
                new TableSchema(List.of()),
                "postgres:s.state",
                "",
                Map.of());
        try (var client = client("admin")) {
            assertThatThrownBy(() -> client.loadTable(named("nothing")))
                    .isInstanceOf(NoSuchTableException.class);
            assertThatThrownBy(() -> client.loadTable(named("state")))
                    .isInstanceOf(UnsupportedTableFormatException.class);
        }
    }

    private String path(String table) {
        return "/delta/v1/catalogs/managed/schemas/s/tables/" + table;
    }

    private static Map<String, Object> add(long version, String file) {
        return Map.of(
                "action",
                "add-commit",
                "commit",
                Map.of(
                        "version",
                        version,
                        "timestamp",
                        1_000 + version,
                        "file-name",
                        file,
                        "file-size",
                        10,
                        "file-modification-timestamp",
                        1_000));
    }

    private static Map<String, Object> update(
            UUID id, List<Map<String, Object>> more, List<Map<String, Object>> updates) {
        var requirements = new ArrayList<Map<String, Object>>(more);
        requirements.add(Map.of("type", "assert-table-uuid", "uuid", id.toString()));
        return Map.of("requirements", requirements, "updates", updates);
    }

    private String typeOf(RestServer.Answer answer) {
        return answer.json().path("error").path("type").asText();
    }

    @Test
    void commitsAreOrderedRepeatableAndBounded() throws Exception {
        try (var client = client("maker")) {
            var id = create(client, "raw").getTableId();
            var first = update(id, List.of(), List.of(add(1, "00001.a.json")));
            assertThat(server.call("maker", "POST", path("raw"), first).status()).isEqualTo(200);
            var repeated = server.call("maker", "POST", path("raw"), first);
            assertThat(repeated.status()).isEqualTo(200);
            assertThat(repeated.json().path("commits")).hasSize(1);
            var other = update(id, List.of(), List.of(add(1, "00001.b.json")));
            var conflict = server.call("maker", "POST", path("raw"), other);
            assertThat(conflict.status()).isEqualTo(409);
            assertThat(typeOf(conflict)).isEqualTo("CommitVersionConflictException");
            var gap = update(id, List.of(), List.of(add(3, "00003.a.json")));
            assertThat(server.call("maker", "POST", path("raw"), gap).status()).isEqualTo(400);
            for (long version = 2; version <= CommitRules.PENDING_MAX; version++) {
                var next = update(id, List.of(), List.of(add(version, version + ".json")));
                var done = server.call("maker", "POST", path("raw"), next);
                assertThat(done.status()).as(done.text()).isEqualTo(200);
            }
            var eleventh = update(id, List.of(), List.of(add(11, "11.json")));
            var full = server.call("maker", "POST", path("raw"), eleventh);
            assertThat(full.status()).isEqualTo(429);
            assertThat(typeOf(full)).isEqualTo("ResourceExhaustedException");
            var backfill =
                    Map.<String, Object>of(
                            "action",
                            "set-latest-backfilled-version",
                            "latest-published-version",
                            9);
            var both = update(id, List.of(), List.of(add(11, "11.json"), backfill));
            var after = server.call("maker", "POST", path("raw"), both);
            assertThat(after.status()).as(after.text()).isEqualTo(200);
            assertThat(after.json().path("latest-table-version").asLong()).isEqualTo(11);
            assertThat(after.json().path("commits").findValuesAsText("version"))
                    .containsExactly("11", "10");
        }
    }

    @Test
    void requirementsThatDoNotHoldRefuseTheUpdate() throws Exception {
        try (var client = client("maker")) {
            var id = create(client, "asserted").getTableId();
            var etag = etag("asserted");
            var stale = Map.<String, Object>of("type", "assert-etag", "etag", "other");
            var right = Map.<String, Object>of("type", "assert-etag", "etag", etag);
            var refused =
                    server.call(
                            "maker",
                            "POST",
                            path("asserted"),
                            update(id, List.of(stale), List.of(add(1, "1.json"))));
            assertThat(refused.status()).isEqualTo(409);
            assertThat(typeOf(refused)).isEqualTo("UpdateRequirementConflictException");
            var wrong =
                    server.call(
                            "maker",
                            "POST",
                            path("asserted"),
                            update(UUID.randomUUID(), List.of(), List.of(add(1, "1.json"))));
            assertThat(wrong.status()).isEqualTo(409);
            var done =
                    server.call(
                            "maker",
                            "POST",
                            path("asserted"),
                            update(id, List.of(right), List.of(add(1, "1.json"))));
            assertThat(done.status()).as(done.text()).isEqualTo(200);
            assertThat(etag("asserted")).isNotEqualTo(etag);
            var escape = update(id, List.of(), List.of(add(2, "../../1.json")));
            assertThat(server.call("maker", "POST", path("asserted"), escape).status())
                    .isEqualTo(400);
        }
    }

    private String etag(String table) {
        return metadata(table).path("etag").asText();
    }

    private JsonNode metadata(String table) {
        return server.call("maker", "GET", path(table)).json().path("metadata");
    }

    @Test
    void whatACommitChangesOfTheTableShowsInTheCatalog() throws Exception {
        try (var client = client("maker")) {
            var id = create(client, "altered").getTableId();
            var columns =
                    Map.of(
                            "type",
                            "struct",
                            "fields",
                            List.of(
                                    Map.of(
                                            "name",
                                            "id",
                                            "type",
                                            "long",
                                            "nullable",
                                            true,
                                            "metadata",
                                            Map.of())));
            List<Map<String, Object>> updates =
                    List.of(
                            add(1, "1.json"),
                            Map.of("action", "set-columns", "columns", columns),
                            Map.of("action", "set-table-comment", "comment", "changed"),
                            Map.of("action", "set-properties", "updates", Map.of("a", "b")));
            var done =
                    server.call("maker", "POST", path("altered"), update(id, List.of(), updates));
            assertThat(done.status()).as(done.text()).isEqualTo(200);
            var table = server.call("maker", "GET", "/tables/managed.s.altered").json();
            assertThat(table.path("columns")).hasSize(1);
            assertThat(table.path("comment").asText()).isEqualTo("changed");
            assertThat(table.path("properties").path("a").asText()).isEqualTo("b");
            assertThat(table.path("properties").path("delta.lastUpdateVersion").asText())
                    .isEqualTo("1");
            assertThat(metadata("altered").path("last-commit-version").asLong()).isEqualTo(1);
        }
    }

    @Test
    void aCommitThatTakesAColumnAwayThatAMaskStandsOnIsRefusedWhole() throws Exception {
        try (var client = client("maker")) {
            var id = create(client, "kept").getTableId();
            var policies = server.catalog.policies();
            policies.createFunction(
                    server.catalog.system(),
                    new PolicyFunction(
                            "managed.s.stars",
                            List.of(Column.nullable("x", DataType.Primitive.STRING)),
                            DataType.Primitive.STRING,
                            "'*'",
                            "'*'",
                            "'*'",
                            ""),
                    false);
            policies.setMask(
                    server.catalog.system(),
                    new ColumnMask(
                            new TableName("managed", "s", "kept"),
                            "name",
                            "managed.s.stars",
                            List.of()));
            var less = Map.of("type", "struct", "fields", List.of());
            List<Map<String, Object>> updates =
                    List.of(add(1, "1.json"), Map.of("action", "set-columns", "columns", less));
            var refused =
                    server.call("maker", "POST", path("kept"), update(id, List.of(), updates));
            assertThat(refused.status()).as(refused.text()).isBetween(400, 499);
            assertThat(server.call("maker", "GET", path("kept")).status()).isEqualTo(403);
            var plain = update(id, List.of(), List.of(add(1, "other.json")));
            var done = server.call("maker", "POST", path("kept"), plain);
            assertThat(done.status()).as(done.text()).isEqualTo(200);
        }
    }

    @Test
    void onlyWhoStagedItMakesItAndOnlyWhoMayModifyItCommits() throws Exception {
        server.principal("other");
        server.grant("other", Securable.catalog("managed"), Privilege.USE_CATALOG);
        server.grant(
                "other",
                Securable.schema("managed", "s"),
                Privilege.USE_SCHEMA,
                Privilege.CREATE_TABLE,
                Privilege.SELECT);
        try (var client = client("maker")) {
            var staged = client.createStagingTable(named("mine"));
            var credentials = "/delta/v1/staging-tables/" + staged.getTableId() + "/credentials";
            assertThat(server.call("maker", "GET", credentials).status()).isEqualTo(200);
            assertThat(server.call("other", "GET", credentials).status()).isEqualTo(404);
            Files.createDirectories(Path.of(URI.create(staged.getLocation())));
            var id = create(client, "guarded").getTableId();
            var refused =
                    server.call(
                            "other",
                            "POST",
                            path("guarded"),
                            update(id, List.of(), List.of(add(1, "1.json"))));
            assertThat(refused.status()).isEqualTo(403);
            assertThat(typeOf(refused)).isEqualTo("PermissionDeniedException");
            var metrics =
                    Map.of(
                            "table-id", id.toString(),
                            "report", Map.of("commit-report", Map.of("num-files-added", 1)));
            assertThat(server.call("maker", "POST", path("guarded") + "/metrics", metrics).status())
                    .isEqualTo(204);
            assertThat(server.call("maker", "DELETE", path("guarded")).status()).isEqualTo(204);
            assertThat(server.call("maker", "HEAD", path("guarded")).status()).isEqualTo(404);
        }
    }

    @Test
    void aTableThatIsNotAsAskedForIsRefused() throws Exception {
        try (var client = client("maker")) {
            var staged = client.createStagingTable(named("bare"));
            var refused =
                    server.call(
                            "maker",
                            "POST",
                            "/delta/v1/catalogs/managed/schemas/s/tables",
                            Map.of(
                                    "name", "bare",
                                    "location", staged.getLocation(),
                                    "table-type", "MANAGED",
                                    "columns", Map.of("type", "struct", "fields", List.of()),
                                    "protocol",
                                            Map.of(
                                                    "min-reader-version", 1,
                                                    "min-writer-version", 2),
                                    "properties", Map.of(),
                                    "last-commit-timestamp-ms", 1));
            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.text()).contains("version 0");
        }
    }
}
