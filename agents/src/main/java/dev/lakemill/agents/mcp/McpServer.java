package dev.lakemill.agents.mcp;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.agents.gateway.JsonSchema;
import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.types.LakemillException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers MCP's requests with tools. Stateless: everything that a request needs is in it, so any
 * node answers any request. A request of the revision 2026-07-28 says so in its {@code _meta} and
 * headers, which must agree; any other is taken as of the revisions with {@code initialize}, which
 * is answered without a session. Which tools there are is decided by code and the caller's grants,
 * never by data. Safe to use from any thread.
 */
public final class McpServer {
    static final String STATELESS = "2026-07-28";
    static final String NEWEST_WITH_HANDSHAKE = "2025-11-25";
    static final List<String> WITH_HANDSHAKE =
            List.of(NEWEST_WITH_HANDSHAKE, "2025-06-18", "2025-03-26");
    private static final List<String> VERSIONS = List.of(STATELESS, NEWEST_WITH_HANDSHAKE);

    private static final Logger log = LoggerFactory.getLogger(McpServer.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final String META = "io.modelcontextprotocol/";
    private static final int RESULT_CHARS_MAX = 2 << 20;
    private static final int TOOLS_MAX = 500;

    private static final int PARSE_ERROR = -32700;
    private static final int INVALID_REQUEST = -32600;
    private static final int METHOD_NOT_FOUND = -32601;
    private static final int INVALID_PARAMS = -32602;
    private static final int INTERNAL = -32603;
    private static final int HEADER_MISMATCH = -32020;
    private static final int UNSUPPORTED_VERSION = -32022;

    /** The tools that a caller has. */
    public interface Tools {
        List<McpTool> of(Caller caller);
    }

    /** What a request is refused with. */
    private static final class Refusal extends Exception {
        private static final long serialVersionUID = 1L;
        private final int status;
        private final int code;
        private final transient @Nullable ObjectNode data;

        Refusal(int status, int code, String message, @Nullable ObjectNode data) {
            super(message);
            this.status = status;
            this.code = code;
            this.data = data;
        }
    }

    private final String name;
    private final String instructions;
    private final String version;
    private final Tools tools;
    private final Consumer<AuditEvent> audit;

    /**
     * @param name of the server, for people and audit
     * @param instructions what its tools are for
     * @param version of the software
     * @param audit takes a record of every call
     */
    public McpServer(
            String name,
            String instructions,
            String version,
            Tools tools,
            Consumer<AuditEvent> audit) {
        this.name = name;
        this.instructions = instructions;
        this.version = version;
        this.tools = tools;
        this.audit = audit;
    }

    /** Answers one POST. */
    public McpReply handle(Caller caller, McpRequest request) {
        JsonNode id = NODES.nullNode();
        try {
            var message = parse(request.body());
            id = message.path("id").isMissingNode() ? id : message.get("id");
            if (isNotice(message)) {
                return new McpReply(202, null);
            }
            var stateless = negotiate(message, request);
            var result = answer(caller, message, stateless);
            if (stateless) {
                result.put("resultType", "complete");
            }
            var reply = envelope(id);
            reply.set("result", result);
            return new McpReply(200, reply);
        } catch (Refusal e) {
            var reply = envelope(id);
            var error = reply.putObject("error").put("code", e.code).put("message", e.getMessage());
            if (e.data != null) {
                error.set("data", e.data);
            }
            return new McpReply(e.status, reply);
        }
    }

    private static ObjectNode envelope(JsonNode id) {
        var reply = NODES.objectNode().put("jsonrpc", "2.0");
        reply.set("id", id);
        return reply;
    }

    private static ObjectNode parse(String body) throws Refusal {
        JsonNode message;
        try {
            message = JSON.readTree(body);
        } catch (JsonProcessingException e) {
            throw refused(400, PARSE_ERROR, "the body is not JSON: " + e.getOriginalMessage());
        }
        if (message instanceof ObjectNode object
                && object.path("jsonrpc").asText().equals("2.0")
                && (object.path("method").isTextual()
                        || object.has("result")
                        || object.has("error"))) {
            return object;
        }
        throw refused(400, INVALID_REQUEST, "the body is not one JSON-RPC 2.0 message");
    }

    /** Notifications, and answers to what was never asked, need none. */
    private static boolean isNotice(ObjectNode message) throws Refusal {
        if (!message.has("method") || !message.has("id")) {
            return true;
        }
        var id = message.get("id");
        if (!id.isTextual() && !id.isIntegralNumber()) {
            throw refused(400, INVALID_REQUEST, "the id is neither a text nor a whole number");
        }
        return false;
    }

    /** Whether the request is of the stateless revision. */
    private static boolean negotiate(ObjectNode message, McpRequest request) throws Refusal {
        var meta = message.path("params").path("_meta");
        var inBody = meta.path(META + "protocolVersion");
        var header = request.version();
        var method = message.path("method").asText();
        if (method.equals("initialize")) {
            return false;
        }
        if (inBody.isMissingNode() && (header == null || WITH_HANDSHAKE.contains(header))) {
            return false;
        }
        var asked = inBody.isTextual() ? inBody.asText() : String.valueOf(header);
        if (!asked.equals(STATELESS)) {
            throw unsupported(asked);
        }
        requireMeta(meta);
        requireSame("MCP-Protocol-Version", header, asked);
        requireSame("Mcp-Method", request.method(), method);
        if (method.equals("tools/call")) {
            requireSame("Mcp-Name", request.name(), message.path("params").path("name").asText());
        }
        return true;
    }

    private static void requireMeta(JsonNode meta) throws Refusal {
        for (var key : List.of("protocolVersion", "clientCapabilities")) {
            if (!meta.has(META + key)) {
                throw refused(400, INVALID_PARAMS, "_meta has no " + META + key);
            }
        }
    }

    private static void requireSame(String header, @Nullable String given, String inBody)
            throws Refusal {
        if (!inBody.equals(given)) {
            throw refused(
                    400,
                    HEADER_MISMATCH,
                    "the header %s is %s, and the body says '%s'"
                            .formatted(
                                    header, given == null ? "missing" : "'" + given + "'", inBody));
        }
    }

    private static Refusal unsupported(String asked) {
        var data = NODES.objectNode().put("requested", asked);
        var supported = data.putArray("supported");
        VERSIONS.forEach(supported::add);
        return new Refusal(400, UNSUPPORTED_VERSION, "the protocol version is not supported", data);
    }

    private ObjectNode answer(Caller caller, ObjectNode message, boolean stateless) throws Refusal {
        var method = message.path("method").asText();
        var params = message.path("params");
        return switch (method) {
            case "tools/list" -> list(caller, stateless);
            case "tools/call" -> call(caller, params);
            default -> stateless ? stateless(method) : handshake(method, params);
        };
    }

    private ObjectNode stateless(String method) throws Refusal {
        if (method.equals("server/discover")) {
            return discover();
        }
        throw unknown(method, true);
    }

    private ObjectNode handshake(String method, JsonNode params) throws Refusal {
        return switch (method) {
            case "initialize" -> initialize(params);
            case "ping" -> NODES.objectNode();
            default -> throw unknown(method, false);
        };
    }

    private static Refusal unknown(String method, boolean stateless) {
        return refused(
                stateless ? 404 : 200, METHOD_NOT_FOUND, "there is no method '" + method + "'");
    }

    private ObjectNode info() {
        return NODES.objectNode().put("name", name).put("version", version);
    }

    private ObjectNode initialize(JsonNode params) throws Refusal {
        var asked = params.path("protocolVersion");
        if (!asked.isTextual()) {
            throw refused(200, INVALID_PARAMS, "params.protocolVersion is missing");
        }
        var result = NODES.objectNode();
        result.put(
                "protocolVersion",
                WITH_HANDSHAKE.contains(asked.asText()) ? asked.asText() : NEWEST_WITH_HANDSHAKE);
        result.putObject("capabilities").putObject("tools");
        result.set("serverInfo", info());
        return result.put("instructions", instructions);
    }

    private ObjectNode discover() {
        var result = NODES.objectNode();
        var supported = result.putArray("supportedVersions");
        VERSIONS.forEach(supported::add);
        result.putObject("capabilities").putObject("tools");
        result.put("instructions", instructions);
        result.set("serverInfo", info());
        result.putObject("_meta").set(META + "serverInfo", info());
        return result.put("ttlMs", 0).put("cacheScope", "private");
    }

    private ObjectNode list(Caller caller, boolean stateless) {
        var result = NODES.objectNode();
        var list = result.putArray("tools");
        tools.of(caller).stream().limit(TOOLS_MAX).forEach(tool -> list.add(shape(tool)));
        return stateless ? result.put("ttlMs", 0).put("cacheScope", "private") : result;
    }

    private static ObjectNode shape(McpTool tool) {
        var shape = NODES.objectNode().put("name", tool.name());
        shape.put("description", tool.description());
        shape.set("inputSchema", tool.inputSchema());
        shape.putObject("annotations")
                .put("readOnlyHint", !tool.changes())
                .put("destructiveHint", false)
                .put("openWorldHint", false);
        return shape;
    }

    private ObjectNode call(Caller caller, JsonNode params) throws Refusal {
        var wanted = params.path("name").asText();
        var tool =
                find(caller, wanted)
                        .orElseThrow(
                                () ->
                                        refused(
                                                200,
                                                INVALID_PARAMS,
                                                "there is no tool '" + wanted + "'"));
        var given = params.path("arguments");
        if (!given.isObject() && !given.isMissingNode() && !given.isNull()) {
            throw refused(200, INVALID_PARAMS, "arguments is no object");
        }
        var arguments = given instanceof ObjectNode object ? object : NODES.objectNode();
        var wrong = JsonSchema.mismatch(tool.inputSchema(), arguments);
        var result =
                wrong.isPresent()
                        ? McpResult.error("the arguments do not fit: " + wrong.get())
                        : run(caller, tool, arguments);
        return shape(result);
    }

    private Optional<McpTool> find(Caller caller, String wanted) {
        return tools.of(caller).stream().filter(tool -> tool.name().equals(wanted)).findFirst();
    }

    private McpResult run(Caller caller, McpTool tool, ObjectNode arguments) throws Refusal {
        try {
            var result = tool.body().call(caller, arguments);
            audit(caller, tool, result.isError() ? 400 : 200, "");
            return result.content().toString().length() > RESULT_CHARS_MAX
                    ? McpResult.error(
                            "the result has more than %d characters: ask for less"
                                    .formatted(RESULT_CHARS_MAX))
                    : result;
        } catch (LakemillException e) {
            audit(caller, tool, 400, e.problem());
            return McpResult.error(String.valueOf(e.getMessage()));
        } catch (Exception e) {
            log.error("tool {} of {} failed", tool.name(), name, e);
            audit(caller, tool, 500, "a defect");
            throw refused(200, INTERNAL, "a defect: see the node's log");
        }
    }

    private void audit(Caller caller, McpTool tool, int status, String error) {
        audit.accept(
                new AuditEvent(
                        caller,
                        "mcp",
                        "callTool",
                        Map.of("server", name, "tool", tool.name()),
                        status,
                        error));
    }

    private static ObjectNode shape(McpResult result) {
        var shape = NODES.objectNode();
        shape.set("content", result.content());
        var structured = result.structured();
        if (structured != null && structured.isObject()) {
            shape.set("structuredContent", structured);
        }
        return shape.put("isError", result.isError());
    }

    private static Refusal refused(int status, int code, String message) {
        return new Refusal(status, code, message, null);
    }

    /** Hosts from which a page on this machine may call; what others say is not let in. */
    public static boolean isLocal(String host) {
        return Set.of("localhost", "127.0.0.1", "::1", "[::1]").contains(host);
    }
}
