package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.Principals;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Principals in the form of SCIM's resources. */
record ScimJson(Principals principals) {
    private static final String SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:";

    /** The error message of RFC 7644, 3.12. */
    static Object error(int status, LakemillException failure) {
        var body = new LinkedHashMap<String, Object>();
        body.put("schemas", List.of("urn:ietf:params:scim:api:messages:2.0:Error"));
        body.put("status", String.valueOf(status));
        if (failure.code() == ErrorCode.ALREADY_EXISTS) {
            body.put("scimType", "uniqueness");
        } else if (failure.code() == ErrorCode.INVALID_ARGUMENT) {
            body.put("scimType", "invalidValue");
        }
        body.put("detail", String.valueOf(failure.getMessage()));
        return body;
    }

    Map<String, Object> of(PrincipalInfo info) {
        var principal = info.principal();
        var json = new LinkedHashMap<String, Object>();
        json.put("schemas", List.of(SCHEMA + type(principal.kind())));
        json.put("id", principal.id().toString());
        if (!info.externalId().isEmpty()) {
            json.put("externalId", info.externalId());
        }
        switch (principal.kind()) {
            case USER -> {
                json.put("userName", principal.name());
                json.put("emails", List.of(Map.of("value", principal.name(), "primary", true)));
            }
            case SERVICE_PRINCIPAL -> json.put("applicationId", principal.id().toString());
            case GROUP -> json.put("members", refs(principals.members(principal.id())));
        }
        json.put("displayName", displayName(info));
        if (principal.kind() != PrincipalKind.GROUP) {
            json.put("active", info.active());
            json.put("groups", refs(groups(principal)));
        }
        json.put(
                "meta",
                Map.of(
                        "resourceType", type(principal.kind()),
                        "created", info.createdAt().toString()));
        return json;
    }

    private List<Principal> groups(Principal principal) {
        return principals.groupsOf(principal.id()).stream()
                .sorted(Comparator.comparing(Principal::name))
                .toList();
    }

    private static List<Map<String, Object>> refs(List<Principal> principals) {
        return principals.stream()
                .map(
                        p ->
                                Map.<String, Object>of(
                                        "value", p.id().toString(),
                                        "display", p.name(),
                                        "type", type(p.kind()),
                                        "$ref", type(p.kind()) + "s/" + p.id()))
                .toList();
    }

    private static String type(PrincipalKind kind) {
        return switch (kind) {
            case USER -> "User";
            case SERVICE_PRINCIPAL -> "ServicePrincipal";
            case GROUP -> "Group";
        };
    }

    /** Only users have one beside their name: that of the others is what they are known by. */
    static String displayName(PrincipalInfo info) {
        var principal = info.principal();
        return principal.kind() == PrincipalKind.USER ? info.displayName() : principal.name();
    }

    /** The name of a new principal; a user without userName is called by e-mail address. */
    static String name(PrincipalKind kind, JsonNode body) {
        var name =
                kind == PrincipalKind.USER
                        ? body.path("userName").asText(email(body))
                        : body.path("displayName").asText("");
        if (name.isBlank()) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the new principal has no name",
                    kind == PrincipalKind.USER ? "send userName" : "send displayName");
        }
        return name;
    }

    private static String email(JsonNode body) {
        var found = "";
        for (var email : body.path("emails")) {
            if (found.isEmpty() || email.path("primary").asBoolean()) {
                found = email.path("value").asText("");
            }
        }
        return found;
    }
}
