package dev.lakemill.server.apps;

import dev.lakemill.agents.gateway.SecretFiles;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Principals;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Securable;
import java.io.IOException;
import java.nio.file.Files;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Starts and stops versions of apps, with the environment and the secrets that they get. */
final class AppRuns {
    /** Older ones are removed, but for the active one. */
    static final int VERSIONS_KEPT = 20;

    private static final Duration SECRET_TTL = Duration.ofDays(365);

    private final Apps.Parts parts;
    private final AppFiles files;
    private final AppStore store;

    AppRuns(Apps.Parts parts, AppFiles files, AppStore store) {
        this.parts = parts;
        this.files = files;
        this.store = store;
    }

    static String random() {
        var bytes = new byte[32];
        new SecureRandom().nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /**
     * @param once see {@link AppProcess.Setup#once}
     */
    HostedApp.Running start(HostedApp app, int number, boolean once) {
        var folder = files.version(app.id(), number);
        if (!Files.isDirectory(folder)) {
            throw Problems.precondition(
                    "the files of version %d are not here".formatted(number),
                    "deploy the app again; a backup does not hold them");
        }
        var manifest = AppManifest.of(folder);
        if (manifest.isStatic()) {
            try {
                var digest =
                        store.version(app.id(), number)
                                .map(version -> version.content().digest())
                                .orElse("0000000000000000");
                var site = new StaticSite(folder.resolve(manifest.site()), digest);
                return new HostedApp.Running(number, manifest, null, site, "");
            } catch (IOException e) {
                throw Problems.disk("cannot read the version", e);
            }
        }
        files.closeTheRest();
        var secret =
                parts.identity()
                        .secrets()
                        .create(parts.catalog().system(), app.principal().id(), SECRET_TTL);
        var setup =
                new AppProcess.Setup(
                        manifest,
                        app.user(),
                        folder,
                        files.home(app.id()),
                        app.log(),
                        port -> environment(app, manifest, port, secret.text()),
                        once);
        var process = AppProcess.start(setup, app.name());
        return new HostedApp.Running(number, manifest, process, null, secret.secret().id());
    }

    void stop(HostedApp app, HostedApp.@Nullable Running running) {
        if (running == null || running.process() == null) {
            return;
        }
        running.process().close();
        var now = app.running();
        endSecrets(app, now == null ? Set.of() : Set.of(now.secretId()));
    }

    /** Those of processes that are gone. */
    void endSecrets(HostedApp app, Set<String> kept) {
        var secrets = parts.identity().secrets();
        var system = parts.catalog().system();
        if (parts.catalog().principals().find(app.principal().id()).isEmpty()) {
            return;
        }
        for (var secret : secrets.list(system, app.principal().id())) {
            if (!kept.contains(secret.id())) {
                secrets.delete(system, app.principal().id(), secret.id());
            }
        }
    }

    void prune(HostedApp app, int active) {
        store.versions(app.id()).stream()
                .skip(VERSIONS_KEPT)
                .filter(version -> version.number() != active)
                .forEach(
                        version -> {
                            files.removeVersion(app.id(), version.number());
                            store.forget(app.id(), version.number());
                        });
    }

    private Map<String, String> environment(
            HostedApp app, AppManifest manifest, int port, String secret) {
        var env = new HashMap<String, String>();
        frameworks(env, Integer.toString(port));
        for (var variable : manifest.env()) {
            env.put(variable.name(), value(manifest, variable));
        }
        var home = files.home(app.id()).toString();
        var path = System.getenv("PATH");
        env.putIfAbsent("PATH", path == null ? "/usr/local/bin:/usr/bin:/bin" : path);
        env.putIfAbsent("LANG", "C.UTF-8");
        env.putIfAbsent("JAVA_HOME", System.getProperty("java.home"));
        env.put("HOME", home);
        env.put("TMPDIR", home);
        env.put(AppProcesses.MARK, home);
        var url = AppHosts.url(parts, app.name());
        var client = app.principal().id().toString();
        env.put("DATABRICKS_HOST", parts.publicUrl().get());
        env.put("DATABRICKS_APP_PORT", Integer.toString(port));
        env.put("DATABRICKS_APP_NAME", app.name());
        env.put("DATABRICKS_APP_URL", url);
        env.put("DATABRICKS_WORKSPACE_ID", Long.toString(workspace()));
        env.put("DATABRICKS_CLIENT_ID", client);
        env.put("DATABRICKS_CLIENT_SECRET", secret);
        env.put("LAKEMILL_URL", parts.publicUrl().get());
        env.put("LAKEMILL_APP_PORT", Integer.toString(port));
        env.put("LAKEMILL_APP_NAME", app.name());
        env.put("LAKEMILL_APP_URL", url);
        env.put("LAKEMILL_PROXY_SECRET", app.proxySecret());
        postgres(env, app);
        return env;
    }

    /** Servers that look for their port elsewhere; the manifest may say otherwise. */
    private static void frameworks(Map<String, String> env, String port) {
        env.put("PORT", port);
        env.put("FLASK_RUN_HOST", "127.0.0.1");
        env.put("FLASK_RUN_PORT", port);
        env.put("UVICORN_HOST", "127.0.0.1");
        env.put("UVICORN_PORT", port);
        env.put("GRADIO_SERVER_NAME", "127.0.0.1");
        env.put("GRADIO_SERVER_PORT", port);
        env.put("STREAMLIT_SERVER_ADDRESS", "127.0.0.1");
        env.put("STREAMLIT_SERVER_PORT", port);
        env.put("STREAMLIT_SERVER_HEADLESS", "true");
    }

    private void postgres(Map<String, String> env, HostedApp app) {
        var address = parts.postgres().get();
        env.put("PGHOST", address.substring(0, address.lastIndexOf(':')));
        env.put("PGPORT", address.substring(address.lastIndexOf(':') + 1));
        env.put("PGDATABASE", parts.postgresDatabase());
        env.put("PGUSER", app.principal().name());
        env.put("PGSSLMODE", "require");
        env.put("PGAPPNAME", app.name());
    }

    /** The same for the life of the catalog. */
    private long workspace() {
        return parts.catalog()
                .securables()
                .find(Securable.METASTORE)
                .map(info -> info.id().getMostSignificantBits() >>> 11)
                .orElse(0L);
    }

    private String value(AppManifest manifest, AppManifest.Variable variable) {
        var name = variable.resource();
        if (name == null) {
            return variable.value();
        }
        var resource = manifest.resource(name).orElseThrow();
        return switch (resource.kind()) {
            case UC_SECURABLE, SERVING_ENDPOINT -> resource.target();
            case POSTGRES -> parts.postgres().get();
            case APP -> AppHosts.url(parts, resource.target());
            case SECRET -> secret(resource.target());
        };
    }

    /** An administrator puts secrets there: {@code secrets/SCOPE/KEY} in the data folder. */
    private String secret(String target) {
        return new SecretFiles(parts.data().resolve("secrets"))
                .read(target)
                .orElseThrow(() -> noSecret(target));
    }

    private static LakemillException noSecret(String target) {
        return Problems.precondition(
                "there is no secret '%s'".formatted(target),
                "an administrator writes it to the file secrets/%s of the data folder, mode 0600"
                        .formatted(target));
    }

    /** Only who could read a secret anyway gives it to an app. */
    void requireSecrets(Caller deployer, AppManifest manifest) {
        for (var resource : manifest.resources()) {
            if (resource.kind() != AppResource.Kind.SECRET) {
                continue;
            }
            if (!parts.catalog().principals().isAdmin(deployer.principal().id())) {
                throw new LakemillException(
                        ErrorCode.PERMISSION_DENIED,
                        "only metastore admins may give an app the secret '%s'"
                                .formatted(resource.target()),
                        "ask a member of the group %s to deploy it".formatted(Principals.ADMINS));
            }
            secret(resource.target());
        }
    }
}
