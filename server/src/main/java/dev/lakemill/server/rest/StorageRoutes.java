package dev.lakemill.server.rest;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.SecurableInfo;
import dev.lakemill.server.Routes;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/** Volumes, external locations and storage credentials. */
final class StorageRoutes {
    private final Catalog catalog;
    private final Sight sight;
    private final Vending vending;
    private final Locations locations;

    StorageRoutes(Catalog catalog, Sight sight, Vending vending, Locations locations) {
        this.catalog = catalog;
        this.sight = sight;
        this.vending = vending;
        this.locations = locations;
    }

    void mount(Routes routes) {
        var volumes = Api.unity(routes, "VOLUME");
        volumes.post("/volumes", this::createVolume);
        volumes.get("/volumes", this::listVolumes);
        volumes.get("/volumes/:name", r -> Shapes.volume(named(r, SecurableType.VOLUME)));
        volumes.patch("/volumes/:name", r -> Shapes.volume(patched(r, SecurableType.VOLUME)));
        volumes.delete("/volumes/:name", r -> delete(r, SecurableType.VOLUME));
        var places = Api.unity(routes, "EXTERNAL_LOCATION");
        var place = SecurableType.EXTERNAL_LOCATION;
        places.post("/external-locations", this::createLocation);
        places.get("/external-locations", this::listLocations);
        places.get("/external-locations/:name", r -> Shapes.externalLocation(named(r, place)));
        places.patch("/external-locations/:name", this::patchLocation);
        places.delete("/external-locations/:name", r -> delete(r, place));
        var credentials = Api.unity(routes, "STORAGE_CREDENTIAL");
        credentials.post("/credentials", this::createCredential);
        credentials.get("/credentials", this::listCredentials);
        credentials.get(
                "/credentials/:name", r -> Shapes.credential(named(r, SecurableType.CREDENTIAL)));
        credentials.patch("/credentials/:name", this::patchCredential);
        credentials.delete("/credentials/:name", r -> delete(r, SecurableType.CREDENTIAL));
    }

    private SecurableInfo named(Request request, SecurableType type) {
        return sight.require(request.caller(), request.securable(type, "name"));
    }

    private SecurableInfo patched(Request request, SecurableType type) {
        return new Patch(catalog, request).apply(named(request, type).securable(), Map.of());
    }

    private Object delete(Request request, SecurableType type) {
        var securable = named(request, type).securable();
        catalog.securables().drop(request.caller(), securable, request.flag("force"));
        return Api.EMPTY;
    }

    private Object createVolume(Request request) {
        var securable = new Securable(SecurableType.VOLUME, request.fullName("name"));
        sight.require(request.caller(), securable.parent().orElseThrow());
        var type = request.text("volume_type").toUpperCase(Locale.ROOT);
        var location =
                switch (type) {
                    case "MANAGED" -> locations.own("volumes", UUID.randomUUID());
                    case "EXTERNAL" -> Locations.normal(request.text("storage_location"));
                    default ->
                            throw new LakemillException(
                                    ErrorCode.INVALID_ARGUMENT,
                                    "volume_type " + type + " is not one",
                                    "MANAGED or EXTERNAL");
                };
        return Shapes.volume(
                locations.claim(
                        () -> {
                            if (type.equals("EXTERNAL")) {
                                vending.requireNew(
                                        request.caller(),
                                        location,
                                        Privilege.CREATE_EXTERNAL_VOLUME);
                            }
                            return create(
                                    request, securable, Map.of(Shapes.VOLUME_TYPE, type), location);
                        }));
    }

    private Object listVolumes(Request request) {
        var schema =
                Securable.schema(request.queried("catalog_name"), request.queried("schema_name"));
        sight.require(request.caller(), schema);
        var seen = sight.list(request.caller(), schema, SecurableType.VOLUME);
        return Page.of(request, "volumes", seen, Request::key, Shapes::volume);
    }

    private Object createLocation(Request request) {
        var securable = new Securable(SecurableType.EXTERNAL_LOCATION, request.text("name"));
        var url = Locations.normal(request.text("url"));
        locations.requireOutside(url);
        return Shapes.externalLocation(create(request, securable, credentialOf(request), url));
    }

    /** A file location needs no credential, others name one that is there. */
    private Map<String, String> credentialOf(Request request) {
        var name = request.optional("credential_name").filter(text -> !text.isEmpty());
        name.ifPresent(
                n -> sight.require(request.caller(), new Securable(SecurableType.CREDENTIAL, n)));
        return name.map(n -> Map.of(Shapes.CREDENTIAL, n)).orElse(Map.of());
    }

    private Object listLocations(Request request) {
        var seen =
                sight.list(request.caller(), Securable.METASTORE, SecurableType.EXTERNAL_LOCATION);
        return Page.of(request, "external_locations", seen, Request::key, Shapes::externalLocation);
    }

    private Object patchLocation(Request request) {
        var info = named(request, SecurableType.EXTERNAL_LOCATION);
        var url = request.optional("url").map(Locations::normal).orElse(info.location());
        if (!url.equals(info.location())) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "the url of an external location does not change: grants were given on it",
                    "make another external location, and drop this one");
        }
        return Shapes.externalLocation(
                new Patch(catalog, request).apply(info.securable(), credentialOf(request)));
    }

    private Object createCredential(Request request) {
        var securable = new Securable(SecurableType.CREDENTIAL, request.text("name"));
        return Shapes.credential(create(request, securable, role(request), ""));
    }

    private static Map<String, String> role(Request request) {
        var pairs = new LinkedHashMap<String, String>();
        var arn = Request.text(request.body().path("aws_iam_role").path("role_arn"));
        if (!arn.isEmpty()) {
            pairs.put(Shapes.ROLE, arn);
        }
        return pairs;
    }

    private Object listCredentials(Request request) {
        var seen = sight.list(request.caller(), Securable.METASTORE, SecurableType.CREDENTIAL);
        return Page.of(request, "credentials", seen, Request::key, Shapes::credential);
    }

    private Object patchCredential(Request request) {
        var info = named(request, SecurableType.CREDENTIAL);
        return Shapes.credential(
                new Patch(catalog, request).apply(info.securable(), role(request)));
    }

    private SecurableInfo create(
            Request request, Securable securable, Map<String, String> properties, String location) {
        return catalog.securables()
                .create(
                        request.caller(),
                        securable,
                        request.optional("comment").orElse(""),
                        properties,
                        location);
    }
}
