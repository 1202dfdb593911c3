package dev.lakemill.server;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Runs statements in Postgres as the caller: through the front door, by a credential that the node
 * gives for whoever the command is. One session for all of them.
 */
final class PostgresClient implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Connection connection;

    private PostgresClient(Connection connection) {
        this.connection = connection;
    }

    /**
     * @throws LakemillException UNAUTHENTICATED when nothing says who calls; PERMISSION_DENIED when
     *     Postgres does not let the caller in
     */
    static PostgresClient open(RunFile run, NodeClient node) {
        var token = node.post("/api/2.0/postgres/credentials", Map.of()).path("token").asText();
        var login = new Properties();
        login.setProperty("user", principal(token));
        login.setProperty("password", token);
        login.setProperty("sslmode", "require");
        login.setProperty("ApplicationName", "lakemill sql");
        var door = run.postgresJdbc().replaceFirst("\\?.*", "");
        try {
            return new PostgresClient(DriverManager.getConnection(door, login));
        } catch (SQLException e) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "Postgres does not let you in: " + e.getMessage(),
                    "'./lakemill sql' without --postgres asks the lake",
                    e);
        }
    }

    /** Whose credential it is. */
    private static String principal(String token) {
        try {
            var claims = JSON.readTree(Base64.getUrlDecoder().decode(token.split("\\.", -1)[1]));
            return claims.path("preferred_username").asText();
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.INTERNAL, "the node's credential is no token", "", e);
        }
    }

    SqlClient.Answer run(String statement) {
        try (var sql = connection.createStatement()) {
            if (!sql.execute(statement)) {
                return new SqlClient.Answer(List.of(), List.of(), false);
            }
            try (var result = sql.getResultSet()) {
                return answer(result);
            }
        } catch (SQLException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT, "Postgres refused: " + e.getMessage(), "", e);
        }
    }

    private static SqlClient.Answer answer(ResultSet result) throws SQLException {
        var columns = new ArrayList<String>();
        for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
            columns.add(result.getMetaData().getColumnLabel(i));
        }
        var rows = new ArrayList<List<@Nullable String>>();
        while (result.next()) {
            var row = new ArrayList<@Nullable String>();
            for (int i = 1; i <= columns.size(); i++) {
                row.add(result.getString(i));
            }
            rows.add(row);
        }
        return new SqlClient.Answer(columns, rows, false);
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE, "the session does not close: " + e.getMessage(), "", e);
        }
    }
}
