package dev.lakemill.server.apps;

import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Something outside of an app that its manifest asks for, in Databricks' shapes.
 *
 * @param name what {@code valueFrom} calls it
 * @param target what a variable gets: the full name, {@code scope/key} of a secret, the schema of
 *     Postgres, the name of an endpoint or app
 * @param needs what its service principal is granted for it
 */
record AppResource(String name, Kind kind, String target, Set<Need> needs) {
    enum Kind {
        UC_SECURABLE,
        POSTGRES,
        SECRET,
        SERVING_ENDPOINT,
        APP
    }

    /** A privilege on a securable. */
    record Need(Securable on, Privilege privilege) {}

    AppResource {
        needs = Set.copyOf(needs);
    }

    /** Those of the privilege, and of using what contains the securable. */
    static Set<Need> needs(Securable on, Privilege... privileges) {
        var needs = new LinkedHashSet<Need>();
        for (var privilege : privileges) {
            needs.add(new Need(on, privilege));
        }
        for (Optional<Securable> at = Optional.of(on); at.isPresent(); at = at.get().parent()) {
            var container = at.get();
            use(container.type()).ifPresent(use -> needs.add(new Need(container, use)));
        }
        return needs;
    }

    private static Optional<Privilege> use(SecurableType type) {
        return dev.lakemill.catalog.Privileges.toUse(type);
    }
}
