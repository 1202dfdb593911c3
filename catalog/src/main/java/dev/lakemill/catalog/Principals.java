package dev.lakemill.catalog;

import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

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

    /** ALREADY_EXISTS when the name is taken; INVALID_ARGUMENT when Postgres could not bear it. */
    public PrincipalInfo create(
            Caller caller, PrincipalKind kind, String name, String displayName, String externalId) {
        throw new UnsupportedOperationException();
    }

    public Optional<PrincipalInfo> find(UUID id) {
        throw new UnsupportedOperationException();
    }

    /** By name, without regard to case. */
    public Optional<PrincipalInfo> find(String name) {
        throw new UnsupportedOperationException();
    }

    /** By name. */
    public List<PrincipalInfo> list(PrincipalKind kind) {
        throw new UnsupportedOperationException();
    }

    public PrincipalInfo update(
            Caller caller, UUID id, String displayName, String externalId, boolean active) {
        throw new UnsupportedOperationException();
    }

    /** Takes its grants and memberships along; FAILED_PRECONDITION while it owns something. */
    public void delete(Caller caller, UUID id) {
        throw new UnsupportedOperationException();
    }

    /** INVALID_ARGUMENT when the group would contain itself. */
    public void addMember(Caller caller, UUID group, UUID member) {
        throw new UnsupportedOperationException();
    }

    public void removeMember(Caller caller, UUID group, UUID member) {
        throw new UnsupportedOperationException();
    }

    /** Direct members. */
    public List<Principal> members(UUID group) {
        throw new UnsupportedOperationException();
    }

    /** The groups that the principal is in, through other groups too, and {@link #USERS}. */
    public Set<Principal> groupsOf(UUID principal) {
        throw new UnsupportedOperationException();
    }

    /** Whether it is in {@link #ADMINS}. */
    public boolean isAdmin(UUID principal) {
        throw new UnsupportedOperationException();
    }
}
