package dev.lakemill.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalLong;
import java.util.function.LongConsumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.jdbc.PreferQueryMode;

/**
 * A running Postgres, embedded or by URL.
 *
 * <p>An embedded one is started, watched, started again when it dies, and stopped with us; its
 * folder belongs to one process. Connections break when it restarts; the pools replace them.
 */
public final class Postgres implements AutoCloseable {
    /** The role that reads synced tables, for grants. */
    public static final String READER_ROLE = Roles.READER;

    /** The role that owns governed tables; the owner's user is in it. */
    public static final String OBJECTS_ROLE = Roles.OBJECTS;

    private static final int OWNER_CONNECTIONS_MAX = 6;
    private static final int READER_CONNECTIONS_MAX = 8;
    private static final long CONNECTION_WAIT_MILLIS_MAX = 10_000;
    private static final String WRONG_PASSWORD = "28P01";
    private static final String NO_DATABASE = "3D000";

    private final @Nullable Postmaster postmaster;
    private final PGSimpleDataSource ownerUnpooled;
    private final PGSimpleDataSource readerUnpooled;
    private final HikariDataSource owner;
    private final HikariDataSource reader;
    private final ClusterFiles files;
    private final Deque<AutoCloseable> parts;

    private Postgres(
            @Nullable Postmaster postmaster,
            ClusterFiles files,
            PGSimpleDataSource owner,
            PGSimpleDataSource reader,
            Deque<AutoCloseable> parts) {
        this.postmaster = postmaster;
        this.files = files;
        this.ownerUnpooled = owner;
        this.readerUnpooled = reader;
        this.owner = pool("owner", owner, OWNER_CONNECTIONS_MAX, parts);
        this.reader = pool("reader", reader, READER_CONNECTIONS_MAX, parts);
        this.parts = parts;
    }

    /**
     * Starts (or connects to) Postgres and makes the database {@code lakemill} and the roles: the
     * owner and syncer, used by this process alone, and {@code lakemill_reader}, which may read
     * synced tables and nothing else.
     *
     * <p>By URL, the database that it names is used as it is.
     *
     * @throws LakemillException FAILED_PRECONDITION when the folder has another owner or cannot be
     *     written, the port is taken, or the version is too old; PERMISSION_DENIED when the URL's
     *     user has too few rights; UNAVAILABLE when it does not start or answer
     */
    public static Postgres start(PostgresConfig config) {
        var parts = new ArrayDeque<AutoCloseable>();
        try {
            var files = Cluster.makeFolder(config.dataFolder());
            return config.url() == null
                    ? embedded(config, files, parts)
                    : external(config.url(), files, parts);
        } catch (IOException e) {
            closeAll(parts);
            throw unavailable("Postgres does not start: " + e, e);
        } catch (SQLException e) {
            closeAll(parts);
            throw unavailable("Postgres does not answer: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            closeAll(parts);
            throw e;
        }
    }

    private static Postgres embedded(
            PostgresConfig config, ClusterFiles files, Deque<AutoCloseable> parts)
            throws IOException, SQLException {
        parts.push(FolderLock.acquire(files.folder()));
        var cluster = Cluster.prepare(config, files);
        var postmaster = Postmaster.start(cluster);
        parts.push(postmaster);
        var owner = new PGSimpleDataSource();
        owner.setServerNames(new String[] {"127.0.0.1"});
        owner.setPortNumbers(new int[] {cluster.port()});
        owner.setDatabaseName("lakemill");
        owner.setUser(Roles.OWNER);
        owner.setPassword(cluster.ownerPassword());
        tune(owner, "lakemill");
        createDatabase(owner);
        var readersMax = config.maxConnections() - PostgresConfig.OWN_CONNECTIONS;
        try (var connection = owner.getConnection()) {
            Roles.ensure(connection, true, readersMax);
        }
        return new Postgres(postmaster, files, owner, readerOf(owner, files), parts);
    }

    private static Postgres external(String url, ClusterFiles files, Deque<AutoCloseable> parts)
            throws IOException, SQLException {
        var owner = new PGSimpleDataSource();
        try {
            owner.setUrl(url);
        } catch (IllegalArgumentException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "postgres.url is not a JDBC URL of Postgres",
                    "write jdbc:postgresql://host:5432/database?user=...&password=...",
                    e);
        }
        tune(owner, "lakemill");
        try (var connection = owner.getConnection()) {
            Roles.ensure(connection, false, 0);
        }
        return new Postgres(null, files, owner, readerOf(owner, files), parts);
    }

    private static void createDatabase(PGSimpleDataSource owner) throws SQLException {
        try (var _ = owner.getConnection()) {
            return;
        } catch (SQLException e) {
            if (!NO_DATABASE.equals(e.getSQLState())) {
                throw e;
            }
        }
        owner.setDatabaseName("postgres");
        try (var connection = owner.getConnection()) {
            Roles.createDatabase(connection);
        } finally {
            owner.setDatabaseName("lakemill");
        }
    }

    /** The same place as the owner's, by the reader's password, which is set where it is not. */
    private static PGSimpleDataSource readerOf(PGSimpleDataSource owner, ClusterFiles files)
            throws IOException, SQLException {
        var reader = new PGSimpleDataSource();
        reader.setUrl(owner.getUrl());
        reader.setUser(Roles.READER);
        reader.setPassword(Secret.readOrCreate(files.readerSecret()));
        tune(reader, "lakemill");
        try (var _ = reader.getConnection()) {
            return reader;
        } catch (SQLException e) {
            if (!WRONG_PASSWORD.equals(e.getSQLState())) {
                throw e;
            }
        }
        try (var connection = owner.getConnection()) {
            Roles.setPassword(connection, Roles.READER, reader.getPassword());
        }
        return reader;
    }

    private static void tune(PGSimpleDataSource source, String application) {
        source.setApplicationName(application);
        source.setTcpKeepAlive(true);
        source.setConnectTimeout(5);
        source.setLoginTimeout(10);
    }

    private static HikariDataSource pool(
            String name, PGSimpleDataSource source, int max, Deque<AutoCloseable> parts) {
        var config = new HikariConfig();
        config.setPoolName("postgres-" + name);
        config.setDataSource(source);
        config.setMaximumPoolSize(max);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(CONNECTION_WAIT_MILLIS_MAX);
        var pool = new HikariDataSource(config);
        parts.push(pool);
        return pool;
    }

    /** Connections as the owner, pooled. */
    public DataSource owner() {
        return owner;
    }

    /** New connections as the owner, for those who keep theirs for long. */
    public DataSource ownerUnpooled() {
        return ownerUnpooled;
    }

    /**
     * A new connection as the owner that speaks the replication protocol to the database. It needs
     * an owner that is a superuser or has REPLICATION.
     *
     * @param options of its session, as {@code -c name=value}
     */
    public Connection replication(String options) throws SQLException {
        var source = new PGSimpleDataSource();
        source.setUrl(ownerUnpooled.getUrl());
        source.setUser(ownerUnpooled.getUser());
        source.setPassword(ownerUnpooled.getPassword());
        tune(source, "lakemill capture");
        source.setReplication("database");
        source.setAssumeMinServerVersion("16");
        source.setPreferQueryMode(PreferQueryMode.SIMPLE);
        source.setOptions(options);
        return source.getConnection();
    }

    /** Connections as lakemill_reader, pooled: what pages and reports read by. */
    public DataSource reader() {
        return reader;
    }

    /**
     * A new connection whose session user is a role, so that its grants, row filters and masks
     * hold. It needs an owner that is a superuser, as that of the embedded Postgres is.
     */
    public Connection as(String role) throws SQLException {
        var connection = ownerUnpooled.getConnection();
        try (var statement = connection.createStatement()) {
            statement.execute(
                    "SET SESSION AUTHORIZATION \"%s\"".formatted(role.replace("\"", "\"\"")));
            return connection;
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    /** The name of the one database that is served. */
    public String database() {
        return String.valueOf(readerUnpooled.getDatabaseName());
    }

    /** How the front door reaches this Postgres. */
    FrontDoorBackend behindDoor() {
        try (var connection = owner.getConnection()) {
            var since3Point2 = 18;
            var newest = connection.getMetaData().getDatabaseMajorVersion() >= since3Point2;
            return new FrontDoorBackend(
                    postmaster == null ? null : files.socket(port()).orElse(null),
                    readerUnpooled.getServerNames()[0],
                    port(),
                    FrontDoorBackendTls.of(ownerUnpooled),
                    new FrontDoorPasswords(files.doorSecret()),
                    owner,
                    database(),
                    newest ? 2 : 0);
        } catch (SQLException e) {
            throw unavailable("Postgres does not answer: " + e.getMessage(), e);
        } catch (IOException e) {
            throw unavailable("the front door's secret cannot be read: " + e, e);
        }
    }

    /** The reader's own password, which only this machine's user may see. */
    public String readerPassword() {
        return String.valueOf(readerUnpooled.getPassword());
    }

    /** A libpq URL for the reader, with its password, for psql: of Postgres itself. */
    public String readerUrl() {
        return readerUrl(readerUnpooled.getServerNames()[0] + ":" + port());
    }

    /**
     * A libpq URL for the reader, with its password.
     *
     * @param address host:port of a front door
     */
    public String readerUrl(String address) {
        return "postgresql://%s:%s@%s/%s"
                .formatted(Roles.READER, readerPassword(), address, database());
    }

    /** A JDBC URL for the reader, with its password: of Postgres itself. */
    public String readerJdbcUrl() {
        var url = readerUnpooled.getUrl();
        return url + (url.contains("?") ? "&" : "?") + readerJdbcLogin();
    }

    /**
     * A JDBC URL for the reader, with its password.
     *
     * @param address host:port of a front door
     */
    public String readerJdbcUrl(String address) {
        return "jdbc:postgresql://%s/%s?%s".formatted(address, database(), readerJdbcLogin());
    }

    private String readerJdbcLogin() {
        return "user=%s&password=%s".formatted(Roles.READER, readerPassword());
    }

    /** How many of the connections that Postgres accepts are for clients; the others are ours. */
    public static int clientConnections(int maxConnections) {
        return Math.max(5, maxConnections - PostgresConfig.OWN_CONNECTIONS);
    }

    public int port() {
        var port = readerUnpooled.getPortNumbers()[0];
        return port == 0 ? 5432 : port;
    }

    /** Whether it is ours: its files can be copied, its write-ahead log archived. */
    public boolean isEmbedded() {
        return postmaster != null;
    }

    /**
     * Where files of the embedded one's write-ahead log come to, when it archives: each whole, on
     * the disk, and whoever takes it away keeps it.
     */
    public Path walOut() {
        return files.walOut();
    }

    /**
     * Copies the embedded one's files while it runs.
     *
     * @param target a folder, made where it is missing
     * @param copied told of bytes as they are copied
     */
    public BaseBackup baseBackup(Path target, LongConsumer copied)
            throws SQLException, IOException {
        try (var session = ownerUnpooled.getConnection()) {
            return BaseBackup.take(session, files.data(), target, copied);
        }
    }

    /** The postmaster's process id, when embedded and up. */
    public OptionalLong pid() {
        return postmaster == null ? OptionalLong.empty() : postmaster.pid();
    }

    /**
     * Memory of all processes of the embedded Postgres, shared pages counted once; none by URL or
     * while it is down.
     */
    public OptionalLong rssBytes() {
        return pid().stream().map(ResidentMemory::ofTreeBytes).findFirst();
    }

    /** Stops the embedded Postgres cleanly (fast shutdown), or closes the connections. */
    @Override
    public void close() {
        closeAll(parts);
    }

    private static void closeAll(Deque<AutoCloseable> parts) {
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                throw new IllegalStateException("Postgres does not close", e);
            }
        }
    }

    private static LakemillException unavailable(String problem, Exception cause) {
        return new LakemillException(
                ErrorCode.UNAVAILABLE,
                problem,
                "see that it runs and that postgres.url, user and password are right",
                cause);
    }
}
