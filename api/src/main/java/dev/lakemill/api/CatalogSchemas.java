package dev.lakemill.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The columns of tables, asked of the catalog's REST API, so that a producer need not know them
 * beforehand: {@link ProtoTypes#descriptor} makes a type for PROTO records of them.
 */
public final class CatalogSchemas {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final JsonFactory JSON = new JsonFactory();

    private final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
    private final URI server;
    private final Supplier<String> token;

    /**
     * @param server for example {@code http://127.0.0.1:8080}
     */
    public CatalogSchemas(URI server, Supplier<String> token) {
        this.server = server;
        this.token = token;
    }

    /**
     * The columns of a table.
     *
     * @throws LakemillException NOT_FOUND, UNAUTHENTICATED or PERMISSION_DENIED when the catalog
     *     says so, UNAVAILABLE when it is out of reach
     */
    public TableSchema of(TableName table) {
        var path = "/api/2.1/unity-catalog/tables/" + table;
        var request =
                HttpRequest.newBuilder(server.resolve(path))
                        .timeout(TIMEOUT)
                        .header("authorization", "Bearer " + token.get())
                        .build();
        try {
            var answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw refused(table, answer.statusCode(), answer.body());
            }
            return schema(answer.body());
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "no schema from %s: %s".formatted(request.uri(), e),
                    "see that the server runs",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE, "interrupted while a schema was fetched", "", e);
        }
    }

    private static LakemillException refused(TableName table, int status, String body) {
        var code =
                switch (status) {
                    case 401 -> ErrorCode.UNAUTHENTICATED;
                    case 403 -> ErrorCode.PERMISSION_DENIED;
                    case 404 -> ErrorCode.NOT_FOUND;
                    default -> status < 500 ? ErrorCode.INVALID_ARGUMENT : ErrorCode.UNAVAILABLE;
                };
        return new LakemillException(
                code, "the catalog answered %d for %s: %s".formatted(status, table, body), "");
    }

    static TableSchema schema(String answer) throws IOException {
        var columns = new ArrayList<Column>();
        try (var json = JSON.createParser(answer)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                var name = json.currentName();
                json.nextToken();
                if (name.equals("columns") && json.currentToken() == JsonToken.START_ARRAY) {
                    while (json.nextToken() != JsonToken.END_ARRAY) {
                        columns.add(column(texts(json)));
                    }
                } else {
                    json.skipChildren();
                }
            }
        }
        return new TableSchema(columns);
    }

    /** The values of an object's fields that have no parts. */
    private static Map<String, String> texts(JsonParser json) throws IOException {
        var texts = new HashMap<String, String>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            var name = json.currentName();
            if (json.nextToken().isScalarValue()) {
                texts.put(name, json.getText());
            } else {
                json.skipChildren();
            }
        }
        return texts;
    }

    private static Column column(Map<String, String> told) {
        return new Column(
                told.getOrDefault("name", ""),
                DataType.parse(told.getOrDefault("type_text", "")),
                !told.getOrDefault("nullable", "true").equals("false"),
                "");
    }
}
