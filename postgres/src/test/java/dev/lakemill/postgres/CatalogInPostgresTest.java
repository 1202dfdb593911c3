package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.Migrations;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The catalog, which module {@code catalog} cannot test itself: Postgres is above it. */
final class CatalogInPostgresTest {
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    new Column("sku", Primitive.STRING, false, "what is grown"),
                    Column.nullable("price", new DataType.Decimal(12, 4)),
                    Column.nullable("tags", new DataType.Array(Primitive.STRING, false)));

    @TempDir static Path folder;
    private static Postgres postgres;

    @BeforeAll
    static void start() throws Exception {
        TestFolders.open(folder);
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
    }

    @AfterAll
    static void stop() {
        postgres.close();
    }

    @Test
    void tablesOutliveTheProcessThatMadeThem() {
        var name = TableName.parse("farm.bronze.quotes");
        var catalog = Catalog.open(postgres.owner());
        var made = create(catalog, name);
        assertThat(made.properties()).containsEntry("pipeline", "farm");
        assertThat(catalog.find(name)).contains(made);
        assertThat(Catalog.open(postgres.owner()).find(name)).contains(made);
    }

    @Test
    void namesAreFoundAndTakenWithoutRegardToCase() {
        var catalog = Catalog.open(postgres.owner());
        var made = create(catalog, TableName.parse("Farm.Bronze.Cased"));
        assertThat(catalog.find(TableName.parse("farm.bronze.cased"))).contains(made);
        refused(
                () -> create(catalog, TableName.parse("FARM.bronze.CASED")),
                ErrorCode.ALREADY_EXISTS);
    }

    @Test
    void ofManyWhoCreateOneNameAtOnceOneSucceeds() throws Exception {
        var name = TableName.parse("race.gold.stock");
        var catalogs = new ArrayList<Catalog>();
        for (var i = 0; i < 6; i++) {
            catalogs.add(Catalog.open(postgres.owner()));
        }
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var tries =
                    threads.invokeAll(
                            catalogs.stream()
                                    .map(c -> (Callable<ErrorCode>) () -> outcome(c, name))
                                    .toList());
            var outcomes = new ArrayList<ErrorCode>();
            for (var tried : tries) {
                outcomes.add(tried.get());
            }
            assertThat(outcomes).containsOnlyOnce(ErrorCode.INTERNAL);
            assertThat(outcomes).contains(ErrorCode.ALREADY_EXISTS).hasSize(6);
        }
        var all = Catalog.open(postgres.owner()).list();
        assertThat(all.stream().filter(table -> table.name().equals(name))).hasSize(1);
    }

    /** INTERNAL stands for success. */
    private static ErrorCode outcome(Catalog catalog, TableName name) {
        try {
            create(catalog, name);
            return ErrorCode.INTERNAL;
        } catch (LakemillException e) {
            return e.code();
        }
    }

    @Test
    void updatesReplaceCommentPropertiesAndColumns() {
        var name = TableName.parse("farm.silver.updated");
        var catalog = Catalog.open(postgres.owner());
        create(catalog, name);
        catalog.update(name, "new", Map.of("a", "b"));
        var wider = new ArrayList<>(SCHEMA.columns());
        wider.add(Column.nullable("added", Primitive.TIMESTAMP_NTZ));
        catalog.update(name, new TableSchema(wider), "newer", Map.of());
        var found = Catalog.open(postgres.owner()).find(name).orElseThrow();
        assertThat(found.comment()).isEqualTo("newer");
        assertThat(found.properties()).isEmpty();
        assertThat(found.schema()).isEqualTo(new TableSchema(wider));
        assertThat(catalog.find(name)).contains(found);
    }

    @Test
    void droppedTablesAreGoneAndTheirNamesAreFree() {
        var name = TableName.parse("farm.silver.dropped");
        var catalog = Catalog.open(postgres.owner());
        create(catalog, name);
        catalog.drop(name);
        assertThat(catalog.find(name)).isEmpty();
        create(catalog, name);
        catalog.drop(name);
        assertThat(Catalog.open(postgres.owner()).find(name)).isEmpty();
        refused(() -> catalog.drop(name), ErrorCode.NOT_FOUND);
        refused(() -> catalog.update(name, "", Map.of()), ErrorCode.NOT_FOUND);
    }

    @Test
    void readsGoOnAndChangesSayUnavailableWhilePostgresIsAway() throws Exception {
        var name = TableName.parse("farm.gold.away");
        var other = new PostgresConfig(null, folder.resolve("other"), programs(), 0, "", 30);
        var away = Postgres.start(other);
        var catalog = Catalog.open(away.owner());
        create(catalog, name);
        away.close();
        assertThat(catalog.find(name)).isPresent();
        assertThat(catalog.list()).hasSize(1);
        refused(() -> catalog.drop(name), ErrorCode.UNAVAILABLE);
        assertThat(catalog.find(name)).isPresent();
    }

    @Test
    void aValueThatPostgresCannotHoldIsTheCallersMistake() {
        var name = TableName.parse("farm.gold.zero");
        var catalog = Catalog.open(postgres.owner());
        create(catalog, name);
        refused(() -> catalog.update(name, "a\0b", Map.of()), ErrorCode.INVALID_ARGUMENT);
        assertThat(catalog.find(name).orElseThrow().comment()).isEqualTo("a comment");
    }

    @Test
    void aNewerDatabaseIsRefused() throws Exception {
        Catalog.open(postgres.owner());
        var nothing = new Migrations("catalog", Catalog.class, List.of());
        assertThatThrownBy(() -> nothing.apply(postgres.owner()))
                .hasMessageContaining("this Lakemill knows only 0");
    }

    @Test
    void theReaderSeesNothingOfIt() {
        Catalog.open(postgres.owner());
        assertThatThrownBy(
                        () -> {
                            try (var connection = postgres.reader().getConnection();
                                    var statement = connection.createStatement()) {
                                statement.execute("SELECT * FROM lakemill.tables");
                            }
                        })
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("permission denied");
    }

    private static Path programs() throws Exception {
        return Binaries.unpack(folder.resolve("pg/binaries"));
    }

    private static CatalogTable create(Catalog catalog, TableName name) {
        return catalog.create(
                name,
                TableKind.INGESTED,
                SCHEMA,
                "file:///data/" + name,
                "a comment",
                Map.of("pipeline", "farm"));
    }

    private static void refused(Runnable action, ErrorCode code) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(
                        LakemillException.class, e -> assertThat(e.code()).isEqualTo(code));
    }
}
