package dev.lakemill.postgres;

import static dev.lakemill.postgres.Relation.quoted;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Privileges by role, as Postgres names them; a star after one says that it may be granted on. What
 * the owner itself has is left out.
 */
record Acl(Map<String, SortedSet<String>> privileges) {
    /** Everybody: no role can have the name. */
    static final String PUBLIC = "public";

    static Acl empty() {
        return new Acl(new TreeMap<>());
    }

    Acl add(Collection<String> roles, String... granted) {
        for (var role : roles) {
            var all = privileges.computeIfAbsent(role, _ -> new TreeSet<>());
            all.addAll(List.of(granted));
        }
        return this;
    }

    /**
     * The commands that make this of what is found; none when that is the same.
     *
     * @param on for example {@code TABLE "gold"."stock"}
     */
    List<String> from(Acl found, String on) {
        if (equals(found)) {
            return List.of();
        }
        var commands = new ArrayList<String>();
        minus(found, this)
                .forEach(
                        (granted, roles) ->
                                commands.add(
                                        "REVOKE %s ON %s FROM %s CASCADE"
                                                .formatted(granted.replace("*", ""), on, roles)));
        var left = new Acl(new TreeMap<>());
        found.privileges.forEach((role, granted) -> left.add(List.of(role), kept(role, granted)));
        minus(this, left)
                .forEach(
                        (granted, roles) ->
                                commands.add("GRANT %s ON %s TO %s".formatted(granted, on, roles)));
        return commands;
    }

    /** What a revocation of the rest leaves; it takes a privilege and its star together. */
    private String[] kept(String role, SortedSet<String> found) {
        var wanted = privileges.getOrDefault(role, new TreeSet<>());
        return found.stream()
                .filter(p -> wanted.contains(p) && !found.contains(p + "*"))
                .toArray(String[]::new);
    }

    /** Roles by the privileges that they have in one and not in the other, both for SQL. */
    private static Map<String, String> minus(Acl one, Acl other) {
        var more = new TreeMap<String, String>();
        one.privileges.forEach(
                (role, granted) -> {
                    var rest = new TreeSet<>(granted);
                    rest.removeAll(other.privileges.getOrDefault(role, new TreeSet<>()));
                    if (!rest.isEmpty()) {
                        var name = role.equals(PUBLIC) ? "PUBLIC" : quoted(role);
                        more.merge(String.join(", ", rest), name, (a, b) -> a + ", " + b);
                    }
                });
        return more;
    }
}
