package dev.lakemill.server.apps;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Decision;
import dev.lakemill.catalog.Grant;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * Keeps what an app's principal is granted to what the manifest of its active version says.
 *
 * <p>Whoever deploys grants it by their own right to do so, and is refused what they could not
 * grant by hand. What a manifest does not name any more is taken away, whoever granted it.
 */
final class AppGrants {
    private static final Set<Privilege> USES =
            EnumSet.of(Privilege.USE_CATALOG, Privilege.USE_SCHEMA);

    private final Catalog catalog;

    AppGrants(Catalog catalog) {
        this.catalog = catalog;
    }

    /**
     * Grants what is missing; what this returns is what it added.
     *
     * @throws dev.lakemill.types.LakemillException PERMISSION_DENIED or NOT_FOUND, and nothing is
     *     granted, when the deployer may not grant all of it
     */
    Set<AppResource.Need> add(Caller deployer, Principal app, Set<AppResource.Need> wanted) {
        var missing = new LinkedHashSet<>(wanted);
        missing.removeAll(held(app));
        missing.removeIf(need -> USES.contains(need.privilege()) && mayUse(app, need));
        for (var need : missing) {
            catalog.access().require(deployer, Privilege.MANAGE, need.on());
        }
        change(deployer, app, missing, true);
        return missing;
    }

    /** Whether everybody may use the container, as through a group. */
    private boolean mayUse(Principal app, AppResource.Need need) {
        return catalog.access().decide(app.id(), need.privilege(), need.on())
                instanceof Decision.Allowed;
    }

    /** Takes all away but what is wanted. */
    void keep(Caller by, Principal app, Set<AppResource.Need> wanted) {
        var tooMuch = new LinkedHashSet<>(held(app));
        tooMuch.removeAll(wanted);
        change(by, app, tooMuch, false);
    }

    /** Takes some away, as after a deployment that failed. */
    void remove(Caller by, Principal app, Set<AppResource.Need> some) {
        var held = held(app);
        held.retainAll(some);
        change(by, app, held, false);
    }

    private Set<AppResource.Need> held(Principal app) {
        var held = new LinkedHashSet<AppResource.Need>();
        for (Grant grant : catalog.grants().all()) {
            if (grant.principal().id().equals(app.id())) {
                held.add(new AppResource.Need(grant.on(), grant.privilege()));
            }
        }
        return held;
    }

    private void change(Caller by, Principal app, Set<AppResource.Need> needs, boolean add) {
        Map<Securable, Set<Privilege>> byPlace = new LinkedHashMap<>();
        for (var need : needs) {
            byPlace.computeIfAbsent(need.on(), _ -> EnumSet.noneOf(Privilege.class))
                    .add(need.privilege());
        }
        byPlace.forEach(
                (on, privileges) -> {
                    var change =
                            add
                                    ? new GrantChange(app.name(), privileges, Set.of())
                                    : new GrantChange(app.name(), Set.of(), privileges);
                    catalog.grants().change(by, on, java.util.List.of(change));
                });
    }
}
