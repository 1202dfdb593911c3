package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.postgres.FrontDoorAuthenticator;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Tokens as passwords of Postgres: made for a caller, and checked at the front door. */
interface DatabaseTokens extends FrontDoorAuthenticator {
    /**
     * A credential that is asked for.
     *
     * @param group to log in as; the caller is a member
     * @param session with which it dies; empty for none
     */
    record Request(Duration timeToLive, boolean readOnly, Optional<String> group, String session) {
        Request(Duration timeToLive, boolean readOnly, Optional<String> group) {
            this(timeToLive, readOnly, group, "");
        }
    }

    /** A password, and its end. */
    record Credential(String token, Instant expires) {}

    /**
     * @throws dev.lakemill.types.LakemillException PERMISSION_DENIED when the caller is not in the
     *     group
     */
    Credential issue(Caller caller, Request request);
}
