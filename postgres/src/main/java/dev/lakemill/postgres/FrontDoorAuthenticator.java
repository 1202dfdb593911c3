package dev.lakemill.postgres;

import java.net.InetSocketAddress;

/** Says who comes in at the front door, and who may stay. */
public interface FrontDoorAuthenticator {
    /**
     * Checks what a client sent, on a thread that may block.
     *
     * @param user the name that the client gave: a principal's, or a group's that it is in
     * @throws dev.lakemill.types.LakemillException UNAUTHENTICATED or PERMISSION_DENIED, which the
     *     client cannot tell from each other; RESOURCE_EXHAUSTED or UNAVAILABLE to be tried again
     */
    FrontDoorLogin login(String user, String password, InetSocketAddress peer);

    /**
     * Whether somebody who is in may stay: false once the token, what it was derived from, or the
     * principal is revoked; expiry does not count. Asked at the end of each login and twice a
     * second for each connection, so it is answered from memory.
     */
    boolean stands(FrontDoorLogin login);
}
