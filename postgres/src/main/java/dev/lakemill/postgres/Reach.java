package dev.lakemill.postgres;

import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Whom the catalog's grants reach, for all principals at once: the decision of {@link
 * dev.lakemill.catalog.Access}, as sets.
 *
 * <p>A set holds users, service principals and groups, and with a group all that is in it: what a
 * group may, its members may. So a set is told whole by its outermost principals, those that no
 * group of the set contains, and a native GRANT to these and to nobody else gives exactly the set,
 * since Postgres's roles inherit along the same memberships. That stays true where USE CATALOG
 * comes by one group and SELECT by another: then the outermost are those who are in both.
 */
final class Reach {
    private final List<Principal> principals = new ArrayList<>();
    private final Map<UUID, Integer> numbers = new HashMap<>();

    /** By principal, all that it contains, itself among them. */
    private final List<BitSet> below = new ArrayList<>();

    /** By principal, the groups that it is directly in. */
    private final List<BitSet> above = new ArrayList<>();

    private final Map<Securable, Map<Privilege, BitSet>> granted = new HashMap<>();
    private final Map<Securable, UUID> owners;
    private final Map<Held, BitSet> held = new HashMap<>();
    private final Map<BitSet, List<String>> outermost = new HashMap<>();

    private record Held(Privilege privilege, Securable on) {}

    /** Inactive users and service principals are in no set. */
    Reach(Governed governed) {
        this.owners = governed.owners();
        for (var info : governed.principals()) {
            if (info.active() || info.principal().kind() == PrincipalKind.GROUP) {
                numbers.put(info.principal().id(), principals.size());
                principals.add(info.principal());
                above.add(new BitSet());
            }
        }
        governed.members().forEach(this::contain);
        for (var number = 0; number < principals.size(); number++) {
            if (Governed.isUsers(principals.get(number).name())) {
                containAll(number);
            }
        }
        for (var number = 0; number < principals.size(); number++) {
            below.add(new BitSet());
        }
        for (var number = 0; number < principals.size(); number++) {
            addTo(number, number);
        }
        for (var grant : governed.grants()) {
            var number = numbers.get(grant.principal().id());
            if (number != null) {
                granted.computeIfAbsent(Governed.key(grant.on()), _ -> new HashMap<>())
                        .computeIfAbsent(grant.privilege(), _ -> new BitSet())
                        .or(below.get(number));
            }
        }
    }

    private void contain(UUID group, List<UUID> members) {
        var outer = numbers.get(group);
        for (var member : members) {
            var inner = numbers.get(member);
            if (outer != null && inner != null) {
                above.get(inner).set(outer);
            }
        }
    }

    private void containAll(int group) {
        for (var number = 0; number < principals.size(); number++) {
            if (number != group) {
                above.get(number).set(group);
            }
        }
    }

    /** Notes the principal in a group and in what contains it. */
    private void addTo(int group, int principal) {
        if (!below.get(group).get(principal)) {
            below.get(group).set(principal);
            above.get(group).stream().forEach(outer -> addTo(outer, principal));
        }
    }

    /** Who may do it, given USE CATALOG and USE SCHEMA too. */
    BitSet may(Privilege privilege, Securable on) {
        var may = (BitSet) holders(privilege, Governed.key(on)).clone();
        for (var up = on.parent(); up.isPresent(); up = up.get().parent()) {
            switch (up.get().type()) {
                case SCHEMA -> may.and(holders(Privilege.USE_SCHEMA, Governed.key(up.get())));
                case CATALOG -> may.and(holders(Privilege.USE_CATALOG, Governed.key(up.get())));
                default -> {}
            }
        }
        return may;
    }

    /** The principal and all that are in it; none while it is inactive. */
    BitSet members(UUID principal) {
        var number = numbers.get(principal);
        return number == null ? new BitSet() : (BitSet) below.get(number).clone();
    }

    boolean has(BitSet set, UUID principal) {
        var number = numbers.get(principal);
        return number != null && set.get(number);
    }

    /** Who may use the schema. */
    BitSet mayUse(Securable schema) {
        return may(Privilege.USE_SCHEMA, schema);
    }

    private BitSet holders(Privilege privilege, Securable on) {
        var key = new Held(privilege, on);
        var known = held.get(key);
        if (known == null) {
            known = new BitSet();
            var owner = owners.get(on);
            var number = owner == null ? null : numbers.get(owner);
            if (number != null) {
                known.or(below.get(number));
            }
            known.or(granted(privilege, on));
            held.put(key, known);
        }
        return known;
    }

    /** By grants on it and on its parents; nothing is inherited from the metastore. */
    private BitSet granted(Privilege privilege, Securable on) {
        var set = new BitSet();
        if (on.type() == SecurableType.METASTORE) {
            return set;
        }
        var here = granted.getOrDefault(on, Map.of());
        set.or(here.getOrDefault(privilege, new BitSet()));
        set.or(here.getOrDefault(Privilege.ALL_PRIVILEGES, new BitSet()));
        on.parent().ifPresent(parent -> set.or(granted(privilege, parent)));
        return set;
    }

    /** The roles that a privilege of the whole set is granted to, by name. */
    List<String> outermost(BitSet set) {
        return outermost.computeIfAbsent(
                set,
                all ->
                        all.stream()
                                .filter(p -> !above.get(p).intersects(all))
                                .mapToObj(p -> principals.get(p).name())
                                .sorted()
                                .toList());
    }

    /** Pairs of a group and a direct member, as roles. */
    List<Membership> memberships() {
        var pairs = new ArrayList<Membership>();
        for (var number = 0; number < principals.size(); number++) {
            var member = principals.get(number).name();
            above.get(number).stream()
                    .forEach(g -> pairs.add(Membership.of(principals.get(g).name(), member)));
        }
        return pairs;
    }
}
