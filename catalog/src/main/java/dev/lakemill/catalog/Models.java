package dev.lakemill.catalog;

import static dev.lakemill.catalog.Statements.instant;
import static dev.lakemill.catalog.Statements.pairs;
import static dev.lakemill.catalog.Statements.texts;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.UnaryOperator;

/**
 * The versions of registered models, kept and answered in Postgres; the models themselves are
 * {@link Securables}.
 *
 * <p>Changing them needs {@link Access#mayManage} on the model. Reading asks nothing: the door that
 * reads asks for EXECUTE or BROWSE. Audited. Safe to use from any thread.
 */
public final class Models {
    /** How many versions a model may have. */
    public static final int VERSIONS_MAX = 10_000;

    /** How many versions one call lists. */
    public static final int LISTED_VERSIONS_MAX = 1_000;

    public static final int ALIASES_MAX = 50;

    private static final int SOURCE_CHARS_MAX = 4_096;

    private static final String SELECT =
            """
            SELECT v.*, ARRAY(SELECT a.alias FROM lakemill.model_aliases a
                WHERE a.model_id = v.model_id AND a.version = v.version ORDER BY 1) AS aliases
            FROM lakemill.model_versions v WHERE v.model_id = ?
            """;

    /**
     * A version to be registered.
     *
     * @param root the folder in which its own is made, as a URI
     */
    public record NewVersion(String source, String runId, String comment, String root) {}

    private final Changes changes;
    private final Access access;
    private final Clock clock;

    Models(Changes changes, Access access, Clock clock) {
        this.changes = changes;
        this.access = access;
        this.clock = clock;
    }

    /** PENDING_REGISTRATION, with the next number and a folder to write its files to. */
    public ModelVersion createVersion(Caller caller, Securable model, NewVersion wanted) {
        Names.checkText("source", wanted.source(), SOURCE_CHARS_MAX);
        Names.checkText("run id", wanted.runId(), Names.NAME_CHARS_MAX);
        Names.checkText("comment", wanted.comment(), Names.COMMENT_CHARS_MAX);
        return change(
                caller,
                model,
                "createModelVersion",
                0,
                (connection, id) -> {
                    var number = nextNumber(connection, id);
                    var version = UUID.randomUUID();
                    var root = wanted.root().replaceAll("/+$", "");
                    Names.checkText("location", root, Names.LOCATION_CHARS_MAX);
                    var by = caller.principal().name();
                    Statements.update(
                            connection,
                            """
                            INSERT INTO lakemill.model_versions (model_id, version, id, source,
                                run_id, comment, status, location, created_by, updated_by)
                            VALUES (?, ?, ?, ?, ?, ?, 'PENDING_REGISTRATION', ?, ?, ?)
                            """,
                            id,
                            number,
                            version,
                            wanted.source(),
                            wanted.runId(),
                            wanted.comment(),
                            root + "/" + version,
                            by,
                            by);
                    return require(connection, id, model, number);
                });
    }

    private static int nextNumber(Connection connection, UUID model) throws SQLException {
        var number =
                Statements.first(
                                connection,
                                row -> row.getInt(1),
                                """
                                INSERT INTO lakemill.model_numbers (model_id, last_version)
                                VALUES (?, 1) ON CONFLICT (model_id) DO UPDATE
                                SET last_version = model_numbers.last_version + 1
                                RETURNING last_version
                                """,
                                model)
                        .orElseThrow();
        if (number > VERSIONS_MAX) {
            throw Refusals.exhausted(
                    "the model has had %d versions".formatted(VERSIONS_MAX),
                    "register a new model");
        }
        return number;
    }

    /** All files are there: READY. FAILED_PRECONDITION when its registration has failed. */
    public ModelVersion finalizeVersion(Caller caller, Securable model, int version) {
        return change(
                caller,
                model,
                "finalizeModelVersion",
                version,
                (connection, id) -> {
                    var before = require(connection, id, model, version);
                    if (before.status() == ModelVersion.Status.FAILED_REGISTRATION) {
                        throw Refusals.precondition(
                                "version %d of %s failed".formatted(version, model.name()),
                                "create another version");
                    }
                    return set(connection, id, before, "status", "READY", caller);
                });
    }

    /** Its files are not what they should be: FAILED_REGISTRATION, for good. */
    public ModelVersion failVersion(Caller caller, Securable model, int version) {
        return change(
                caller,
                model,
                "failModelVersion",
                version,
                (connection, id) -> {
                    var before = require(connection, id, model, version);
                    return set(connection, id, before, "status", "FAILED_REGISTRATION", caller);
                });
    }

    public ModelVersion updateVersion(Caller caller, Securable model, int version, String comment) {
        Names.checkText("comment", comment, Names.COMMENT_CHARS_MAX);
        return change(
                caller,
                model,
                "updateModelVersion",
                version,
                (connection, id) -> {
                    var before = require(connection, id, model, version);
                    return set(connection, id, before, "comment", comment, caller);
                });
    }

    /** Replaces all tags of the version. */
    public ModelVersion setTags(
            Caller caller, Securable model, int version, Map<String, String> tags) {
        return changeTags(caller, model, version, _ -> tags);
    }

    /** Changes the tags that the version has at that moment. */
    public ModelVersion changeTags(
            Caller caller, Securable model, int version, UnaryOperator<Map<String, String>> with) {
        return change(
                caller,
                model,
                "setModelVersionTags",
                version,
                (connection, id) -> {
                    var tags = with.apply(require(connection, id, model, version).tags());
                    checkTags(tags);
                    Statements.update(
                            connection,
                            """
                            UPDATE lakemill.model_versions SET tags = ?::jsonb
                            WHERE model_id = ? AND version = ?
                            """,
                            Statements.json(tags),
                            id,
                            version);
                    return require(connection, id, model, version);
                });
    }

    private static void checkTags(Map<String, String> tags) {
        tags.forEach(
                (key, value) -> {
                    Names.checkText("tag's key", key, Names.TAG_KEY_CHARS_MAX);
                    Names.checkText("tag's value", value, Names.TAG_VALUE_CHARS_MAX);
                });
        if (tags.size() > Tags.TAGS_MAX) {
            throw Refusals.exhausted(
                    "there are %d tags".formatted(tags.size()),
                    "there may be %d".formatted(Tags.TAGS_MAX));
        }
    }

    /** With its aliases; its files stay. NOT_FOUND. */
    public void deleteVersion(Caller caller, Securable model, int version) {
        change(
                caller,
                model,
                "deleteModelVersion",
                version,
                (connection, id) -> {
                    require(connection, id, model, version);
                    return Statements.update(
                            connection,
                            """
                            DELETE FROM lakemill.model_versions
                            WHERE model_id = ? AND version = ?
                            """,
                            id,
                            version);
                });
    }

    /** Makes the alias stand for this version, and for no other any more. */
    public void setAlias(Caller caller, Securable model, String alias, int version) {
        Names.checkAlias(alias);
        change(
                caller,
                model,
                "setRegisteredModelAlias",
                version,
                (connection, id) -> {
                    require(connection, id, model, version);
                    var aliases =
                            Statements.query(
                                    connection,
                                    row -> row.getString(1),
                                    "SELECT alias FROM lakemill.model_aliases WHERE model_id = ?",
                                    id);
                    if (aliases.size() >= ALIASES_MAX && !aliases.contains(alias)) {
                        throw Refusals.exhausted(
                                "%s has %d aliases".formatted(model.name(), ALIASES_MAX),
                                "delete one");
                    }
                    return Statements.update(
                            connection,
                            """
                            INSERT INTO lakemill.model_aliases (model_id, alias, version)
                            VALUES (?, ?, ?) ON CONFLICT (model_id, alias)
                            DO UPDATE SET version = EXCLUDED.version
                            """,
                            id,
                            alias,
                            version);
                });
    }

    /** An alias that is not there is no error. */
    public void deleteAlias(Caller caller, Securable model, String alias) {
        change(
                caller,
                model,
                "deleteRegisteredModelAlias",
                0,
                (connection, id) ->
                        Statements.update(
                                connection,
                                """
                                DELETE FROM lakemill.model_aliases
                                WHERE model_id = ? AND alias = ?
                                """,
                                id,
                                alias));
    }

    public Optional<ModelVersion> version(Securable model, int version) {
        return read(model, (connection, id) -> find(connection, id, model, version));
    }

    public Optional<ModelVersion> byAlias(Securable model, String alias) {
        return read(
                model,
                (connection, id) ->
                        Statements.first(
                                connection,
                                row -> version(row, model),
                                SELECT
                                        + """
                                          AND v.version = (SELECT version
                                            FROM lakemill.model_aliases a
                                            WHERE a.model_id = v.model_id AND a.alias = ?)
                                        """,
                                id,
                                alias));
    }

    /** The newest first, older than a version; at most {@link #LISTED_VERSIONS_MAX}. */
    public List<ModelVersion> versions(Securable model, int before) {
        return read(
                model,
                (connection, id) ->
                        Statements.query(
                                connection,
                                row -> version(row, model),
                                SELECT + " AND v.version < ? ORDER BY v.version DESC LIMIT ?",
                                id,
                                before,
                                LISTED_VERSIONS_MAX));
    }

    /** FAILED_PRECONDITION for a model with versions. */
    static void requireNoVersions(Connection connection, SecurableInfo info) throws SQLException {
        var any = "SELECT 1 FROM lakemill.model_versions WHERE model_id = ? LIMIT 1";
        if (Statements.first(connection, row -> row.getInt(1), any, info.id()).isPresent()) {
            throw Refusals.precondition(
                    "%s has versions".formatted(Model.named(info.securable())),
                    "delete them first, or force it");
        }
    }

    private interface Work<T> {
        T run(Connection connection, UUID model) throws SQLException;
    }

    private <T> T read(Securable model, Work<T> work) {
        var id = requireModel(changes.read(m -> m.require(model)));
        return Transactions.run(changes.database(), connection -> work.run(connection, id));
    }

    private <T> T change(Caller caller, Securable name, String action, int version, Work<T> work) {
        return changes.change(
                model -> {
                    access.require(caller, Privilege.MANAGE, name);
                    var id = requireModel(model.require(name));
                    var parameters =
                            Map.of(
                                    "full_name_arg",
                                    name.name(),
                                    "version_arg",
                                    version == 0 ? "" : String.valueOf(version));
                    return changes.commit(
                            AuditEvent.done(caller, "unityCatalog", action, parameters),
                            connection -> work.run(connection, id));
                });
    }

    private static UUID requireModel(SecurableInfo info) {
        if (info.securable().type() != SecurableType.REGISTERED_MODEL) {
            throw Refusals.invalid(
                    "%s is not a model".formatted(Model.named(info.securable())),
                    "only registered models have versions");
        }
        return info.id();
    }

    private static ModelVersion require(
            Connection connection, UUID id, Securable model, int version) throws SQLException {
        return find(connection, id, model, version)
                .orElseThrow(
                        () ->
                                new LakemillException(
                                        ErrorCode.NOT_FOUND,
                                        "there is no version %d of %s"
                                                .formatted(version, model.name()),
                                        "list its versions"));
    }

    private static Optional<ModelVersion> find(
            Connection connection, UUID id, Securable model, int version) throws SQLException {
        return Statements.first(
                connection, row -> version(row, model), SELECT + " AND v.version = ?", id, version);
    }

    private ModelVersion set(
            Connection connection,
            UUID id,
            ModelVersion before,
            String column,
            String value,
            Caller caller)
            throws SQLException {
        Statements.update(
                connection,
                """
                UPDATE lakemill.model_versions SET %s = ?, updated_at = ?, updated_by = ?
                WHERE model_id = ? AND version = ?
                """
                        .formatted(column),
                value,
                clock.instant().truncatedTo(ChronoUnit.MICROS),
                caller.principal().name(),
                id,
                before.version());
        return require(connection, id, before.model(), before.version());
    }

    private static ModelVersion version(ResultSet row, Securable model) throws SQLException {
        return new ModelVersion(
                row.getObject("id", UUID.class),
                model,
                row.getInt("version"),
                row.getString("source"),
                row.getString("run_id"),
                row.getString("comment"),
                ModelVersion.Status.valueOf(row.getString("status")),
                row.getString("location"),
                instant(row, "created_at"),
                row.getString("created_by"),
                instant(row, "updated_at"),
                row.getString("updated_by"),
                pairs(row, "tags"),
                texts(row, "aliases"));
    }
}
