package dev.lakemill.catalog;

import dev.lakemill.types.Principal;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * On whose account something is done, and through what: what every audit record says.
 *
 * @param principal whose privileges count
 * @param onBehalfOf for whom the principal acts, such as the user of an app or agent
 * @param door through what: {@code rest}, {@code grpc}, {@code postgres}, {@code pipeline}, {@code
 *     cli}, {@code agent} or {@code system}
 * @param address the peer's address; empty when it is this process
 * @param requestId of the request, statement, stream or batch
 * @param claim what alone the caller's token is good for
 */
public record Caller(
        Principal principal,
        @Nullable Principal onBehalfOf,
        String door,
        String address,
        String requestId,
        Claim claim) {
    public Caller {
        Objects.requireNonNull(principal, "principal is null");
    }

    /** With all that the principal may do. */
    public Caller(
            Principal principal,
            @Nullable Principal onBehalfOf,
            String door,
            String address,
            String requestId) {
        this(principal, onBehalfOf, door, address, requestId, Claim.ALL);
    }

    /** The same, as far as a token goes. */
    public Caller within(Claim narrower) {
        return new Caller(principal, onBehalfOf, door, address, requestId, narrower);
    }
}
