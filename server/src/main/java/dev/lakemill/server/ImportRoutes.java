package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.postgres.imports.ImportReport;
import dev.lakemill.postgres.imports.ImportRequest;
import dev.lakemill.postgres.imports.ImportSource;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Moving databases in over REST, for metastore admins alone. */
final class ImportRoutes {
    static final String PATH = "/api/2.0/imports";

    private final Routes routes;
    private final Catalog catalog;
    private final Imports imports;

    private ImportRoutes(Routes routes, Catalog catalog, Imports imports) {
        this.routes = routes;
        this.catalog = catalog;
        this.imports = imports;
    }

    static void mount(Routes routes, Catalog catalog, Node node) {
        var here = new ImportRoutes(routes, catalog, new Imports(node.postgres(), catalog));
        routes.secured(HttpMethod.GET, PATH, here::status);
        routes.secured(HttpMethod.POST, PATH, here::start);
        routes.secured(HttpMethod.DELETE, PATH, here::discard);
    }

    private Object status(RoutingContext context, Caller caller) {
        check(caller, "getImport");
        return body(imports.status());
    }

    private Object start(RoutingContext context, Caller caller) {
        check(caller, "createImport");
        var asked = routes.body(context);
        var password = asked.path("password").asText("");
        var source =
                ImportSource.parse(
                        asked.path("url").asText(), password.isEmpty() ? null : password);
        imports.start(
                new ImportRequest(
                        source,
                        texts(asked.path("schemas")),
                        Set.copyOf(texts(asked.path("left_out"))),
                        asked.path("catalog").asText("main"),
                        asked.path("owner").asText(caller.principal().name())),
                caller);
        return body(imports.status());
    }

    private Object discard(RoutingContext context, Caller caller) {
        check(caller, "deleteImport");
        return Map.of("discarded", imports.discard());
    }

    private void check(Caller caller, String action) {
        AdminOnly.check(catalog, caller, action, "import databases");
    }

    private static List<String> texts(JsonNode array) {
        var texts = new ArrayList<String>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    private static Map<String, Object> body(Imports.Status status) {
        var body = new LinkedHashMap<String, Object>();
        body.put("state", status.state().name());
        body.put("source", status.source());
        body.put("doing", status.doing());
        body.put("rows", status.rows());
        body.put("bytes", status.bytes());
        body.put("rows_expected", status.rowsExpected());
        var report = status.report();
        if (report != null) {
            body.put("report", report(report));
        }
        var failure = status.failure();
        if (failure != null) {
            body.put("failure", Routes.PLAIN.body(0, failure));
        }
        return body;
    }

    /** In the form of every report of ours: it comes only when all was equal. */
    private static Map<String, Object> report(ImportReport report) {
        return Map.of(
                "ok",
                true,
                "checks",
                Map.of("counts_equal", true, "checksums_equal", true),
                "figures",
                Map.of(
                        "tables", report.tables().size(),
                        "objects", report.objects(),
                        "rows", report.rows(),
                        "rows_copied", report.copiedRows()),
                "tables",
                report.tables().stream()
                        .map(
                                table ->
                                        Map.of(
                                                "name", table.name(),
                                                "rows", table.rows(),
                                                "checksum", table.checksum()))
                        .toList());
    }
}
