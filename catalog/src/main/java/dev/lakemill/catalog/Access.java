package dev.lakemill.catalog;

import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.util.UUID;

/**
 * The one decision that every door asks: may this principal do that?
 *
 * <p>A privilege counts when it, ALL PRIVILEGES or ownership is held by the principal or one of its
 * groups on the securable or, but for ownership, on one of its parents; and when the principal also
 * has USE CATALOG and USE SCHEMA on what contains the securable. Owners of a parent and metastore
 * admins may manage (grant, transfer, drop), but not by that read. An inactive or deleted principal
 * may nothing. Answers come from memory and are cached until something changes. Safe to use from
 * any thread.
 */
public final class Access {
    public Decision decide(UUID principal, Privilege privilege, Securable on) {
        throw new UnsupportedOperationException();
    }

    /**
     * Decides and audits a refusal.
     *
     * @throws LakemillException PERMISSION_DENIED naming the privilege, the securable and who can
     *     grant it
     */
    public void require(Caller caller, Privilege privilege, Securable on) {
        throw new UnsupportedOperationException();
    }

    /**
     * Whether it may administer the securable: grant on it, set its policies, transfer or drop it.
     * So may its owner, the owners of its parents, holders of MANAGE on it or a parent, and admins.
     */
    public boolean mayManage(UUID principal, Securable on) {
        throw new UnsupportedOperationException();
    }

    /** Rises with every change of principals, memberships, grants, owners, policies or tables. */
    public long version() {
        throw new UnsupportedOperationException();
    }

    /** Calls the listener after changes, on a thread of its own, several at once; until closed. */
    public AutoCloseable onChange(Runnable listener) {
        throw new UnsupportedOperationException();
    }
}
