package dev.lakemill.farm.app;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What drafts e-mail, a model or our templates: as the newest draft says; before there is one, by
 * what the node's gateway offers to the app.
 */
final class Models {
    /** As the agents ask it. */
    private static final String ENDPOINT = "default";

    private static final String NEWEST =
            """
            SELECT drafted_by, model FROM procurement.email_outbox
            WHERE drafted_by IN ('model', 'template') ORDER BY created_at DESC LIMIT 1""";

    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
    private final URI models;
    private final Supplier<String> token;

    Models(URI node, Supplier<String> token) {
        this.models = node.resolve("/v1/models");
        this.token = token;
    }

    /** UNAVAILABLE when the gateway does not say. */
    Map<String, String> drafter(Connection connection) throws SQLException, InterruptedException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(NEWEST)) {
            if (rows.next()) {
                return Map.of("drafter", rows.getString(1), "endpoint", rows.getString(2));
            }
        }
        return offered();
    }

    private Map<String, String> offered() throws InterruptedException {
        try {
            var request =
                    HttpRequest.newBuilder(models)
                            .timeout(TIMEOUT)
                            .header("authorization", "Bearer " + token.get())
                            .build();
            var answer = http.send(request, BodyHandlers.ofString());
            for (var model : new ObjectMapper().readTree(answer.body()).path("data")) {
                var id = model.path("id").asText();
                if (!id.equals("template") && !model.at("/lakemill/template").asBoolean()) {
                    return Map.of("drafter", "model", "endpoint", id);
                }
            }
            return Map.of("drafter", "template", "endpoint", ENDPOINT);
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the model gateway does not answer",
                    "try again in a moment",
                    e);
        }
    }
}
