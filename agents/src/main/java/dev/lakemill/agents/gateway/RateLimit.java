package dev.lakemill.agents.gateway;

import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Optional;

/**
 * How much may be asked in a while, in the words of Databricks' {@code rate_limits}.
 *
 * @param principal whom it is for; empty for everyone of the kind, each for itself
 * @param calls at most; {@link #ANY} for any number, as of the others
 * @param costMicros at most, in millionths of a dollar
 */
record RateLimit(
        Key key, String principal, Period period, long calls, long tokens, long costMicros) {
    static final long ANY = Long.MAX_VALUE;

    /** Who shares it. */
    enum Key {
        ENDPOINT,
        USER,
        SERVICE_PRINCIPAL,
        USER_GROUP
    }

    /** After which it begins anew: full minutes and days of UTC. */
    enum Period {
        MINUTE(ChronoUnit.MINUTES),
        DAY(ChronoUnit.DAYS);

        private final ChronoUnit unit;

        Period(ChronoUnit unit) {
            this.unit = unit;
        }

        Instant start(Instant now) {
            return now.truncatedTo(unit);
        }

        Instant end(Instant start) {
            return start.plus(1, unit);
        }
    }

    /** Under which name the caller's calls are counted; empty when the limit is not for it. */
    Optional<String> countedAs(Principal caller, Collection<Principal> groups) {
        return switch (key) {
            case ENDPOINT -> Optional.of("endpoint");
            case USER -> own(caller, PrincipalKind.USER);
            case SERVICE_PRINCIPAL -> own(caller, PrincipalKind.SERVICE_PRINCIPAL);
            case USER_GROUP ->
                    groups.stream()
                            .filter(group -> group.name().equalsIgnoreCase(principal))
                            .map(group -> "group:" + group.id())
                            .findFirst();
        };
    }

    /** As in Databricks, a limit for each user holds for service principals as well. */
    private Optional<String> own(Principal caller, PrincipalKind kind) {
        var meant =
                principal.isEmpty()
                        ? kind == PrincipalKind.USER || caller.kind() == kind
                        : caller.name().equalsIgnoreCase(principal);
        return meant ? Optional.of("principal:" + caller.id()) : Optional.empty();
    }
}
