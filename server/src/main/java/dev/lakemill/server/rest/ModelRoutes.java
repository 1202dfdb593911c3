package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.ModelVersion;
import dev.lakemill.catalog.Models;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.server.Routes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Registered models and their versions, as MLflow and Unity Catalog's client ask for them; errors
 * have the plain codes that MLflow knows.
 */
final class ModelRoutes {
    private final Catalog catalog;
    private final Models models;
    private final Sight sight;
    private final Vending vending;
    private final Locations locations;
    private final ModelScorer scorer;

    ModelRoutes(
            Catalog catalog,
            Sight sight,
            Vending vending,
            Locations locations,
            ModelScorer scorer) {
        this.catalog = catalog;
        this.models = catalog.models();
        this.sight = sight;
        this.vending = vending;
        this.locations = locations;
        this.scorer = scorer;
    }

    void mount(Routes routes) {
        var api = Api.unity(routes, "");
        api.post("/models", this::create);
        api.get("/models", this::list);
        api.get("/models/:name", request -> shape(named(request)));
        api.patch("/models/:name", this::patch);
        api.delete("/models/:name", this::delete);
        api.post("/models/versions", this::createVersion);
        api.get("/models/:name/versions", this::listVersions);
        var version = "/models/:name/versions/:version";
        api.get(version, request -> shape(version(request)));
        api.patch(version, this::patchVersion);
        api.delete(version, this::deleteVersion);
        api.patch(version + "/finalize", this::finalizeVersion);
        api.post(version + "/invocations", request -> score(request, version(request)));
        api.post("/models/:name/aliases/:alias/invocations", this::scoreByAlias);
        api.put(version + "/tags/:key", this::setTag);
        api.delete(version + "/tags/:key", this::deleteTag);
        api.get("/models/:name/aliases/:alias", this::byAlias);
        api.put("/models/:name/aliases/:alias", this::setAlias);
        api.delete("/models/:name/aliases/:alias", this::deleteAlias);
        api.post("/temporary-model-version-credentials", this::credentials);
    }

    private SecurableInfo named(Request request) {
        return sight.require(
                request.caller(), request.securable(SecurableType.REGISTERED_MODEL, "name"));
    }

    private Object create(Request request) {
        var model = new Securable(SecurableType.REGISTERED_MODEL, request.fullName("name"));
        sight.require(request.caller(), model.parent().orElseThrow());
        return shape(
                catalog.securables()
                        .create(
                                request.caller(),
                                model,
                                request.optional("comment").orElse(""),
                                Map.of(),
                                ""));
    }

    /** MLflow lists without a schema: then all that the caller may see. */
    private Object list(Request request) {
        var seen =
                request.query("catalog_name").isEmpty()
                        ? everywhere(request)
                        : sight.list(
                                request.caller(),
                                sight.require(
                                                request.caller(),
                                                Securable.schema(
                                                        request.queried("catalog_name"),
                                                        request.queried("schema_name")))
                                        .securable(),
                                SecurableType.REGISTERED_MODEL);
        return Page.of(request, "registered_models", seen, Request::key, this::shape);
    }

    private List<SecurableInfo> everywhere(Request request) {
        var caller = request.caller();
        return sight.list(caller, Securable.METASTORE, SecurableType.CATALOG).stream()
                .flatMap(c -> sight.list(caller, c.securable(), SecurableType.SCHEMA).stream())
                .flatMap(
                        s ->
                                sight
                                        .list(caller, s.securable(), SecurableType.REGISTERED_MODEL)
                                        .stream())
                .toList();
    }

    private Object patch(Request request) {
        var model = named(request).securable();
        return shape(new Patch(catalog, request).apply(model, Map.of()));
    }

    private Object delete(Request request) {
        var model = named(request).securable();
        catalog.securables().drop(request.caller(), model, request.flag("force"));
        scorer.forget(model);
        return Api.EMPTY;
    }

    private Object createVersion(Request request) {
        var name = new Securable(SecurableType.REGISTERED_MODEL, request.fullName("model_name"));
        var model = sight.require(request.caller(), name);
        return shape(
                models.createVersion(
                        request.caller(),
                        model.securable(),
                        new Models.NewVersion(
                                request.text("source"),
                                request.optional("run_id").orElse(""),
                                request.optional("comment").orElse(""),
                                folder(model))));
    }

    private String folder(SecurableInfo model) {
        return locations.own("models", model.id());
    }

    private Object listVersions(Request request) {
        var model = named(request).securable();
        int before = request.query("page_token").map(ModelRoutes::number).orElse(Integer.MAX_VALUE);
        var found = models.versions(model, before);
        int asked = request.query("max_results").map(ModelRoutes::number).orElse(0);
        var size = asked == 0 ? Models.LISTED_VERSIONS_MAX : asked;
        var page = found.subList(0, Math.min(size, found.size()));
        var answer = Shapes.JSON.objectNode();
        var array = answer.putArray("model_versions");
        page.forEach(version -> array.add(shape(version)));
        if (!page.isEmpty() && (found.size() > page.size() || page.size() == size)) {
            answer.put("next_page_token", String.valueOf(page.getLast().version()));
        }
        return answer;
    }

    private ModelVersion version(Request request) {
        return version(named(request).securable(), number(request.path("version")));
    }

    private ModelVersion version(Securable model, int number) {
        return models.version(model, number)
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "there is no version %d of %s"
                                                .formatted(number, model.name()),
                                        "GET models/{name}/versions lists them"));
    }

    private Object patchVersion(Request request) {
        var version = version(request);
        return shape(
                models.updateVersion(
                        request.caller(),
                        version.model(),
                        version.version(),
                        request.optional("comment").orElse(version.comment())));
    }

    private Object deleteVersion(Request request) {
        var model = named(request).securable();
        models.deleteVersion(request.caller(), model, number(request.path("version")));
        scorer.forget(model);
        return Api.EMPTY;
    }

    private Object finalizeVersion(Request request) {
        var caller = request.caller();
        var version = version(request);
        catalog.access().require(caller, Privilege.MANAGE, version.model());
        if (version.status() == ModelVersion.Status.PENDING_REGISTRATION) {
            check(request, version);
        }
        return shape(models.finalizeVersion(caller, version.model(), version.version()));
    }

    /** What cannot be scored although it says so is no version; it stays to be looked at. */
    private void check(Request request, ModelVersion version) {
        try {
            scorer.check(version);
        } catch (LakemillException e) {
            models.failVersion(request.caller(), version.model(), version.version());
            throw e;
        }
    }

    /** MLflow's scoring protocol. */
    private Object score(Request request, ModelVersion version) {
        catalog.access().require(request.caller(), Privilege.EXECUTE, version.model());
        var answer = Shapes.JSON.objectNode();
        var predictions = answer.putArray("predictions");
        for (var score : scorer.score(version, request.body())) {
            predictions.add(score);
        }
        return answer.put("model_version", version.version());
    }

    private Object scoreByAlias(Request request) {
        return score(request, byAlias(named(request).securable(), request.path("alias")));
    }

    private Object setTag(Request request) {
        var value = request.text("value");
        return shape(changed(request, tags -> tags.put(request.path("key"), value)));
    }

    private Object deleteTag(Request request) {
        changed(request, tags -> tags.remove(request.path("key")));
        return Api.EMPTY;
    }

    /** The version with other tags. */
    private ModelVersion changed(Request request, Consumer<Map<String, String>> change) {
        var version = version(request);
        return models.changeTags(
                request.caller(),
                version.model(),
                version.version(),
                before -> {
                    var tags = new HashMap<>(before);
                    change.accept(tags);
                    return tags;
                });
    }

    private Object byAlias(Request request) {
        return shape(byAlias(named(request).securable(), request.path("alias")));
    }

    private ModelVersion byAlias(Securable model, String alias) {
        return models.byAlias(model, alias)
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "%s has no alias '%s'".formatted(model.name(), alias),
                                        "PUT models/{name}/aliases/{alias} sets it"));
    }

    private Object setAlias(Request request) {
        var alias = request.path("alias");
        var number = request.integer("version_num");
        models.setAlias(request.caller(), named(request).securable(), alias, number);
        return Shapes.JSON.objectNode().put("alias_name", alias).put("version_num", number);
    }

    private Object deleteAlias(Request request) {
        models.deleteAlias(request.caller(), named(request).securable(), request.path("alias"));
        return Api.EMPTY;
    }

    private Object credentials(Request request) {
        var name = new Securable(SecurableType.REGISTERED_MODEL, request.fullName("model_name"));
        var model = sight.require(request.caller(), name).securable();
        var version = version(model, request.integer("version"));
        var write = Operation.of(request.text("operation")).write();
        if (write && version.status() == ModelVersion.Status.READY) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "version %d of %s is final".formatted(version.version(), model.name()),
                    "create another version");
        }
        vending.requireModel(request.caller(), model, write, sight);
        return CredentialRoutes.credentials(version.location());
    }

    private ObjectNode shape(SecurableInfo info) {
        return Shapes.base(info)
                .put("catalog_name", Shapes.part(info, 0))
                .put("schema_name", Shapes.part(info, 1))
                .put("full_name", info.securable().name())
                .put("id", info.id().toString())
                .put("storage_location", folder(info));
    }

    private static ObjectNode shape(ModelVersion version) {
        var name = version.model().name().split("\\.", -1);
        var node =
                Shapes.JSON
                        .objectNode()
                        .put("model_name", name[2])
                        .put("catalog_name", name[0])
                        .put("schema_name", name[1])
                        .put("version", version.version())
                        .put("id", version.id().toString())
                        .put("source", version.source())
                        .put("status", version.status().name())
                        .put("storage_location", version.location())
                        .put("created_at", version.createdAt().toEpochMilli())
                        .put("created_by", version.createdBy())
                        .put("updated_at", version.updatedAt().toEpochMilli())
                        .put("updated_by", version.updatedBy());
        if (!version.runId().isEmpty()) {
            node.put("run_id", version.runId());
        }
        if (!version.comment().isEmpty()) {
            node.put("comment", version.comment());
        }
        var aliases = node.putArray("aliases");
        version.aliases()
                .forEach(
                        alias ->
                                aliases.addObject()
                                        .put("alias_name", alias)
                                        .put("version_num", version.version()));
        var tags = node.putObject("tags");
        version.tags().forEach(tags::put);
        return node;
    }

    private static int number(String text) {
        try {
            var number = Integer.parseInt(text);
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException _) {
            throw notNumber(text);
        }
        throw notNumber(text);
    }

    private static LakemillException notNumber(String text) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "'%s' is not a whole number from 0 on".formatted(text),
                "versions count from 1");
    }
}
