package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.catalog.Access;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.ColumnMask;
import dev.lakemill.catalog.Decision;
import dev.lakemill.catalog.Grant;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.Migrations;
import dev.lakemill.catalog.ModelVersion.Status;
import dev.lakemill.catalog.Models;
import dev.lakemill.catalog.PolicyFunction;
import dev.lakemill.catalog.Principals;
import dev.lakemill.catalog.RowFilter;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.catalog.Tag;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Principals, grants, owners, policies, tags and models, in a catalog new for each test. */
final class GovernanceTest {
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("sku", Primitive.STRING),
                    Column.nullable("site", Primitive.STRING),
                    Column.nullable("price", new DataType.Decimal(12, 4)));
    private static final TableName STOCK = TableName.parse("farm.gold.stock");
    private static final Securable TABLE = Securable.table(STOCK);
    private static final Securable GOLD = Securable.schema("farm", "gold");
    private static final Securable FARM = Securable.catalog("farm");

    @TempDir static Path folder;
    private static Postgres postgres;
    private Catalog catalog;

    @BeforeAll
    static void start() throws Exception {
        TestFolders.open(folder);
        postgres = Postgres.start(PostgresConfig.embedded(folder.resolve("pg"), 0));
    }

    @AfterAll
    static void stop() {
        postgres.close();
    }

    @BeforeEach
    void open() throws Exception {
        sql("DROP SCHEMA IF EXISTS lakemill CASCADE");
        catalog = Catalog.open(postgres.owner());
    }

    @AfterEach
    void close() {
        catalog.audit().close();
    }

    @Test
    void theFirstStartMakesTheNodeItsAdminsAndEverybody() {
        var system = catalog.system().principal();
        assertThat(system.kind()).isEqualTo(PrincipalKind.SERVICE_PRINCIPAL);
        assertThat(catalog.principals().isAdmin(system.id())).isTrue();
        assertThat(catalog.principals().groupsOf(system.id()))
                .extracting(group -> group.name())
                .containsExactlyInAnyOrder(Principals.ADMINS, Principals.USERS);
        assertThat(catalog.grants().owner(Securable.METASTORE).name()).isEqualTo(Principals.ADMINS);
    }

    @Test
    void whatStoodBeforeGovernanceBelongsToTheNode() throws Exception {
        sql("DROP SCHEMA lakemill CASCADE");
        new Migrations("catalog", Catalog.class, List.of("0001-tables.sql"))
                .apply(postgres.owner());
        sql(
                """
                INSERT INTO lakemill.catalogs (name) VALUES ('old');
                INSERT INTO lakemill.schemas (catalog_id, name)
                SELECT id, 'bronze' FROM lakemill.catalogs;
                INSERT INTO lakemill.tables (schema_id, name, kind, location, properties)
                SELECT id, 'events', 'INGESTED', 'file:///old', '{"a": "b"}' FROM lakemill.schemas;
                INSERT INTO lakemill.columns
                    (table_id, position, name, type_text, type_json, nullable)
                SELECT id, 0, 'sku', 'STRING', '"string"', false FROM lakemill.tables
                """);
        var reopened = Catalog.open(postgres.owner());
        var name = TableName.parse("old.bronze.events");
        var table = reopened.find(name).orElseThrow();
        assertThat(table.location()).isEqualTo("file:///old");
        assertThat(table.properties()).containsEntry("a", "b");
        assertThat(table.schema().column(0).name()).isEqualTo("sku");
        for (var at : List.of(Securable.table(name), Securable.schema("old", "bronze"))) {
            assertThat(reopened.grants().owner(at)).isEqualTo(reopened.system().principal());
        }
        reopened.audit().close();
    }

    @Test
    void theRefusedAreToldWhatToAskWhom() {
        table(TableKind.EXTERNAL);
        var ann = user("ann");
        user("farm_owner");
        grant(FARM, "ann", Privilege.USE_CATALOG);
        grant(GOLD, "ann", Privilege.USE_SCHEMA);
        catalog.grants().transfer(catalog.system(), TABLE, "farm_owner");
        assertThatThrownBy(() -> catalog.access().require(ann, Privilege.SELECT, TABLE))
                .hasMessage(
                        "`ann` lacks SELECT on TABLE farm.gold.stock; hint: ask farm_owner (its"
                                + " owner) or a metastore admin to run: GRANT SELECT ON TABLE"
                                + " farm.gold.stock TO `ann`");
        grant(TABLE, "ann", Privilege.SELECT);
        catalog.access().require(ann, Privilege.SELECT, TABLE);
        catalog.principals().update(catalog.system(), id("ann"), p -> p.withActive(false));
        refused(
                () -> catalog.access().require(ann, Privilege.SELECT, TABLE),
                ErrorCode.PERMISSION_DENIED);
    }

    @Test
    void namesThatPostgresCouldNotBearAreRefused() {
        for (var name :
                List.of(
                        "postgres",
                        "Lakemill",
                        "lakemill_reader",
                        "pg_monitor",
                        "PUBLIC",
                        "none",
                        "session_user",
                        "",
                        " ann",
                        "ann ",
                        "a\u0000b",
                        "a\nb",
                        "a\u202eb",
                        "a\"b",
                        "a`b",
                        "ä".repeat(32),
                        "a".repeat(64))) {
            refused(() -> user(name), ErrorCode.INVALID_ARGUMENT);
        }
        user("ä".repeat(31) + "a");
        user("ann@farm.example");
        user("O'Neil, Ann");
        refused(() -> user("ANN@farm.example"), ErrorCode.ALREADY_EXISTS);
        refused(() -> group("Account Users"), ErrorCode.ALREADY_EXISTS);
    }

    @Test
    void groupsNestButNeitherInThemselvesNorTooDeep() {
        var system = catalog.system();
        var principals = catalog.principals();
        for (var i = 0; i <= Principals.GROUP_DEPTH_MAX; i++) {
            group("g" + i);
        }
        for (var i = 1; i < Principals.GROUP_DEPTH_MAX; i++) {
            principals.addMember(system, id("g" + (i - 1)), id("g" + i));
        }
        refused(() -> principals.addMember(system, id("g9"), id("g0")), ErrorCode.INVALID_ARGUMENT);
        refused(
                () -> principals.addMember(system, id("g9"), id("g10")),
                ErrorCode.INVALID_ARGUMENT);
        user("ann");
        principals.addMember(system, id("g9"), id("ann"));
        assertThat(principals.groupsOf(id("ann"))).hasSize(11);
        refused(
                () -> principals.addMember(system, id(Principals.USERS), id("ann")),
                ErrorCode.INVALID_ARGUMENT);
    }

    @Test
    void principalsThatOwnSomethingStay() {
        table(TableKind.EXTERNAL);
        var system = catalog.system();
        user("ann");
        grant(FARM, "ann", Privilege.USE_CATALOG);
        catalog.grants().transfer(system, TABLE, "ann");
        assertThat(catalog.grants().ownedBy(id("ann"))).containsExactly(TABLE);
        refused(
                () -> catalog.principals().delete(system, id("ann")),
                ErrorCode.FAILED_PRECONDITION);
        catalog.grants().transfer(system, TABLE, "admins");
        catalog.principals().delete(system, id("ann"));
        assertThat(catalog.grants().on(FARM)).isEmpty();
        refused(
                () -> catalog.principals().delete(system, id("admins")),
                ErrorCode.FAILED_PRECONDITION);
    }

    @Test
    void onlyAdminsChangePrincipalsAndOnlyManagersGrants() {
        table(TableKind.EXTERNAL);
        var ann = user("ann");
        refused(
                () -> catalog.principals().create(ann, PrincipalKind.USER, "bob", "", ""),
                ErrorCode.PERMISSION_DENIED);
        refused(() -> grantAs(ann, TABLE, "ann", Privilege.SELECT), ErrorCode.PERMISSION_DENIED);
        refused(() -> catalog.grants().transfer(ann, TABLE, "ann"), ErrorCode.PERMISSION_DENIED);
        grant(GOLD, "ann", Privilege.MANAGE);
        grantAs(ann, TABLE, "ann", Privilege.SELECT);
        refused(
                () -> grantAs(ann, TABLE, "ann", Privilege.USE_CATALOG),
                ErrorCode.INVALID_ARGUMENT);
        refused(() -> grantAs(ann, TABLE, "nobody", Privilege.SELECT), ErrorCode.NOT_FOUND);
        catalog.principals().addMember(catalog.system(), id("admins"), id("ann"));
        catalog.principals().create(ann, PrincipalKind.USER, "bob", "", "");
    }

    @Test
    void creatingTakesTheRightPrivilegeAndMakesTheOwner() {
        var ann = user("ann");
        refused(() -> create(ann, STOCK), ErrorCode.PERMISSION_DENIED);
        grant(Securable.METASTORE, "ann", Privilege.CREATE_CATALOG);
        create(ann, STOCK);
        for (var at : List.of(FARM, GOLD, TABLE)) {
            assertThat(catalog.grants().owner(at)).isEqualTo(ann.principal());
        }
        refused(
                () -> create(ann, TableName.parse("system.access.mine")),
                ErrorCode.INVALID_ARGUMENT);
        var bob = user("bob");
        var silver = Securable.schema("farm", "silver");
        refused(
                () -> catalog.securables().create(bob, silver, "", Map.of(), ""),
                ErrorCode.PERMISSION_DENIED);
        grantAs(ann, FARM, "bob", Privilege.USE_CATALOG, Privilege.CREATE_SCHEMA);
        var made = catalog.securables().create(bob, silver, "words", Map.of("k", "v"), "");
        assertThat(made.owner()).isEqualTo(bob.principal());
        assertThat(made.createdBy()).isEqualTo("bob");
        refused(
                () -> catalog.securables().create(bob, silver, "", Map.of(), ""),
                ErrorCode.ALREADY_EXISTS);
        assertThat(catalog.securables().list(FARM, SecurableType.SCHEMA))
                .extracting(info -> info.securable().name())
                .containsExactly("farm.gold", "farm.silver");
        reopen();
        assertThat(catalog.securables().find(silver)).contains(made);
        assertThat(catalog.securables().find(made.id())).contains(made);
    }

    @Test
    void viewsNeedOnlyThePrivilegeOfTheirKind() {
        table(TableKind.EXTERNAL);
        var ann = user("ann");
        grant(FARM, "ann", Privilege.USE_CATALOG, Privilege.USE_SCHEMA);
        grant(GOLD, "ann", Privilege.CREATE_MATERIALIZED_VIEW);
        var view = TableName.parse("farm.gold.view");
        refused(() -> create(ann, view), ErrorCode.PERMISSION_DENIED);
        catalog.create(ann, view, TableKind.MATERIALIZED_VIEW, SCHEMA, "file:///v", "", Map.of());
        assertThat(catalog.grants().owner(Securable.table(view))).isEqualTo(ann.principal());
    }

    @Test
    void renamesTakeEverythingAlong() {
        table(TableKind.EXTERNAL);
        var ann = user("ann");
        grant(TABLE, "ann", Privilege.SELECT);
        catalog.policies().createFunction(catalog.system(), onlySite("farm.gold.only"), false);
        filter("farm.gold.only");
        catalog.tags().set(catalog.system(), TABLE, "SKU", Map.of("pii", "no"));
        catalog.securables().rename(catalog.system(), FARM, "acre");
        assertThat(catalog.find(STOCK)).isEmpty();
        var name = TableName.parse("acre.gold.stock");
        for (var i = 0; i < 2; i++) {
            var table = Securable.table(name);
            assertThat(catalog.find(name).orElseThrow().name()).isEqualTo(name);
            assertThat(catalog.grants().on(table))
                    .containsExactly(new Grant(ann.principal(), Privilege.SELECT, table));
            assertThat(catalog.policies().rowFilter(name))
                    .contains(new RowFilter(name, "acre.gold.only", List.of("site")));
            assertThat(catalog.policies().function("acre.gold.only")).isPresent();
            assertThat(catalog.tags().on(table))
                    .containsExactly(new Tag(table, "sku", "pii", "no"));
            reopen();
        }
        refused(
                () -> catalog.securables().rename(catalog.system(), FARM, "x"),
                ErrorCode.NOT_FOUND);
    }

    @Test
    void whatTheNodeFeedsOnlyTheNodeRenamesAndDrops() {
        table(TableKind.INGESTED);
        var ann = user("ann");
        catalog.principals().addMember(catalog.system(), id("admins"), id("ann"));
        refused(
                () -> catalog.securables().rename(ann, FARM, "acre"),
                ErrorCode.FAILED_PRECONDITION);
        refused(() -> catalog.securables().drop(ann, TABLE, true), ErrorCode.FAILED_PRECONDITION);
        catalog.securables().drop(catalog.system(), TABLE, false);
        assertThat(catalog.find(STOCK)).isEmpty();
    }

    @Test
    void dropsTakeChildrenAlongOnlyWhenForced() {
        table(TableKind.EXTERNAL);
        var system = catalog.system();
        refused(
                () -> catalog.securables().drop(system, FARM, false),
                ErrorCode.FAILED_PRECONDITION);
        catalog.securables().drop(system, FARM, true);
        for (var i = 0; i < 2; i++) {
            assertThat(catalog.list()).isEmpty();
            assertThat(catalog.securables().find(GOLD)).isEmpty();
            reopen();
        }
        table(TableKind.EXTERNAL);
    }

    @Test
    void policiesFitTheirTablesAndHoldWhatTheyUse() {
        table(TableKind.EXTERNAL);
        var system = catalog.system();
        var policies = catalog.policies();
        policies.createFunction(system, onlySite("farm.gold.only"), false);
        policies.createFunction(system, hidden("farm.gold.hidden"), false);
        refused(
                () ->
                        policies.setRowFilter(
                                system, new RowFilter(STOCK, "farm.gold.only", List.of())),
                ErrorCode.INVALID_ARGUMENT);
        refused(
                () ->
                        policies.setRowFilter(
                                system, new RowFilter(STOCK, "farm.gold.only", List.of("price"))),
                ErrorCode.INVALID_ARGUMENT);
        refused(
                () ->
                        policies.setRowFilter(
                                system, new RowFilter(STOCK, "farm.gold.hidden", List.of("sku"))),
                ErrorCode.INVALID_ARGUMENT);
        refused(() -> mask("farm.gold.only", "sku"), ErrorCode.INVALID_ARGUMENT);
        refused(() -> mask("farm.gold.hidden", "price"), ErrorCode.INVALID_ARGUMENT);
        filter("farm.gold.only");
        mask("farm.gold.hidden", "sku");
        refused(
                () -> policies.dropFunction(system, "farm.gold.only"),
                ErrorCode.FAILED_PRECONDITION);
        refused(
                () -> policies.createFunction(system, hidden("farm.gold.only"), true),
                ErrorCode.FAILED_PRECONDITION);
        var without = TableSchema.of(SCHEMA.column(0), SCHEMA.column(2));
        refused(() -> catalog.update(STOCK, without, "", Map.of()), ErrorCode.FAILED_PRECONDITION);
        reopen();
        assertThat(catalog.policies().masks(STOCK))
                .containsExactly(new ColumnMask(STOCK, "sku", "farm.gold.hidden", List.of()));
        catalog.policies().dropRowFilter(catalog.system(), STOCK);
        catalog.update(STOCK, without, "", Map.of());
        catalog.policies().dropFunction(catalog.system(), "farm.gold.only");
        refused(
                () -> catalog.policies().dropRowFilter(catalog.system(), STOCK),
                ErrorCode.NOT_FOUND);
        reopen();
        assertThat(catalog.policies().rowFilter(STOCK)).isEmpty();
        assertThat(catalog.policies().functions()).hasSize(1);
    }

    @Test
    void settingPoliciesTakesBothTableAndFunction() {
        table(TableKind.EXTERNAL);
        var ann = user("ann");
        var policies = catalog.policies();
        policies.createFunction(catalog.system(), onlySite("farm.gold.only"), false);
        var filter = new RowFilter(STOCK, "farm.gold.only", List.of("site"));
        refused(() -> policies.setRowFilter(ann, filter), ErrorCode.PERMISSION_DENIED);
        catalog.grants().transfer(catalog.system(), TABLE, "ann");
        refused(() -> policies.setRowFilter(ann, filter), ErrorCode.PERMISSION_DENIED);
        grant(FARM, "ann", Privilege.USE_CATALOG, Privilege.USE_SCHEMA, Privilege.EXECUTE);
        policies.setRowFilter(ann, filter);
        refused(
                () -> policies.createFunction(ann, onlySite("farm.gold.mine"), false),
                ErrorCode.PERMISSION_DENIED);
        refused(
                () -> policies.createFunction(ann, onlySite("farm.gold.only"), true),
                ErrorCode.PERMISSION_DENIED);
    }

    @Test
    void tagsOfGoneColumnsGo() {
        table(TableKind.EXTERNAL);
        var system = catalog.system();
        catalog.tags().set(system, TABLE, "site", Map.of("a", "1", "b", "2"));
        catalog.tags().set(system, TABLE, "", Map.of("c", "3"));
        catalog.tags().unset(system, TABLE, "site", Set.of("b", "none"));
        assertThat(catalog.tags().on(TABLE))
                .containsExactly(new Tag(TABLE, "", "c", "3"), new Tag(TABLE, "site", "a", "1"));
        refused(
                () -> catalog.tags().set(system, TABLE, "none", Map.of("a", "1")),
                ErrorCode.INVALID_ARGUMENT);
        catalog.update(STOCK, TableSchema.of(SCHEMA.column(0)), "", Map.of());
        for (var i = 0; i < 2; i++) {
            assertThat(catalog.tags().all()).containsExactly(new Tag(TABLE, "", "c", "3"));
            reopen();
        }
    }

    @Test
    void modelsHaveVersionsAliasesAndTags() {
        table(TableKind.EXTERNAL);
        var ann = user("ann");
        var model = new Securable(SecurableType.REGISTERED_MODEL, "farm.gold.demand-model");
        catalog.securables().create(catalog.system(), model, "", Map.of(), "");
        var models = catalog.models();
        var wanted = new Models.NewVersion("runs:/1/model", "1", "first", "file:///models/");
        refused(() -> models.createVersion(ann, model, wanted), ErrorCode.PERMISSION_DENIED);
        var first = models.createVersion(catalog.system(), model, wanted);
        assertThat(first.version()).isEqualTo(1);
        assertThat(first.status()).isEqualTo(Status.PENDING_REGISTRATION);
        assertThat(first.location()).isEqualTo("file:///models/" + first.id());
        assertThat(models.finalizeVersion(catalog.system(), model, 1).status())
                .isEqualTo(Status.READY);
        models.createVersion(catalog.system(), model, wanted);
        models.setAlias(catalog.system(), model, "champion", 1);
        models.setAlias(catalog.system(), model, "champion", 2);
        models.setTags(catalog.system(), model, 2, Map.of("stage", "trial"));
        var champion = models.byAlias(model, "champion").orElseThrow();
        assertThat(champion.version()).isEqualTo(2);
        assertThat(champion.tags()).containsEntry("stage", "trial");
        assertThat(champion.aliases()).containsExactly("champion");
        models.deleteVersion(catalog.system(), model, 2);
        assertThat(models.byAlias(model, "champion")).isEmpty();
        assertThat(models.createVersion(catalog.system(), model, wanted).version()).isEqualTo(3);
        assertThat(models.versions(model, Integer.MAX_VALUE))
                .extracting(v -> v.version())
                .containsExactly(3, 1);
        refused(() -> models.finalizeVersion(catalog.system(), model, 2), ErrorCode.NOT_FOUND);
        refused(
                () -> catalog.securables().drop(catalog.system(), model, false),
                ErrorCode.FAILED_PRECONDITION);
        catalog.securables().drop(catalog.system(), model, true);
        refused(() -> models.versions(model, 9), ErrorCode.NOT_FOUND);
    }

    @Test
    void aChangeAndItsRecordStandTogether() throws Exception {
        table(TableKind.EXTERNAL);
        user("ann");
        var before = auditCount("updatePermissions");
        grant(TABLE, "ann", Privilege.SELECT);
        assertThat(auditCount("updatePermissions")).isEqualTo(before + 1);
        sql("ALTER TABLE lakemill.audit RENAME TO away");
        refused(() -> grant(TABLE, "ann", Privilege.MODIFY), ErrorCode.UNAVAILABLE);
        sql("ALTER TABLE lakemill.away RENAME TO audit");
        for (var i = 0; i < 2; i++) {
            assertThat(catalog.grants().on(TABLE))
                    .extracting(Grant::privilege)
                    .containsExactly(Privilege.SELECT);
            reopen();
        }
    }

    @Test
    void whatAnotherProcessWroteIsSeenAtTheNextChange() {
        var other = Catalog.open(postgres.owner());
        other.principals().create(other.system(), PrincipalKind.USER, "ann", "", "");
        refused(() -> user("ann"), ErrorCode.ALREADY_EXISTS);
        user("bob");
        assertThat(catalog.principals().find("ANN")).isPresent();
        other.audit().close();
    }

    @Test
    void listenersAreToldAndAnswersFollow() throws Exception {
        table(TableKind.EXTERNAL);
        var ann = user("ann");
        var access = catalog.access();
        assertThat(allowed(access, ann, Privilege.BROWSE)).isFalse();
        var told = new CountDownLatch(1);
        var version = access.version();
        try (var _ = access.onChange(told::countDown)) {
            grant(FARM, "account users", Privilege.BROWSE);
            assertThat(told.await(2, TimeUnit.MINUTES)).isTrue();
        }
        assertThat(access.version()).isGreaterThan(version);
        assertThat(allowed(access, ann, Privilege.BROWSE)).isTrue();
    }

    @Test
    void readersNeverSeeHalfAChange() throws Exception {
        table(TableKind.EXTERNAL);
        user("ann");
        user("bob");
        grant(TABLE, "ann", Privilege.SELECT);
        var done = new AtomicBoolean();
        var torn = new AtomicBoolean();
        var reader =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    while (!done.get()) {
                                        torn.compareAndSet(
                                                false, catalog.grants().on(TABLE).size() != 1);
                                    }
                                });
        for (var i = 0; i < 100; i++) {
            var from = i % 2 == 0 ? "ann" : "bob";
            var to = i % 2 == 0 ? "bob" : "ann";
            catalog.grants()
                    .change(
                            catalog.system(),
                            TABLE,
                            List.of(
                                    new GrantChange(from, Set.of(), Set.of(Privilege.SELECT)),
                                    new GrantChange(to, Set.of(Privilege.SELECT), Set.of())));
        }
        done.set(true);
        reader.join();
        assertThat(torn).isFalse();
    }

    private static boolean allowed(Access access, Caller who, Privilege privilege) {
        return access.decide(who.principal().id(), privilege, TABLE) instanceof Decision.Allowed;
    }

    private void reopen() {
        catalog.audit().close();
        catalog = Catalog.open(postgres.owner());
    }

    private Caller user(String name) {
        var info = catalog.principals().create(catalog.system(), PrincipalKind.USER, name, "", "");
        return new Caller(info.principal(), null, "rest", "192.0.2.1", "r1");
    }

    private void group(String name) {
        catalog.principals().create(catalog.system(), PrincipalKind.GROUP, name, "", "");
    }

    private UUID id(String name) {
        return catalog.principals().find(name).orElseThrow().principal().id();
    }

    private void grant(Securable on, String to, Privilege... privileges) {
        grantAs(catalog.system(), on, to, privileges);
    }

    private void grantAs(Caller caller, Securable on, String to, Privilege... privileges) {
        catalog.grants()
                .change(caller, on, List.of(new GrantChange(to, Set.of(privileges), Set.of())));
    }

    private void table(TableKind kind) {
        catalog.create(STOCK, kind, SCHEMA, "file:///stock", "", Map.of());
    }

    private void create(Caller caller, TableName name) {
        catalog.create(caller, name, TableKind.EXTERNAL, SCHEMA, "file:///x", "", Map.of());
    }

    private void filter(String function) {
        catalog.policies()
                .setRowFilter(catalog.system(), new RowFilter(STOCK, function, List.of("SITE")));
    }

    private void mask(String function, String column) {
        catalog.policies()
                .setMask(catalog.system(), new ColumnMask(STOCK, column, function, List.of()));
    }

    private static PolicyFunction onlySite(String name) {
        return new PolicyFunction(
                name,
                List.of(Column.nullable("site", Primitive.STRING)),
                Primitive.BOOLEAN,
                "site = 'north'",
                "$1 = 'north'",
                "$1 = 'north'",
                "");
    }

    private static PolicyFunction hidden(String name) {
        return new PolicyFunction(
                name,
                List.of(Column.nullable("value", Primitive.STRING)),
                Primitive.STRING,
                "'***'",
                "'***'",
                "'***'",
                "hides it");
    }

    private static long auditCount(String action) throws Exception {
        try (var connection = postgres.owner().getConnection();
                var query =
                        connection.prepareStatement(
                                "SELECT count(*) FROM lakemill.audit WHERE action_name = ?")) {
            query.setString(1, action);
            try (var rows = query.executeQuery()) {
                rows.next();
                return rows.getLong(1);
            }
        }
    }

    private static void sql(String text) throws Exception {
        try (var connection = postgres.owner().getConnection();
                var statement = connection.createStatement()) {
            statement.execute(text);
        }
    }

    private static void refused(Runnable action, ErrorCode code) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(
                        LakemillException.class, e -> assertThat(e.code()).isEqualTo(code));
    }
}
