package dev.lakemill.server.apps;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.identity.Identity;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import java.util.UUID;

/** The service principal of each app: made with it, gone with it, and never another's. */
final class AppPrincipals {
    private static final String EXTERNAL_ID = "lakemill-app:";

    private final Catalog catalog;
    private final Identity identity;

    AppPrincipals(Catalog catalog, Identity identity) {
        this.catalog = catalog;
        this.identity = identity;
    }

    static String name(String app) {
        return "app-" + app;
    }

    /**
     * The one of the app, made where an earlier try did not come so far.
     *
     * @param node on behalf of who asked
     * @throws dev.lakemill.types.LakemillException FAILED_PRECONDITION when the name is somebody
     *     else's, who may have grants
     */
    Principal ofApp(Caller node, UUID app, String name) {
        var known = catalog.principals().find(name(name));
        if (known.isEmpty()) {
            return catalog.principals()
                    .create(
                            node,
                            PrincipalKind.SERVICE_PRINCIPAL,
                            name(name),
                            "App " + name,
                            EXTERNAL_ID + app)
                    .principal();
        }
        if (!known.get().externalId().equals(EXTERNAL_ID + app)) {
            throw Problems.precondition(
                    "there is a principal `%s` that is not this app's".formatted(name(name)),
                    "name the app otherwise, or delete that principal");
        }
        return known.get().principal();
    }

    /** With its tokens; what it owns becomes the app's owner's. */
    void delete(Caller node, HostedApp app) {
        var id = app.principal().id();
        if (catalog.principals().find(id).isEmpty()) {
            return;
        }
        var owner = catalog.grants().owner(app.securable()).name();
        identity.tokens().revokeAll(node, id);
        for (var owned : catalog.grants().ownedBy(id)) {
            catalog.grants().transfer(node, owned, owner);
        }
        catalog.principals().delete(node, id);
    }
}
