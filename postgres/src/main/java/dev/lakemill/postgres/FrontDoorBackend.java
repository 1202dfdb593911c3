package dev.lakemill.postgres;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Collection;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The Postgres behind the door.
 *
 * <p>An embedded one is reached over its Unix socket, where {@code peer} takes this process for any
 * role and no password exists. By URL, or where the socket's path would be too long, it is SCRAM,
 * by a password of the door's own for each role.
 *
 * @param socket of an embedded Postgres; null where it is reached by TCP
 * @param owner the owner's connections, for what a role may not do itself
 * @param protocolMinor the newest 3.x that it speaks
 */
record FrontDoorBackend(
        @Nullable Path socket,
        String host,
        int port,
        FrontDoorBackendTls tls,
        FrontDoorPasswords passwords,
        DataSource owner,
        String database,
        int protocolMinor) {
    /** Of a read-only companion of a role. */
    static final String READ_ONLY_PREFIX = "ro:";

    private static final int ROLE_BYTES_MAX = 63;
    private static final int CONNECT_MILLIS_MAX = 5_000;
    private static final WriteBufferWaterMark WAITING_BYTES =
            new WriteBufferWaterMark(64 << 10, 256 << 10);

    private static final String ROLE =
            """
            SELECT rolcanlogin, rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls
            FROM pg_roles WHERE rolname = ?
            """;

    private static final String TERMINATE =
            """
            SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
            JOIN unnest(?::int[], ?::text[]) AS s (pid, role) ON a.pid = s.pid AND a.usename = s.role
            """;

    /** Opens a socket to it on an event loop, and TLS where it is reached over a network. */
    FrontDoorLine connect(FrontDoorTransport transport, EventLoop loop, long deadlineNanos)
            throws IOException, FrontDoorRefusal {
        var local = socket;
        var line =
                local == null
                        ? open(
                                transport.tcp(loop).option(ChannelOption.TCP_NODELAY, true),
                                new InetSocketAddress(host, port),
                                deadlineNanos)
                        : open(transport.unix(loop), transport.unixAddress(local), deadlineNanos);
        if (local == null) {
            tls.start(line, host, port);
        }
        return line;
    }

    private static FrontDoorLine open(Bootstrap bootstrap, SocketAddress to, long deadlineNanos)
            throws FrontDoorRefusal {
        var opened =
                bootstrap
                        .option(ChannelOption.AUTO_READ, false)
                        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS_MAX)
                        .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WAITING_BYTES)
                        .handler(
                                new ChannelInitializer<Channel>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        channel.pipeline()
                                                .addLast(new FrontDoorLine(channel, deadlineNanos));
                                    }
                                })
                        .connect(to)
                        .awaitUninterruptibly();
        if (!opened.isSuccess()) {
            throw unavailable();
        }
        return opened.channel().pipeline().get(FrontDoorLine.class);
    }

    static FrontDoorRefusal unavailable() {
        return new FrontDoorRefusal(
                FrontDoorRefusal.CANNOT_CONNECT_NOW,
                "Postgres does not answer now",
                "it may be starting; try again");
    }

    /**
     * The role that a login gets: never one of Postgres's own or ours, never one with rights over
     * others, whatever the login says.
     */
    String roleOf(FrontDoorLogin login) throws FrontDoorRefusal {
        var role = login.readOnly() ? READ_ONLY_PREFIX + login.role() : login.role();
        if (role.equals(Roles.OWNER)
                || role.startsWith("pg_")
                || login.role().startsWith(READ_ONLY_PREFIX)) {
            throw denied("role \"%s\" is not for logging in".formatted(role));
        }
        if (role.getBytes(StandardCharsets.UTF_8).length > ROLE_BYTES_MAX) {
            throw denied(
                    "the role's name \"%s\" has more than %d bytes"
                            .formatted(role, ROLE_BYTES_MAX));
        }
        try (var connection = owner.getConnection();
                var statement = connection.prepareStatement(ROLE)) {
            statement.setString(1, role);
            try (var rows = statement.executeQuery()) {
                if (!rows.next() || !rows.getBoolean(1)) {
                    throw missing(login, role);
                }
                if (rows.getBoolean(2)) {
                    throw denied("role \"%s\" has rights over others".formatted(role));
                }
            }
        } catch (SQLException _) {
            throw unavailable();
        }
        return role;
    }

    private static FrontDoorRefusal missing(FrontDoorLogin login, String role) {
        return login.readOnly()
                ? new FrontDoorRefusal(
                        FrontDoorRefusal.NOT_SUPPORTED,
                        "%s cannot log in read-only: there is no role \"%s\""
                                .formatted(login.principal(), role),
                        "use a credential without claims")
                : new FrontDoorRefusal(
                        FrontDoorRefusal.NOT_AUTHORIZED,
                        "%s may not log in to Postgres yet: there is no role \"%s\""
                                .formatted(login.principal(), role),
                        "ask for a grant on a table there, or wait a second and try again");
    }

    private static FrontDoorRefusal denied(String problem) {
        return new FrontDoorRefusal(
                FrontDoorRefusal.DENIED, problem, "log in as a principal of your own");
    }

    /** Makes the door's password valid for a role. */
    void setPassword(String role) throws FrontDoorRefusal {
        try (var connection = owner.getConnection()) {
            Roles.setPassword(connection, role, passwords.of(role));
        } catch (SQLException _) {
            throw unavailable();
        }
    }

    /** Ends sessions in the middle of whatever they do, which closing their socket does not. */
    void terminate(Collection<FrontDoorConnection> sessions) throws SQLException {
        var pids = sessions.stream().map(FrontDoorConnection::backendPid).toArray();
        var roles = sessions.stream().map(FrontDoorConnection::role).toArray();
        try (var connection = owner.getConnection();
                var statement = connection.prepareStatement(TERMINATE)) {
            statement.setArray(1, connection.createArrayOf("int", pids));
            statement.setArray(2, connection.createArrayOf("text", roles));
            statement.execute();
        }
    }

    /** Passes a cancel request on, and returns when Postgres has taken it. */
    void cancel(FrontDoorLine line, int pid, byte[] key) throws IOException, FrontDoorRefusal {
        line.send(FrontDoorMessages.cancel(pid, key));
        line.awaitClose();
        line.close();
    }

    /** A message of Postgres, whole. */
    record Message(char type, byte[] body) {
        private static final int BODY_BYTES_MAX = 64 << 10;

        static Message read(FrontDoorLine line) throws IOException, FrontDoorRefusal {
            var type = (char) line.read(1)[0];
            var length = line.readInt() - 4;
            if (length < 0 || length > BODY_BYTES_MAX) {
                throw new IOException("a message of %d bytes from Postgres".formatted(length));
            }
            return new Message(type, line.read(length));
        }

        void copyTo(ByteBuf out) {
            out.writeByte(type).writeInt(4 + body.length).writeBytes(body);
        }

        /** The SQLSTATE of an error; empty for none. */
        String sqlState() {
            int from = 0;
            while (from < body.length && body[from] != 0) {
                int to = from;
                while (to < body.length && body[to] != 0) {
                    to++;
                }
                if (body[from] == 'C') {
                    return new String(
                            Arrays.copyOfRange(body, from + 1, to), StandardCharsets.US_ASCII);
                }
                from = to + 1;
            }
            return "";
        }
    }
}
