package dev.lakemill.catalog;

import dev.lakemill.plan.TokenReader;
import dev.lakemill.types.PrincipalKind;
import java.util.ArrayList;
import java.util.Optional;

/** Reads what names principals. */
final class PrincipalParser {
    private static final String FORM =
            "write ALTER GROUP group ADD or DROP USER, SERVICE PRINCIPAL or GROUP member, …";

    private final TokenReader in;
    private final SecurableReader names;

    PrincipalParser(TokenReader in, SecurableReader names) {
        this.in = in;
        this.names = names;
    }

    /** The kind that stands there; empty, and nothing is read, when none does. */
    static Optional<PrincipalKind> kind(TokenReader in) {
        if (in.accept("USER")) {
            return Optional.of(PrincipalKind.USER);
        }
        if (in.accept("SERVICE", "PRINCIPAL")) {
            return Optional.of(PrincipalKind.SERVICE_PRINCIPAL);
        }
        return in.accept("GROUP") ? Optional.of(PrincipalKind.GROUP) : Optional.empty();
    }

    /** What stands behind ALTER GROUP. */
    GovernanceStatement members() {
        var group = names.principal();
        var isAdded = in.accept("ADD");
        if (!isAdded) {
            in.expect(FORM, "DROP");
        }
        var members = new ArrayList<String>();
        do {
            if (kind(in).isEmpty()) {
                throw in.unexpected("USER, SERVICE PRINCIPAL or GROUP", FORM);
            }
            members.add(names.principal());
        } while (in.accept(','));
        return new GovernanceStatement.ChangeMembers(group, isAdded, members);
    }
}
