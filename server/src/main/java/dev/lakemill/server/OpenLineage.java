package dev.lakemill.server;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Lineage;
import dev.lakemill.catalog.LineageEntity;
import dev.lakemill.catalog.LineageFlow;
import dev.lakemill.catalog.LineageFlow.Columns;
import dev.lakemill.catalog.LineageFlow.Edge;
import dev.lakemill.catalog.LineageNode;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * OpenLineage's events (specification 2-0-2: RunEvent and JobEvent, column lineage facet 1-2-0) as
 * our lineage, and ours as RunEvents.
 *
 * <p>A dataset that the catalog knows, by its name or a symlink, is that table; any other is the
 * path {@code namespace/name}.
 */
final class OpenLineage {
    private static final String PRODUCER = "https://github.com/lakemill/lakemill";
    private static final String SCHEMA =
            "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
    private static final String COLUMN_SCHEMA =
            "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json"
                    + "#/$defs/ColumnLineageDatasetFacet";
    private static final String NAMESPACE = "lakemill";
    private static final int DATASETS_MAX = 200;
    private static final int COLUMNS_MAX = 10_000;
    private static final int NAME_CHARS_MAX = 1_000;

    /** Types of events after which nothing has flowed, or not yet. */
    private static final Set<String> NOTHING_FLOWED = Set.of("START", "FAIL", "ABORT");

    private static final Pattern TABLE_NAME =
            Pattern.compile("[A-Za-z_]\\w{0,254}(\\.[A-Za-z_]\\w{0,254}){2}");

    private final Catalog catalog;

    OpenLineage(Catalog catalog) {
        this.catalog = catalog;
    }

    /**
     * What an event says has flowed; empty for one that says that nothing has.
     *
     * @throws LakemillException INVALID_ARGUMENT when it is none, or too large
     */
    Optional<LineageFlow> read(JsonNode event, String createdBy, Instant now) {
        var job = event.path("job");
        var namespace = text(job, "namespace", "job.namespace");
        var name = text(job, "name", "job.name");
        var run = event.path("run").path("runId").asText("");
        var type = event.path("eventType").asText(run.isEmpty() ? "OTHER" : "");
        if (type.isEmpty()) {
            throw bad("eventType is missing", "send a RunEvent or a JobEvent");
        }
        var time = time(text(event, "eventTime", "eventTime"), now);
        if (NOTHING_FLOWED.contains(type.toUpperCase(Locale.ROOT))) {
            return Optional.empty();
        }
        var entity =
                new LineageEntity(LineageEntity.Type.JOB, cut(namespace + "/" + name), cut(run));
        var edges = edges(datasets(event, "inputs"), datasets(event, "outputs"));
        var window = time.truncatedTo(ChronoUnit.HOURS);
        return edges.isEmpty()
                ? Optional.empty()
                : Optional.of(new LineageFlow(entity, createdBy, window, time, edges));
    }

    /** The place of a name: a table of the catalog if there is one, else what it says. */
    LineageNode node(String name) {
        return table(name).orElseGet(() -> new LineageNode(LineageNode.Type.PATH, cut(name)));
    }

    private List<Edge> edges(List<JsonNode> inputs, List<JsonNode> outputs) {
        var edges = new ArrayList<Edge>();
        var sources = new LinkedHashMap<String, LineageNode>();
        inputs.forEach(input -> sources.put(key(input), node(input)));
        for (var output : outputs) {
            var columns = columns(output);
            columns.keySet().forEach(source -> sources.putIfAbsent(source.key(), source.node()));
            var target = node(output);
            sources.forEach(
                    (key, source) ->
                            edges.add(
                                    new Edge(
                                            source,
                                            target,
                                            columns.getOrDefault(
                                                    new Source(key, source), List.of()),
                                            0)));
            if (sources.isEmpty()) {
                edges.add(new Edge(null, target, List.of(), 0));
            }
        }
        if (outputs.isEmpty()) {
            sources.values().forEach(source -> edges.add(new Edge(source, null, List.of(), 0)));
        }
        return edges;
    }

    /** An input by its namespace and name. */
    private record Source(String key, LineageNode node) {}

    private Map<Source, List<Columns>> columns(JsonNode output) {
        var found = new LinkedHashMap<Source, List<Columns>>();
        var count = 0;
        for (var field : output.path("facets").path("columnLineage").path("fields").properties()) {
            for (var input : field.getValue().path("inputFields")) {
                if (++count > COLUMNS_MAX) {
                    throw bad(
                            "more than %d columns in one event".formatted(COLUMNS_MAX),
                            "send an event for each output");
                }
                var source = new Source(key(input), node(input));
                var from = cut(text(input, "field", "inputFields.field"));
                found.computeIfAbsent(source, _ -> new ArrayList<>())
                        .add(new Columns(from, cut(field.getKey())));
            }
        }
        return found;
    }

    private static List<JsonNode> datasets(JsonNode event, String key) {
        var datasets = new ArrayList<JsonNode>();
        event.path(key).forEach(datasets::add);
        if (datasets.size() > DATASETS_MAX) {
            throw bad(
                    "%d %s in one event".formatted(datasets.size(), key),
                    "send at most %d".formatted(DATASETS_MAX));
        }
        return datasets;
    }

    private static String key(JsonNode dataset) {
        return text(dataset, "namespace", "a dataset's namespace")
                + "/"
                + text(dataset, "name", "a dataset's name");
    }

    private LineageNode node(JsonNode dataset) {
        for (var link : dataset.path("facets").path("symlinks").path("identifiers")) {
            var known = table(link.path("name").asText(""));
            if (known.isPresent()) {
                return known.get();
            }
        }
        return table(text(dataset, "name", "a dataset's name"))
                .orElseGet(() -> new LineageNode(LineageNode.Type.PATH, cut(key(dataset))));
    }

    private Optional<LineageNode> table(String name) {
        if (!TABLE_NAME.matcher(name).matches()) {
            return Optional.empty();
        }
        return catalog.find(TableName.parse(name))
                .map(
                        table ->
                                new LineageNode(
                                        switch (table.kind()) {
                                            case STREAMING_TABLE ->
                                                    LineageNode.Type.STREAMING_TABLE;
                                            case MATERIALIZED_VIEW ->
                                                    LineageNode.Type.MATERIALIZED_VIEW;
                                            case VIEW -> LineageNode.Type.VIEW;
                                            case INGESTED,
                                                    QUARANTINE,
                                                    SYNCED,
                                                    EXTERNAL,
                                                    MANAGED,
                                                    STATE ->
                                                    LineageNode.Type.TABLE;
                                        },
                                        table.name().toString()));
    }

    /** RunEvents, one for each entity, window and target; only what is visible stands in them. */
    List<Map<String, Object>> write(List<Lineage.Event> events, Predicate<LineageNode> visible) {
        var groups = new LinkedHashMap<List<Object>, List<Lineage.Event>>();
        for (var event : events) {
            var link = event.link();
            if (isVisible(link.source(), visible) && isVisible(link.target(), visible)) {
                List<Object> key =
                        List.of(
                                link.entity().type(),
                                link.entity().id(),
                                link.createdBy(),
                                event.windowStart(),
                                link.target() == null ? "" : link.target().name());
                groups.computeIfAbsent(key, _ -> new ArrayList<>()).add(event);
            }
        }
        return groups.values().stream().map(this::write).toList();
    }

    private static boolean isVisible(@Nullable LineageNode node, Predicate<LineageNode> visible) {
        return node == null || visible.test(node);
    }

    private Map<String, Object> write(List<Lineage.Event> group) {
        var last = group.getLast();
        var entity = last.link().entity();
        var name = entity.type().name().toLowerCase(Locale.ROOT) + "/" + entity.id();
        var runOf = name + "/" + last.link().createdBy() + "/" + last.windowStart();
        var event = new LinkedHashMap<String, Object>();
        event.put("eventType", "COMPLETE");
        event.put("eventTime", last.link().time().toString());
        event.put(
                "run",
                Map.of(
                        "runId",
                        UUID.nameUUIDFromBytes(runOf.getBytes(StandardCharsets.UTF_8)).toString()));
        event.put("job", Map.of("namespace", NAMESPACE, "name", name));
        event.put("inputs", inputs(group));
        event.put("outputs", outputs(group));
        event.put("producer", PRODUCER);
        event.put("schemaURL", SCHEMA);
        return event;
    }

    private static List<Map<String, Object>> inputs(List<Lineage.Event> group) {
        return group.stream()
                .flatMap(e -> Stream.ofNullable(e.link().source()))
                .distinct()
                .map(OpenLineage::dataset)
                .toList();
    }

    private List<Map<String, Object>> outputs(List<Lineage.Event> group) {
        var target = group.getFirst().link().target();
        if (target == null) {
            return List.of();
        }
        var fields = new LinkedHashMap<String, List<Map<String, Object>>>();
        for (var event : group) {
            var source = event.link().source();
            if (source == null) {
                continue;
            }
            for (var pair : catalog.lineage().columns(event)) {
                var input = new LinkedHashMap<>(dataset(source));
                input.put("field", pair.source());
                fields.computeIfAbsent(pair.target(), _ -> new ArrayList<>()).add(input);
            }
        }
        var output = new LinkedHashMap<>(dataset(target));
        if (!fields.isEmpty()) {
            var byColumn = new LinkedHashMap<String, Object>();
            fields.forEach((column, from) -> byColumn.put(column, Map.of("inputFields", from)));
            output.put(
                    "facets",
                    Map.of(
                            "columnLineage",
                            Map.of(
                                    "_producer",
                                    PRODUCER,
                                    "_schemaURL",
                                    COLUMN_SCHEMA,
                                    "fields",
                                    byColumn)));
        }
        return List.of(output);
    }

    private static Map<String, Object> dataset(LineageNode node) {
        return Map.of("namespace", NAMESPACE, "name", node.name());
    }

    private static Instant time(String text, Instant now) {
        try {
            var time = OffsetDateTime.parse(text).toInstant();
            return time.isAfter(now) ? now : time;
        } catch (DateTimeParseException e) {
            throw new LakemillException(
                    ErrorCode.INVALID_ARGUMENT,
                    "eventTime is '%s'".formatted(text),
                    "write it as 2026-03-01T10:00:00Z",
                    e);
        }
    }

    private static String text(JsonNode node, String field, String what) {
        var text = node.path(field).asText("");
        if (text.isEmpty()) {
            throw bad(what + " is missing", "send a RunEvent or a JobEvent");
        }
        return text;
    }

    private static String cut(String text) {
        var clean = text.replace("\0", "");
        return clean.length() > NAME_CHARS_MAX ? clean.substring(0, NAME_CHARS_MAX) : clean;
    }

    private static LakemillException bad(String problem, String hint) {
        return new LakemillException(ErrorCode.INVALID_ARGUMENT, problem, hint);
    }
}
