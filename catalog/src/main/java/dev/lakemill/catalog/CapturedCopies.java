package dev.lakemill.catalog;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Tables that are captured from state tables. What hides rows or columns of a state table holds on
 * them too, and when the state table goes with its policies, they are closed.
 */
final class CapturedCopies {
    private static final String IN_POSTGRES = "postgres:";

    private CapturedCopies() {}

    /** The state table that it is a copy of, while the catalog has that. */
    static Optional<CatalogTable> source(Model model, CatalogTable copy) {
        var from = copy.properties().get(CatalogTable.CAPTURED_FROM);
        return from == null ? Optional.empty() : model.stateTable(IN_POSTGRES + from);
    }

    /** Copies of tables that go with policies, as they stay behind: closed. */
    static List<SecurableInfo> closed(Model model, List<SecurableInfo> gone) {
        var lost = new HashMap<String, String>();
        for (var info : gone) {
            var table = model.tables.get(info.id());
            if (table != null && table.kind() == TableKind.STATE && hasPolicies(model, table)) {
                var place = table.location().substring(IN_POSTGRES.length());
                lost.put(place, table.name().toString());
            }
        }
        var copies = new ArrayList<SecurableInfo>();
        if (lost.isEmpty()) {
            return copies;
        }
        var ids = new HashSet<>(gone.stream().map(SecurableInfo::id).toList());
        for (var table : model.tables.values()) {
            var from = lost.get(table.properties().getOrDefault(CatalogTable.CAPTURED_FROM, ""));
            if (from != null && !ids.contains(table.id())) {
                var info = model.securable(table.id()).orElseThrow();
                var properties = new HashMap<>(info.properties());
                properties.put(CatalogTable.POLICIES_GONE, from);
                copies.add(info.described(info.comment(), properties));
            }
        }
        return copies;
    }

    private static boolean hasPolicies(Model model, CatalogTable table) {
        return model.filters.containsKey(table.id()) || model.masks.containsKey(table.id());
    }

    /** A closed copy that got a policy of its own. */
    static Optional<SecurableInfo> opened(Model model, CatalogTable copy) {
        if (!copy.properties().containsKey(CatalogTable.POLICIES_GONE)) {
            return Optional.empty();
        }
        var info = model.securable(copy.id()).orElseThrow();
        var properties = new HashMap<>(info.properties());
        properties.remove(CatalogTable.POLICIES_GONE);
        return Optional.of(info.described(info.comment(), properties));
    }

    /** INVALID_ARGUMENT for who would undo by a property what a policy hides. */
    static void requireKept(
            Model model, Caller caller, Map<String, String> before, Map<String, String> after) {
        if (model.isNode(caller.principal().id())) {
            return;
        }
        for (var key : List.of(CatalogTable.CAPTURED_FROM, CatalogTable.POLICIES_GONE)) {
            if (!Objects.equals(before.get(key), after.get(key))) {
                throw Refusals.invalid(
                        "the property %s is the node's own".formatted(key), "leave it as it is");
            }
        }
    }
}
