package dev.lakemill.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.agents.mcp.McpResult;
import dev.lakemill.agents.mcp.McpTool;
import dev.lakemill.catalog.Caller;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.Semaphore;

/**
 * SQL over Postgres for MCP's clients, in a read-only login of the caller through the front door:
 * its role may only read, whatever the text says, so no text has to be looked into.
 */
final class McpSqlTools {
    static final int ROWS_MAX = 1_000;
    private static final int ROWS_USUAL = 100;
    private static final int TEXT_CHARACTERS_MAX = 1 << 20;
    private static final int SQL_CHARACTERS_MAX = 64 << 10;
    private static final int SESSIONS_MAX = 8;
    private static final Duration STATEMENT_MAX = Duration.ofSeconds(30);
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /** What is done in a session. */
    interface Work<T> {
        T run(Connection connection) throws SQLException;
    }

    private final Node node;
    private final Semaphore sessions = new Semaphore(SESSIONS_MAX);

    McpSqlTools(Node node) {
        this.node = node;
    }

    List<McpTool> tools() {
        return List.of(
                new McpTool(
                        "execute_sql_read_only",
                        "Runs one query of PostgreSQL over the synced and state tables that you may"
                                + " read. Tables are named schema.table. Nothing can be changed.",
                        McpSchemas.object()
                                .required("query", "string", "one SELECT, in PostgreSQL's SQL")
                                .count("row_limit", "rows at most; 100 without it", ROWS_MAX)
                                .build(),
                        false,
                        this::query));
    }

    private McpResult query(Caller caller, ObjectNode arguments) {
        var text = arguments.path("query").asText();
        if (text.length() > SQL_CHARACTERS_MAX) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the query has more than %d characters".formatted(SQL_CHARACTERS_MAX),
                    "send a shorter one");
        }
        var most = arguments.path("row_limit").asInt(ROWS_USUAL);
        return within(
                caller,
                connection -> {
                    try (var statement = connection.createStatement()) {
                        statement.setMaxRows(most + 1);
                        try (var rows = statement.executeQuery(text)) {
                            return McpResult.object(answer(rows, most));
                        }
                    }
                });
    }

    /** In a session of the caller's own, which may only read. */
    <T> T within(Caller caller, Work<T> work) {
        if (!sessions.tryAcquire()) {
            throw new LakemillException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "%d queries of MCP run already".formatted(SESSIONS_MAX),
                    "ask again in a moment");
        }
        try (var connection = connect(caller)) {
            return work.run(connection);
        } catch (SQLException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT, "Postgres: " + e.getMessage(), "", e);
        } finally {
            sessions.release();
        }
    }

    private Connection connect(Caller caller) throws SQLException {
        var credential =
                node.databaseTokens()
                        .issue(
                                caller,
                                new DatabaseTokens.Request(
                                        DatabaseCredentialRoutes.TTL_MIN, true, Optional.empty()));
        var login = new Properties();
        login.setProperty("user", caller.principal().name());
        login.setProperty("password", credential.token());
        login.setProperty("ApplicationName", "mcp");
        login.setProperty("options", "-c statement_timeout=" + STATEMENT_MAX.toMillis());
        login.setProperty("socketTimeout", String.valueOf(2 * STATEMENT_MAX.toSeconds()));
        var url =
                "jdbc:postgresql://%s/%s"
                        .formatted(node.door().address(), node.postgres().database());
        return DriverManager.getConnection(url, login);
    }

    private static ObjectNode answer(ResultSet rows, int most) throws SQLException {
        var answer = NODES.objectNode();
        var meta = rows.getMetaData();
        var columns = answer.putArray("columns");
        for (int i = 1; i <= meta.getColumnCount(); i++) {
            columns.addObject()
                    .put("name", meta.getColumnLabel(i))
                    .put("type", meta.getColumnTypeName(i));
        }
        var list = answer.putArray("rows");
        long characters = 0;
        var truncated = false;
        while (rows.next()) {
            if (list.size() == most || characters > TEXT_CHARACTERS_MAX) {
                truncated = true;
                break;
            }
            var row = list.addArray();
            for (int i = 1; i <= meta.getColumnCount(); i++) {
                var value = rows.getString(i);
                characters += value == null ? 4 : value.length();
                row.add(value);
            }
        }
        return answer.put("truncated", truncated);
    }
}
