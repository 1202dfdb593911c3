package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.agents.mcp.McpResult;
import dev.lakemill.agents.mcp.McpTool;
import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.Lineage;
import dev.lakemill.catalog.LineageLink;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The catalog for MCP's clients: of everything, what the caller may know of. */
final class McpCatalogTools {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int FOUND_MAX = 100;
    private static final int FOUND_USUAL = 20;
    private static final int DEPTH_MAX = 10;

    private final Catalog catalog;

    McpCatalogTools(Catalog catalog) {
        this.catalog = catalog;
    }

    List<McpTool> tools() {
        return List.of(
                new McpTool(
                        "search_tables",
                        "Finds tables whose name, comment or columns have all the words.",
                        McpSchemas.object()
                                .required("words", "string", "separated by spaces; empty for all")
                                .count("limit", "tables at most; 20 without it", FOUND_MAX)
                                .build(),
                        false,
                        this::search),
                new McpTool(
                        "describe_table",
                        "Columns, types, comments, tags and owner of a table.",
                        McpSchemas.object()
                                .required("table", "string", "catalog.schema.table")
                                .build(),
                        false,
                        this::describe),
                new McpTool(
                        "table_lineage",
                        "The tables that a table is made from, or that are made from it.",
                        McpSchemas.object()
                                .required("table", "string", "catalog.schema.table")
                                .oneOf("direction", "upstream without it", "upstream", "downstream")
                                .count("depth", "steps; 1 without it", DEPTH_MAX)
                                .build(),
                        false,
                        this::lineage));
    }

    private McpResult search(Caller caller, ObjectNode arguments) {
        var words = arguments.path("words").asText().toLowerCase(Locale.ROOT).strip().split("\\s+");
        var most = arguments.path("limit").asInt(FOUND_USUAL);
        var answer = JSON.createObjectNode();
        var list = answer.putArray("tables");
        var found =
                new Visible(catalog, caller)
                        .tables()
                        .filter(table -> has(table, words))
                        .limit(most + 1L)
                        .toList();
        found.stream().limit(most).forEach(table -> list.add(brief(table)));
        return McpResult.object(answer.put("truncated", found.size() > most));
    }

    private static boolean has(CatalogTable table, String[] words) {
        var text = new StringBuilder(table.name() + " " + table.comment());
        table.schema().columns().forEach(c -> text.append(' ').append(c.name()));
        var all = text.toString().toLowerCase(Locale.ROOT);
        return List.of(words).stream().allMatch(all::contains);
    }

    private static ObjectNode brief(CatalogTable table) {
        return JSON.createObjectNode()
                .put("name", table.name().toString())
                .put("type", SystemTables.type(table.kind()))
                .put("comment", table.comment());
    }

    private McpResult describe(Caller caller, ObjectNode arguments) {
        var name = TableName.parse(arguments.path("table").asText());
        var on = Securable.table(name);
        catalog.access().require(caller, Privilege.BROWSE, on);
        var table = catalog.find(name).orElseThrow();
        var answer = brief(table);
        answer.put("owner", catalog.grants().owner(on).name());
        answer.put("created_at", table.createdAt().toString());
        var columns = answer.putArray("columns");
        for (var column : table.schema().columns()) {
            columns.addObject()
                    .put("name", column.name())
                    .put("type", column.type().sql())
                    .put("nullable", column.nullable())
                    .put("comment", column.comment());
        }
        var tags = answer.putArray("tags");
        catalog.tags().all().stream()
                .filter(tag -> tag.on().equals(on))
                .forEach(
                        tag ->
                                tags.addObject()
                                        .put("column", tag.column())
                                        .put("key", tag.key())
                                        .put("value", tag.value()));
        return McpResult.object(answer);
    }

    private McpResult lineage(Caller caller, ObjectNode arguments) {
        var name = TableName.parse(arguments.path("table").asText());
        catalog.access().require(caller, Privilege.BROWSE, Securable.table(name));
        var visible = new Visible(catalog, caller);
        var upstream = !arguments.path("direction").asText().equals("downstream");
        var links =
                catalog.lineage()
                        .tables(
                                name.toString(),
                                upstream
                                        ? Lineage.Direction.UPSTREAM
                                        : Lineage.Direction.DOWNSTREAM,
                                arguments.path("depth").asInt(1),
                                node -> isVisible(visible, node));
        var answer = JSON.createObjectNode();
        var list = answer.putArray("links");
        links.stream().limit(FOUND_MAX).forEach(link -> list.add(shape(link)));
        return McpResult.object(answer.put("truncated", links.size() > FOUND_MAX));
    }

    private static boolean isVisible(Visible visible, LineageNode node) {
        return switch (node.type()) {
            case TABLE, STREAMING_TABLE, MATERIALIZED_VIEW, VIEW ->
                    visible.sees(Securable.table(TableName.parse(node.name())));
            case MODEL -> visible.sees(new Securable(SecurableType.REGISTERED_MODEL, node.name()));
            case PATH -> visible.isAdmin();
        };
    }

    private static JsonNode shape(LineageLink link) {
        return JSON.createObjectNode()
                .put("source", name(link.source()))
                .put("target", name(link.target()))
                .put("by", link.entity().id())
                .put("last", link.time().toString())
                .put("depth", link.depth());
    }

    private static @Nullable String name(@Nullable LineageNode node) {
        return node == null ? null : node.name();
    }
}
