package dev.lakemill.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Decision;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.Principals;
import dev.lakemill.catalog.Privileges;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random changes of everything that decisions depend on: after each, cached answers are those of
 * the rules; after some, a catalog opened anew from Postgres answers the same.
 */
final class GovernanceSequenceTest {
    private static final int SEEDS = 4;
    private static final int STEPS = 60;
    private static final TableSchema SCHEMA =
            TableSchema.of(Column.required("sku", Primitive.STRING));
    private static final List<String> NAMES = List.of("g1", "g2", "g3", "u1", "u2", "s1");

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
    void cachedAnswersAreThoseOfTheRulesAndOutliveTheProcess() throws Exception {
        var done = 0;
        for (var seed = 0; seed < SEEDS; seed++) {
            var sequence = new Sequence(seed);
            for (var step = 0; step < STEPS; step++) {
                done += sequence.step() ? 1 : 0;
                sequence.compareCached(step);
            }
            sequence.compareReopened();
        }
        assertThat(done).isGreaterThan(SEEDS * STEPS / 2);
    }

    private static final class Sequence {
        private final long seed;
        private final Random random;
        private final Catalog catalog;
        private final Caller system;

        Sequence(long seed) throws Exception {
            this.seed = seed;
            random = new Random(seed);
            try (var connection = postgres.owner().getConnection();
                    var statement = connection.createStatement()) {
                statement.execute("DROP SCHEMA IF EXISTS lakemill CASCADE");
            }
            catalog = Catalog.open(postgres.owner());
            system = catalog.system();
            for (var i = 0; i < 3; i++) {
                createTable();
                createPrincipal();
            }
        }

        /** False when the step was refused. */
        boolean step() {
            try {
                switch (random.nextInt(14)) {
                    case 0 -> createPrincipal();
                    case 1 -> catalog.principals().delete(system, one(principals()).id());
                    case 2, 3 ->
                            catalog.principals()
                                    .addMember(
                                            system, one(principals()).id(), one(principals()).id());
                    case 4 -> {
                        var group = one(principals());
                        var members = catalog.principals().members(group.id());
                        if (!members.isEmpty()) {
                            catalog.principals()
                                    .removeMember(system, group.id(), one(members).id());
                        }
                    }
                    case 5 -> {
                        var who = one(principals());
                        var active = random.nextBoolean();
                        catalog.principals().update(system, who.id(), p -> p.withActive(active));
                    }
                    case 6 -> createTable();
                    case 7 -> catalog.securables().drop(system, one(securables()), true);
                    case 8 -> catalog.securables().rename(system, one(securables()), name());
                    case 9, 10 ->
                            catalog.grants()
                                    .transfer(system, one(securables()), one(principals()).name());
                    default -> changeGrants();
                }
                return true;
            } catch (LakemillException e) {
                assertThat(e.code().name())
                        .as("seed %d: %s", seed, e.getMessage())
                        .isIn("ALREADY_EXISTS", "INVALID_ARGUMENT", "FAILED_PRECONDITION");
                return false;
            }
        }

        private void createPrincipal() {
            var name = one(NAMES);
            var kind = name.startsWith("g") ? PrincipalKind.GROUP : PrincipalKind.USER;
            if (catalog.principals().find(name).isEmpty()) {
                catalog.principals().create(system, kind, name, "", "");
            }
        }

        private void createTable() {
            var name = new TableName(name(), name(), name());
            if (catalog.find(name).isEmpty()) {
                catalog.create(name, TableKind.EXTERNAL, SCHEMA, "file:///x", "", Map.of());
            }
        }

        private void changeGrants() {
            var on = one(securables());
            var known = List.copyOf(Privileges.grantable(on.type()));
            var add = one(known);
            var remove = one(known);
            catalog.grants()
                    .change(
                            system,
                            on,
                            List.of(
                                    new GrantChange(
                                            one(principals()).name(), Set.of(add), Set.of()),
                                    new GrantChange(
                                            one(principals()).name(), Set.of(), Set.of(remove))));
        }

        private String name() {
            return "n" + random.nextInt(3);
        }

        private <T> T one(List<T> from) {
            return from.get(random.nextInt(from.size()));
        }

        private List<Principal> principals() {
            return principalsOf(catalog);
        }

        private List<Securable> securables() {
            return securablesOf(catalog);
        }

        void compareCached(int step) {
            compare(
                    catalog,
                    question ->
                            catalog.access()
                                    .decideUncached(
                                            question.principal().id(),
                                            question.privilege(),
                                            question.on()),
                    "seed %d step %d".formatted(seed, step));
        }

        void compareReopened() {
            var reopened = Catalog.open(postgres.owner());
            compare(
                    catalog,
                    question ->
                            reopened.access()
                                    .decide(
                                            question.principal().id(),
                                            question.privilege(),
                                            question.on()),
                    "seed %d reopened".formatted(seed));
            assertThat(infos(reopened)).isEqualTo(infos(catalog));
            assertThat(reopened.list()).isEqualTo(catalog.list());
            assertThat(reopened.grants().all()).isEqualTo(catalog.grants().all());
            assertThat(principalsOf(reopened)).isEqualTo(principalsOf(catalog));
            reopened.audit().close();
            catalog.audit().close();
        }
    }

    private record Question(Principal principal, Privilege privilege, Securable on) {}

    private static void compare(
            Catalog catalog, Function<Question, Decision> reference, String when) {
        for (var principal : principalsOf(catalog)) {
            for (var on : securablesOf(catalog)) {
                for (var privilege :
                        List.of(
                                Privilege.SELECT,
                                Privilege.USE_SCHEMA,
                                Privilege.CREATE_TABLE,
                                Privilege.BROWSE,
                                Privilege.MANAGE)) {
                    var question = new Question(principal, privilege, on);
                    assertThat(catalog.access().decide(principal.id(), privilege, on))
                            .as("%s: %s", when, question)
                            .isEqualTo(reference.apply(question));
                }
            }
        }
    }

    private static List<Principal> principalsOf(Catalog catalog) {
        var all = new ArrayList<Principal>();
        for (var kind : PrincipalKind.values()) {
            catalog.principals().list(kind).forEach(info -> all.add(info.principal()));
        }
        all.removeIf(principal -> principal.name().equals(Principals.SYSTEM));
        return all;
    }

    private static List<Securable> securablesOf(Catalog catalog) {
        return infos(catalog).values().stream().map(SecurableInfo::securable).toList();
    }

    private static Map<String, SecurableInfo> infos(Catalog catalog) {
        var all = new LinkedHashMap<String, SecurableInfo>();
        add(all, catalog.securables().find(Securable.METASTORE).orElseThrow());
        for (var top : children(catalog, Securable.METASTORE, SecurableType.CATALOG)) {
            add(all, top);
            for (var schema : children(catalog, top.securable(), SecurableType.SCHEMA)) {
                add(all, schema);
                children(catalog, schema.securable(), SecurableType.TABLE)
                        .forEach(table -> add(all, table));
            }
        }
        return all;
    }

    private static void add(Map<String, SecurableInfo> all, SecurableInfo info) {
        all.put(info.securable().toString(), info);
    }

    private static List<SecurableInfo> children(
            Catalog catalog, Securable parent, SecurableType type) {
        return catalog.securables().list(parent, type);
    }
}
