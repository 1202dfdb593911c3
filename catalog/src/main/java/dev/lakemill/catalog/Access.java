package dev.lakemill.catalog;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

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
    private static final int ANSWERS_MAX = 100_000;

    private record Question(UUID principal, Privilege privilege, Securable on) {}

    /** Answers of one version of the catalog; never changed to fit another. */
    private record Answers(long version, Map<Question, Decision> byQuestion) {
        Answers(long version) {
            this(version, new ConcurrentHashMap<>());
        }
    }

    private final Changes changes;
    private volatile Answers answers = new Answers(0);

    Access(Changes changes) {
        this.changes = changes;
    }

    /**
     * Whether the privilege is held and counts.
     *
     * <p>MANAGE is answered as by {@link #mayManage}. BROWSE, which is to see that the securable is
     * there, is also held by who manages it or may use it in any way. What is not there may be
     * nothing.
     */
    public Decision decide(UUID principal, Privilege privilege, Securable on) {
        var current = answers;
        if (current.version() != changes.version()) {
            current = new Answers(changes.version());
            answers = current;
        }
        var question = new Question(principal, privilege, on);
        var known = current.byQuestion().get(question);
        return known == null ? answer(current, question) : known;
    }

    /** The same for a caller, whose token may be good for less than its principal is. */
    public Decision decide(Caller caller, Privilege privilege, Securable on) {
        return isClaimed(caller, privilege, on)
                ? decide(caller.principal().id(), privilege, on)
                : new Decision.Denied(privilege, on, List.of());
    }

    private static boolean isClaimed(Caller caller, Privilege privilege, Securable on) {
        return privilege == Privilege.BROWSE
                ? caller.claim().reaches(on)
                : caller.claim().covers(privilege, on);
    }

    private Decision answer(Answers current, Question question) {
        return changes.read(
                model -> {
                    var decision =
                            Rules.decide(
                                    model,
                                    question.principal(),
                                    question.privilege(),
                                    question.on());
                    if (current.version() == changes.version()) {
                        if (current.byQuestion().size() >= ANSWERS_MAX) {
                            current.byQuestion().clear();
                        }
                        current.byQuestion().put(question, decision);
                    }
                    return decision;
                });
    }

    /** The same by the rules themselves, past the cache: what a cached answer is compared with. */
    public Decision decideUncached(UUID principal, Privilege privilege, Securable on) {
        return changes.read(model -> Rules.decide(model, principal, privilege, on));
    }

    /**
     * Decides and audits a refusal.
     *
     * @throws LakemillException PERMISSION_DENIED naming the privilege, the securable and who can
     *     grant it, or what the caller's token is for; NOT_FOUND when there is no such securable
     *     and the caller may know that
     */
    public void require(Caller caller, Privilege privilege, Securable on) {
        requireClaim(caller, privilege, on);
        if (decide(caller.principal().id(), privilege, on) instanceof Decision.Denied denied) {
            throw refused(caller, privilege, on, denied);
        }
    }

    /** PERMISSION_DENIED, audited, when the caller's token is not for that. */
    public void requireClaim(Caller caller, Privilege privilege, Securable on) {
        if (!isClaimed(caller, privilege, on)) {
            throw audited(caller, privilege, on, Refusals.unclaimed(caller, privilege, on));
        }
    }

    private LakemillException refused(
            Caller caller, Privilege privilege, Securable on, Decision.Denied denied) {
        var id = caller.principal().id();
        var refusal =
                changes.read(
                        model -> {
                            if (!model.isActive(id)) {
                                return Refusals.inactive(caller.principal());
                            }
                            return model.securable(on).isEmpty() && denied.on().equals(on)
                                    ? Refusals.missing(on)
                                    : Refusals.denied(caller.principal(), denied);
                        });
        return audited(caller, privilege, on, refusal);
    }

    /** The refusal, of which the audit was told. */
    LakemillException audited(
            Caller caller, Privilege privilege, Securable on, LakemillException refusal) {
        changes.audit()
                .record(
                        new AuditEvent(
                                caller,
                                "unityCatalog",
                                "checkPermissions",
                                Map.of(
                                        "privilege", privilege.sql(),
                                        "securable_type", on.type().name(),
                                        "securable_full_name", on.name()),
                                refusal.code() == ErrorCode.NOT_FOUND ? 404 : 403,
                                refusal.problem()));
        return refusal;
    }

    /**
     * Whether it may administer the securable: grant on it, set its policies, transfer or drop it.
     * So may its owner, the owners of its parents, holders of MANAGE on it or a parent, and admins.
     */
    public boolean mayManage(UUID principal, Securable on) {
        return decide(principal, Privilege.MANAGE, on) instanceof Decision.Allowed;
    }

    /** The same for a caller. */
    public boolean mayManage(Caller caller, Securable on) {
        return decide(caller, Privilege.MANAGE, on) instanceof Decision.Allowed;
    }

    /** Rises with every change of principals, memberships, grants, owners, policies or tables. */
    public long version() {
        return changes.version();
    }

    /** Calls the listener after changes, on a thread of its own, several at once; until closed. */
    public AutoCloseable onChange(Runnable listener) {
        return changes.listen(listener);
    }
}
