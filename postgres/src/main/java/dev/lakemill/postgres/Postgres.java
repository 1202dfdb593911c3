package dev.lakemill.postgres;

import java.util.OptionalLong;
import javax.sql.DataSource;

/** A running Postgres, embedded or by URL. SKELETON: signatures are agreed; bodies follow. */
public final class Postgres implements AutoCloseable {
    private Postgres() {}

    /**
     * Starts (or connects to) Postgres and makes the database {@code lakemill} and the roles: the
     * owner and syncer, used by this process alone, and {@code lakemill_reader}, which may read
     * synced tables and nothing else.
     */
    public static Postgres start(PostgresConfig config) {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Connections as the owner, pooled. */
    public DataSource owner() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Connections as lakemill_reader, pooled: what pages and reports read by. */
    public DataSource reader() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** A libpq URL for the reader, with its password, for psql. */
    public String readerUrl() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** A JDBC URL for the reader, with its password. */
    public String readerJdbcUrl() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** The postmaster's process id, when embedded. */
    public OptionalLong pid() {
        throw new UnsupportedOperationException("skeleton");
    }

    /** Stops the embedded Postgres cleanly (fast shutdown), or closes the connections. */
    @Override
    public void close() {
        throw new UnsupportedOperationException("skeleton");
    }
}
