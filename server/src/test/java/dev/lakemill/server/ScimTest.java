package dev.lakemill.server;

import static dev.lakemill.server.TestNode.body;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SCIM as identity providers and Databricks' tools send it. */
final class ScimTest {
    private static final String BASE = "/api/2.0/preview/scim/v2/";

    @TempDir static Path folder;
    private static TestNode node;

    @BeforeAll
    static void start() throws Exception {
        node = new TestNode(folder, Map.of());
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static HttpResponse<String> send(String method, String path, String body) {
        try {
            var token = "Bearer " + node.adminToken();
            return node.json(method, BASE + path, body, "authorization", token);
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
    }

    private static JsonNode get(String path) {
        var answer = send("GET", path, "");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return body(answer);
    }

    private static JsonNode create(String kind, String body) {
        var answer = send("POST", kind, body);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(201);
        return body(answer);
    }

    private static JsonNode patch(String path, String operations) {
        var answer =
                send(
                        "PATCH",
                        path,
                        """
                        {"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                         "Operations":[%s]}
                        """
                                .formatted(operations));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return body(answer);
    }

    private static List<String> members(JsonNode group) {
        var members = new ArrayList<String>();
        group.path("members").forEach(member -> members.add(member.path("value").asText()));
        return members;
    }

    @Test
    void aUserGoesRound() {
        var made =
                create(
                        "Users",
                        """
                        {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],
                         "userName":"grace@example.org","displayName":"Grace","externalId":"e-1"}
                        """);
        var path = "Users/" + made.path("id").asText();
        assertThat(get(path)).isEqualTo(made);
        assertThat(made.path("active").asBoolean()).isTrue();
        assertThat(made.path("emails").get(0).path("value").asText())
                .isEqualTo("grace@example.org");
        assertThat(made.path("groups").get(0).path("display").asText()).isEqualTo("account users");
        var replaced =
                body(
                        send(
                                "PUT",
                                path,
                                "{\"userName\":\"grace@example.org\",\"displayName\":\"G. H.\"}"));
        assertThat(replaced.path("displayName").asText()).isEqualTo("G. H.");
        var patched = patch(path, "{\"op\":\"Replace\",\"value\":{\"active\":\"False\"}}");
        assertThat(patched.path("active").asBoolean()).isFalse();
        assertThat(patched.path("externalId").asText()).isEqualTo("e-1");
        assertThat(send("DELETE", path, "").statusCode()).isEqualTo(204);
        var gone = send("GET", path, "");
        assertThat(gone.statusCode()).isEqualTo(404);
        assertThat(body(gone).path("schemas").get(0).asText())
                .isEqualTo("urn:ietf:params:scim:api:messages:2.0:Error");
        assertThat(body(gone).path("status").asText()).isEqualTo("404");
    }

    @Test
    void unityCatalogsClientsNameUsersByTheirEmail() throws Exception {
        var path = "/api/1.0/unity-control/scim2/Users";
        var token = "Bearer " + node.adminToken();
        var answer =
                node.json(
                        "POST",
                        path,
                        """
                        {"displayName":"Linus","externalId":"",
                         "emails":[{"value":"linus@example.org","primary":true}]}
                        """,
                        "authorization",
                        token);
        assertThat(answer.statusCode()).isEqualTo(201);
        assertThat(body(answer).path("userName").asText()).isEqualTo("linus@example.org");
        var me = node.get("/api/1.0/unity-control/scim2/Me", "authorization", token);
        assertThat(body(me).path("userName").asText()).isEqualTo("admin");
    }

    @Test
    void aGroupGoesRound() {
        var one = create("Users", "{\"userName\":\"m1@example.org\"}").path("id").asText();
        var two = create("ServicePrincipals", "{\"displayName\":\"m2\"}").path("id").asText();
        var group =
                create(
                        "Groups",
                        "{\"displayName\":\"growers\",\"members\":[{\"value\":\"%s\"}]}"
                                .formatted(one));
        var path = "Groups/" + group.path("id").asText();
        assertThat(members(group)).containsExactly(one);
        var both =
                patch(
                        path,
                        "{\"op\":\"add\",\"path\":\"members\",\"value\":[{\"value\":\"%s\"}]}"
                                .formatted(two));
        assertThat(members(both)).containsExactlyInAnyOrder(one, two);
        var without =
                patch(
                        path,
                        "{\"op\":\"remove\",\"path\":\"members[value eq \\\"%s\\\"]\"}"
                                .formatted(one));
        assertThat(members(without)).containsExactly(two);
        var swapped =
                patch(
                        path,
                        "{\"op\":\"replace\",\"value\":{\"members\":[{\"value\":\"%s\"}]}}"
                                .formatted(one));
        assertThat(members(swapped)).containsExactly(one);
        assertThat(get("Users/" + one).path("groups").findValuesAsText("display"))
                .contains("growers");
        var emptied = body(send("PUT", path, "{\"displayName\":\"growers\"}"));
        assertThat(members(emptied)).isEmpty();
        assertThat(send("DELETE", path, "").statusCode()).isEqualTo(204);
    }

    @Test
    void aRequestThatIsWrongChangesNothing() {
        var group = create("Groups", "{\"displayName\":\"steady\"}").path("id").asText();
        var member = create("Users", "{\"userName\":\"m3@example.org\"}").path("id").asText();
        var answer =
                send(
                        "PATCH",
                        "Groups/" + group,
                        """
                        {"Operations":[
                         {"op":"add","path":"members","value":[{"value":"%s"}]},
                         {"op":"add","path":"members","value":[{"value":"no-such-id"}]}]}
                        """
                                .formatted(member));
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(body(answer).path("scimType").asText()).isEqualTo("invalidValue");
        assertThat(members(get("Groups/" + group))).isEmpty();
        for (var bad :
                List.of(
                        "{}",
                        "{\"Operations\":[{\"op\":\"move\",\"path\":\"active\"}]}",
                        "{\"Operations\":[{\"op\":\"replace\",\"path\":\"id\",\"value\":\"x\"}]}",
                        "{\"Operations\":[{\"op\":\"remove\"}]}",
                        "{\"Operations\":[{\"op\":\"replace\",\"path\":\"displayName\","
                                + "\"value\":\"renamed\"}]}")) {
            assertThat(send("PATCH", "Groups/" + group, bad).statusCode()).as(bad).isEqualTo(400);
        }
    }

    @Test
    void aChangeLeavesWhatItDoesNotName() {
        var made = create("Users", "{\"userName\":\"left@example.org\"}");
        var id = UUID.fromString(made.path("id").asText());
        var principals = node.node().catalog().principals();
        var draft = new ScimDraft(principals, principals.find(id).orElseThrow());
        draft.replace(new ObjectMapper().createObjectNode().put("displayName", "Lea"));
        patch("Users/" + id, "{\"op\":\"replace\",\"value\":{\"active\":false}}");
        var changed = draft.apply(node.node().catalog().system());
        assertThat(changed.displayName()).isEqualTo("Lea");
        assertThat(changed.active()).as("it was read before it was made inactive").isFalse();
    }

    @Test
    void nothingIsMadeOfARequestThatIsWrong() {
        var everybody = node.node().catalog().principals().find("account users").orElseThrow();
        for (var members : List.of("no-such-id", everybody.principal().id().toString())) {
            var group =
                    "{\"displayName\":\"unmade\",\"members\":[{\"value\":\"%s\"}]}"
                            .formatted(members);
            assertThat(send("POST", "Groups", group).statusCode()).isEqualTo(400);
        }
        var user = "{\"userName\":\"unmade@example.org\",\"active\":\"maybe\"}";
        assertThat(send("POST", "Users", user).statusCode()).isEqualTo(400);
        assertThat(found("userName sw \"unmade\"")).isZero();
        assertThat(
                        get("Groups?filter=" + TestNode.encoded("displayName sw \"unmade\""))
                                .path("totalResults")
                                .asInt())
                .isZero();
        assertThat(create("Groups", "{\"displayName\":\"unmade\"}").path("id").asText())
                .isNotEmpty();
    }

    @Test
    void namesAreTakenOnce() {
        create("Users", "{\"userName\":\"twice@example.org\"}");
        var answer = send("POST", "Users", "{\"userName\":\"TWICE@example.org\"}");
        assertThat(answer.statusCode()).isEqualTo(409);
        assertThat(body(answer).path("scimType").asText()).isEqualTo("uniqueness");
        assertThat(send("POST", "Users", "{}").statusCode()).isEqualTo(400);
    }

    @Test
    void listsAreFilteredAndPaged() {
        for (var i = 0; i < 5; i++) {
            create(
                    "Users",
                    "{\"userName\":\"page-%d@example.org\",\"displayName\":\"Page %d\"}"
                            .formatted(i, i));
        }
        assertThat(found("userName sw \"page-\"")).isEqualTo(5);
        assertThat(found("userName eq \"PAGE-3@example.org\"")).isEqualTo(1);
        assertThat(found("displayName co \"age 4\"")).isEqualTo(1);
        assertThat(found("displayName eq \"nobody\"")).isZero();
        var page =
                get(
                        "Users?startIndex=2&count=2&filter="
                                + TestNode.encoded("userName sw \"page-\""));
        assertThat(page.path("totalResults").asInt()).isEqualTo(5);
        assertThat(page.path("itemsPerPage").asInt()).isEqualTo(2);
        assertThat(page.path("Resources").get(0).path("userName").asText())
                .isEqualTo("page-1@example.org");
        for (var bad : List.of("userName gt \"x\"", "password eq \"x\"", "userName eq x", "((")) {
            var answer = send("GET", "Users?filter=" + TestNode.encoded(bad), "");
            assertThat(answer.statusCode()).as(bad).isEqualTo(400);
        }
        assertThat(send("GET", "Users?count=many", "").statusCode()).isEqualTo(400);
    }

    private static int found(String filter) {
        return get("Users?filter=" + TestNode.encoded(filter)).path("totalResults").asInt();
    }

    @Test
    void onlyAdminsSeePrincipalsAndEverybodySeesThemselves() {
        var cookie = node.logIn("plain@example.org");
        var me = node.get(BASE + "Me", "cookie", cookie);
        assertThat(body(me).path("userName").asText()).isEqualTo("plain@example.org");
        var own = body(me).path("id").asText();
        for (var path : List.of("Users", "Groups", "ServicePrincipals", "Users/" + own)) {
            var answer = node.get(BASE + path, "cookie", cookie);
            assertThat(answer.statusCode()).as(path).isEqualTo(403);
            assertThat(body(answer).path("detail").asText()).contains("admins");
        }
        var create =
                node.json(
                        "POST",
                        BASE + "Users",
                        "{\"userName\":\"more@example.org\"}",
                        "cookie",
                        cookie,
                        "sec-fetch-site",
                        "same-origin");
        assertThat(create.statusCode()).isEqualTo(403);
    }
}
