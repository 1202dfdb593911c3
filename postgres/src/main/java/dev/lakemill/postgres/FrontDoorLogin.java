package dev.lakemill.postgres;

import java.time.Instant;
import java.util.function.BooleanSupplier;

/**
 * A client that is let in.
 *
 * @param principal whose token it is
 * @param role of Postgres to log in as: the principal's own, or a group's that it is in
 * @param tokenId by which the token can be revoked
 * @param expires the end of the token
 * @param readOnly whether the token may only read; see {@link FrontDoor}
 * @param stands whether the client may stay: false once the token, what it was derived from, the
 *     membership or the principal is revoked; expiry does not count. Asked at the end of the login
 *     and twice a second from then on, so it is answered from memory
 */
public record FrontDoorLogin(
        String principal,
        String role,
        String tokenId,
        Instant expires,
        boolean readOnly,
        BooleanSupplier stands) {}
