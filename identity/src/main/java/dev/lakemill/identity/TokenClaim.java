package dev.lakemill.identity;

import dev.lakemill.catalog.Claim;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.util.List;
import java.util.stream.Collectors;

/** The authorization details of a narrowed token; one of them is enough. */
record TokenClaim(List<AuthorizationDetail> details) implements Claim {
    @Override
    public boolean covers(Privilege privilege, Securable on) {
        return details.stream().anyMatch(detail -> detail.allows(privilege, on));
    }

    @Override
    public boolean reaches(Securable on) {
        return details.stream().anyMatch(detail -> detail.reaches(on));
    }

    /** For people. */
    @Override
    public String toString() {
        return details.stream().map(AuthorizationDetail::text).collect(Collectors.joining("; "));
    }
}
