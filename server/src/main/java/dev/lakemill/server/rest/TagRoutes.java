package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Tag;
import dev.lakemill.server.Routes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Tags, by Databricks' paths: {@code entity-tag-assignments}. */
final class TagRoutes {
    private static final String ONE = "/entity-tag-assignments/:type/:name/tags/:key";

    /**
     * What carries the tags.
     *
     * @param column empty for the securable itself
     */
    private record Entity(String type, String name, Securable securable, String column) {}

    private final Catalog catalog;
    private final Sight sight;

    TagRoutes(Catalog catalog, Sight sight) {
        this.catalog = catalog;
        this.sight = sight;
    }

    void mount(Routes routes) {
        var api = Api.unity(routes, "");
        api.post("/entity-tag-assignments", this::create);
        api.get("/entity-tag-assignments/:type/:name/tags", this::list);
        api.get(ONE, this::get);
        api.patch(ONE, this::patch);
        api.delete(ONE, this::delete);
    }

    private Object create(Request request) {
        var entity = entity(request, request.text("entity_type"), request.text("entity_name"));
        return set(request, entity, request.text("tag_key"));
    }

    private Object patch(Request request) {
        var entity = entity(request);
        var key = request.path("key");
        find(entity, key);
        return set(request, entity, key);
    }

    private Object set(Request request, Entity entity, String key) {
        var value = request.optional("tag_value").orElse("");
        catalog.tags()
                .set(request.caller(), entity.securable(), entity.column(), Map.of(key, value));
        return shape(entity, find(entity, key));
    }

    private Object get(Request request) {
        var entity = entity(request);
        return shape(entity, find(entity, request.path("key")));
    }

    private Object list(Request request) {
        var entity = entity(request);
        return Page.of(
                request, "tag_assignments", tags(entity), Tag::key, tag -> shape(entity, tag));
    }

    private Object delete(Request request) {
        var entity = entity(request);
        var key = find(entity, request.path("key")).key();
        catalog.tags().unset(request.caller(), entity.securable(), entity.column(), Set.of(key));
        return Api.EMPTY;
    }

    private List<Tag> tags(Entity entity) {
        return catalog.tags().on(entity.securable()).stream()
                .filter(tag -> tag.column().equalsIgnoreCase(entity.column()))
                .toList();
    }

    private Tag find(Entity entity, String key) {
        return tags(entity).stream()
                .filter(tag -> tag.key().equals(key))
                .findFirst()
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "%s has no tag '%s'".formatted(entity.name(), key),
                                        "POST /entity-tag-assignments sets one"));
    }

    private Entity entity(Request request) {
        return entity(request, request.path("type"), request.path("name"));
    }

    private Entity entity(Request request, String type, String name) {
        if (type.equals("columns")) {
            var end = Math.max(0, name.lastIndexOf('.'));
            var table = sight.require(request.caller(), TableName.parse(name.substring(0, end)));
            var column = name.substring(end + 1);
            if (table.schema().indexOf(column).isEmpty()) {
                throw Sight.missing(SecurableType.TABLE, name);
            }
            return new Entity(type, name, Securable.table(table.name()), column);
        }
        var securable = new Securable(type(type), name);
        return new Entity(type, name, sight.require(request.caller(), securable).securable(), "");
    }

    private static SecurableType type(String text) {
        return switch (text) {
            case "catalogs" -> SecurableType.CATALOG;
            case "schemas" -> SecurableType.SCHEMA;
            case "tables" -> SecurableType.TABLE;
            case "volumes" -> SecurableType.VOLUME;
            case "functions" -> SecurableType.FUNCTION;
            case "registered_models" -> SecurableType.REGISTERED_MODEL;
            default ->
                    throw new LakemillException(
                            ErrorCode.INVALID_ARGUMENT,
                            "entity type '%s' takes no tags".formatted(text),
                            "catalogs, schemas, tables, columns, volumes, functions or"
                                    + " registered_models");
        };
    }

    private static ObjectNode shape(Entity entity, Tag tag) {
        return Shapes.JSON
                .objectNode()
                .put("entity_type", entity.type())
                .put("entity_name", entity.name())
                .put("tag_key", tag.key())
                .put("tag_value", tag.value());
    }
}
