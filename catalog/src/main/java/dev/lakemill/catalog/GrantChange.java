package dev.lakemill.catalog;

import dev.lakemill.types.Privilege;
import java.util.Set;

/** What a principal is given and what is taken from it, by its name. */
public record GrantChange(String principal, Set<Privilege> add, Set<Privilege> remove) {
    public GrantChange {
        add = Set.copyOf(add);
        remove = Set.copyOf(remove);
    }
}
