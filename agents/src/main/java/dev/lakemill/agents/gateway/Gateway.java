package dev.lakemill.agents.gateway;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import javax.sql.DataSource;

/**
 * The gateway to the project's models. Every call goes the same way: who calls must have EXECUTE on
 * the endpoint's model; the input passes the guardrails; a place among the endpoint's calls and the
 * most that it can use are reserved; providers are asked; the answer passes the guardrails; what
 * was used is written, and audited. Safe to use from any thread.
 */
public final class Gateway implements ModelGateway, AutoCloseable {
    /** Where the endpoints stand in the catalog, as in Databricks. */
    public static final Securable SCHEMA = Securable.schema("system", "ai");

    private static final int EMBEDDED_TEXTS_MAX = 2_048;
    private static final int STREAM_TIMEOUTS_MAX = 10;
    private static final String CHAT = "chatCompletions";
    private static final String EMBEDDINGS = "embeddings";

    /** Where the events of a stream go, one after the other. */
    public interface Sink {
        /** Once, before the first event. */
        void begin(String requestId, String provider) throws IOException;

        /** The data of an event; returns when the reader has room for more. */
        void send(String data) throws IOException;

        /** Runs the action when the reader goes away, or at once when it is gone. */
        void onClosed(Runnable action);

        /** Whether the reader is gone. */
        boolean isClosed();
    }

    /** An endpoint, as it is listed. */
    public record Listed(
            String name, String comment, boolean isTemplate, List<Provider> providers) {
        /** A provider and whether it is asked: CLOSED, HALF_OPEN or OPEN (left alone). */
        public record Provider(String name, String model, String circuit) {}
    }

    private final GatewayConfig config;
    private final Catalog catalog;
    private final CallAccount account;
    private final ModelUsage usage;
    private final Fallback fallback;
    private final Guard guard;
    private final Map<String, Semaphore> places = new ConcurrentHashMap<>();

    private Gateway(GatewayConfig config, Catalog catalog, DataSource database, Clock clock) {
        var principals = catalog.principals();
        var spend = Spend.open(database, principals, clock);
        this.config = config;
        this.catalog = catalog;
        this.account = new CallAccount(spend, catalog.audit());
        this.usage = new ModelUsage(config, spend, database, principals, clock);
        this.fallback = new Fallback(clock);
        this.guard = new Guard(this::complete, catalog.system());
    }

    /** Makes its tables and a registered model in the catalog for every endpoint. */
    public static Gateway open(
            GatewayConfig config, Catalog catalog, DataSource database, Clock clock) {
        var endpoints = new EndpointModels(catalog);
        config.endpoints().stream()
                .filter(e -> !e.isTemplateAlone())
                .forEach(e -> endpoints.register(e.name(), e.comment()));
        return new Gateway(config, catalog, database, clock);
    }

    @Override
    public ChatAnswer chat(Caller caller, ChatRequest request) {
        return ChatJson.answer(complete(caller, ChatJson.of(request)));
    }

    /**
     * The same in OpenAI's form, with the object {@code lakemill} in the answer.
     *
     * @throws ModelProblem when there is no answer
     */
    public ObjectNode complete(Caller caller, ObjectNode request) {
        request.remove(List.of("stream", "stream_options"));
        var call = begin(caller, CHAT, request, false);
        return run(call, () -> completeOf(call));
    }

    private ObjectNode completeOf(Call call) throws InterruptedException {
        var endpoint = call.endpoint();
        var whole = fallback.chat(call);
        var answer = whole.body();
        try {
            guard.output(call.reserved().planned().caller(), endpoint.guardrails(), answer);
        } catch (ModelProblem e) {
            account.end(
                    call,
                    CallAccount.outcome(call, whole, CallAccount.status(e), e.problem()),
                    CallAccount.payload(call, ""));
            throw new Ended(e);
        }
        stamp(answer, call, whole.provider());
        var outcome = CallAccount.outcome(call, whole, 200, "");
        account.end(call, outcome, CallAccount.payload(call, answer.toString()));
        return answer;
    }

    /** A problem after the call has been accounted. */
    private static final class Ended extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final ModelProblem problem;

        Ended(ModelProblem problem) {
            super(problem);
            this.problem = problem;
        }
    }

    private static void stamp(ObjectNode answer, Call call, ProviderConfig provider) {
        var usage = call.used().tokens();
        answer.putObject("usage")
                .put("prompt_tokens", usage.input())
                .put("completion_tokens", usage.output())
                .put("total_tokens", usage.total())
                .put("cost", call.used().costMicros() / 1e6);
        answer.putObject(ChatJson.OURS)
                .put("request_id", call.id())
                .put("endpoint", call.endpoint().name())
                .put("provider", provider.name())
                .put("template", provider.isTemplate())
                .put("cost_micros", call.used().costMicros())
                .put("estimated_tokens", usage.estimated());
    }

    /**
     * Sends the answer as events, unbuffered; where the answer has to pass guardrails, when it is
     * whole.
     *
     * @throws ModelProblem when nothing has been sent yet; later ones are the last event
     */
    public void stream(Caller caller, ObjectNode request, Sink sink) throws IOException {
        var endpoint = endpoint(request);
        if (!endpoint.guardrails().output().isOpen()) {
            var completion = complete(caller, request);
            var ours = completion.path(ChatJson.OURS);
            sink.begin(ours.path("request_id").asText(), ours.path("provider").asText());
            for (var event : StreamEvents.of(completion)) {
                sink.send(event);
            }
            return;
        }
        var wantsUsage = request.path("stream_options").path("include_usage").asBoolean();
        request.put("stream", true);
        var call = begin(caller, CHAT, request, true);
        try {
            run(
                    call,
                    () -> {
                        var begun = fallback.stream(endpoint, call.request(), call.outputMax());
                        relay(call, begun, wantsUsage, sink);
                        return true;
                    });
        } catch (ClientGone e) {
            throw e.cause;
        }
    }

    /** Whoever reads the stream went away. */
    private static final class ClientGone extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final IOException cause;

        ClientGone(IOException cause) {
            super(cause);
            this.cause = cause;
        }
    }

    private void relay(Call call, Fallback.Begun begun, boolean wantsUsage, Sink sink)
            throws InterruptedException {
        var relay =
                new StreamRelay(
                        begun,
                        wantsUsage,
                        call.endpoint().limits(),
                        TokenUsage.estimate(ChatJson.characters(call.request())));
        try {
            sink.begin(call.id(), begun.provider().name());
            var lines = begun.lines();
            if (lines == null) {
                var completion = (ObjectNode) StreamEvents.parse(begun.first());
                stamp(completion, call, begun.provider());
                for (var event : StreamEvents.of(completion)) {
                    sink.send(event);
                }
            } else {
                sink.onClosed(lines::abandon);
                relay.run(sink, STREAM_TIMEOUTS_MAX);
            }
            account.end(
                    call,
                    relay.outcome(200, "", call.elapsedMs()),
                    CallAccount.payload(call, relay.text()));
        } catch (ModelProblem e) {
            if (sink.isClosed()) {
                throw gone(call, relay, new IOException("the connection is closed", e));
            }
            account.end(
                    call,
                    relay.outcome(502, e.problem(), call.elapsedMs()),
                    CallAccount.payload(call, relay.text()));
            tryToSend(sink, StreamEvents.error(e));
        } catch (IOException e) {
            throw gone(call, relay, e);
        } finally {
            if (begun.lines() != null) {
                begun.lines().close();
            }
        }
    }

    private ClientGone gone(Call call, StreamRelay relay, IOException cause) {
        account.end(
                call,
                relay.outcome(Outcome.CLIENT_CLOSED, "the caller went away", call.elapsedMs()),
                CallAccount.payload(call, relay.text()));
        return new ClientGone(cause);
    }

    private static void tryToSend(Sink sink, String event) {
        try {
            sink.send(event);
        } catch (IOException e) {
            throw new ClientGone(e);
        }
    }

    /**
     * Embeddings of the request's {@code input}, in OpenAI's form.
     *
     * @throws ModelProblem when there are none
     */
    public ObjectNode embed(Caller caller, ObjectNode request) {
        var call = begin(caller, EMBEDDINGS, request, false);
        return run(
                call,
                () -> {
                    var whole = fallback.embed(call);
                    stamp(whole.body(), call, whole.provider());
                    account.end(
                            call,
                            CallAccount.outcome(call, whole, 200, ""),
                            CallAccount.payload(call, ""));
                    return whole.body();
                });
    }

    /** The endpoints that the caller may call. */
    public List<Listed> endpoints(Caller caller) {
        return config.endpoints().stream()
                .filter(endpoint -> mayCall(caller, endpoint))
                .map(
                        e ->
                                new Listed(
                                        e.name(),
                                        e.comment(),
                                        e.isTemplateAlone(),
                                        e.providers().stream().map(p -> listed(e, p)).toList()))
                .toList();
    }

    private Listed.Provider listed(EndpointConfig endpoint, ProviderConfig provider) {
        return new Listed.Provider(
                provider.name(), provider.model(), fallback.state(endpoint, provider).name());
    }

    /** What models were used for. */
    public ModelUsage usage() {
        return usage;
    }

    /** The limits of the caller's calls; of everybody's, when asked. */
    public List<ModelUsage.Budget> budgets(Caller caller, boolean everybody) {
        return usage.budgets(caller, everybody, endpoint -> everybody || mayCall(caller, endpoint));
    }

    /** Whether any model is configured; without one, the template drafter answers. */
    public boolean hasModels() {
        return config.endpoints().stream().anyMatch(e -> !e.isTemplateAlone());
    }

    /** What an endpoint's answers come from; another text when its providers are others. */
    public String version(String endpoint) {
        return config.endpoint(endpoint)
                .map(e -> e.providers().toString() + e.guardrails())
                .orElse("");
    }

    /** The registered model on which EXECUTE is needed to call the endpoint. */
    public static Securable modelOf(String endpoint) {
        return EndpointModels.of(endpoint);
    }

    /** Whether a name is one of an endpoint here, rather than of a registered model. */
    public boolean has(String name) {
        return config.endpoint(name).isPresent();
    }

    private boolean mayCall(Caller caller, EndpointConfig endpoint) {
        return endpoint.isTemplateAlone()
                || catalog.access()
                                .decide(
                                        caller,
                                        Privilege.EXECUTE,
                                        EndpointModels.of(endpoint.name()))
                        instanceof dev.lakemill.catalog.Decision.Allowed;
    }

    private EndpointConfig endpoint(ObjectNode request) {
        var name = request.path("model").asText("");
        return config.endpoint(name)
                .orElseThrow(
                        () ->
                                new ModelProblem(
                                        ModelProblem.Kind.NO_ENDPOINT,
                                        "there is no endpoint '%s'".formatted(name),
                                        "GET /v1/models lists them; lakemill.yml defines them"));
    }

    private Call begin(Caller caller, String api, ObjectNode request, boolean isStream) {
        var endpoint = endpoint(request);
        require(caller, endpoint);
        var isChat = api.equals(CHAT);
        if (isChat) {
            ChatJson.check(request);
        } else {
            checkEmbedded(request);
        }
        var outputMax = isChat ? ChatJson.outputTokensMax(request, endpoint) : 0;
        var characters =
                isChat ? ChatJson.characters(request) : request.path("input").toString().length();
        var planned =
                new Spend.Planned(
                        UUID.randomUUID(),
                        caller,
                        endpoint,
                        api,
                        isStream,
                        TokenUsage.estimate(characters),
                        outputMax);
        try {
            guard.input(caller, endpoint.guardrails(), request);
            var place = place(endpoint);
            try {
                return new Call(
                        account.reserve(planned),
                        place,
                        request,
                        outputMax,
                        new Used(),
                        System.nanoTime());
            } catch (RuntimeException e) {
                place.release();
                throw e;
            }
        } catch (ModelProblem e) {
            account.refused(planned, e);
            throw e;
        }
    }

    private void require(Caller caller, EndpointConfig endpoint) {
        if (endpoint.isTemplateAlone()) {
            return;
        }
        try {
            catalog.access().require(caller, Privilege.EXECUTE, EndpointModels.of(endpoint.name()));
        } catch (LakemillException e) {
            var kind =
                    e.code() == ErrorCode.NOT_FOUND
                            ? ModelProblem.Kind.NO_ENDPOINT
                            : e.code() == ErrorCode.PERMISSION_DENIED
                                    ? ModelProblem.Kind.NOT_ALLOWED
                                    : ModelProblem.Kind.UNAVAILABLE;
            throw new ModelProblem(kind, e);
        }
    }

    private static void checkEmbedded(ObjectNode request) {
        var input = request.path("input");
        if (!input.isTextual()
                && (!input.isArray() || input.isEmpty() || input.size() > EMBEDDED_TEXTS_MAX)) {
            throw ChatJson.invalid(
                    "input is no text or list of 1 to %d texts".formatted(EMBEDDED_TEXTS_MAX),
                    "send {\"input\": [\"…\"]}");
        }
    }

    private Semaphore place(EndpointConfig endpoint) {
        var most = endpoint.limits().parallelCallsMax();
        var all = places.computeIfAbsent(endpoint.name(), _ -> new Semaphore(most));
        if (!all.tryAcquire()) {
            throw new ModelProblem(
                    ModelProblem.Kind.LIMITED,
                    "endpoint '%s' answers %d calls already".formatted(endpoint.name(), most),
                    "ask again, or raise parallel_calls_max in lakemill.yml",
                    Duration.ofSeconds(1));
        }
        return all;
    }

    /** What a call does once it is reserved. */
    private interface Work<T> {
        T run() throws InterruptedException;
    }

    /** Every end is accounted, the unexpected ones as well. */
    private <T> T run(Call call, Work<T> work) {
        account.count("running", 1);
        try {
            return work.run();
        } catch (Ended e) {
            throw e.problem;
        } catch (ClientGone e) {
            throw e;
        } catch (ModelProblem e) {
            account.end(call, CallAccount.failed(call, e), CallAccount.payload(call, ""));
            throw e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            var problem =
                    new ModelProblem(
                            ModelProblem.Kind.UNAVAILABLE, "the call was interrupted", "ask again");
            account.end(call, CallAccount.failed(call, problem), null);
            throw problem;
        } catch (LakemillException e) {
            // What was answered is accounted; the record of it is missing.
            throw new ModelProblem(ModelProblem.Kind.UNAVAILABLE, e);
        } catch (RuntimeException e) {
            account.defect(call, e);
            throw e;
        } finally {
            account.count("running", -1);
            call.place().release();
        }
    }

    /** Accounts rows that a model of the registry scored at the gateway's place. */
    public void scored(Caller caller, String model, int status, String error, long elapsedMs) {
        account.scored(caller, model, status, error, elapsedMs);
    }

    /** Since the start. */
    public GatewayTotals totals() {
        var resting =
                config.endpoints().stream()
                        .flatMap(e -> e.providers().stream().map(p -> fallback.state(e, p)))
                        .filter(state -> state == CircuitBreaker.State.OPEN)
                        .count();
        return account.totals(resting);
    }

    @Override
    public void close() {
        fallback.close();
        account.close();
    }
}
