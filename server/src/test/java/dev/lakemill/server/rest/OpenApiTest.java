package dev.lakemill.server.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** openapi.yaml and the routes are the same; that answers fit it is checked in every other test. */
class OpenApiTest {
    private final RestServer server = RestServer.shared();
    private final OpenApi api = new OpenApi();

    @Test
    void everyRouteStandsInTheFileAndEveryPathOfTheFileIsARoute() {
        var routes = new TreeSet<String>();
        for (var route : server.router.getRoutes()) {
            var path = route.getName().replaceAll(":([a-z_]+)", "{$1}");
            route.methods().forEach(method -> routes.add(method.name() + " " + path));
        }
        assertThat(routes).isEqualTo(api.operations());
    }

    @Test
    void theFileIsServedAsItIs() {
        var served = server.send("", "GET", Api.UNITY + "/openapi.yaml", "", "test");
        assertThat(served.status()).isEqualTo(200);
        assertThat(served.text()).startsWith("openapi: 3.1.1");
    }

    @Test
    void everyReferenceLeadsSomewhere() {
        var broken = new ArrayList<String>();
        references(api.root()).stream()
                .filter(reference -> api.root().at(reference.substring(1)).isMissingNode())
                .forEach(broken::add);
        assertThat(broken).isEmpty();
    }

    private static List<String> references(JsonNode node) {
        return node.findValuesAsText("$ref");
    }
}
