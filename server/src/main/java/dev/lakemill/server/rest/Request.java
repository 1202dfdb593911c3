package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import io.vertx.ext.web.RoutingContext;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** A request as routes read it: whatever is missing or of another type is INVALID_ARGUMENT. */
record Request(RoutingContext context, Caller caller, JsonNode body) {
    /** Stands for a dot in paths, as Unity Catalog's clients write names. */
    private static final char DOT = '\u001f';

    /** A part of the path. */
    String path(String name) {
        return context.pathParam(name).replace(DOT, '.');
    }

    Securable securable(SecurableType type, String name) {
        return new Securable(type, path(name));
    }

    TableName table(String name) {
        return TableName.parse(path(name));
    }

    Optional<String> query(String name) {
        return context.queryParam(name).stream().filter(text -> !text.isEmpty()).findFirst();
    }

    String queried(String name) {
        return query(name).orElseThrow(() -> missing("query parameter", name));
    }

    boolean flag(String name) {
        return query(name).map(Boolean::parseBoolean).orElse(false);
    }

    /** A text of the body that must be there. */
    String text(String field) {
        return optional(field).orElseThrow(() -> missing("field", field));
    }

    /** A text of the body; a number is taken as its text. Empty when it is not there or null. */
    Optional<String> optional(String field) {
        var node = body.path(field);
        if (node.isMissingNode() || node.isNull()) {
            return Optional.empty();
        }
        if (!node.isValueNode()) {
            throw bad(field, "a text");
        }
        return Optional.of(node.asText());
    }

    long number(String field) {
        var node = body.path(field);
        if (!node.canConvertToLong()) {
            throw bad(field, "a whole number");
        }
        return node.asLong();
    }

    /** A whole number as versions have them. */
    int integer(String field) {
        var node = body.path(field);
        if (!node.canConvertToInt()) {
            throw bad(field, "a whole number up to " + Integer.MAX_VALUE);
        }
        return node.asInt();
    }

    UUID id(String field) {
        try {
            return UUID.fromString(text(field));
        } catch (IllegalArgumentException _) {
            throw bad(field, "a UUID");
        }
    }

    /** An object of texts; empty when it is not there, so that null values never arise. */
    Optional<Map<String, String>> pairs(String field) {
        var node = body.path(field);
        if (node.isMissingNode() || node.isNull()) {
            return Optional.empty();
        }
        if (!node.isObject()) {
            throw bad(field, "an object of texts");
        }
        var pairs = new LinkedHashMap<String, String>();
        node.properties().forEach(e -> pairs.put(e.getKey(), e.getValue().asText()));
        return Optional.of(pairs);
    }

    /** {@code catalog_name.schema_name.name} of the body. */
    String fullName(String field) {
        return text("catalog_name") + "." + text("schema_name") + "." + text(field);
    }

    /** A text; empty for whatever is none. */
    static String text(JsonNode node) {
        return node.isTextual() ? node.textValue() : "";
    }

    /** What lists are sorted and paged by. */
    static String key(SecurableInfo info) {
        return info.securable().name();
    }

    private static LakemillException missing(String what, String name) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "the %s %s is missing".formatted(what, name),
                "openapi.yaml says what the request takes");
    }

    private static LakemillException bad(String field, String what) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "the field %s is not %s".formatted(field, what),
                "openapi.yaml says what the request takes");
    }
}
