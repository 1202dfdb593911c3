package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.server.Routes;
import io.vertx.core.http.HttpMethod;
import java.util.Map;

/** Mounts secured routes below one path, with the errors of one API. */
record Api(Routes routes, String base) {
    static final String UNITY = "/api/2.1/unity-catalog";

    /** The answer of what has nothing to say: clients parse it as JSON. */
    static final ObjectNode EMPTY = JsonNodeFactory.instance.objectNode();

    static final Routes.Reply NO_CONTENT = new Routes.Reply(204, Map.of(), null);

    interface Route {
        Object answer(Request request) throws Exception;
    }

    static Api unity(Routes routes, String kind) {
        return new Api(routes.withErrors(UnityErrors.unity(kind)), UNITY);
    }

    void get(String path, Route route) {
        mount(HttpMethod.GET, path, route);
    }

    void post(String path, Route route) {
        mount(HttpMethod.POST, path, route);
    }

    void patch(String path, Route route) {
        mount(HttpMethod.PATCH, path, route);
    }

    void put(String path, Route route) {
        mount(HttpMethod.PUT, path, route);
    }

    void delete(String path, Route route) {
        mount(HttpMethod.DELETE, path, route);
    }

    void head(String path, Route route) {
        mount(HttpMethod.HEAD, path, route);
    }

    private void mount(HttpMethod method, String path, Route route) {
        routes.secured(
                method,
                base + path,
                (context, caller) ->
                        route.answer(new Request(context, caller, routes.body(context))));
    }
}
