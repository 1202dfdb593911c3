package dev.lakemill.catalog;

import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.util.List;

/** Whether a principal may do something. */
public sealed interface Decision {
    /** It may. */
    record Allowed() implements Decision {}

    /**
     * It may not.
     *
     * @param missing the first privilege that lacks, for example USE_SCHEMA
     * @param on the securable that it lacks on
     * @param grantors names of those who can grant it: owner, owners of the parents, admins
     */
    record Denied(Privilege missing, Securable on, List<String> grantors) implements Decision {
        public Denied {
            grantors = List.copyOf(grantors);
        }
    }
}
