package dev.lakemill.catalog;

import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/** Grants and owners, kept in Postgres, answered from memory. Safe to use from any thread. */
public final class Grants {
    /** How many privileges of all principals may be granted on one securable. */
    public static final int GRANTS_PER_SECURABLE_MAX = 10_000;

    private static final Comparator<Grant> ORDER =
            Comparator.comparing((Grant grant) -> grant.on().name())
                    .thenComparing(grant -> grant.on().type())
                    .thenComparing(grant -> grant.principal().name())
                    .thenComparing(Grant::privilege);

    /** A change with its principal found. */
    private record Resolved(UUID principal, Set<Privilege> add, Set<Privilege> remove) {}

    private final Changes changes;
    private final Access access;
    private final Securables securables;

    Grants(Changes changes, Access access, Securables securables) {
        this.changes = changes;
        this.access = access;
        this.securables = securables;
    }

    /** Granted on this very securable. NOT_FOUND. */
    public List<Grant> on(Securable securable) {
        return changes.read(
                model -> {
                    var found = new ArrayList<Grant>();
                    addAll(found, model, model.require(securable));
                    return sorted(found);
                });
    }

    /** Every grant there is. */
    public List<Grant> all() {
        return changes.read(
                model -> {
                    var found = new ArrayList<Grant>();
                    for (var id : model.grants.keySet()) {
                        addAll(found, model, model.securable(id).orElseThrow());
                    }
                    return sorted(found);
                });
    }

    /**
     * Granted on it or on its parents, as far as it acts on it or on what is in it: {@link
     * Grant#on()} says where. NOT_FOUND.
     */
    public List<Grant> effective(Securable securable) {
        return changes.read(
                model -> {
                    var found = new ArrayList<Grant>();
                    addAll(found, model, model.require(securable));
                    for (var at = securable.parent();
                            at.isPresent() && at.get().parent().isPresent();
                            at = at.get().parent()) {
                        addAll(found, model, model.require(at.get()));
                    }
                    var known = Privileges.grantable(securable.type());
                    found.removeIf(grant -> !known.contains(grant.privilege()));
                    return sorted(found);
                });
    }

    /** Shows what others changed in Postgres: {@code lakemill.grant} and native GRANT. */
    public void reload() {
        changes.change(
                model -> {
                    var found = new Model();
                    Transactions.run(
                            changes.database(),
                            connection -> {
                                SecurableStore.readGrants(connection, found);
                                return true;
                            });
                    if (!found.grants.equals(model.grants)) {
                        changes.show(shown -> shown.replaceGrants(found));
                    }
                    return true;
                });
    }

    private static void addAll(List<Grant> found, Model model, SecurableInfo info) {
        model.grants
                .getOrDefault(info.id(), Map.of())
                .forEach(
                        (id, privileges) -> {
                            var principal = model.requirePrincipal(id).principal();
                            for (var privilege : privileges) {
                                found.add(new Grant(principal, privilege, info.securable()));
                            }
                        });
    }

    private static List<Grant> sorted(List<Grant> grants) {
        return grants.stream().sorted(ORDER).toList();
    }

    /**
     * Applies all changes or none. PERMISSION_DENIED unless {@link Access#mayManage}; NOT_FOUND for
     * an unknown principal or securable; INVALID_ARGUMENT for a privilege that this kind of
     * securable does not know. Audited.
     */
    public void change(Caller caller, Securable securable, List<GrantChange> grantChanges) {
        changes.change(
                model -> {
                    access.require(caller, Privilege.MANAGE, securable);
                    var info = model.require(securable);
                    var resolved = new ArrayList<Resolved>();
                    for (var change : grantChanges) {
                        check(securable, change);
                        var principal = model.requirePrincipal(change.principal()).principal();
                        resolved.add(new Resolved(principal.id(), change.add(), change.remove()));
                    }
                    requireRoom(model, info, resolved);
                    changes.commit(
                            events(caller, securable, grantChanges),
                            connection -> write(connection, caller, info.id(), resolved),
                            shown -> resolved.forEach(change -> show(shown, info.id(), change)));
                    return true;
                });
    }

    private static void check(Securable securable, GrantChange change) {
        var known = Privileges.grantable(securable.type());
        for (var privilege : change.add()) {
            if (change.remove().contains(privilege)) {
                throw Refusals.invalid(
                        "%s is both granted to and revoked from `%s`"
                                .formatted(privilege.sql(), change.principal()),
                        "ask for one of them");
            }
            if (!known.contains(privilege)) {
                throw Refusals.unknown(privilege, securable);
            }
        }
        for (var privilege : change.remove()) {
            if (!known.contains(privilege)) {
                throw Refusals.unknown(privilege, securable);
            }
        }
    }

    private static void requireRoom(Model model, SecurableInfo info, List<Resolved> resolved) {
        var granted = 0;
        for (var privileges : model.grants.getOrDefault(info.id(), Map.of()).values()) {
            granted += privileges.size();
        }
        for (var change : resolved) {
            granted += change.add().size();
        }
        if (granted > GRANTS_PER_SECURABLE_MAX
                && resolved.stream().anyMatch(r -> !r.add().isEmpty())) {
            throw Refusals.exhausted(
                    "%s has too many grants: %d of at most %d"
                            .formatted(
                                    Model.named(info.securable()),
                                    granted,
                                    GRANTS_PER_SECURABLE_MAX),
                    "grant to groups, or on what contains it");
        }
    }

    private static void write(
            Connection connection, Caller caller, UUID securable, List<Resolved> resolved)
            throws SQLException {
        for (var change : resolved) {
            for (var privilege : change.add()) {
                Statements.update(
                        connection,
                        """
                        INSERT INTO lakemill.grants
                            (securable_id, principal_id, privilege, granted_by)
                        VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING
                        """,
                        securable,
                        change.principal(),
                        privilege.name(),
                        caller.principal().name());
            }
            for (var privilege : change.remove()) {
                Statements.update(
                        connection,
                        """
                        DELETE FROM lakemill.grants
                        WHERE securable_id = ? AND principal_id = ? AND privilege = ?
                        """,
                        securable,
                        change.principal(),
                        privilege.name());
            }
        }
    }

    private static void show(Model model, UUID securable, Resolved change) {
        change.add().forEach(privilege -> model.grant(securable, change.principal(), privilege));
        change.remove()
                .forEach(privilege -> model.revoke(securable, change.principal(), privilege));
    }

    private static List<AuditEvent> events(
            Caller caller, Securable securable, List<GrantChange> grantChanges) {
        return grantChanges.stream()
                .map(
                        change ->
                                AuditEvent.done(
                                        caller,
                                        "unityCatalog",
                                        "updatePermissions",
                                        Map.of(
                                                "securable_type", securable.type().name(),
                                                "securable_full_name", securable.name(),
                                                "principal", change.principal(),
                                                "add", texts(change.add()),
                                                "remove", texts(change.remove()))))
                .toList();
    }

    private static String texts(Set<Privilege> privileges) {
        return privileges.stream().sorted().map(Privilege::sql).collect(Collectors.joining(", "));
    }

    /** NOT_FOUND. */
    public Principal owner(Securable securable) {
        return changes.read(model -> model.require(securable).owner());
    }

    /** What the principal itself owns, by kind and name. */
    public List<Securable> ownedBy(UUID principal) {
        return changes.read(
                model ->
                        model.securables().stream()
                                .filter(info -> info.owner().id().equals(principal))
                                .map(SecurableInfo::securable)
                                .sorted(
                                        Comparator.comparing(Securable::type)
                                                .thenComparing(Securable::name))
                                .toList());
    }

    /**
     * Needs {@link Access#mayManage}. A view is read with the rights of its owner, so only
     * metastore admins may give one to others than themselves and the groups that they are in.
     * Audited.
     */
    public void transfer(Caller caller, Securable securable, String newOwner) {
        changes.change(
                model -> {
                    access.require(caller, Privilege.MANAGE, securable);
                    var owner = model.requirePrincipal(newOwner).principal();
                    if (owner.name().equals(Principals.USERS)) {
                        throw Refusals.invalid(
                                "everybody cannot own it", "grant privileges to `account users`");
                    }
                    if (model.views.containsKey(model.require(securable).id())
                            && !model.identities(caller.principal().id()).contains(owner.id())
                            && !Principals.isAdmin(model, caller.principal().id())) {
                        throw access.audited(
                                caller,
                                Privilege.MANAGE,
                                securable,
                                Refusals.notOneself(caller.principal(), securable, owner));
                    }
                    securables.transfer(model, caller, securable, owner);
                    return true;
                });
    }
}
