package dev.lakemill.api;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * Tokens of a service principal, by OAuth 2's client credentials (RFC 6749, 4.4): fetched when
 * first asked for, and again when three quarters of their life are over. Safe for use by many
 * threads.
 *
 * <pre>{@code
 * var token = new ClientCredentials(URI.create("http://127.0.0.1:8080/oidc/v1/token"), id, secret);
 * ProducerClient.connect(Endpoint.parse("http://127.0.0.1:7077"), token);
 * }</pre>
 */
public final class ClientCredentials implements Supplier<String> {
    private static final Pattern TOKEN = Pattern.compile("\"access_token\"\\s*:\\s*\"([^\"]+)\"");
    private static final Pattern SECONDS = Pattern.compile("\"expires_in\"\\s*:\\s*(\\d+)");
    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
    private final HttpRequest request;

    /** Guarded by {@code this}, as is the next. */
    private String token = "";

    private long renewNanos;

    /**
     * @param endpoint where tokens are given out, for example {@code
     *     http://127.0.0.1:8080/oidc/v1/token}
     */
    public ClientCredentials(URI endpoint, String clientId, String secret) {
        var login = encoded(clientId) + ":" + encoded(secret);
        var basic = Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8));
        this.request =
                HttpRequest.newBuilder(endpoint)
                        .timeout(TIMEOUT)
                        .header("authorization", "Basic " + basic)
                        .header("content-type", "application/x-www-form-urlencoded")
                        .POST(
                                HttpRequest.BodyPublishers.ofString(
                                        "grant_type=client_credentials&scope=all-apis"))
                        .build();
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /**
     * @throws LakemillException UNAVAILABLE when the endpoint is out of reach, UNAUTHENTICATED when
     *     it refuses
     */
    @Override
    public synchronized String get() {
        if (token.isEmpty() || System.nanoTime() - renewNanos >= 0) {
            fetch();
        }
        return token;
    }

    private void fetch() {
        try {
            var answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            var found = TOKEN.matcher(answer.body());
            if (answer.statusCode() != 200 || !found.find()) {
                token = "";
                throw new LakemillException(
                        answer.statusCode() >= 500
                                ? ErrorCode.UNAVAILABLE
                                : ErrorCode.UNAUTHENTICATED,
                        "%s answered %d: %s"
                                .formatted(request.uri(), answer.statusCode(), answer.body()),
                        "check the client's id and its secret");
            }
            token = found.group(1);
            var seconds = SECONDS.matcher(answer.body());
            var life = seconds.find() ? Long.parseLong(seconds.group(1)) : 60;
            renewNanos = System.nanoTime() + Duration.ofSeconds(life).toNanos() / 4 * 3;
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "no token from %s: %s".formatted(request.uri(), e),
                    "see that the server runs",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE, "interrupted while a token was fetched", "", e);
        }
    }
}
