package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Logs a person in by the browser (RFC 8252), or a program by its secret. */
@Command(
        name = "login",
        mixinStandardHelpOptions = true,
        description = {
            "Logs in to a node: prints a link, which your browser opens to ask you.",
            "With --client-id it logs a service principal in, whose secret comes from --secret or"
                    + " LAKEMILL_CLIENT_SECRET.",
            "The token goes to ~/.lakemill/credentials."
        })
final class LoginCommand implements Callable<Integer> {
    static final String CLIENT = "lakemill-cli";
    private static final int WAIT_MINUTES = 5;

    @Spec private CommandSpec spec;

    @Mixin private NodeClient.Target target = new NodeClient.Target();

    @Option(names = "--client-id", paramLabel = "ID", description = "of a service principal")
    private @Nullable String clientId;

    @Option(names = "--secret", paramLabel = "SECRET", description = "of the service principal")
    private @Nullable String secret;

    @Override
    public Integer call() throws Exception {
        var url = target.url();
        var node = new NodeClient(url, null);
        var answer = clientId == null ? person(url, node) : program(node, clientId);
        Credentials.ofUser().put(url, NodeClient.login(answer));
        var out = spec.commandLine().getOut();
        out.printf("logged in at %s; the token is in %s%n", url, Credentials.ofUser());
        out.flush();
        return 0;
    }

    private JsonNode program(NodeClient node, String client) {
        var text = secret == null ? System.getenv("LAKEMILL_CLIENT_SECRET") : secret;
        if (text == null) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "there is no secret",
                    "set LAKEMILL_CLIENT_SECRET, which others on the machine cannot see");
        }
        return node.form(
                "/oidc/v1/token",
                Map.of(
                        "grant_type",
                        "client_credentials",
                        "scope",
                        "all-apis",
                        "client_id",
                        client,
                        "client_secret",
                        text));
    }

    private JsonNode person(String url, NodeClient node) throws IOException, InterruptedException {
        var verifier = random();
        var state = random();
        var code = new CompletableFuture<String>();
        var listener =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        listener.createContext("/", exchange -> received(exchange, state, code));
        listener.start();
        try {
            var redirect = "http://127.0.0.1:%d/".formatted(listener.getAddress().getPort());
            var out = spec.commandLine().getOut();
            out.println("Open this in your browser:");
            out.println("  " + link(url, redirect, state, verifier));
            out.flush();
            return node.form(
                    "/oidc/v1/token",
                    Map.of(
                            "grant_type", "authorization_code",
                            "client_id", CLIENT,
                            "code", await(code),
                            "code_verifier", verifier,
                            "redirect_uri", redirect));
        } finally {
            listener.stop(1);
        }
    }

    private static String link(String url, String redirect, String state, String verifier) {
        return "%s/oidc/v1/authorize?response_type=code&client_id=%s&redirect_uri=%s&scope=%s&state=%s&code_challenge=%s&code_challenge_method=S256"
                .formatted(
                        url,
                        CLIENT,
                        NodeClient.encoded(redirect),
                        NodeClient.encoded("all-apis offline_access"),
                        state,
                        challenge(verifier));
    }

    private static String await(CompletableFuture<String> code) throws InterruptedException {
        try {
            return code.get(WAIT_MINUTES, TimeUnit.MINUTES);
        } catch (ExecutionException e) {
            throw new LakemillException(
                    ErrorCode.PERMISSION_DENIED,
                    "the login was not allowed in the browser",
                    "run it again, and allow it",
                    e);
        } catch (TimeoutException e) {
            throw new LakemillException(
                    ErrorCode.UNAUTHENTICATED,
                    "nobody logged in within %d minutes".formatted(WAIT_MINUTES),
                    "run it again, and open the link");
        }
    }

    /** The browser comes back from the node. */
    private static void received(
            HttpExchange exchange, String state, CompletableFuture<String> code)
            throws IOException {
        var parameters = parameters(exchange.getRequestURI());
        String text;
        if (!state.equals(parameters.get("state"))) {
            text = "This is not the answer that was waited for.";
        } else if (parameters.containsKey("code")) {
            code.complete(parameters.get("code"));
            text = "You are logged in. Close this page and go back to the terminal.";
        } else {
            code.completeExceptionally(
                    new IOException("the login was not allowed: " + parameters.get("error")));
            text = "Nothing was allowed. Close this page.";
        }
        var bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("content-type", "text/plain; charset=utf-8");
        exchange.sendResponseHeaders(200, bytes.length);
        try (var body = exchange.getResponseBody()) {
            body.write(bytes);
        }
    }

    private static Map<String, String> parameters(URI uri) {
        var found = new HashMap<String, String>();
        var query = uri.getRawQuery() == null ? "" : uri.getRawQuery();
        for (var pair : query.split("&")) {
            var equals = pair.indexOf('=');
            if (equals > 0) {
                found.put(
                        pair.substring(0, equals),
                        URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
            }
        }
        return found;
    }

    private static String random() {
        var bytes = new byte[32];
        new SecureRandom().nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static String challenge(String verifier) {
        try {
            var hash =
                    MessageDigest.getInstance("SHA-256")
                            .digest(verifier.getBytes(StandardCharsets.US_ASCII));
            return Base64.getUrlEncoder().withoutPadding().encodeToString(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
