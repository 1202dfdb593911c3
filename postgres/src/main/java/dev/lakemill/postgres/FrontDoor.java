package dev.lakemill.postgres;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where any Postgres client connects: TLS ends here, the password is a token, and behind it
 * Postgres itself says what the role may do.
 *
 * <p>The door reads the startup packet ({@link FrontDoorParameters} says what of it goes on) and
 * the password, asks the {@link FrontDoorAuthenticator}, logs in to Postgres as the role, and from
 * then on moves bytes without looking at them. A client never has a password of Postgres, and one
 * token does not disturb another.
 *
 * <p>A read-only login goes to the role {@code ro:} + the login's role, which whoever projects
 * grants makes with SELECT alone; where there is none, the login is refused. A setting would not
 * do: a session can undo it.
 */
public final class FrontDoor implements AutoCloseable {
    private static final int LOOPS_MAX = 4;
    private static final int WAITING_SOCKETS_MAX = 512;
    private static final WriteBufferWaterMark WAITING_BYTES =
            new WriteBufferWaterMark(64 << 10, 256 << 10);

    private final FrontDoorHandshake.Door door;
    private final EventLoopGroup loops;
    private final Channel listening;
    private final AtomicInteger handshakes = new AtomicInteger();
    private final ConcurrentHashMap<InetAddress, Integer> handshakesFrom =
            new ConcurrentHashMap<>();

    private FrontDoor(FrontDoorHandshake.Door door) {
        this.door = door;
        var processors = Runtime.getRuntime().availableProcessors();
        this.loops =
                door.transport().loops(Math.clamp(processors, 1, LOOPS_MAX), door.config().spin());
        try {
            this.listening = listen();
        } catch (RuntimeException e) {
            stopLoops();
            throw e;
        }
        door.sessions().sweepOn(loops);
    }

    /**
     * Opens a door to a Postgres that is up.
     *
     * @throws LakemillException FAILED_PRECONDITION when the port is taken or the certificate
     *     cannot be used
     */
    public static FrontDoor open(
            Postgres postgres,
            FrontDoorConfig config,
            FrontDoorAuthenticator authenticator,
            FrontDoorAudit audit) {
        return open(postgres.behindDoor(), config, authenticator, audit);
    }

    static FrontDoor open(
            FrontDoorBackend backend,
            FrontDoorConfig config,
            FrontDoorAuthenticator authenticator,
            FrontDoorAudit audit) {
        return new FrontDoor(
                new FrontDoorHandshake.Door(
                        config,
                        backend,
                        authenticator,
                        audit,
                        FrontDoorTransport.best(),
                        FrontDoorTls.context(config),
                        new FrontDoorSessions(config, backend, audit),
                        new FrontDoorFailures(
                                config.limits().failuresPerMinute(), System::nanoTime)));
    }

    public int port() {
        return ((InetSocketAddress) listening.localAddress()).getPort();
    }

    /** Who is in, by any door's client, in no order. */
    public List<FrontDoorConnection> connections() {
        return door.sessions().list();
    }

    /**
     * Ends every connection that came in by a token, in the middle of whatever it does. Whoever
     * revokes makes {@link FrontDoorLogin#stands} false first, and calls this then.
     *
     * @return how many connections that were
     */
    public int revoke(String tokenId) {
        return door.sessions().endToken(tokenId);
    }

    /** As {@link #revoke}, for all tokens of a principal. */
    public int revokePrincipal(String principal) {
        return door.sessions().endPrincipal(principal);
    }

    /**
     * Ends every connection whose login does not stand any more. The door does so twice a second by
     * itself; this is for at once.
     */
    public int endRevoked() {
        return door.sessions().endRevoked();
    }

    FrontDoorHandshake.Door shared() {
        return door;
    }

    int handshakes() {
        return handshakes.get();
    }

    /** Takes nobody in any more and ends who is in. */
    @Override
    public void close() {
        listening.close().awaitUninterruptibly();
        door.sessions().close();
        stopLoops();
    }

    private void stopLoops() {
        loops.shutdownGracefully(250, 2_000, TimeUnit.MILLISECONDS).awaitUninterruptibly();
    }

    private Channel listen() {
        var config = door.config();
        var bound =
                door.transport()
                        .server()
                        .group(loops)
                        .option(ChannelOption.SO_BACKLOG, WAITING_SOCKETS_MAX)
                        .option(ChannelOption.SO_REUSEADDR, true)
                        .childOption(ChannelOption.TCP_NODELAY, true)
                        .childOption(ChannelOption.SO_KEEPALIVE, true)
                        .childOption(ChannelOption.AUTO_READ, false)
                        .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WAITING_BYTES)
                        .childHandler(
                                new ChannelInitializer<Channel>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        accept(channel);
                                    }
                                })
                        .bind(config.host(), config.port())
                        .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "cannot listen for Postgres clients on %s:%d: %s"
                            .formatted(config.host(), config.port(), bound.cause().getMessage()),
                    "end what uses the port, or set postgres.port to another",
                    bound.cause());
        }
        return bound.channel();
    }

    private void accept(Channel channel) {
        var peer = (InetSocketAddress) channel.remoteAddress();
        var limits = door.config().limits();
        var line = new FrontDoorLine(channel, System.nanoTime() + limits.handshake().toNanos());
        channel.pipeline().addLast(line);
        var all = handshakes.incrementAndGet();
        var from = handshakesFrom.merge(peer.getAddress(), 1, Integer::sum);
        if (all > limits.handshakes() || from > Math.max(1, limits.handshakes() / 4)) {
            left(peer);
            line.sendLast(FrontDoorMessages.fatal(tooManyHandshakes()));
            return;
        }
        Thread.ofVirtual()
                .name("front-door-login")
                .start(
                        () -> {
                            try {
                                new FrontDoorHandshake(door, line, peer).run();
                            } finally {
                                left(peer);
                            }
                        });
    }

    private void left(InetSocketAddress peer) {
        handshakes.decrementAndGet();
        handshakesFrom.computeIfPresent(
                peer.getAddress(), (_, count) -> count == 1 ? null : count - 1);
    }

    private static FrontDoorRefusal tooManyHandshakes() {
        return new FrontDoorRefusal(
                FrontDoorRefusal.TOO_MANY_CONNECTIONS,
                "too many connections are logging in",
                "try again; connect through a pool");
    }
}
