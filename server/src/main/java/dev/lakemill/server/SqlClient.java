package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Sends statements to a running node and waits for their answers. */
final class SqlClient {
    /** Rows of a statement, all as text; none for a statement that gives none. */
    record Answer(List<String> columns, List<List<@Nullable String>> rows, boolean cut) {}

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PAUSE_MS = 200;

    private final String url;
    private final String token;

    SqlClient(String url, String token) {
        this.url = url + "/api/2.0/sql/statements";
        this.token = token;
    }

    /** Fails as the statement did. */
    Answer run(String statement) {
        var told = send("POST", url, Map.of("statement", statement, "wait_timeout", "30s"));
        while (told.path("status").path("state").asText().equals("RUNNING")) {
            pause();
            told = send("GET", url + "/" + told.path("statement_id").asText(), null);
        }
        var error = told.path("status").path("error");
        if (!error.isMissingNode()) {
            throw failure(error);
        }
        return answer(told);
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LakemillException(ErrorCode.UNAVAILABLE, "interrupted", "", e);
        }
    }

    private static Answer answer(JsonNode told) {
        var columns = new ArrayList<String>();
        told.path("manifest")
                .path("schema")
                .path("columns")
                .forEach(column -> columns.add(column.path("name").asText()));
        var rows = new ArrayList<List<@Nullable String>>();
        for (var row : told.path("result").path("data_array")) {
            var values = new ArrayList<@Nullable String>();
            row.forEach(value -> values.add(value.isNull() ? null : value.asText()));
            rows.add(values);
        }
        return new Answer(columns, rows, told.path("manifest").path("truncated").asBoolean());
    }

    private JsonNode send(String method, String to, @Nullable Object body) {
        try {
            var connection = (HttpURLConnection) URI.create(to).toURL().openConnection();
            try {
                connection.setRequestMethod(method);
                connection.setConnectTimeout(2_000);
                connection.setReadTimeout(60_000);
                connection.setRequestProperty("Authorization", "Bearer " + token);
                if (body != null) {
                    connection.setDoOutput(true);
                    connection.setRequestProperty("Content-Type", "application/json");
                    try (var out = connection.getOutputStream()) {
                        out.write(JSON.writeValueAsString(body).getBytes(StandardCharsets.UTF_8));
                    }
                }
                return read(connection);
            } finally {
                connection.disconnect();
            }
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the node does not answer at " + to,
                    "is it still running? './lakemill up' starts it",
                    e);
        }
    }

    private static JsonNode read(HttpURLConnection connection) throws IOException {
        if (connection.getResponseCode() < 400) {
            try (var in = connection.getInputStream()) {
                return JSON.readTree(in);
            }
        }
        try (var in = connection.getErrorStream()) {
            throw failure(in == null ? JSON.createObjectNode() : JSON.readTree(in));
        }
    }

    /** The failure that a node told of. */
    private static LakemillException failure(JsonNode error) {
        var message = error.path("message").asText("the node refused, and did not say why");
        var hint = message.lastIndexOf("; hint: ");
        ErrorCode code;
        try {
            code = ErrorCode.valueOf(error.path("error_code").asText());
        } catch (IllegalArgumentException _) {
            code = ErrorCode.INTERNAL;
        }
        return hint < 0
                ? new LakemillException(code, message, "")
                : new LakemillException(
                        code,
                        message.substring(0, hint),
                        message.substring(hint + "; hint: ".length()));
    }
}
