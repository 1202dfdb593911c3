package dev.lakemill.catalog;

import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The rules of Unity Catalog, as one decision over facts: what every door is compared with.
 *
 * <ol>
 *   <li>The node may everything; who is inactive or unknown may nothing.
 *   <li>What a principal is granted, it is granted through each of its groups too.
 *   <li>A grant on a container holds for all that is in it, but nothing is inherited from the
 *       metastore. ALL PRIVILEGES stands for all but {@link Privileges#inAll}'s exceptions.
 *   <li>The owner of a securable holds all that acts on it, and nothing on what is in it.
 *   <li>Whatever is held counts only with USE CATALOG and USE SCHEMA on all that contains it.
 *   <li>MANAGE is held, without USE, by owners of the securable and of all that contains it,
 *       metastore admins, who own the metastore, among them, and by whom it was granted to.
 *   <li>BROWSE is held, without USE, by whom it was granted to and by those who manage; and by
 *       whoever may use the securable in any way.
 * </ol>
 */
final class Rules {
    static final Decision ALLOWED = new Decision.Allowed();

    /** What a decision looks at. */
    interface Facts {
        boolean isNode(UUID principal);

        boolean isActive(UUID principal);

        /** The principal itself, the groups that it is in through any others, and everybody's. */
        Set<UUID> identities(UUID principal);

        Optional<SecurableInfo> securable(Securable name);

        Set<Privilege> granted(UUID securable, UUID identity);
    }

    private final Facts facts;
    private final Set<UUID> identities;

    /** From the securable up to the metastore; a securable that is not there is left out. */
    private final List<SecurableInfo> path = new ArrayList<>();

    private Rules(Facts facts, UUID principal, Securable on) {
        this.facts = facts;
        this.identities = facts.identities(principal);
        for (var at = Optional.of(on); at.isPresent(); at = at.get().parent()) {
            facts.securable(at.get()).ifPresent(path::add);
        }
    }

    static Decision decide(Facts facts, UUID principal, Privilege privilege, Securable on) {
        if (facts.isNode(principal)) {
            return ALLOWED;
        }
        var rules = new Rules(facts, principal, on);
        return facts.isActive(principal)
                ? rules.decide(privilege, on)
                : rules.denied(privilege, on);
    }

    private Decision decide(Privilege privilege, Securable on) {
        if (facts.securable(on).isPresent()) {
            if (privilege == Privilege.MANAGE) {
                return manages() ? ALLOWED : denied(privilege, on);
            }
            if (privilege == Privilege.BROWSE) {
                var seen = manages() || holds(privilege, 0) || usable();
                return seen ? ALLOWED : denied(privilege, on);
            }
        }
        var closed = closed();
        if (closed.isPresent()) {
            return denied(use(closed.get()), closed.get().securable());
        }
        var held = facts.securable(on).isPresent() && holds(privilege, 0);
        return held ? ALLOWED : denied(privilege, on);
    }

    private boolean manages() {
        return path.stream().anyMatch(this::owns)
                || inheritable(0).anyMatch(at -> granted(at).contains(Privilege.MANAGE));
    }

    /** Whether anything that acts on it is held and counts. */
    private boolean usable() {
        return closed().isEmpty()
                && Privileges.acting(path.getFirst().securable().type()).stream()
                        .anyMatch(p -> holds(p, 0));
    }

    /** The outermost container, the securable itself among them, that may not be used. */
    private Optional<SecurableInfo> closed() {
        for (var i = path.size() - 1; i >= 0; i--) {
            var use = Privileges.toUse(path.get(i).securable().type());
            if (use.isPresent() && !holds(use.get(), i)) {
                return Optional.of(path.get(i));
            }
        }
        return Optional.empty();
    }

    private boolean holds(Privilege privilege, int index) {
        var info = path.get(index);
        return (owns(info) && Privileges.acting(info.securable().type()).contains(privilege))
                || inheritable(index).anyMatch(at -> grants(at, privilege));
    }

    /** The securable and what it inherits from: not the metastore, unless it is that. */
    private Stream<SecurableInfo> inheritable(int index) {
        return path.subList(index, Math.max(index + 1, path.size() - 1)).stream();
    }

    private boolean grants(SecurableInfo at, Privilege privilege) {
        var granted = granted(at);
        return granted.contains(privilege)
                || (Privileges.inAll(privilege) && granted.contains(Privilege.ALL_PRIVILEGES));
    }

    private Set<Privilege> granted(SecurableInfo at) {
        var all = EnumSet.noneOf(Privilege.class);
        identities.forEach(identity -> all.addAll(facts.granted(at.id(), identity)));
        return all;
    }

    private boolean owns(SecurableInfo info) {
        return identities.contains(info.owner().id());
    }

    private static Privilege use(SecurableInfo container) {
        return Privileges.toUse(container.securable().type()).orElseThrow();
    }

    /** Told with those who own it, or what contains it: the nearest first. */
    private Decision denied(Privilege missing, Securable on) {
        var names = new LinkedHashSet<String>();
        for (var at = Optional.of(on); at.isPresent(); at = at.get().parent()) {
            facts.securable(at.get()).ifPresent(info -> names.add(info.owner().name()));
        }
        return new Decision.Denied(missing, on, List.copyOf(names));
    }
}
