package dev.lakemill.api.agent;

import java.sql.Connection;
import java.sql.SQLException;

/** Opens connections to Lakemill's Postgres as the agent's own principal. */
public interface ConnectionSource {
    /** A new one; the worker closes it. Whatever it throws, the worker asks again. */
    Connection open() throws SQLException;
}
