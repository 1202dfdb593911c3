package dev.lakemill.postgres;

import java.time.Instant;

/**
 * A client that is let in.
 *
 * @param principal whose token it is
 * @param role of Postgres to log in as: the principal's own, or a group's that it is in
 * @param tokenId by which the token can be revoked
 * @param expires the end of the token
 * @param readOnly whether the token may only read; see {@link FrontDoor}
 */
public record FrontDoorLogin(
        String principal, String role, String tokenId, Instant expires, boolean readOnly) {}
