package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.GovernanceStatement;
import dev.lakemill.catalog.GovernanceStatement.Existing;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.Principals;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.PrincipalKind;
import java.util.UUID;

/** Does the statements about users, service principals and groups. */
final class PrincipalStatements {
    private final Principals principals;

    PrincipalStatements(Principals principals) {
        this.principals = principals;
    }

    void create(Caller caller, GovernanceStatement.CreatePrincipal create) {
        var known = principals.find(create.name());
        if (create.existing() == Existing.STAYS && known.isPresent()) {
            require(known.get(), create.kind());
            return;
        }
        principals.create(caller, create.kind(), create.name(), create.name(), "");
    }

    void drop(Caller caller, GovernanceStatement.DropPrincipal drop) {
        if (drop.ifExists() && principals.find(drop.name()).isEmpty()) {
            return;
        }
        var known = named(drop.name());
        require(known, drop.kind());
        principals.delete(caller, known.principal().id());
    }

    /** Who is a member already, or is none, stays so. */
    void change(Caller caller, GovernanceStatement.ChangeMembers change) {
        var group = named(change.group());
        require(group, PrincipalKind.GROUP);
        for (var name : change.members()) {
            var member = named(name).principal();
            if (principals.members(group.principal().id()).contains(member) != change.add()) {
                change(caller, group.principal().id(), member.id(), change.add());
            }
        }
    }

    private void change(Caller caller, UUID group, UUID member, boolean add) {
        if (add) {
            principals.addMember(caller, group, member);
        } else {
            principals.removeMember(caller, group, member);
        }
    }

    private PrincipalInfo named(String name) {
        return principals
                .find(name)
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "there is no principal `%s`".formatted(name),
                                        "SHOW USERS and SHOW GROUPS list those that there are"));
    }

    private static void require(PrincipalInfo info, PrincipalKind kind) {
        if (info.principal().kind() != kind) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "`%s` is a %s, not a %s"
                            .formatted(
                                    info.principal().name(),
                                    info.principal().kind().sql(),
                                    kind.sql()),
                    "take another name");
        }
    }
}
