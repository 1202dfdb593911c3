package dev.lakemill.postgres;

import dev.lakemill.types.LakemillException;
import io.netty.buffer.ByteBuf;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One client from its first byte to being in: blocking code on a virtual thread of its own. */
final class FrontDoorHandshake {
    private static final Logger log = LoggerFactory.getLogger(FrontDoorHandshake.class);
    private static final int TLS_RECORD = 0x16;

    /** What all handshakes of a door share. */
    record Door(
            FrontDoorConfig config,
            FrontDoorBackend backend,
            FrontDoorAuthenticator authenticator,
            FrontDoorAudit audit,
            FrontDoorTransport transport,
            SslContext tls,
            FrontDoorSessions sessions,
            FrontDoorFailures failures) {}

    private final Door door;
    private final FrontDoorLine client;
    private final InetSocketAddress peer;
    private final long beganNanos = System.nanoTime();
    private boolean encrypted;
    private String user = "";

    FrontDoorHandshake(Door door, FrontDoorLine client, InetSocketAddress peer) {
        this.door = door;
        this.client = client;
        this.peer = peer;
    }

    /** Returns when the client is in, or gone. */
    void run() {
        try {
            open();
        } catch (FrontDoorRefusal e) {
            client.sendLast(FrontDoorMessages.fatal(e));
            tellRefused(e.problem());
        } catch (IOException e) {
            log.debug("a login from {} ended: {}", peer, e.toString());
            client.close();
        } catch (RuntimeException e) {
            log.error("a login from {} failed", peer, e);
            client.sendLast(FrontDoorMessages.fatal(FrontDoorBackend.unavailable()));
        }
    }

    private void tellRefused(String problem) {
        try {
            door.audit().refused(peer, user, problem);
        } catch (RuntimeException e) {
            log.error("the refusal of {} from {} leaves no record", user, peer, e);
        }
    }

    private void open() throws IOException, FrontDoorRefusal {
        if (client.peek() == TLS_RECORD) {
            startTls();
            requirePostgresByAlpn();
        }
        boolean gssRefused = false;
        while (true) {
            switch (FrontDoorStartup.read(client, door.config().limits().startupBytes())) {
                case FrontDoorStartup.TlsRequest _ -> {
                    refuseAgain(encrypted);
                    client.send(FrontDoorMessages.one('S'));
                    startTls();
                }
                case FrontDoorStartup.GssRequest _ -> {
                    refuseAgain(gssRefused);
                    gssRefused = true;
                    client.send(FrontDoorMessages.one('N'));
                }
                case FrontDoorStartup.Cancel cancel -> {
                    cancel(cancel);
                    return;
                }
                case FrontDoorStartup.Start start -> {
                    start(start);
                    return;
                }
            }
        }
    }

    private static void refuseAgain(boolean again) throws FrontDoorRefusal {
        if (again) {
            throw FrontDoorStartup.violation("encryption was asked for twice");
        }
    }

    private void startTls() throws IOException {
        client.startTls(door.tls().newHandler(client.channel().alloc()));
        encrypted = true;
    }

    /** Without it, another protocol's client could be made to speak to this port. */
    private void requirePostgresByAlpn() throws IOException {
        var tls = client.channel().pipeline().get(SslHandler.class);
        if (tls == null || !FrontDoorTls.ALPN.equals(tls.applicationProtocol())) {
            throw new IOException("TLS from the first byte, without ALPN for postgresql");
        }
    }

    private void cancel(FrontDoorStartup.Cancel cancel) throws IOException, FrontDoorRefusal {
        door.failures().check(peer, "cancel");
        var session = door.sessions().cancellable(cancel.pid(), cancel.key());
        if (session == null) {
            door.failures().failed(peer, "cancel");
        } else {
            var backend = connect();
            door.backend().cancel(backend, cancel.pid(), session.cancelKey());
        }
        client.close();
    }

    private void start(FrontDoorStartup.Start start) throws IOException, FrontDoorRefusal {
        user = start.parameters().getOrDefault("user", "");
        if (!encrypted && !peer.getAddress().isLoopbackAddress()) {
            throw new FrontDoorRefusal(
                    FrontDoorRefusal.NOT_AUTHORIZED,
                    "passwords are taken over TLS alone",
                    "connect with sslmode=require, or better with verify-full");
        }
        var parameters = FrontDoorParameters.of(start, door.backend().database());
        var minor = Math.min(start.minor(), door.backend().protocolMinor());
        if (minor < start.minor() || !parameters.protocolOptions().isEmpty()) {
            client.send(FrontDoorMessages.negotiate(minor, parameters.protocolOptions()));
        }
        door.failures().check(peer, user);
        client.send(FrontDoorMessages.askPassword());
        var login = authenticate(password());
        var role = door.backend().roleOf(login);
        door.sessions().takeSeat(login.principal());
        boolean in = false;
        try {
            in = enter(login, role, minor, parameters);
        } finally {
            if (!in) {
                door.sessions().leaveSeat(login.principal());
            }
        }
    }

    private String password() throws IOException, FrontDoorRefusal {
        var type = client.read(1)[0];
        var length = client.readInt() - 4;
        var max = door.config().limits().passwordBytes() + 1;
        if (type != 'p' || length < 1 || length > max) {
            throw FrontDoorStartup.violation(
                    "a password message of 1 to %d bytes was to come".formatted(max));
        }
        var bytes = client.read(length);
        if (bytes[length - 1] != 0) {
            throw FrontDoorStartup.violation("the password does not end with a zero byte");
        }
        return FrontDoorStartup.utf8(ByteBuffer.wrap(bytes, 0, length - 1));
    }

    private FrontDoorLogin authenticate(String password) throws FrontDoorRefusal {
        try {
            return door.authenticator().login(user, password, peer);
        } catch (LakemillException e) {
            throw switch (e.code()) {
                case RESOURCE_EXHAUSTED ->
                        new FrontDoorRefusal(FrontDoorRefusal.LIMIT_REACHED, e.problem(), e.hint());
                case UNAVAILABLE, INTERNAL, DATA_LOSS, FAILED_PRECONDITION, UNIMPLEMENTED ->
                        new FrontDoorRefusal(
                                FrontDoorRefusal.CANNOT_CONNECT_NOW,
                                "logins cannot be checked now",
                                "try again; the server's log says more");
                case PERMISSION_DENIED ->
                        new FrontDoorRefusal(
                                FrontDoorRefusal.NOT_AUTHORIZED, e.problem(), e.hint());
                case UNAUTHENTICATED, NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT ->
                        wrongPassword();
            };
        }
    }

    /** The same for an unknown user, a wrong, an old and another's token. */
    private FrontDoorRefusal wrongPassword() {
        door.failures().failed(peer, user);
        return new FrontDoorRefusal(
                FrontDoorRefusal.WRONG_PASSWORD,
                "password authentication failed for user \"%s\"".formatted(user),
                "the user is a principal's name and the password a token of it that has not"
                        + " expired: make one with './lakemill token'");
    }

    private boolean enter(
            FrontDoorLogin login, String role, int minor, FrontDoorParameters parameters)
            throws IOException, FrontDoorRefusal {
        var database = door.backend().database();
        var startup =
                FrontDoorMessages.startup(
                        minor, parameters.toBackend(role, database, login.readOnly()));
        var backend = connect();
        try {
            var outcome = logIn(backend, startup.retainedDuplicate(), role);
            if (outcome instanceof FrontDoorBackendLogin.Outcome.Refused refused
                    && refused.sqlState().equals(FrontDoorRefusal.WRONG_PASSWORD)
                    && door.backend().socket() == null) {
                backend.close();
                door.backend().setPassword(role);
                backend = connect();
                outcome = logIn(backend, startup.retainedDuplicate(), role);
            }
            return switch (outcome) {
                case FrontDoorBackendLogin.Outcome.Refused refused -> {
                    backend.close();
                    client.sendLast(refused.error());
                    tellRefused("Postgres: SQLSTATE " + refused.sqlState());
                    yield false;
                }
                case FrontDoorBackendLogin.Outcome.In in -> {
                    splice(facts(login, role, parameters, in.pid()), backend, in);
                    yield true;
                }
            };
        } catch (IOException | FrontDoorRefusal | RuntimeException e) {
            backend.close();
            throw e;
        }
    }

    private FrontDoorConnection facts(
            FrontDoorLogin login, String role, FrontDoorParameters parameters, int pid) {
        return new FrontDoorConnection(
                login,
                role,
                door.backend().database(),
                parameters.application(),
                peer,
                encrypted,
                pid,
                Instant.now());
    }

    private void splice(
            FrontDoorConnection facts, FrontDoorLine backend, FrontDoorBackendLogin.Outcome.In in)
            throws FrontDoorRefusal {
        var session =
                new FrontDoorSession(facts, client.channel(), backend.channel(), in.cancelKey());
        door.sessions().add(session);
        client.send(in.welcome());
        session.start(client, backend, () -> door.sessions().remove(session));
    }

    private FrontDoorBackendLogin.Outcome logIn(FrontDoorLine backend, ByteBuf startup, String role)
            throws IOException, FrontDoorRefusal {
        try {
            return FrontDoorBackendLogin.run(backend, startup, door.backend().passwords().of(role));
        } catch (IOException e) {
            log.warn("Postgres did not let {} in: {}", role, e.toString());
            throw FrontDoorBackend.unavailable();
        }
    }

    private FrontDoorLine connect() throws IOException, FrontDoorRefusal {
        var deadline = beganNanos + door.config().limits().handshake().toNanos();
        return door.backend().connect(door.transport(), client.channel().eventLoop(), deadline);
    }
}
