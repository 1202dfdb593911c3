package dev.lakemill.server.rest;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.types.Securable;
import java.util.LinkedHashMap;
import java.util.Map;

/** What PATCH changes of a securable: comment, properties, owner and, at last, its name. */
record Patch(Catalog catalog, Request request) {
    SecurableInfo apply(Securable securable) {
        return apply(securable, request.pairs("properties").orElse(Map.of()));
    }

    /** The properties are added to those that are there. */
    SecurableInfo apply(Securable securable, Map<String, String> properties) {
        var info = catalog.securables().find(securable).orElseThrow();
        var comment = request.optional("comment");
        if (!comment.orElse(info.comment()).equals(info.comment())
                || !info.properties().entrySet().containsAll(properties.entrySet())) {
            info =
                    catalog.securables()
                            .update(
                                    request.caller(),
                                    securable,
                                    comment,
                                    present -> merged(present, properties));
        }
        var owner = request.optional("owner");
        if (owner.isPresent() && !owner.get().equalsIgnoreCase(info.owner().name())) {
            catalog.grants().transfer(request.caller(), securable, owner.get());
            info = catalog.securables().find(securable).orElseThrow();
        }
        var name = request.optional("new_name");
        if (name.isPresent()) {
            info = catalog.securables().rename(request.caller(), securable, name.get());
        }
        return info;
    }

    private static Map<String, String> merged(
            Map<String, String> present, Map<String, String> added) {
        var merged = new LinkedHashMap<>(present);
        merged.putAll(added);
        return merged;
    }
}
