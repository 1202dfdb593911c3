package dev.lakemill.farm.app;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.function.Supplier;

/** The node's Postgres: as the app itself, or as a person who uses it. */
final class Database {
    private static final int STATEMENT_SECONDS_MAX = 10;

    private final String url;
    private final String user;
    private final Supplier<String> token;

    /**
     * @param user the app's principal, and {@code token} its password
     */
    Database(String url, String user, Supplier<String> token) {
        this.url = url;
        this.user = user;
        this.token = token;
    }

    /** As the app's principal, for reading. */
    Connection open() throws SQLException {
        var connection = open(user, token.get());
        connection.setReadOnly(true);
        return connection;
    }

    /** As the person, with their rights and in their name. */
    Connection as(Visitor visitor) throws SQLException {
        return open(visitor.name(), visitor.token());
    }

    private Connection open(String name, String password) throws SQLException {
        var login = new Properties();
        login.setProperty("user", name);
        login.setProperty("password", password);
        login.setProperty("connectTimeout", "5");
        login.setProperty("socketTimeout", String.valueOf(3 * STATEMENT_SECONDS_MAX));
        login.setProperty("options", "-c statement_timeout=%ds".formatted(STATEMENT_SECONDS_MAX));
        return DriverManager.getConnection(url, login);
    }

    /** What went wrong, as the pages are told. */
    static LakemillException problem(SQLException failure) {
        var state = String.valueOf(failure.getSQLState());
        var code =
                switch (state) {
                    case "42501" -> ErrorCode.PERMISSION_DENIED;
                    case "23505" -> ErrorCode.ALREADY_EXISTS;
                    case "55000" -> ErrorCode.FAILED_PRECONDITION;
                    // The tables are made when procurement first starts.
                    case "42P01", "3F000" -> ErrorCode.UNAVAILABLE;
                    default ->
                            switch (state.substring(0, Math.min(2, state.length()))) {
                                case "22", "23" -> ErrorCode.INVALID_ARGUMENT;
                                case "28" -> ErrorCode.UNAUTHENTICATED;
                                case "08", "53", "57" -> ErrorCode.UNAVAILABLE;
                                default -> ErrorCode.INTERNAL;
                            };
                };
        return new LakemillException(code, message(failure), hint(code), failure);
    }

    /** Without Postgres's own prefix and further lines. */
    private static String message(SQLException failure) {
        var text = String.valueOf(failure.getMessage()).replaceFirst("^(ERROR|FATAL): ", "");
        var end = text.indexOf('\n');
        return end < 0 ? text : text.substring(0, end);
    }

    private static String hint(ErrorCode code) {
        return switch (code) {
            case PERMISSION_DENIED ->
                    "ask the owner of the farm's catalog to add you to farm_buyers";
            case ALREADY_EXISTS, FAILED_PRECONDITION -> "somebody was faster: look again";
            case UNAUTHENTICATED -> "reload the page to log in again";
            case UNAVAILABLE -> "try again in a moment";
            default -> "";
        };
    }
}
