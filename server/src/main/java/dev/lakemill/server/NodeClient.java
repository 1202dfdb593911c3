package dev.lakemill.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * REST as our own commands call it.
 *
 * <p>Who they are says, in this order: {@code LAKEMILL_TOKEN}; the login of {@code lakemill login};
 * and for a node on this machine that the same system user runs, its {@code cli-token}.
 */
final class NodeClient {
    /** Where commands find their node. */
    static final class Target {
        @picocli.CommandLine.Option(
                names = "--project",
                paramLabel = "DIR",
                defaultValue = ".",
                description = "folder with lakemill.yml (default: the current one)")
        private Path project = Path.of(".");

        @picocli.CommandLine.Option(
                names = "--host",
                paramLabel = "URL",
                description = "a node elsewhere, for example https://lake.example.org")
        private @Nullable String host;

        /** The folder with lakemill.yml. */
        Path project() {
            return project;
        }

        /** Without a slash at its end. */
        String url() {
            return host == null ? RunFile.read(data()).http() : host.replaceFirst("/+$", "");
        }

        private Path data() {
            return Config.load(project, System.getenv()).data();
        }

        /** Of the node on this machine; NOT_FOUND when none runs. */
        RunFile run() {
            return RunFile.read(data());
        }

        /** Who the command is; UNAUTHENTICATED when nothing says so. */
        String requireToken() {
            return token().orElseThrow(NodeClient::nobody);
        }

        NodeClient client() {
            return new NodeClient(url(), token().orElse(null));
        }

        private Optional<String> token() {
            return NodeClient.token(url(), host == null ? data() : null);
        }
    }

    private static final ObjectMapper json = new ObjectMapper();
    private static final String HINT = "; hint: ";
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final String url;
    private final @Nullable String token;
    private final Duration timeout;

    NodeClient(String url, @Nullable String token) {
        this(url, token, TIMEOUT);
    }

    private NodeClient(String url, @Nullable String token, Duration timeout) {
        this.url = url;
        this.token = token;
        this.timeout = timeout;
    }

    /** The same, for what takes longer. */
    NodeClient waiting(Duration longer) {
        return new NodeClient(url, token, longer);
    }

    /** The node on this machine that owns the data folder. */
    static NodeClient local(RunFile run, Path data) {
        return new NodeClient(run.http(), token(run.http(), data).orElse(null));
    }

    /**
     * Who the command is, see above.
     *
     * @param data of a node on this machine; null for one elsewhere
     */
    private static Optional<String> token(String url, @Nullable Path data) {
        var fromEnvironment = System.getenv("LAKEMILL_TOKEN");
        if (fromEnvironment != null && !fromEnvironment.isBlank()) {
            return Optional.of(fromEnvironment.strip());
        }
        var login = loggedIn(url);
        return login.isPresent() || data == null ? login : local(data);
    }

    /** For a node on this machine; UNAUTHENTICATED when there is none. */
    static String requireToken(String url, Path data) {
        return token(url, data).orElseThrow(NodeClient::nobody);
    }

    private static LakemillException nobody() {
        return new LakemillException(
                ErrorCode.UNAUTHENTICATED,
                "nothing says who you are",
                "run './lakemill login', or set LAKEMILL_TOKEN");
    }

    private static Optional<String> local(Path data) {
        try {
            var file = LocalToken.file(data);
            return Files.exists(file)
                    ? Optional.of(Files.readString(file, StandardCharsets.US_ASCII))
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** The token of an earlier login, a new one when that has ended and can be refreshed. */
    private static Optional<String> loggedIn(String url) {
        var credentials = Credentials.ofUser();
        var known = credentials.find(url);
        if (known.isEmpty()
                || known.get().expiresAt() > Instant.now().plusSeconds(60).getEpochSecond()) {
            return known.map(Credentials.Login::accessToken);
        }
        var refresh = known.get().refreshToken();
        if (refresh == null) {
            throw ended(url, null);
        }
        try {
            var answer =
                    new NodeClient(url, null)
                            .form(
                                    "/oidc/v1/token",
                                    Map.of(
                                            "grant_type",
                                            "refresh_token",
                                            "client_id",
                                            LoginCommand.CLIENT,
                                            "refresh_token",
                                            refresh));
            var login = login(answer);
            credentials.put(url, login);
            return Optional.of(login.accessToken());
        } catch (LakemillException e) {
            throw switch (e.code()) {
                case UNAVAILABLE, RESOURCE_EXHAUSTED -> e;
                default -> ended(url, e);
            };
        }
    }

    /** Who has logged in does not become somebody else because that has ended. */
    private static LakemillException ended(String url, @Nullable Throwable cause) {
        var problem = "your login to %s has ended".formatted(url);
        var hint = "run './lakemill login' again, or delete its entry in " + Credentials.ofUser();
        return cause == null
                ? new LakemillException(ErrorCode.UNAUTHENTICATED, problem, hint)
                : new LakemillException(ErrorCode.UNAUTHENTICATED, problem, hint, cause);
    }

    /** What the token endpoint answered. */
    static Credentials.Login login(JsonNode answer) {
        var refresh = answer.path("refresh_token").asText("");
        return new Credentials.Login(
                answer.path("access_token").asText(),
                refresh.isEmpty() ? null : refresh,
                Instant.now().getEpochSecond() + answer.path("expires_in").asLong());
    }

    JsonNode get(String path) {
        return send(request(path).GET());
    }

    JsonNode post(String path, Map<String, ?> body) {
        return send(json(path).POST(BodyPublishers.ofString(text(body))));
    }

    JsonNode put(String path, Map<String, ?> body) {
        return send(json(path).PUT(BodyPublishers.ofString(text(body))));
    }

    JsonNode patch(String path, Map<String, ?> body) {
        return send(json(path).method("PATCH", BodyPublishers.ofString(text(body))));
    }

    JsonNode delete(String path) {
        return send(request(path).DELETE());
    }

    /** A file as it is. */
    JsonNode upload(String path, Path file, String contentType) {
        try {
            return send(
                    request(path)
                            .header("content-type", contentType)
                            .POST(BodyPublishers.ofFile(file)));
        } catch (java.io.FileNotFoundException e) {
            throw new LakemillException(ErrorCode.NOT_FOUND, "there is no " + file, "", e);
        }
    }

    /** The data of a stream of events, until it ends. */
    void follow(String path, Consumer<String> data) {
        try {
            var answer = http.send(request(path).build(), BodyHandlers.ofLines());
            try (var lines = answer.body()) {
                if (answer.statusCode() >= 400) {
                    throw new LakemillException(
                            ErrorCode.UNAVAILABLE,
                            "the node says: " + lines.collect(Collectors.joining()),
                            "");
                }
                lines.filter(line -> line.startsWith("data: "))
                        .forEach(line -> data.accept(line.substring(6)));
            }
        } catch (IOException | java.io.UncheckedIOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE, "the stream broke off", "run the command again", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A form, as OAuth's endpoints want it. */
    JsonNode form(String path, Map<String, String> parameters) {
        var body =
                parameters.entrySet().stream()
                        .map(e -> encoded(e.getKey()) + "=" + encoded(e.getValue()))
                        .collect(Collectors.joining("&"));
        return send(
                request(path)
                        .header("content-type", "application/x-www-form-urlencoded")
                        .POST(BodyPublishers.ofString(body)));
    }

    private HttpRequest.Builder json(String path) {
        return request(path).header("content-type", "application/json");
    }

    private HttpRequest.Builder request(String path) {
        var request = HttpRequest.newBuilder(URI.create(url + path)).timeout(timeout);
        request.header("accept", "application/json").header("user-agent", "lakemill-cli");
        if (token != null) {
            request.header("authorization", "Bearer " + token);
        }
        return request;
    }

    private JsonNode send(HttpRequest.Builder request) {
        try {
            var answer = http.send(request.build(), BodyHandlers.ofString());
            if (answer.statusCode() >= 400) {
                throw refused(answer);
            }
            return answer.body().isEmpty() ? json.createObjectNode() : json.readTree(answer.body());
        } catch (IOException e) {
            throw new LakemillException(
                    ErrorCode.UNAVAILABLE,
                    "the node does not answer at " + url,
                    "is it still running? './lakemill up' starts it",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LakemillException(ErrorCode.UNAVAILABLE, "interrupted", "", e);
        }
    }

    private static LakemillException refused(HttpResponse<String> answer) {
        var told = error(answer);
        if (told.path("message").asText("").contains(HINT)) {
            return failure(told);
        }
        var code =
                switch (answer.statusCode()) {
                    case 401 -> ErrorCode.UNAUTHENTICATED;
                    case 403 -> ErrorCode.PERMISSION_DENIED;
                    case 404 -> ErrorCode.NOT_FOUND;
                    case 409 -> ErrorCode.ALREADY_EXISTS;
                    case 429 -> ErrorCode.RESOURCE_EXHAUSTED;
                    default ->
                            answer.statusCode() < 500
                                    ? ErrorCode.INVALID_ARGUMENT
                                    : ErrorCode.UNAVAILABLE;
                };
        var hint = code == ErrorCode.UNAUTHENTICATED ? "'./lakemill login' logs you in" : "";
        return new LakemillException(code, "the node says: " + message(answer), hint);
    }

    /** The failure that a node told of, in words of its own. */
    static LakemillException failure(JsonNode error) {
        var message = error.path("message").asText("the node refused, and did not say why");
        var hint = message.lastIndexOf(HINT);
        ErrorCode code;
        try {
            code = ErrorCode.valueOf(error.path("error_code").asText());
        } catch (IllegalArgumentException _) {
            code = ErrorCode.INTERNAL;
        }
        return hint < 0
                ? new LakemillException(code, message, "")
                : new LakemillException(
                        code, message.substring(0, hint), message.substring(hint + HINT.length()));
    }

    private static JsonNode error(HttpResponse<String> answer) {
        try {
            return json.readTree(answer.body());
        } catch (JsonProcessingException _) {
            return json.createObjectNode();
        }
    }

    private static String message(HttpResponse<String> answer) {
        var body = error(answer);
        for (var name : new String[] {"message", "detail", "error_description"}) {
            if (body.path(name).isTextual()) {
                return body.path(name).asText();
            }
        }
        return "HTTP " + answer.statusCode();
    }

    private static String text(Map<String, ?> body) {
        try {
            return json.writeValueAsString(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
