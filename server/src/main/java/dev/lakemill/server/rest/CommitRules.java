package dev.lakemill.server.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lakemill.server.rest.CommitStore.Commit;
import dev.lakemill.server.rest.CommitStore.State;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One update of a managed table, whole or not at all: the requirements hold, a commit is the next
 * version, and what it changes of the description changes with it. A commit that was accepted
 * before is accepted again and changes nothing, so that a client whose answer was lost may repeat.
 */
final class CommitRules {
    /** Commits that only the catalog knows; the client backfills them into the log. */
    static final int PENDING_MAX = 10;

    private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9._-]{1,255}");
    private static final Set<String> ACTIONS =
            Set.of(
                    "add-commit",
                    "set-latest-backfilled-version",
                    "set-properties",
                    "remove-properties",
                    "set-columns",
                    "set-protocol",
                    "set-partition-columns",
                    "set-table-comment",
                    "set-domain-metadata",
                    "remove-domain-metadata");

    private static final Set<String> PLAIN = Set.of("add-commit", "set-latest-backfilled-version");

    /**
     * What came of it.
     *
     * @param described whether columns, properties or the like changed
     * @param comment the new one; null when it stays
     */
    record Outcome(State state, boolean described, @Nullable String comment) {}

    private final UUID table;
    private final Map<String, JsonNode> updates = new HashMap<>();
    private final JsonNode requirements;

    /**
     * @param body of an updateTable request
     */
    CommitRules(UUID table, JsonNode body) {
        this.table = table;
        this.requirements = body.path("requirements");
        for (var update : body.path("updates")) {
            var action = update.path("action").asText();
            if (!ACTIONS.contains(action)) {
                throw DeltaProblem.invalid(
                        "'%s' is not an update of a managed table".formatted(action));
            }
            if (updates.put(action, update) != null) {
                throw DeltaProblem.invalid("there is more than one " + action);
            }
        }
        if (updates.isEmpty()) {
            throw DeltaProblem.invalid("there are no updates");
        }
    }

    static String etag(State state) {
        return state.id() + "-" + state.revision();
    }

    /** Whether it is about more than a commit and its backfill. */
    boolean mayDescribe() {
        return !PLAIN.containsAll(updates.keySet());
    }

    Outcome apply(Connection connection) throws SQLException {
        var state =
                CommitStore.lock(connection, table)
                        .orElseThrow(
                                () ->
                                        new DeltaProblem(
                                                404, "NoSuchTableException", "the table is gone"));
        requireId();
        var commit = commit();
        if (commit != null && commit.version() <= state.latestVersion()) {
            requireSame(connection, commit);
            return new Outcome(state, false, null);
        }
        requireEtag(state);
        var backfilled = backfilled(state, commit);
        if (commit != null) {
            requireNext(state, commit, backfilled);
            CommitStore.add(connection, table, commit);
        }
        CommitStore.backfilled(connection, table, backfilled);
        var described = describe(connection, state, commit);
        CommitStore.touch(connection, table);
        var after = CommitStore.lock(connection, table).orElseThrow();
        var comment = updates.get("set-table-comment");
        return new Outcome(
                after,
                described || comment != null,
                comment == null ? null : Request.text(comment.path("comment")));
    }

    private void requireId() {
        var asserted = false;
        for (var requirement : requirements) {
            if (requirement.path("type").asText().equals("assert-table-uuid")) {
                asserted = true;
                if (!requirement.path("uuid").asText().equals(table.toString())) {
                    throw DeltaProblem.requirement("the table is %s now".formatted(table));
                }
            }
        }
        if (!asserted) {
            throw DeltaProblem.invalid("the requirement assert-table-uuid is missing");
        }
    }

    private void requireEtag(State state) {
        for (var requirement : requirements) {
            if (requirement.path("type").asText().equals("assert-etag")
                    && !requirement.path("etag").asText().equals(etag(state))) {
                throw DeltaProblem.requirement("the table has changed since; load it again");
            }
        }
    }

    private @Nullable Commit commit() {
        var update = updates.get("add-commit");
        if (update == null) {
            return null;
        }
        var json = update.path("commit");
        for (var field :
                new String[] {"version", "timestamp", "file-size", "file-modification-timestamp"}) {
            if (!json.path(field).canConvertToLong() || json.path(field).asLong() < 0) {
                throw DeltaProblem.invalid("the commit's %s is not a number".formatted(field));
            }
        }
        var file = json.path("file-name").asText();
        if (!FILE_NAME.matcher(file).matches()) {
            throw DeltaProblem.invalid("'%s' is not the name of a commit's file".formatted(file));
        }
        return new Commit(
                json.path("version").asLong(),
                json.path("timestamp").asLong(),
                file,
                json.path("file-size").asLong(),
                json.path("file-modification-timestamp").asLong());
    }

    private void requireSame(Connection connection, Commit commit) throws SQLException {
        var known = CommitStore.fileOf(connection, table, commit.version());
        if (known.isEmpty() || !known.get().equals(commit.fileName())) {
            throw DeltaProblem.conflict(
                    "version %d is another commit's already".formatted(commit.version()));
        }
    }

    private long backfilled(State state, @Nullable Commit commit) {
        var update = updates.get("set-latest-backfilled-version");
        if (update == null) {
            return state.backfilledVersion();
        }
        var version = update.path("latest-published-version").asLong(-1);
        if (version < 0 || version > state.latestVersion()) {
            throw DeltaProblem.invalid(
                    "version %d cannot be backfilled: the latest is %d%s"
                            .formatted(
                                    version,
                                    state.latestVersion(),
                                    commit == null ? "" : " before this commit"));
        }
        return Math.max(version, state.backfilledVersion());
    }

    private static void requireNext(State state, Commit commit, long backfilled) {
        var next = state.latestVersion() + 1;
        if (commit.version() != next) {
            throw DeltaProblem.invalid(
                    "the next version is %d, not %d".formatted(next, commit.version()));
        }
        if (next - backfilled > PENDING_MAX) {
            throw DeltaProblem.exhausted(
                    "%d commits are not backfilled; backfill them first".formatted(PENDING_MAX));
        }
    }

    private boolean describe(Connection connection, State state, @Nullable Commit commit)
            throws SQLException {
        var metadata = state.metadata().deepCopy();
        replace(metadata, "set-columns", "columns");
        replace(metadata, "set-protocol", "protocol");
        replace(metadata, "set-partition-columns", "partition-columns");
        merge(metadata, "set-properties", "properties");
        remove(metadata, "remove-properties", "removals", "properties");
        merge(metadata, "set-domain-metadata", "domain-metadata");
        remove(metadata, "remove-domain-metadata", "domains", "domain-metadata");
        if (metadata.equals(state.metadata())) {
            return false;
        }
        if (updates.containsKey("set-columns")) {
            ColumnJson.readStruct(metadata.path("columns"));
        }
        if (updates.containsKey("set-protocol") || updates.containsKey("remove-properties")) {
            requireManaged(metadata);
        }
        CommitStore.describe(
                connection,
                table,
                metadata,
                commit == null ? state.metadataVersion() : commit.version(),
                commit == null ? state.metadataTimestamp() : commit.timestamp());
        return true;
    }

    private static void requireManaged(ObjectNode metadata) {
        for (var feature : metadata.path("protocol").path("writer-features")) {
            if (feature.asText().startsWith("catalog")) {
                return;
            }
        }
        throw DeltaProblem.invalid("a managed table keeps the feature catalogManaged");
    }

    private void replace(ObjectNode metadata, String action, String field) {
        var update = updates.get(action);
        if (update != null) {
            metadata.set(field, update.path(field));
        }
    }

    private void merge(ObjectNode metadata, String action, String field) {
        var update = updates.get(action);
        if (update != null) {
            var object = metadata.withObject("/" + field);
            update.path("updates").properties().forEach(e -> object.set(e.getKey(), e.getValue()));
        }
    }

    private void remove(ObjectNode metadata, String action, String list, String field) {
        var update = updates.get(action);
        if (update != null && metadata.path(field) instanceof ObjectNode object) {
            update.path(list).forEach(key -> object.remove(key.asText()));
        }
    }

    static ArrayNode pending(State state) {
        var commits = Shapes.JSON.arrayNode();
        for (var commit : state.pending()) {
            commits.addObject()
                    .put("version", commit.version())
                    .put("timestamp", commit.timestamp())
                    .put("file-name", commit.fileName())
                    .put("file-size", commit.fileSize())
                    .put("file-modification-timestamp", commit.modified());
        }
        return commits;
    }
}
