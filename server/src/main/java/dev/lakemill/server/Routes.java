package dev.lakemill.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.catalog.Caller;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Mounts routes whose bodies are blocking code: each request gets a virtual thread.
 *
 * <p>A body returns what is sent as JSON with status 200, or a {@link Reply} for anything else; a
 * thrown {@link LakemillException} becomes the status and the error body of its code. Secured
 * routes know their {@link Caller}; open ones are health, login and pages alone.
 */
public final class Routes {
    private static final Logger log = LoggerFactory.getLogger(Routes.class);
    static final long BODY_BYTES_MAX = 4 << 20;
    private static final Set<HttpMethod> READS = Set.of(HttpMethod.GET, HttpMethod.HEAD);

    /** A body of an open route. */
    public interface Open {
        Object handle(RoutingContext context) throws Exception;
    }

    /** A body of a secured route. */
    public interface Secured {
        Object handle(RoutingContext context, Caller caller) throws Exception;
    }

    /** Says who calls, or throws UNAUTHENTICATED. */
    public interface Authentication {
        Caller caller(RoutingContext context);

        /** A request was turned away before anybody asked who calls. */
        default void turnedAway(RoutingContext context, int status, String problem) {}
    }

    /** What runs every body that may change something. */
    public interface Changes {
        <T> T run(Callable<T> change) throws Exception;
    }

    /** How a failure is told; APIs differ in the form of their errors. */
    public interface ErrorBody {
        Object body(int status, LakemillException failure);
    }

    /** Unity Catalog's and Databricks' form. */
    public static final ErrorBody PLAIN =
            (_, failure) ->
                    Map.of("error_code", failure.code().name(), "message", failure.getMessage());

    /**
     * An answer that is not JSON with status 200.
     *
     * @param body null for none; a String is sent as it is, anything else as JSON
     */
    public record Reply(int status, Map<String, String> headers, @Nullable Object body) {}

    /** What a body returns that writes the response itself. */
    public record Answered() {}

    private final Router router;
    private final Authentication authentication;
    private final Changes changes;
    private final ErrorBody errors;
    private final ObjectMapper json = new ObjectMapper();

    public Routes(Router router, Authentication authentication) {
        this(router, authentication, Callable::call);
    }

    Routes(Router router, Authentication authentication, Changes changes) {
        this(router, authentication, changes, PLAIN);
    }

    private Routes(
            Router router, Authentication authentication, Changes changes, ErrorBody errors) {
        this.router = router;
        this.authentication = authentication;
        this.changes = changes;
        this.errors = errors;
    }

    /** The same routes with errors in another form. */
    public Routes withErrors(ErrorBody other) {
        return new Routes(router, authentication, changes, other);
    }

    public void open(HttpMethod method, String path, Open route) {
        mount(method, path, route);
    }

    /** An open route whose requests may be larger than others. */
    void large(HttpMethod method, String path, long bytesMax, Open route) {
        mount(method, path, bytesMax, route);
    }

    public void secured(HttpMethod method, String path, Secured route) {
        mount(method, path, context -> route.handle(context, authentication.caller(context)));
    }

    /** The request's JSON body; an empty object when there is none. */
    public JsonNode body(RoutingContext context) {
        try {
            var text = context.body().asString();
            return text == null || text.isBlank() ? json.createObjectNode() : json.readTree(text);
        } catch (JsonProcessingException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the body is not JSON: " + e.getOriginalMessage(),
                    "send one JSON object",
                    e);
        }
    }

    private void mount(HttpMethod method, String path, Open route) {
        mount(method, path, BODY_BYTES_MAX, route);
    }

    private void mount(HttpMethod method, String path, long bytesMax, Open route) {
        router.route(method, path)
                .handler(BodyHandler.create(false).setBodyLimit(bytesMax))
                .handler(context -> Thread.startVirtualThread(() -> run(context, route)))
                .failureHandler(context -> unread(context, bytesMax));
    }

    /** A request that was not even read: its body is too large, or its connection broke. */
    private void unread(RoutingContext context, long bytesMax) {
        if (context.statusCode() != 413 || context.response().headWritten()) {
            context.next();
            return;
        }
        var failure =
                new LakemillException(
                        ErrorCode.INVALID_ARGUMENT,
                        "the request has more than %d bytes".formatted(bytesMax),
                        "send less in one request");
        authentication.turnedAway(context, 413, failure.problem());
        send(context, new Reply(413, Map.of(), errors.body(413, failure)));
    }

    private void run(RoutingContext context, Open route) {
        try {
            var reads = READS.contains(context.request().method());
            send(context, reads ? route.handle(context) : changes.run(() -> route.handle(context)));
        } catch (LakemillException e) {
            fail(context, e);
        } catch (Exception e) {
            log.error("{} {} failed", context.request().method(), context.request().path(), e);
            fail(context, new LakemillException(ErrorCode.INTERNAL, "a defect", "see the log", e));
        }
    }

    private void fail(RoutingContext context, LakemillException failure) {
        var status = status(failure.code());
        if (!context.response().headWritten()) {
            send(context, new Reply(status, Map.of(), errors.body(status, failure)));
        }
    }

    private void send(RoutingContext context, Object answer) {
        if (answer instanceof Answered) {
            return;
        }
        var reply = answer instanceof Reply r ? r : new Reply(200, Map.of(), answer);
        var response = context.response().setStatusCode(reply.status());
        response.putHeader("cache-control", "no-store");
        reply.headers().forEach(response::putHeader);
        if (context.request().method().equals(HttpMethod.HEAD)) {
            response.end();
            return;
        }
        if (reply.body() == null || reply.body() instanceof String) {
            response.end(reply.body() instanceof String text ? text : "");
            return;
        }
        try {
            response.putHeader("content-type", "application/json");
            response.end(json.writeValueAsString(reply.body()));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** As HTTP says it. */
    public static int status(ErrorCode code) {
        return switch (code) {
            case INVALID_ARGUMENT -> 400;
            case UNAUTHENTICATED -> 401;
            case PERMISSION_DENIED -> 403;
            case NOT_FOUND -> 404;
            case ALREADY_EXISTS, FAILED_PRECONDITION -> 409;
            case RESOURCE_EXHAUSTED -> 429;
            case UNIMPLEMENTED -> 501;
            case UNAVAILABLE -> 503;
            case DATA_LOSS, INTERNAL -> 500;
        };
    }
}
