package dev.lakemill.catalog;

import dev.lakemill.types.Principal;
import dev.lakemill.types.Securable;
import java.util.List;
import java.util.UUID;

/** Grants and owners, kept in Postgres, answered from memory. Safe to use from any thread. */
public final class Grants {
    /** Granted on this very securable. */
    public List<Grant> on(Securable securable) {
        throw new UnsupportedOperationException();
    }

    /** Every grant there is. */
    public List<Grant> all() {
        throw new UnsupportedOperationException();
    }

    /** Granted on it or on its parents: {@link Grant#on()} says where. */
    public List<Grant> effective(Securable securable) {
        throw new UnsupportedOperationException();
    }

    /**
     * Applies all changes or none. PERMISSION_DENIED unless {@link Access#mayManage}; NOT_FOUND for
     * an unknown principal or securable; INVALID_ARGUMENT for a privilege that this kind of
     * securable does not know. Audited.
     */
    public void change(Caller caller, Securable securable, List<GrantChange> changes) {
        throw new UnsupportedOperationException();
    }

    public Principal owner(Securable securable) {
        throw new UnsupportedOperationException();
    }

    /** What the principal itself owns. */
    public List<Securable> ownedBy(UUID principal) {
        throw new UnsupportedOperationException();
    }

    /** Needs {@link Access#mayManage}. Audited. */
    public void transfer(Caller caller, Securable securable, String newOwner) {
        throw new UnsupportedOperationException();
    }
}
