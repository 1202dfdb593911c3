package dev.lakemill.server.apps;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Apps as REST tells of them, with Databricks' fields. */
final class AppJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Apps apps;

    AppJson(Apps apps) {
        this.apps = apps;
    }

    static String text(Object body) {
        try {
            return JSON.writeValueAsString(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    Map<String, Object> of(HostedApp app) {
        var row = apps.row(app);
        var status = app.status(row.running());
        var told = new LinkedHashMap<String, Object>();
        told.put("id", app.id().toString());
        told.put("name", app.name());
        apps.parts()
                .catalog()
                .securables()
                .find(app.id())
                .ifPresent(
                        info -> {
                            told.put("description", info.comment());
                            told.put("creator", info.createdBy());
                            told.put("owner", info.owner().name());
                            told.put("create_time", info.createdAt().toString());
                        });
        told.put("url", AppHosts.url(apps.parts(), app.name()));
        told.put("path", apps.parts().publicUrl().get() + "/apps/" + app.name() + "/");
        told.put("service_principal_client_id", app.principal().id().toString());
        told.put("service_principal_name", app.principal().name());
        told.put("changing", app.isChanging());
        told.put("app_status", state(status.state().name(), status.message()));
        told.put("compute_status", state(status.started() ? "ACTIVE" : "STOPPED", ""));
        var running = app.running();
        if (running != null) {
            told.put("version", running.version());
            told.put("kind", running.site() == null ? "process" : "static");
            told.put("user_api_scopes", running.manifest().scopes());
            told.put(
                    "resources",
                    running.manifest().resources().stream()
                            .map(
                                    resource ->
                                            Map.of(
                                                    "name",
                                                    resource.name(),
                                                    "kind",
                                                    resource.kind().name().toLowerCase(Locale.ROOT),
                                                    "target",
                                                    resource.target()))
                            .toList());
            var process = running.process();
            if (process != null) {
                told.put("pid", process.pid());
                told.put("restarts", process.restarts());
                told.put("memory_bytes", process.residentBytes());
            }
        }
        if (row.active() != null) {
            told.put("active_version", row.active());
        }
        return told;
    }

    private static Map<String, Object> state(String state, String message) {
        return Map.of("state", state, "message", message);
    }

    Map<String, Object> of(HostedApp app, AppVersion version) {
        var told = new LinkedHashMap<String, Object>();
        told.put("deployment_id", version.deployment().toString());
        told.put("app_name", app.name());
        told.put("version", version.number());
        told.put("status", state(version.status().name(), version.message()));
        var running = app.running();
        told.put("active", running != null && running.version() == version.number());
        told.put("mode", "SNAPSHOT");
        told.put("files", version.content().files());
        told.put("bytes", version.content().bytes());
        told.put("digest", version.content().digest());
        told.put("creator", version.createdBy());
        told.put("create_time", version.createdAt().toString());
        told.put("update_time", version.updatedAt().toString());
        return told;
    }
}
