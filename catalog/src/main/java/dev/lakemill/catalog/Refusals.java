package dev.lakemill.catalog;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;

/** What is said to those who may not, and what would mend it. */
final class Refusals {
    private Refusals() {}

    static LakemillException denied(Principal principal, Decision.Denied denied) {
        var owner = denied.grantors().isEmpty() ? Principals.ADMINS : denied.grantors().getFirst();
        var asked =
                owner.equals(Principals.ADMINS)
                        ? "a metastore admin"
                        : "%s (its owner) or a metastore admin".formatted(owner);
        var missing = denied.missing().sql();
        var named = Model.named(denied.on());
        return new LakemillException(
                ErrorCode.PERMISSION_DENIED,
                "`%s` lacks %s on %s".formatted(principal.name(), missing, named),
                "ask %s to run: GRANT %s ON %s TO `%s`"
                        .formatted(asked, missing, named, principal.name()));
    }

    static LakemillException unclaimed(Caller caller, Privilege privilege, Securable on) {
        return new LakemillException(
                ErrorCode.PERMISSION_DENIED,
                "the token of `%s` is for %s, not for %s on %s"
                        .formatted(
                                caller.principal().name(),
                                caller.claim(),
                                privilege.sql(),
                                Model.named(on)),
                "get a token without authorization_details, or with some that name it");
    }

    /** Whoever asks may know it: the parents are open to them. */
    static LakemillException missing(Securable on) {
        return new LakemillException(
                ErrorCode.NOT_FOUND,
                "there is no " + Model.named(on),
                "see that its name is right, and that it was not dropped");
    }

    static LakemillException inactive(Principal principal) {
        return new LakemillException(
                ErrorCode.PERMISSION_DENIED,
                "`%s` is not an active principal".formatted(principal.name()),
                "a metastore admin can make it active");
    }

    static LakemillException notAdmin(Principal principal, String what) {
        return new LakemillException(
                ErrorCode.PERMISSION_DENIED,
                "`%s` may not %s: that takes a metastore admin".formatted(principal.name(), what),
                "ask a member of the group `%s`".formatted(Principals.ADMINS));
    }

    /** Who gets a view lends it what they may read, without being asked. */
    static LakemillException notOneself(Principal principal, Securable view, Principal owner) {
        return new LakemillException(
                ErrorCode.PERMISSION_DENIED,
                "`%s` may not give the view %s to `%s`: it would read with the rights of that"
                        .formatted(principal.name(), view.name(), owner.name()),
                "give it to yourself or a group that you are in, or ask a metastore admin");
    }

    static LakemillException invalid(String problem, String hint) {
        return new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint);
    }

    static LakemillException precondition(String problem, String hint) {
        return new LakemillException(ErrorCode.FAILED_PRECONDITION, problem, hint);
    }

    static LakemillException exhausted(String problem, String hint) {
        return new LakemillException(ErrorCode.RESOURCE_EXHAUSTED, problem, hint);
    }

    static LakemillException taken(Securable securable) {
        return new LakemillException(
                ErrorCode.ALREADY_EXISTS,
                "%s exists already".formatted(Model.named(securable)),
                "take another name, or drop that first");
    }

    /** INVALID_ARGUMENT for a privilege that the kind of securable does not know. */
    static LakemillException unknown(Privilege privilege, Securable on) {
        return invalid(
                "%s is not granted on a %s"
                        .formatted(privilege.sql(), on.type().name().replace('_', ' ')),
                "there are: "
                        + String.join(
                                ", ",
                                Privileges.grantable(on.type()).stream()
                                        .map(Privilege::sql)
                                        .toList()));
    }
}
