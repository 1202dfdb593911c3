package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.Principals;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A principal as a SCIM request wants it. The whole request is read before anything is changed, so
 * that one that is wrong changes nothing.
 */
final class ScimDraft {
    private static final Pattern ONE_MEMBER =
            Pattern.compile("members\\[\\s*value\\s+eq\\s+\"([^\"]*)\"\\s*]");

    private final Principals principals;
    private final PrincipalInfo before;
    private final Set<UUID> membersBefore;
    private final Set<UUID> members;

    /** Of what the request names; what it does not name stays as it is when that is made so. */
    private Function<PrincipalInfo, PrincipalInfo> change = Function.identity();

    ScimDraft(Principals principals, PrincipalInfo before) {
        this.principals = principals;
        this.before = before;
        this.membersBefore =
                isGroup()
                        ? principals.members(before.principal().id()).stream()
                                .map(Principal::id)
                                .collect(Collectors.toUnmodifiableSet())
                        : Set.of();
        this.members = new LinkedHashSet<>(membersBefore);
    }

    private boolean isGroup() {
        return before.principal().kind() == PrincipalKind.GROUP;
    }

    /** All that a resource says; what it does not say stays, but for a group's members. */
    void replace(JsonNode resource) {
        if (isGroup()) {
            members.clear();
        }
        set(resource);
    }

    /** One operation of a PatchOp message. */
    void patch(JsonNode operation) {
        var kind = operation.path("op").asText().toLowerCase(Locale.ROOT);
        var path = operation.path("path").asText("");
        var value = operation.path("value");
        if (!Set.of("add", "replace", "remove").contains(kind)) {
            throw bad("there is no op '%s'".formatted(kind));
        }
        var one = ONE_MEMBER.matcher(path);
        if (isGroup() && one.matches() && kind.equals("remove")) {
            members.remove(id(one.group(1)));
        } else if (isGroup() && path.equalsIgnoreCase("members")) {
            patchMembers(kind, value);
        } else if (path.isEmpty() && !kind.equals("remove") && value.isObject()) {
            if (isGroup() && kind.equals("replace") && value.has("members")) {
                members.clear();
            }
            set(value);
        } else if (!kind.equals("remove")) {
            set(path, value);
        } else {
            throw bad("%s cannot be removed".formatted(path.isEmpty() ? "everything" : path));
        }
    }

    private void patchMembers(String kind, JsonNode value) {
        if (kind.equals("replace") || (kind.equals("remove") && value.isMissingNode())) {
            members.clear();
        }
        if (kind.equals("remove")) {
            value.forEach(member -> members.remove(id(member.path("value").asText())));
        } else {
            addMembers(value);
        }
    }

    private void set(JsonNode resource) {
        for (var name : Set.of("userName", "displayName", "externalId", "active", "members")) {
            if (resource.has(name) && !resource.get(name).isNull()) {
                set(name, resource.get(name));
            }
        }
    }

    private void set(String attribute, JsonNode value) {
        switch (attribute.toLowerCase(Locale.ROOT)) {
            case "username" -> requireName(value.asText());
            case "displayname" -> {
                if (before.principal().kind() != PrincipalKind.USER) {
                    requireName(value.asText());
                }
                var text = value.asText();
                change = change.andThen(p -> p.withDisplayName(text));
            }
            case "externalid" -> {
                var text = value.asText();
                change = change.andThen(p -> p.withExternalId(text));
            }
            case "active" -> {
                var active = bool(value);
                change = change.andThen(p -> p.withActive(active));
            }
            case "members" -> addMembers(value);
            default -> throw bad("'%s' cannot be changed".formatted(attribute));
        }
    }

    private void requireName(String name) {
        if (!name.equalsIgnoreCase(before.principal().name())) {
            throw bad("a name cannot be changed: grants and Postgres roles go by it");
        }
    }

    /** Some identity providers send texts. */
    private static boolean bool(JsonNode value) {
        if (value.isBoolean()) {
            return value.asBoolean();
        }
        return switch (value.asText().toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            default -> throw bad("active is neither true nor false");
        };
    }

    private void addMembers(JsonNode list) {
        if (!isGroup()) {
            throw bad("only groups have members");
        }
        list.forEach(member -> members.add(id(member.path("value").asText())));
    }

    private UUID id(String text) {
        try {
            var id = UUID.fromString(text);
            if (membersBefore.contains(id) || principals.find(id).isPresent()) {
                return id;
            }
        } catch (IllegalArgumentException _) {
            // Told below, as any other id that is none.
        }
        throw bad("there is no principal with the id '%s'".formatted(text));
    }

    /** The same of one that is made now; what the catalog refuses of it is not made. */
    PrincipalInfo create(Caller caller) {
        var wanted = change.apply(before);
        var kind = wanted.principal().kind();
        var made =
                principals.create(
                        caller,
                        kind,
                        wanted.principal().name(),
                        wanted.displayName(),
                        wanted.externalId());
        var draft = new ScimDraft(principals, made);
        draft.members.addAll(members);
        draft.change = change;
        try {
            return draft.apply(caller);
        } catch (LakemillException e) {
            principals.delete(caller, made.principal().id());
            throw e;
        }
    }

    /** Makes it so; each change is audited by the catalog. */
    PrincipalInfo apply(Caller caller) {
        var id = before.principal().id();
        principals.update(caller, id, change::apply);
        members.stream()
                .filter(member -> !membersBefore.contains(member))
                .forEach(member -> principals.addMember(caller, id, member));
        membersBefore.stream()
                .filter(member -> !members.contains(member))
                .forEach(member -> principals.removeMember(caller, id, member));
        return principals.find(id).orElseThrow();
    }

    private static LakemillException bad(String problem) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                problem,
                "displayName, externalId, active and members can be changed");
    }
}
