package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Sends statements to a running node and waits for their answers. */
final class SqlClient {
    /** Rows of a statement, all as text; none for a statement that gives none. */
    record Answer(List<String> columns, List<List<@Nullable String>> rows, boolean cut) {}

    private static final String STATEMENTS = "/api/2.0/sql/statements";
    private static final int PAUSE_MS = 200;

    private final NodeClient node;

    SqlClient(NodeClient node) {
        this.node = node;
    }

    /** Fails as the statement did. */
    Answer run(String statement) {
        var told = node.post(STATEMENTS, Map.of("statement", statement, "wait_timeout", "20s"));
        while (told.path("status").path("state").asText().equals("RUNNING")) {
            pause();
            told = node.get(STATEMENTS + "/" + told.path("statement_id").asText());
        }
        var error = told.path("status").path("error");
        if (!error.isMissingNode()) {
            throw NodeClient.failure(error);
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
}
