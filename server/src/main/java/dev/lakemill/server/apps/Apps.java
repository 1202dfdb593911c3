package dev.lakemill.server.apps;

import dev.lakemill.catalog.AuditEvent;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.identity.Identity;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Principal;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The apps of a node: who has which, what runs of them, and every change of that.
 *
 * <p>An app is a securable of the catalog (CREATE APP makes one, MANAGE changes it, EXECUTE uses
 * it), a service principal of its own, a row in Postgres, and a folder of versions. A deployment
 * makes a version beside the running one and starts it; only when it can work does the one row
 * change that says which version is active. What a crash leaves in between is undone at the start.
 */
public final class Apps implements AutoCloseable {
    /** Below it lies everything about this class's apps. */
    public static final String API = "/api/2.0/apps";

    private static final Logger log = LoggerFactory.getLogger(Apps.class);
    private static final Pattern NAME = Pattern.compile("[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?");

    /**
     * What apps stand on.
     *
     * @param data the node's data folder
     * @param publicUrl of the node, without a slash at its end
     * @param postgres where clients reach Postgres: {@code host:port}
     * @param domain whose hosts apps are; empty: the host of the public URL
     * @param uidFirst the first of the system users of apps, where the node is root
     * @param reserved names that stand in the project's file
     */
    public record Parts(
            Path data,
            Catalog catalog,
            Identity identity,
            DataSource database,
            Supplier<String> publicUrl,
            Supplier<String> postgres,
            String postgresDatabase,
            String domain,
            int uidFirst,
            Set<String> reserved) {}

    private final Parts parts;
    private final AppStore store;
    private final AppFiles files;
    private final AppGrants grants;
    private final AppPrincipals principals;
    private final AppRuns runs;
    private final Map<String, HostedApp> apps = new ConcurrentHashMap<>();

    private Apps(Parts parts) {
        this.parts = parts;
        this.store = AppStore.open(parts.database());
        this.files = AppFiles.open(parts.data());
        this.grants = new AppGrants(parts.catalog());
        this.principals = new AppPrincipals(parts.catalog(), parts.identity());
        this.runs = new AppRuns(parts, files, store);
    }

    /** Opens what there is; nothing runs before {@link #run}. */
    public static Apps open(Parts parts) {
        var opened = new Apps(parts);
        opened.store.all().forEach(opened::show);
        return opened;
    }

    /** Undoes what a crash left, and starts what is to run; returns before it has started. */
    public void run() {
        for (var row : store.all()) {
            var app = apps.get(row.name());
            if (app != null) {
                Thread.startVirtualThread(() -> resume(app, row));
            }
        }
    }

    private void resume(HostedApp app, AppRow row) {
        try {
            app.begin();
        } catch (LakemillException _) {
            return;
        }
        try {
            var killed = AppProcesses.killAll(AppProcesses.MARK, files.home(app.id()).toString());
            if (killed > 0) {
                app.log().system("ended %d processes of an earlier run".formatted(killed));
            }
            runs.endSecrets(app, Set.of());
            undo(app, row);
            files.settle(app.id(), app.user());
            if (row.running() && row.active() != null) {
                app.show(runs.start(app, row.active(), false));
            }
        } catch (RuntimeException e) {
            log.warn("app {} does not start: {}", app.name(), e.getMessage());
            app.log().system("does not start: " + Problems.text(e));
            app.problem(Problems.text(e));
        } finally {
            app.end();
        }
    }

    /** Deployments that were going on when the node ended, with what they granted. */
    private void undo(HostedApp app, AppRow row) {
        for (var version : store.versions(app.id())) {
            if (version.status() == AppVersion.Status.IN_PROGRESS) {
                store.failed(app.id(), version.number(), "the node ended during it");
                files.removeVersion(app.id(), version.number());
            }
        }
        var system = parts.catalog().system();
        if (row.active() == null) {
            grants.keep(system, app.principal(), Set.of());
        } else {
            var manifest = AppManifest.of(files.version(app.id(), row.active()));
            grants.keep(system, app.principal(), manifest.needs());
        }
    }

    private HostedApp show(AppRow row) {
        var principal =
                parts.catalog()
                        .principals()
                        .find(row.principal())
                        .map(info -> info.principal())
                        .orElseGet(
                                () ->
                                        new Principal(
                                                row.principal(),
                                                PrincipalKind.SERVICE_PRINCIPAL,
                                                AppPrincipals.name(row.name())));
        var app =
                new HostedApp(
                        row,
                        principal,
                        AppUser.of(parts.uidFirst() + row.slot()),
                        new AppLog(files.log(row.id()), Clock.systemUTC()),
                        AppRuns.random());
        apps.put(row.name(), app);
        return app;
    }

    Parts parts() {
        return parts;
    }

    /** For whom the app is there at all. */
    List<HostedApp> visible(Caller caller) {
        return apps.values().stream()
                .filter(app -> sees(caller, app))
                .sorted(java.util.Comparator.comparing(HostedApp::name))
                .toList();
    }

    private boolean sees(Caller caller, HostedApp app) {
        return parts.catalog().access().decide(caller, Privilege.BROWSE, app.securable())
                instanceof dev.lakemill.catalog.Decision.Allowed;
    }

    /** NOT_FOUND unless it is there and the caller may know that. */
    HostedApp require(Caller caller, String name) {
        var app = apps.get(name);
        if (app == null || !sees(caller, app)) {
            throw Problems.missing(name);
        }
        return app;
    }

    /** The same, for who may change it; audited when not. */
    HostedApp manage(Caller caller, String name) {
        var app = require(caller, name);
        parts.catalog().access().require(caller, Privilege.MANAGE, app.securable());
        return app;
    }

    Optional<HostedApp> find(String name) {
        return Optional.ofNullable(apps.get(name));
    }

    AppRow row(HostedApp app) {
        return store.find(app.name()).orElseThrow(() -> Problems.missing(app.name()));
    }

    List<AppVersion> versions(HostedApp app) {
        return store.versions(app.id());
    }

    /** An upload goes there; whoever takes it deletes it. */
    Path upload() {
        return files.upload();
    }

    /**
     * Makes an app without a version; each step finds what an earlier try left.
     *
     * @throws LakemillException PERMISSION_DENIED without CREATE APP; ALREADY_EXISTS
     */
    synchronized HostedApp create(Caller caller, String name, String description) {
        if (!NAME.matcher(name).matches()) {
            throw Problems.invalid(
                    "'%s' is no name of an app"
                            .formatted(name.substring(0, Math.min(40, name.length()))),
                    "at most 30 of a-z, 0-9 and '-', no '-' first or last; it becomes a host name");
        }
        if (apps.containsKey(name) || parts.reserved().contains(name)) {
            throw new LakemillException(
                    dev.lakemill.types.ErrorCode.ALREADY_EXISTS,
                    "there is an app '%s'".formatted(name),
                    "deploy to it, or take another name");
        }
        var securable = new Securable(SecurableType.APP, name);
        var catalog = parts.catalog();
        var known = catalog.securables().find(securable);
        if (known.isPresent()) {
            catalog.access().require(caller, Privilege.MANAGE, securable);
        }
        var info =
                known.orElseGet(
                        () ->
                                catalog.securables()
                                        .create(caller, securable, description, Map.of(), ""));
        var principal = principals.ofApp(node(caller), info.id(), name);
        var app = show(store.create(info.id(), name, principal.id()));
        audit(caller, "createApp", app, Map.of());
        return app;
    }

    /** The node, on behalf of who asked. */
    private Caller node(Caller caller) {
        var system = parts.catalog().system();
        return new Caller(
                system.principal(),
                caller.principal(),
                caller.door(),
                caller.address(),
                caller.requestId());
    }

    /**
     * Unpacks a version and begins to deploy it; the caller may change the app. What is wrong with
     * the upload is told at once, all else in the version.
     */
    AppVersion deploy(Caller caller, HostedApp app, Path archive) {
        app.begin();
        AppVersion version;
        AppManifest manifest;
        try {
            version = store.begin(app.id(), UUID.randomUUID(), caller.principal().name());
            manifest = unpack(app, version.number(), archive);
        } catch (RuntimeException e) {
            audit(caller, "deployApp", app, Map.of(), e);
            app.end();
            throw e;
        }
        app.end();
        try {
            activateSoon(caller, app, version.number(), manifest);
        } catch (RuntimeException e) {
            store.failed(app.id(), version.number(), Problems.text(e));
            files.removeVersion(app.id(), version.number());
            throw e;
        }
        return version;
    }

    private AppManifest unpack(HostedApp app, int number, Path archive) {
        try {
            var unfinished = files.unfinished(app.id(), app.user());
            var content = AppArchive.unpack(archive, unfinished, AppArchive.Limits.INITIAL);
            var manifest = AppManifest.of(unfinished);
            if (manifest.isStatic()) {
                StaticSite.compress(unfinished.resolve(manifest.site()));
            }
            files.seal(unfinished, app.id(), number, app.user());
            store.unpacked(app.id(), number, content);
            return manifest;
        } catch (java.io.IOException e) {
            store.failed(app.id(), number, Problems.text(e));
            throw Problems.disk("cannot keep the version", e);
        } catch (RuntimeException e) {
            store.failed(app.id(), number, Problems.text(e));
            throw e;
        }
    }

    /** Goes back, or forward, to a version that there is. */
    AppVersion rollback(Caller caller, HostedApp app, int number) {
        var version =
                store.version(app.id(), number)
                        .filter(v -> v.status() == AppVersion.Status.SUCCEEDED)
                        .orElseThrow(
                                () ->
                                        Problems.invalid(
                                                "version %d was never deployed".formatted(number),
                                                "'./lakemill app versions %s' lists them"
                                                        .formatted(app.name())));
        var manifest = AppManifest.of(files.version(app.id(), number));
        activateSoon(caller, app, number, manifest);
        return version;
    }

    private void activateSoon(Caller caller, HostedApp app, int number, AppManifest manifest) {
        var begun = new java.util.concurrent.CompletableFuture<Void>();
        Thread.startVirtualThread(
                () -> {
                    try {
                        app.begin();
                    } catch (RuntimeException e) {
                        begun.completeExceptionally(e);
                        return;
                    }
                    begun.complete(null);
                    try {
                        activate(caller, app, number, manifest);
                    } catch (RuntimeException e) {
                        log.warn("app {} version {}: {}", app.name(), number, e.getMessage());
                    } finally {
                        app.end();
                    }
                });
        try {
            begun.join();
        } catch (java.util.concurrent.CompletionException e) {
            throw e.getCause() instanceof LakemillException known ? known : e;
        }
    }

    /** Beside the running version, which a failure does not touch. */
    private void activate(Caller caller, HostedApp app, int number, AppManifest manifest) {
        Set<AppResource.Need> added = Set.of();
        HostedApp.Running started = null;
        var before = app.running();
        try {
            runs.requireSecrets(caller, manifest);
            added = grants.add(caller, app.principal(), manifest.needs());
            started = runs.start(app, number, true);
            if (started.process() != null) {
                started.process().awaitReady();
            }
            store.activate(app.id(), number);
        } catch (RuntimeException e) {
            runs.stop(app, started);
            grants.remove(node(caller), app.principal(), added);
            var failed = store.version(app.id(), number);
            if (failed.isPresent() && failed.get().status() != AppVersion.Status.SUCCEEDED) {
                store.failed(app.id(), number, String.valueOf(e.getMessage()));
                files.removeVersion(app.id(), number);
            }
            app.log().system("version %d was not deployed: %s".formatted(number, Problems.text(e)));
            audit(caller, "deployApp", app, Map.of("version", Integer.toString(number)), e);
            throw e;
        }
        app.show(started);
        app.log().system("version %d is active".formatted(number));
        audit(caller, "deployApp", app, Map.of("version", Integer.toString(number)));
        grants.keep(node(caller), app.principal(), manifest.needs());
        runs.stop(app, before);
        runs.prune(app, number);
    }

    /** FAILED_PRECONDITION when there is no version. */
    void start(Caller caller, HostedApp app) {
        app.begin();
        try {
            var active = row(app).active();
            if (active == null) {
                throw Problems.precondition("the app has no deployment", "deploy one first");
            }
            store.want(app.id(), true);
            runs.stop(app, app.running());
            app.show(runs.start(app, active, false));
            audit(caller, "startApp", app, Map.of());
        } finally {
            app.end();
        }
    }

    void stop(Caller caller, HostedApp app) {
        app.begin();
        try {
            store.want(app.id(), false);
            var before = app.running();
            app.show(null);
            runs.stop(app, before);
            audit(caller, "stopApp", app, Map.of());
        } finally {
            app.end();
        }
    }

    /** With its versions, grants and principal; what it owns becomes the app's owner's. */
    void delete(Caller caller, HostedApp app) {
        app.begin();
        try {
            var before = app.running();
            app.show(null);
            runs.stop(app, before);
            principals.delete(node(caller), app);
            store.delete(app.id());
            apps.remove(app.name());
            files.remove(app.id());
            audit(caller, "deleteApp", app, Map.of());
            parts.catalog().securables().drop(caller, app.securable(), true);
        } finally {
            app.end();
        }
    }

    void audit(Caller caller, String action, HostedApp app, Map<String, String> more) {
        parts.catalog().audit().record(AuditEvent.done(caller, "apps", action, told(app, more)));
    }

    private void audit(
            Caller caller,
            String action,
            HostedApp app,
            Map<String, String> more,
            RuntimeException failure) {
        var status = failure instanceof LakemillException known ? AppAnswers.status(known) : 500;
        refused(caller, action, app, more, status, Problems.text(failure));
    }

    void refused(
            Caller caller,
            String action,
            HostedApp app,
            Map<String, String> more,
            int status,
            String problem) {
        parts.catalog()
                .audit()
                .record(new AuditEvent(caller, "apps", action, told(app, more), status, problem));
    }

    private static Map<String, String> told(HostedApp app, Map<String, String> more) {
        var told = new java.util.HashMap<>(more);
        told.put("app_name", app.name());
        return told;
    }

    public List<AppUsage> usage() {
        return apps.values().stream().map(AppUsage::of).toList();
    }

    /** Ends all of them, at once. */
    @Override
    public void close() {
        var ends = new ArrayList<Thread>();
        for (var app : apps.values()) {
            ends.add(Thread.startVirtualThread(() -> runs.stop(app, app.running())));
        }
        for (var end : ends) {
            try {
                end.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
