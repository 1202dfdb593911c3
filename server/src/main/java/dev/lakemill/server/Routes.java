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
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Mounts routes whose bodies are blocking code: each request gets a virtual thread.
 *
 * <p>A body returns what is sent as JSON with status 200, or a {@link Reply} for anything else; a
 * thrown {@link LakemillException} becomes the status and the error body of its code. Secured
 * routes know their {@link Caller}, who is asked for before anything of the request's body is read;
 * open ones are health, login and pages alone, and take little.
 */
public final class Routes {
    private static final Logger log = LoggerFactory.getLogger(Routes.class);
    static final long BODY_BYTES_MAX = 4 << 20;
    static final long OPEN_BODY_BYTES_MAX = 64 << 10;
    private static final long BODIES_BYTES_MIN = 32 << 20;
    private static final long OPEN_BODIES_BYTES_MAX = 4 << 20;
    private static final long BODY_IDLE_MS_MAX = 30_000;
    private static final long BODY_TAKES_MS_MAX = 600_000;
    private static final String FORM = "application/x-www-form-urlencoded";
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

        /** A request's body was turned away. */
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

    /** For the bodies of requests: strangers' take no room away from others'. */
    record Room(Bodies strangers, Bodies known) {
        /** An eighth of the heap for who is known: what handles a body needs as much again. */
        static Room ofHeap() {
            var heap = Runtime.getRuntime().maxMemory();
            return new Room(
                    bodies(OPEN_BODIES_BYTES_MAX), bodies(Math.max(BODIES_BYTES_MIN, heap / 8)));
        }

        private static Bodies bodies(long bytesMax) {
            return new Bodies(bytesMax, BODY_IDLE_MS_MAX, BODY_TAKES_MS_MAX);
        }
    }

    private final Router router;
    private final Authentication authentication;
    private final Changes changes;
    private final ErrorBody errors;
    private final Room room;
    private final ObjectMapper json = new ObjectMapper();

    public Routes(Router router, Authentication authentication) {
        this(router, authentication, Callable::call);
    }

    Routes(Router router, Authentication authentication, Changes changes) {
        this(router, authentication, changes, PLAIN, Room.ofHeap());
    }

    Routes(
            Router router,
            Authentication authentication,
            Changes changes,
            ErrorBody errors,
            Room room) {
        this.router = router;
        this.authentication = authentication;
        this.changes = changes;
        this.errors = errors;
        this.room = room;
    }

    /** The same routes with errors in another form. */
    public Routes withErrors(ErrorBody other) {
        return new Routes(router, authentication, changes, other, room);
    }

    public void open(HttpMethod method, String path, Open route) {
        mount(method, path, room.strangers(), this::readOpen, route);
    }

    public void secured(HttpMethod method, String path, Secured route) {
        secured(
                method,
                path,
                BODY_BYTES_MAX,
                authentication::caller,
                context -> route.handle(context, authentication.caller(context)));
    }

    /**
     * The same where another asks who calls, and requests may be of another size.
     *
     * @param admission throws for whom nothing is read; may block
     */
    void secured(
            HttpMethod method,
            String path,
            long bytesMax,
            Consumer<RoutingContext> admission,
            Open route) {
        mount(
                method,
                path,
                room.known(),
                context -> readOnceAdmitted(context, bytesMax, admission),
                route);
    }

    /** The request's JSON body; an empty object when there is none. */
    public JsonNode body(RoutingContext context) {
        try {
            var text = Bodies.of(context).toString();
            return text.isBlank() ? json.createObjectNode() : json.readTree(text);
        } catch (JsonProcessingException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the body is not JSON: " + e.getOriginalMessage(),
                    "send one JSON object",
                    e);
        }
    }

    private void mount(
            HttpMethod method,
            String path,
            Bodies bodies,
            Consumer<RoutingContext> read,
            Open route) {
        router.route(method, path)
                .handler(
                        context -> {
                            if (Bodies.isComing(context.request())) {
                                read.accept(context);
                            } else {
                                context.next();
                            }
                        })
                .handler(context -> Thread.startVirtualThread(() -> run(context, bodies, route)));
    }

    /** Forms, whose fields become the request's attributes, among others. */
    private void readOpen(RoutingContext context) {
        var request = context.request();
        var type = request.getHeader("content-type");
        if (type != null
                && type.regionMatches(true, 0, FORM, 0, FORM.length())
                && request.method().equals(HttpMethod.POST)) {
            request.setExpectMultipart(true);
        }
        room.strangers().read(context, OPEN_BODY_BYTES_MAX, refusal(context));
    }

    /** Until it is known who calls, the sender waits. */
    private void readOnceAdmitted(
            RoutingContext context, long bytesMax, Consumer<RoutingContext> admission) {
        context.request().pause();
        var here = context.vertx().getOrCreateContext();
        Thread.startVirtualThread(
                () -> {
                    var admitted = tried(context, () -> admission.accept(context));
                    here.runOnContext(
                            _ -> {
                                if (admitted) {
                                    room.known().read(context, bytesMax, refusal(context));
                                } else {
                                    room.known().forget(context);
                                }
                            });
                });
    }

    private Bodies.Refused refusal(RoutingContext context) {
        return (status, why) -> {
            if (!context.response().headWritten() && !context.response().closed()) {
                authentication.turnedAway(context, status, why.problem());
                var headers = status == 429 ? Map.of("retry-after", "1") : Map.<String, String>of();
                send(context, new Reply(status, headers, errors.body(status, why)));
            }
        };
    }

    private void run(RoutingContext context, Bodies bodies, Open route) {
        var reads = READS.contains(context.request().method());
        try {
            tried(
                    context,
                    () -> {
                        var answer =
                                reads
                                        ? route.handle(context)
                                        : changes.run(() -> route.handle(context));
                        send(context, answer);
                    });
        } finally {
            bodies.release(context);
        }
    }

    private interface Step {
        void take() throws Exception;
    }

    /** Whether it went well; what went wrong is answered. */
    private boolean tried(RoutingContext context, Step step) {
        try {
            step.take();
            return true;
        } catch (LakemillException e) {
            fail(context, e);
        } catch (Exception e) {
            log.error("{} {} failed", context.request().method(), context.request().path(), e);
            fail(context, new LakemillException(ErrorCode.INTERNAL, "a defect", "see the log", e));
        }
        return false;
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
