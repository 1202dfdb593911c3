package dev.lakemill.catalog;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.UnaryOperator;

/**
 * Users, service principals and groups, kept in Postgres, answered from memory.
 *
 * <p>Changing them needs a metastore admin: a member of the group {@link #ADMINS}. Every change is
 * audited. Safe to use from any thread.
 */
public final class Principals {
    /** The group whose members are metastore admins. */
    public static final String ADMINS = "admins";

    /** The group that everybody is a member of, by no row of any table. */
    public static final String USERS = "account users";

    /** The service principal that the node itself is. */
    public static final String SYSTEM = "system";

    /** How many principals there may be. */
    public static final int PRINCIPALS_MAX = 100_000;

    /** How many direct members a group may have. */
    public static final int GROUP_MEMBERS_MAX = 10_000;

    /** How many groups may lie in one another. */
    public static final int GROUP_DEPTH_MAX = 10;

    private static final Set<String> BUILT_IN = Set.of(ADMINS, USERS, SYSTEM);

    private final Changes changes;
    private final Clock clock;

    Principals(Changes changes, Clock clock) {
        this.changes = changes;
        this.clock = clock;
    }

    /** ALREADY_EXISTS when the name is taken; INVALID_ARGUMENT when Postgres could not bear it. */
    public PrincipalInfo create(
            Caller caller, PrincipalKind kind, String name, String displayName, String externalId) {
        Names.checkPrincipal(name);
        checkTexts(displayName, externalId);
        var principal = new Principal(UUID.randomUUID(), kind, name);
        var now = clock.instant().truncatedTo(ChronoUnit.MICROS);
        var info = new PrincipalInfo(principal, displayName, externalId, true, now);
        return changes.change(
                model -> {
                    requireAdmin(model, caller, "create principals");
                    if (model.principal(name).isPresent()) {
                        throw taken(name);
                    }
                    if (model.principals.size() >= PRINCIPALS_MAX) {
                        throw Refusals.exhausted(
                                "there are %d principals".formatted(PRINCIPALS_MAX),
                                "delete those that are not needed");
                    }
                    changes.commit(
                            event(caller, "create" + word(kind), principal),
                            connection ->
                                    Statements.update(
                                            connection,
                                            """
                                            INSERT INTO lakemill.principals (id, kind, name,
                                                display_name, external_id, created_at)
                                            VALUES (?, ?, ?, ?, ?, ?)
                                            """,
                                            principal.id(),
                                            kind.name(),
                                            name,
                                            displayName,
                                            externalId,
                                            now),
                            shown -> shown.put(info));
                    return info;
                });
    }

    public Optional<PrincipalInfo> find(UUID id) {
        return changes.read(model -> model.principal(id));
    }

    /** By name, without regard to case. */
    public Optional<PrincipalInfo> find(String name) {
        return changes.read(model -> model.principal(name));
    }

    /** By name. */
    public List<PrincipalInfo> list(PrincipalKind kind) {
        return changes.read(model -> List.copyOf(model.principals.values())).stream()
                .filter(info -> info.principal().kind() == kind)
                .sorted(Comparator.comparing(info -> info.principal().name()))
                .toList();
    }

    /**
     * Changes what is known of it at that moment, so that of two who change different things both
     * have their way. INVALID_ARGUMENT to make a group or the node inactive.
     *
     * @param change of the display name, the external id and whether it is active
     */
    public PrincipalInfo update(Caller caller, UUID id, UnaryOperator<PrincipalInfo> change) {
        return changes.change(
                model -> {
                    requireAdmin(model, caller, "change principals");
                    var before = model.requirePrincipal(id);
                    var principal = before.principal();
                    var info = change.apply(before);
                    if (info.equals(before)) {
                        return before;
                    }
                    checkTexts(info.displayName(), info.externalId());
                    if (!info.active()
                            && (principal.kind() == PrincipalKind.GROUP || model.isNode(id))) {
                        throw Refusals.invalid(
                                "`%s` is always active".formatted(principal.name()),
                                "take its members or its grants away");
                    }
                    changes.commit(
                            event(caller, "update" + word(principal.kind()), principal),
                            connection ->
                                    Statements.update(
                                            connection,
                                            """
                                            UPDATE lakemill.principals SET display_name = ?,
                                                external_id = ?, active = ? WHERE id = ?
                                            """,
                                            info.displayName(),
                                            info.externalId(),
                                            info.active(),
                                            id),
                            shown -> shown.put(info));
                    return info;
                });
    }

    /** Takes its grants and memberships along; FAILED_PRECONDITION while it owns something. */
    public void delete(Caller caller, UUID id) {
        changes.change(
                model -> {
                    requireAdmin(model, caller, "delete principals");
                    var principal = model.requirePrincipal(id).principal();
                    requireDeletable(model, principal);
                    changes.commit(
                            event(caller, "delete" + word(principal.kind()), principal),
                            connection ->
                                    Statements.update(
                                            connection,
                                            "DELETE FROM lakemill.principals WHERE id = ?",
                                            id),
                            shown -> shown.removePrincipal(id));
                    return true;
                });
    }

    private static void requireDeletable(Model model, Principal principal) {
        if (BUILT_IN.contains(principal.name())) {
            throw Refusals.precondition(
                    "`%s` is part of Lakemill".formatted(principal.name()),
                    "it can have no grants and no other members, but it stays");
        }
        var owned =
                model.securables().stream()
                        .filter(info -> info.owner().id().equals(principal.id()))
                        .findFirst();
        if (owned.isPresent()) {
            throw Refusals.precondition(
                    "`%s` owns %s"
                            .formatted(principal.name(), Model.named(owned.get().securable())),
                    "transfer what it owns to someone else first, or make it inactive");
        }
    }

    /** INVALID_ARGUMENT when the group would contain itself. */
    public void addMember(Caller caller, UUID group, UUID member) {
        changes.change(
                model -> {
                    requireAdmin(model, caller, "change groups");
                    var to = requireGroup(model, group);
                    var who = model.requirePrincipal(member).principal();
                    requireNesting(model, to, who);
                    changes.commit(
                            memberEvent(caller, "addPrincipalToGroup", to, who),
                            connection ->
                                    Statements.update(
                                            connection,
                                            """
                                            INSERT INTO lakemill.members (group_id, member_id)
                                            VALUES (?, ?) ON CONFLICT DO NOTHING
                                            """,
                                            group,
                                            member),
                            shown -> shown.addMember(group, member));
                    return true;
                });
    }

    private static void requireNesting(Model model, Principal group, Principal member) {
        if (member.name().equals(USERS) || model.identities(group.id()).contains(member.id())) {
            throw Refusals.invalid(
                    "the group `%s` would contain itself".formatted(group.name()),
                    "`%s` is, or contains, that group".formatted(member.name()));
        }
        if (model.members.getOrDefault(group.id(), Set.of()).size() >= GROUP_MEMBERS_MAX) {
            throw Refusals.exhausted(
                    "the group `%s` has %d members".formatted(group.name(), GROUP_MEMBERS_MAX),
                    "make groups of groups");
        }
        if (member.kind() == PrincipalKind.GROUP
                && model.levelsAbove(group.id()) + model.levelsBelow(member.id())
                        > GROUP_DEPTH_MAX) {
            throw Refusals.invalid(
                    "more than %d groups would lie in one another".formatted(GROUP_DEPTH_MAX),
                    "make the groups flatter");
        }
    }

    public void removeMember(Caller caller, UUID group, UUID member) {
        changes.change(
                model -> {
                    requireAdmin(model, caller, "change groups");
                    var from = requireGroup(model, group);
                    var who = model.requirePrincipal(member).principal();
                    if (from.name().equals(ADMINS) && model.isNode(member)) {
                        throw Refusals.precondition(
                                "the node itself stays a metastore admin",
                                "remove the other members");
                    }
                    changes.commit(
                            memberEvent(caller, "removePrincipalFromGroup", from, who),
                            connection ->
                                    Statements.update(
                                            connection,
                                            """
                                            DELETE FROM lakemill.members
                                            WHERE group_id = ? AND member_id = ?
                                            """,
                                            group,
                                            member),
                            shown -> shown.removeMember(group, member));
                    return true;
                });
    }

    private static Principal requireGroup(Model model, UUID id) {
        var principal = model.requirePrincipal(id).principal();
        if (principal.kind() != PrincipalKind.GROUP) {
            throw Refusals.invalid(
                    "`%s` is not a group".formatted(principal.name()), "only groups have members");
        }
        if (principal.name().equals(USERS)) {
            throw Refusals.invalid(
                    "everybody is in `%s`".formatted(USERS), "make a group of your own");
        }
        return principal;
    }

    /** Direct members; those of {@link #USERS} are not told. */
    public List<Principal> members(UUID group) {
        return changes.read(
                model ->
                        model.members.getOrDefault(group, Set.of()).stream()
                                .map(id -> model.requirePrincipal(id).principal())
                                .sorted(Comparator.comparing(Principal::name))
                                .toList());
    }

    /** The groups that the principal is in, through other groups too, and {@link #USERS}. */
    public Set<Principal> groupsOf(UUID principal) {
        return changes.read(
                model -> {
                    var groups = new LinkedHashSet<Principal>();
                    for (var id : model.identities(principal)) {
                        if (!id.equals(principal)) {
                            groups.add(model.requirePrincipal(id).principal());
                        }
                    }
                    return groups;
                });
    }

    /** Whether it is active and in {@link #ADMINS}. */
    public boolean isAdmin(UUID principal) {
        return changes.read(model -> isAdmin(model, principal));
    }

    static boolean isAdmin(Model model, UUID principal) {
        return model.isActive(principal)
                && model.identities(principal)
                        .contains(model.requirePrincipal(ADMINS).principal().id());
    }

    private void requireAdmin(Model model, Caller caller, String what) {
        if (!isAdmin(model, caller.principal().id())) {
            var refusal = Refusals.notAdmin(caller.principal(), what);
            changes.audit()
                    .record(
                            new AuditEvent(
                                    caller,
                                    "accounts",
                                    "checkPermissions",
                                    Map.of("wanted", what),
                                    403,
                                    refusal.problem()));
            throw refusal;
        }
    }

    private static AuditEvent event(Caller caller, String action, Principal principal) {
        return AuditEvent.done(
                caller,
                "accounts",
                action,
                Map.of(
                        "targetUserId", principal.id().toString(),
                        "targetUserName", principal.name()));
    }

    private static AuditEvent memberEvent(
            Caller caller, String action, Principal group, Principal member) {
        return AuditEvent.done(
                caller,
                "accounts",
                action,
                Map.of(
                        "targetGroupId", group.id().toString(),
                        "targetGroupName", group.name(),
                        "targetUserId", member.id().toString(),
                        "targetUserName", member.name()));
    }

    private static String word(PrincipalKind kind) {
        return switch (kind) {
            case USER -> "User";
            case SERVICE_PRINCIPAL -> "ServicePrincipal";
            case GROUP -> "Group";
        };
    }

    private static void checkTexts(String displayName, String externalId) {
        Names.checkText("display name", displayName, Names.NAME_CHARS_MAX);
        Names.checkText("external id", externalId, Names.NAME_CHARS_MAX);
    }

    private static LakemillException taken(String name) {
        return new LakemillException(
                ErrorCode.ALREADY_EXISTS,
                "there is a principal `%s` already".formatted(name),
                "users, service principals and groups share their names");
    }
}
