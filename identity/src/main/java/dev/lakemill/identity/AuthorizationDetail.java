package dev.lakemill.identity;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What a token is good for, when it is not good for all that its principal may do: some privileges
 * on one securable (RFC 9396, type {@code unity_catalog_privileges}, as Zerobus' clients send it).
 */
public record AuthorizationDetail(Securable on, Set<Privilege> privileges) {
    static final String TYPE = "unity_catalog_privileges";
    private static final int DETAILS_MAX = 64;
    private static final ObjectMapper JSON = new ObjectMapper();

    public AuthorizationDetail {
        privileges = Set.copyOf(privileges);
    }

    /** Whether it covers the privilege on the securable: on itself or on what contains it. */
    boolean allows(Privilege privilege, Securable securable) {
        return holds(privilege) && contains(securable);
    }

    /** Whether one of the two contains the other. */
    boolean reaches(Securable securable) {
        return contains(securable) || new AuthorizationDetail(securable, privileges).contains(on);
    }

    /** For people: {@code SELECT on TABLE farm.gold.stock}. */
    String text() {
        return "%s on %s"
                .formatted(
                        String.join(
                                ", ", privileges.stream().map(Privilege::sql).sorted().toList()),
                        (on.type().name().replace('_', ' ') + " " + on.name()).strip());
    }

    private boolean holds(Privilege privilege) {
        return privileges.contains(privilege)
                || (privileges.contains(Privilege.ALL_PRIVILEGES)
                        && privilege != Privilege.MANAGE
                        && privilege != Privilege.EXTERNAL_USE_SCHEMA);
    }

    private boolean contains(Securable securable) {
        return (securable.type() == on.type() && securable.name().equalsIgnoreCase(on.name()))
                || securable.parent().map(this::contains).orElse(false);
    }

    /** INVALID_ARGUMENT for what is not a list of such details. */
    static List<AuthorizationDetail> parse(String text) {
        try {
            return parse(JSON.readTree(text));
        } catch (JsonProcessingException e) {
            throw bad("authorization_details is not JSON");
        }
    }

    static List<AuthorizationDetail> parse(JsonNode list) {
        if (!list.isArray() || list.isEmpty() || list.size() > DETAILS_MAX) {
            throw bad("authorization_details is not a list of 1 to " + DETAILS_MAX);
        }
        var details = new ArrayList<AuthorizationDetail>();
        for (var one : list) {
            if (!one.path("type").asText().equals(TYPE)) {
                throw bad(
                        "an authorization detail has the type '"
                                + one.path("type").asText("")
                                + "'");
            }
            details.add(new AuthorizationDetail(securable(one), privileges(one)));
        }
        return details;
    }

    private static Securable securable(JsonNode detail) {
        var type = detail.path("object_type").asText().toUpperCase(Locale.ROOT);
        try {
            return new Securable(
                    SecurableType.valueOf(type.replace(' ', '_')),
                    detail.path("object_full_path").asText());
        } catch (IllegalArgumentException e) {
            throw bad("an authorization detail has the object_type '" + type + "'");
        }
    }

    private static Set<Privilege> privileges(JsonNode detail) {
        var privileges = EnumSet.noneOf(Privilege.class);
        detail.path("privileges").forEach(name -> privileges.add(Privilege.parse(name.asText())));
        if (privileges.isEmpty()) {
            throw bad("an authorization detail lists no privileges");
        }
        return privileges;
    }

    private static LakemillException bad(String problem) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                problem,
                "send objects with type " + TYPE + ", privileges, object_type, object_full_path");
    }

    /** As the claim of a token, and as a token's answer, has it. */
    Map<String, Object> claim() {
        return Map.of(
                "type",
                TYPE,
                "privileges",
                privileges.stream().map(Privilege::sql).sorted().toList(),
                "object_type",
                on.type().name(),
                "object_full_path",
                on.name());
    }

    static List<AuthorizationDetail> ofClaim(Object claim) {
        JsonNode list = JSON.valueToTree(claim);
        return parse(list);
    }
}
