package dev.lakemill.agents.gateway;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.GrantChange;
import dev.lakemill.catalog.Principals;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Endpoints as registered models of {@code system.ai}, so that EXECUTE is granted on them.
 * Everybody may use the schema from its beginning; what an administrator takes back later stays so.
 */
final class EndpointModels {
    private final Catalog catalog;

    EndpointModels(Catalog catalog) {
        this.catalog = catalog;
    }

    static Securable of(String endpoint) {
        return new Securable(
                SecurableType.REGISTERED_MODEL, Gateway.SCHEMA.name() + "." + endpoint);
    }

    void register(String endpoint, String comment) {
        var schema = Gateway.SCHEMA;
        ensure(schema.parent().orElseThrow(), "What the system shows of itself");
        if (ensure(schema, "Model endpoints of lakemill.yml")) {
            grant(schema.parent().orElseThrow(), Privilege.USE_CATALOG);
            grant(schema, Privilege.USE_SCHEMA);
        }
        ensure(of(endpoint), comment);
    }

    private boolean ensure(Securable securable, String comment) {
        if (catalog.securables().find(securable).isPresent()) {
            return false;
        }
        catalog.securables().create(catalog.system(), securable, comment, Map.of(), "");
        return true;
    }

    private void grant(Securable on, Privilege privilege) {
        catalog.grants().change(catalog.system(), on, List.of(change(privilege)));
    }

    private static GrantChange change(Privilege privilege) {
        return new GrantChange(Principals.USERS, Set.of(privilege), Set.of());
    }
}
