package dev.lakemill.server;

import dev.lakemill.postgres.FrontDoorAuthenticator;
import dev.lakemill.postgres.FrontDoorLogin;
import dev.lakemill.postgres.Postgres;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;

/**
 * Who comes in at the front door: principals by their tokens, and lakemill_reader by the password
 * that the run file shows to this machine's user.
 */
record DoorLogins(Postgres postgres, FrontDoorAuthenticator tokens)
        implements FrontDoorAuthenticator {
    @Override
    public FrontDoorLogin login(String user, String password, InetSocketAddress peer) {
        return user.equals(Postgres.READER_ROLE) && isReaders(password)
                ? new FrontDoorLogin(user, user, "reader", Instant.MAX, false, () -> true)
                : tokens.login(user, password, peer);
    }

    private boolean isReaders(String password) {
        return MessageDigest.isEqual(
                password.getBytes(StandardCharsets.UTF_8),
                postgres.readerPassword().getBytes(StandardCharsets.UTF_8));
    }
}
