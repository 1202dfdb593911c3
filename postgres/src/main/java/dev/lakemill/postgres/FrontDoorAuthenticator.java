package dev.lakemill.postgres;

import java.net.InetSocketAddress;

/** Says who comes in at the front door. */
@FunctionalInterface
public interface FrontDoorAuthenticator {
    /**
     * Checks what a client sent, on a thread that may block.
     *
     * @param user the name that the client gave: a principal's, or a group's that it is in
     * @throws dev.lakemill.types.LakemillException UNAUTHENTICATED, of which the client hears no
     *     reason; PERMISSION_DENIED, with its reason, for a good password that is not for this
     *     door; RESOURCE_EXHAUSTED or UNAVAILABLE to be tried again
     */
    FrontDoorLogin login(String user, String password, InetSocketAddress peer);
}
