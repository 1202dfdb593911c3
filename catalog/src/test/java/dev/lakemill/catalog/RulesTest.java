package dev.lakemill.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The rules against a naive restatement of them, over random small worlds. */
final class RulesTest {
    private static final Securable CATALOG = Securable.catalog("farm");
    private static final Securable GOLD = Securable.schema("farm", "gold");
    private static final Securable STOCK = new Securable(SecurableType.TABLE, "farm.gold.stock");

    private final Model model = new Model();
    private final Principal node = principal(PrincipalKind.SERVICE_PRINCIPAL, Principals.SYSTEM);
    private final Principal admins = principal(PrincipalKind.GROUP, Principals.ADMINS);
    private final Principal everybody = principal(PrincipalKind.GROUP, Principals.USERS);
    private final Principal ann = principal(PrincipalKind.USER, "ann");
    private final Principal owner = principal(PrincipalKind.USER, "owner");
    private final Principal team = principal(PrincipalKind.GROUP, "team");

    RulesTest() {
        securable(Securable.METASTORE, admins);
        securable(CATALOG, owner);
        securable(GOLD, owner);
        securable(STOCK, owner);
    }

    @Test
    void readingNeedsAllThreeAndSaysWhichIsMissingFirst() {
        denied(ann, Privilege.SELECT, STOCK, Privilege.USE_CATALOG, CATALOG);
        grant(CATALOG, ann, Privilege.USE_CATALOG);
        denied(ann, Privilege.SELECT, STOCK, Privilege.USE_SCHEMA, GOLD);
        grant(GOLD, ann, Privilege.USE_SCHEMA);
        denied(ann, Privilege.SELECT, STOCK, Privilege.SELECT, STOCK);
        grant(STOCK, ann, Privilege.SELECT);
        allowed(ann, Privilege.SELECT, STOCK);
        denied(ann, Privilege.MODIFY, STOCK, Privilege.MODIFY, STOCK);
    }

    @Test
    void grantsOnContainersHoldForWhatComesLater() {
        grant(CATALOG, ann, Privilege.USE_CATALOG);
        grant(CATALOG, ann, Privilege.USE_SCHEMA);
        grant(CATALOG, ann, Privilege.SELECT);
        var later = new Securable(SecurableType.TABLE, "farm.gold.later");
        denied(ann, Privilege.SELECT, later, Privilege.SELECT, later);
        securable(later, owner);
        allowed(ann, Privilege.SELECT, later);
    }

    @Test
    void grantsReachThroughGroupsOfGroupsAndToEverybody() {
        var crew = principal(PrincipalKind.GROUP, "crew");
        model.addMember(team.id(), crew.id());
        model.addMember(crew.id(), ann.id());
        grant(CATALOG, everybody, Privilege.USE_CATALOG);
        grant(GOLD, crew, Privilege.USE_SCHEMA);
        grant(STOCK, team, Privilege.SELECT);
        allowed(ann, Privilege.SELECT, STOCK);
        model.removeMember(crew.id(), ann.id());
        denied(ann, Privilege.SELECT, STOCK, Privilege.USE_SCHEMA, GOLD);
    }

    @Test
    void ownersHaveAllOnTheirsButReachItOnlyThroughWhatContainsIt() {
        securable(STOCK, ann);
        denied(ann, Privilege.SELECT, STOCK, Privilege.USE_CATALOG, CATALOG);
        grant(CATALOG, ann, Privilege.USE_CATALOG);
        grant(GOLD, ann, Privilege.USE_SCHEMA);
        allowed(ann, Privilege.SELECT, STOCK);
        allowed(ann, Privilege.MODIFY, STOCK);
        allowed(ann, Privilege.MANAGE, STOCK);
        denied(ann, Privilege.CREATE_TABLE, GOLD, Privilege.CREATE_TABLE, GOLD);
    }

    @Test
    void ownersOfParentsAndAdminsManageButDoNotReadByThat() {
        model.addMember(admins.id(), ann.id());
        allowed(ann, Privilege.MANAGE, STOCK);
        allowed(ann, Privilege.BROWSE, STOCK);
        denied(ann, Privilege.SELECT, STOCK, Privilege.USE_CATALOG, CATALOG);
        var boss = principal(PrincipalKind.USER, "boss");
        securable(GOLD, boss);
        grant(CATALOG, boss, Privilege.USE_CATALOG);
        allowed(boss, Privilege.MANAGE, STOCK);
        denied(boss, Privilege.SELECT, STOCK, Privilege.SELECT, STOCK);
        denied(boss, Privilege.MANAGE, CATALOG, Privilege.MANAGE, CATALOG);
    }

    @Test
    void allPrivilegesIsNeitherManageNorExternalUse() {
        grant(CATALOG, ann, Privilege.ALL_PRIVILEGES);
        allowed(ann, Privilege.SELECT, STOCK);
        allowed(ann, Privilege.CREATE_TABLE, GOLD);
        allowed(ann, Privilege.BROWSE, STOCK);
        denied(ann, Privilege.MANAGE, STOCK, Privilege.MANAGE, STOCK);
        denied(ann, Privilege.EXTERNAL_USE_SCHEMA, GOLD, Privilege.EXTERNAL_USE_SCHEMA, GOLD);
    }

    @Test
    void browseShowsWithoutUse() {
        denied(ann, Privilege.BROWSE, STOCK, Privilege.BROWSE, STOCK);
        grant(CATALOG, ann, Privilege.BROWSE);
        allowed(ann, Privilege.BROWSE, STOCK);
        denied(ann, Privilege.SELECT, STOCK, Privilege.USE_CATALOG, CATALOG);
    }

    @Test
    void theInactiveAndTheUnknownMayNothingAndTheNodeEverything() {
        grant(CATALOG, ann, Privilege.ALL_PRIVILEGES);
        model.put(new PrincipalInfo(ann, "", "", false, Instant.EPOCH));
        denied(ann, Privilege.SELECT, STOCK, Privilege.SELECT, STOCK);
        var nobody = new Principal(UUID.randomUUID(), PrincipalKind.USER, "nobody");
        grant(CATALOG, everybody, Privilege.ALL_PRIVILEGES);
        denied(nobody, Privilege.SELECT, STOCK, Privilege.SELECT, STOCK);
        allowed(node, Privilege.MODIFY, STOCK);
    }

    @Test
    void nothingIsInheritedFromTheMetastore() {
        var credential = new Securable(SecurableType.CREDENTIAL, "bucket");
        securable(credential, owner);
        grant(Securable.METASTORE, ann, Privilege.CREATE_EXTERNAL_LOCATION);
        allowed(ann, Privilege.CREATE_EXTERNAL_LOCATION, Securable.METASTORE);
        denied(
                ann,
                Privilege.CREATE_EXTERNAL_LOCATION,
                credential,
                Privilege.CREATE_EXTERNAL_LOCATION,
                credential);
    }

    @Test
    void theDeniedAreToldWhoCanGrant() {
        var denied = (Decision.Denied) Rules.decide(model, ann.id(), Privilege.MANAGE, STOCK);
        assertThat(denied.grantors()).containsExactly("owner", "admins");
        assertThat(Refusals.denied(ann, denied))
                .hasMessage(
                        "`ann` lacks MANAGE on TABLE farm.gold.stock; hint: ask owner (its owner)"
                                + " or a metastore admin to run: GRANT MANAGE ON TABLE"
                                + " farm.gold.stock TO `ann`");
    }

    @Test
    void whatCreatesAThingActsOnItsParent() {
        for (var type : SecurableType.values()) {
            if (type != SecurableType.METASTORE) {
                var parent =
                        switch (type) {
                            case SCHEMA -> SecurableType.CATALOG;
                            case TABLE, VOLUME, FUNCTION, REGISTERED_MODEL -> SecurableType.SCHEMA;
                            default -> SecurableType.METASTORE;
                        };
                assertThat(Privileges.acting(parent)).contains(Privileges.toCreate(type));
            }
        }
    }

    @Test
    void randomWorldsAreDecidedAsTheNaiveRestatementDecidesThem() {
        var decisions = 0;
        for (var seed = 0; seed < 200; seed++) {
            var world = new RandomWorld(seed);
            for (var principal : world.principals) {
                for (var securable : world.owners.keySet()) {
                    for (var privilege : Privilege.values()) {
                        var expected = world.naive().allows(principal, privilege, securable);
                        var decision =
                                Rules.decide(world.model, principal.id(), privilege, securable);
                        assertThat(decision instanceof Decision.Allowed)
                                .as("%d: %s %s %s", seed, principal.name(), privilege, securable)
                                .isEqualTo(expected);
                        decisions++;
                    }
                }
            }
        }
        assertThat(decisions).isGreaterThan(100_000);
    }

    /** Six principals, groups in groups, two schemas, and grants and owners at random. */
    private static final class RandomWorld {
        private final Random random;
        private final Model model = new Model();
        private final List<Principal> principals = new ArrayList<>();
        private final Map<Securable, Principal> owners = new HashMap<>();
        private final Set<Grant> grants = new HashSet<>();
        private final Set<List<Principal>> members = new HashSet<>();
        private final Set<Principal> inactive = new HashSet<>();

        RandomWorld(long seed) {
            random = new Random(seed);
            for (var name : List.of(Principals.USERS, Principals.ADMINS, "g1", "g2")) {
                add(PrincipalKind.GROUP, name);
            }
            for (var name : List.of("ann", "bob", Principals.SYSTEM)) {
                add(PrincipalKind.USER, name);
            }
            securables();
            for (var i = random.nextInt(6); i > 0; i--) {
                var group = 1 + random.nextInt(3);
                var member = group + 1 + random.nextInt(principals.size() - group - 1);
                members.add(List.of(principals.get(group), principals.get(member)));
                model.addMember(principals.get(group).id(), principals.get(member).id());
            }
            for (var i = random.nextInt(12); i > 0; i--) {
                grantAtRandom();
            }
        }

        private void add(PrincipalKind kind, String name) {
            var principal = new Principal(UUID.randomUUID(), kind, name);
            var active = kind == PrincipalKind.GROUP || random.nextInt(8) > 0;
            if (!active && !name.equals(Principals.SYSTEM)) {
                inactive.add(principal);
            }
            model.put(new PrincipalInfo(principal, "", "", active, Instant.EPOCH));
            principals.add(principal);
        }

        private void securables() {
            own(Securable.METASTORE, principals.get(1));
            for (var name :
                    List.of(
                            CATALOG,
                            GOLD,
                            Securable.schema("farm", "bronze"),
                            STOCK,
                            new Securable(SecurableType.FUNCTION, "farm.bronze.f"),
                            new Securable(SecurableType.VOLUME, "farm.gold.files"),
                            new Securable(SecurableType.REGISTERED_MODEL, "farm.gold.model"),
                            new Securable(SecurableType.EXTERNAL_LOCATION, "landing"),
                            new Securable(SecurableType.CREDENTIAL, "bucket"),
                            new Securable(SecurableType.APP, "console"),
                            new Securable(SecurableType.AGENT, "buyer"))) {
                own(name, principals.get(1 + random.nextInt(principals.size() - 1)));
            }
        }

        private void own(Securable name, Principal by) {
            owners.put(name, by);
            model.put(info(name, by));
        }

        private void grantAtRandom() {
            var all = List.copyOf(owners.keySet());
            var on = all.get(random.nextInt(all.size()));
            var known = List.copyOf(Privileges.grantable(on.type()));
            var privilege = known.get(random.nextInt(known.size()));
            var to = principals.get(random.nextInt(principals.size()));
            grants.add(new Grant(to, privilege, on));
            model.grant(model.require(on).id(), to.id(), privilege);
        }

        NaiveRules naive() {
            return new NaiveRules(owners, grants, members, inactive);
        }
    }

    private Principal principal(PrincipalKind kind, String name) {
        var principal = new Principal(UUID.randomUUID(), kind, name);
        model.put(new PrincipalInfo(principal, "", "", true, Instant.EPOCH));
        return principal;
    }

    private void securable(Securable name, Principal by) {
        model.put(model.securable(name).map(i -> i.ownedBy(by)).orElseGet(() -> info(name, by)));
    }

    private static SecurableInfo info(Securable name, Principal by) {
        var at = Instant.EPOCH;
        return new SecurableInfo(
                UUID.randomUUID(), name, by, "", Map.of(), "", at, "system", at, "system");
    }

    private void grant(Securable on, Principal to, Privilege privilege) {
        model.grant(model.require(on).id(), to.id(), privilege);
    }

    private void allowed(Principal who, Privilege privilege, Securable on) {
        assertThat(Rules.decide(model, who.id(), privilege, on)).isEqualTo(Rules.ALLOWED);
    }

    private void denied(
            Principal who, Privilege privilege, Securable on, Privilege missing, Securable at) {
        assertThat(Rules.decide(model, who.id(), privilege, on))
                .isInstanceOfSatisfying(
                        Decision.Denied.class,
                        denied -> {
                            assertThat(denied.missing()).isEqualTo(missing);
                            assertThat(denied.on()).isEqualTo(at);
                        });
    }
}
