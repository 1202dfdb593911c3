package dev.lakemill.catalog;

import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Databricks' rules once more, as plainly as they can be said, sharing nothing with {@link Rules}:
 * recursion instead of paths, and its own idea of what belongs to which kind.
 */
record NaiveRules(
        Map<Securable, Principal> owners,
        Set<Grant> grants,
        Set<List<Principal>> members,
        Set<Principal> inactive) {

    boolean allows(Principal who, Privilege privilege, Securable on) {
        if (who.name().equals("system")) {
            return true;
        }
        if (inactive.contains(who) || !owners.containsKey(on)) {
            return false;
        }
        return switch (privilege) {
            case MANAGE -> manages(who, on);
            case BROWSE -> manages(who, on) || has(who, privilege, on) || usesAny(who, on);
            default -> reaches(who, on) && has(who, privilege, on);
        };
    }

    private boolean is(Principal who, Principal identity) {
        return identity.equals(who)
                || identity.name().equals("account users")
                || members.stream()
                        .anyMatch(m -> m.getFirst().equals(identity) && is(who, m.getLast()));
    }

    private boolean owns(Principal who, Securable on) {
        var owner = owners.get(on);
        return owner != null && is(who, owner);
    }

    private boolean granted(Principal who, Privilege privilege, Securable on) {
        return grants.stream()
                .anyMatch(
                        g ->
                                g.on().equals(on)
                                        && g.privilege() == privilege
                                        && is(who, g.principal()));
    }

    private boolean manages(Principal who, Securable on) {
        return owns(who, on)
                || granted(who, Privilege.MANAGE, on)
                || on.parent().filter(parent -> manages(who, parent)).isPresent();
    }

    private boolean has(Principal who, Privilege privilege, Securable on) {
        return (owns(who, on) && actsOn(privilege, on.type())) || inherits(who, privilege, on);
    }

    private boolean inherits(Principal who, Privilege privilege, Securable on) {
        var inAll = privilege != Privilege.MANAGE && privilege != Privilege.EXTERNAL_USE_SCHEMA;
        return granted(who, privilege, on)
                || (inAll && granted(who, Privilege.ALL_PRIVILEGES, on))
                || on.parent()
                        .filter(parent -> parent.type() != SecurableType.METASTORE)
                        .filter(parent -> inherits(who, privilege, parent))
                        .isPresent();
    }

    private boolean reaches(Principal who, Securable on) {
        var open =
                switch (on.type()) {
                    case CATALOG -> has(who, Privilege.USE_CATALOG, on);
                    case SCHEMA -> has(who, Privilege.USE_SCHEMA, on);
                    default -> true;
                };
        return open && on.parent().map(parent -> reaches(who, parent)).orElse(true);
    }

    private boolean usesAny(Principal who, Securable on) {
        if (!reaches(who, on)) {
            return false;
        }
        for (var privilege : Privilege.values()) {
            if (actsOn(privilege, on.type()) && has(who, privilege, on)) {
                return true;
            }
        }
        return false;
    }

    private static boolean actsOn(Privilege privilege, SecurableType type) {
        if (type == SecurableType.METASTORE) {
            return switch (privilege) {
                case CREATE_CATALOG,
                        CREATE_EXTERNAL_LOCATION,
                        CREATE_STORAGE_CREDENTIAL,
                        CREATE_APP,
                        CREATE_AGENT ->
                        true;
                default -> false;
            };
        }
        return switch (privilege) {
            case ALL_PRIVILEGES, APPLY_TAG, BROWSE, MANAGE -> true;
            case USE_CATALOG, CREATE_SCHEMA -> type == SecurableType.CATALOG;
            case USE_SCHEMA,
                    EXTERNAL_USE_SCHEMA,
                    CREATE_TABLE,
                    CREATE_VIEW,
                    CREATE_MATERIALIZED_VIEW,
                    CREATE_VOLUME,
                    CREATE_FUNCTION,
                    CREATE_MODEL ->
                    type == SecurableType.SCHEMA;
            case SELECT, MODIFY, REFRESH -> type == SecurableType.TABLE;
            case READ_VOLUME, WRITE_VOLUME -> type == SecurableType.VOLUME;
            case EXECUTE ->
                    type == SecurableType.FUNCTION
                            || type == SecurableType.REGISTERED_MODEL
                            || type == SecurableType.APP
                            || type == SecurableType.AGENT;
            case READ_FILES, WRITE_FILES, CREATE_EXTERNAL_TABLE ->
                    type == SecurableType.EXTERNAL_LOCATION || type == SecurableType.CREDENTIAL;
            case CREATE_EXTERNAL_VOLUME, CREATE_MANAGED_STORAGE ->
                    type == SecurableType.EXTERNAL_LOCATION;
            case CREATE_EXTERNAL_LOCATION -> type == SecurableType.CREDENTIAL;
            case CREATE_AGENT, CREATE_APP, CREATE_CATALOG, CREATE_STORAGE_CREDENTIAL -> false;
        };
    }
}
