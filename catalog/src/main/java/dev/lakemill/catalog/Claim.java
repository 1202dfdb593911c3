package dev.lakemill.catalog;

import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;

/**
 * What alone the token of a caller is good for. It only narrows: what the principal may do is
 * {@link Access}'s to say.
 */
public interface Claim {
    /** Of a token that is good for all that its principal may do. */
    Claim ALL =
            new Claim() {
                @Override
                public boolean covers(Privilege privilege, Securable on) {
                    return true;
                }

                @Override
                public boolean reaches(Securable on) {
                    return true;
                }

                @Override
                public boolean isNarrow() {
                    return false;
                }

                @Override
                public String toString() {
                    return "everything";
                }
            };

    boolean covers(Privilege privilege, Securable on);

    /** Whether it is about the securable, something in it, or what contains it: it may be seen. */
    boolean reaches(Securable on);

    default boolean isNarrow() {
        return true;
    }
}
