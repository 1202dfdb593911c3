package dev.lakemill.postgres;

import java.net.InetSocketAddress;
import java.time.Instant;

/**
 * A client that is in, and where it came from; Postgres itself sees only our own socket.
 *
 * @param role that it is logged in as
 * @param application the name that the client gave at its start; may be empty
 * @param backendPid of its own process of Postgres
 */
public record FrontDoorConnection(
        FrontDoorLogin login,
        String role,
        String database,
        String application,
        InetSocketAddress peer,
        boolean encrypted,
        int backendPid,
        Instant since) {}
