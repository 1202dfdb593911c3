package dev.lakemill.catalog;

import dev.lakemill.types.Principal;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Everything that privileges are granted on, kept in Postgres, answered from memory.
 *
 * <p>Creating needs the CREATE privilege of its kind on the parent and makes the caller the owner;
 * updating and dropping need {@link Access#mayManage}. Tables are made through {@link Catalog} and
 * functions through {@link Policies}. All changes are audited. Safe to use from any thread.
 */
public final class Securables {
    /** How many securables of all kinds there may be. */
    public static final int SECURABLES_MAX = 1_000_000;

    private final Changes changes;
    private final Access access;
    private final Clock clock;

    Securables(Changes changes, Access access, Clock clock) {
        this.changes = changes;
        this.access = access;
        this.clock = clock;
    }

    public Optional<SecurableInfo> find(Securable securable) {
        return changes.read(model -> model.securable(securable));
    }

    public Optional<SecurableInfo> find(UUID id) {
        return changes.read(model -> model.securable(id));
    }

    /** Children of one kind, by name; none of a parent that is not there. */
    public List<SecurableInfo> list(Securable parent, SecurableType type) {
        return changes.read(
                model ->
                        model.securable(parent)
                                .map(info -> model.children(info.id(), type))
                                .orElse(List.of()));
    }

    /**
     * ALREADY_EXISTS, NOT_FOUND for the parent, PERMISSION_DENIED; INVALID_ARGUMENT for tables,
     * functions and the metastore.
     */
    public SecurableInfo create(
            Caller caller,
            Securable securable,
            String comment,
            Map<String, String> properties,
            String location) {
        var type = securable.type();
        if (type == SecurableType.TABLE
                || type == SecurableType.FUNCTION
                || type == SecurableType.METASTORE) {
            throw Refusals.invalid(
                    "a %s is not made by its name alone".formatted(type),
                    "tables need columns and functions a body");
        }
        check(securable, comment, properties, location);
        return changes.change(
                model -> {
                    requireCreate(model, caller, securable, Privileges.toCreate(type));
                    var info = fresh(caller, securable, comment, properties, location);
                    var parent = parent(model, securable).id();
                    changes.commit(
                            event(caller, "create", securable),
                            connection -> {
                                if (!SecurableStore.insert(connection, parent, info)) {
                                    throw Refusals.taken(securable);
                                }
                            },
                            shown -> shown.put(info));
                    return info;
                });
    }

    static void check(
            Securable securable, String comment, Map<String, String> properties, String location) {
        Names.check(securable);
        Names.checkDescription(comment, properties);
        Names.checkText("location", location, Names.LOCATION_CHARS_MAX);
    }

    /** Inside a change. */
    void requireCreate(Model model, Caller caller, Securable securable, Privilege privilege) {
        access.require(caller, privilege, securable.parent().orElseThrow());
        parent(model, securable);
        if (!model.isNode(caller.principal().id())) {
            Names.checkFree(securable);
        }
        if (model.securable(securable).isPresent()) {
            throw Refusals.taken(securable);
        }
        if (model.size() >= SECURABLES_MAX) {
            throw Refusals.exhausted(
                    "the catalog holds %d securables".formatted(SECURABLES_MAX),
                    "drop those that are not needed");
        }
    }

    private static SecurableInfo parent(Model model, Securable securable) {
        return model.require(securable.parent().orElseThrow());
    }

    /** As the caller makes it now. */
    SecurableInfo fresh(
            Caller caller,
            Securable securable,
            String comment,
            Map<String, String> properties,
            String location) {
        var now = now();
        var by = caller.principal().name();
        return new SecurableInfo(
                UUID.randomUUID(),
                securable,
                caller.principal(),
                comment,
                properties,
                location,
                now,
                by,
                now,
                by);
    }

    public SecurableInfo update(
            Caller caller, Securable securable, String comment, Map<String, String> properties) {
        return update(caller, securable, Optional.of(comment), _ -> properties);
    }

    /**
     * Changes the properties that are there at that moment, so that two who set different ones both
     * have their way.
     *
     * @param comment empty to leave it
     */
    public SecurableInfo update(
            Caller caller,
            Securable securable,
            Optional<String> comment,
            UnaryOperator<Map<String, String>> change) {
        return changes.change(
                model -> {
                    var before = requireManaged(model, caller, securable);
                    var properties = change.apply(before.properties());
                    var text = comment.orElse(before.comment());
                    Names.checkDescription(text, properties);
                    CapturedCopies.requireKept(model, caller, before.properties(), properties);
                    var info = touched(caller, before.described(text, properties));
                    changes.commit(
                            event(caller, "update", before.securable()),
                            connection -> SecurableStore.save(connection, info),
                            shown -> replace(shown, info));
                    return info;
                });
    }

    /** Inside a change. The new owner is not asked. */
    void transfer(Model model, Caller caller, Securable securable, Principal owner) {
        var info = touched(caller, requireManaged(model, caller, securable).ownedBy(owner));
        changes.commit(
                AuditEvent.done(
                        caller,
                        "unityCatalog",
                        "update" + word(securable.type()),
                        Map.of("full_name_arg", securable.name(), "owner", owner.name())),
                connection -> SecurableStore.save(connection, info),
                shown -> replace(shown, info));
    }

    /**
     * Takes grants, policies, tags and children along.
     *
     * @param newName the last part of the name alone
     * @throws dev.lakemill.types.LakemillException FAILED_PRECONDITION when it is, or contains, a
     *     table that the node writes by its name
     */
    public SecurableInfo rename(Caller caller, Securable securable, String newName) {
        return changes.change(
                model -> {
                    var before = requireManaged(model, caller, securable);
                    var renamed = renamed(before.securable(), newName);
                    Names.check(renamed);
                    Names.checkFree(renamed);
                    var holder = model.securable(renamed);
                    if (holder.isPresent() && !holder.get().id().equals(before.id())) {
                        throw Refusals.taken(renamed);
                    }
                    requireUnfed(model, caller, before, "renamed");
                    var info = touched(caller, before.named(renamed));
                    changes.commit(
                            AuditEvent.done(
                                    caller,
                                    "unityCatalog",
                                    "update" + word(securable.type()),
                                    Map.of(
                                            "full_name_arg",
                                            before.securable().name(),
                                            "new_name",
                                            newName)),
                            connection -> SecurableStore.save(connection, info),
                            shown -> showRenamed(shown, before, info));
                    return info;
                });
    }

    private static Securable renamed(Securable securable, String newName) {
        var container = securable.name().substring(0, securable.name().lastIndexOf('.') + 1);
        return new Securable(securable.type(), container + newName);
    }

    private static void showRenamed(Model model, SecurableInfo before, SecurableInfo after) {
        var old = before.securable().name();
        for (var info : model.subtree(before)) {
            var name = after.securable().name() + info.securable().name().substring(old.length());
            var now = info.id().equals(after.id()) ? after : info;
            replace(model, now.named(new Securable(info.securable().type(), name)));
        }
    }

    /**
     * FAILED_PRECONDITION while it has children or versions, unless forced; and, forced or not,
     * when it is or contains a table that the node writes, or a function of policies on tables that
     * stay.
     */
    public void drop(Caller caller, Securable securable, boolean force) {
        changes.change(
                model -> {
                    var info = requireManaged(model, caller, securable);
                    if (model.hasChildren(info.id()) && !force) {
                        throw Refusals.precondition(
                                Model.named(info.securable()) + " is not empty",
                                "drop what is in it first, or force it");
                    }
                    requireUnfed(model, caller, info, "dropped");
                    remove(model, caller, info, force);
                    return true;
                });
    }

    /** Inside a change. */
    void remove(Model model, Caller caller, SecurableInfo info, boolean force) {
        var gone = model.subtree(info);
        requireUnused(model, gone);
        var closed = CapturedCopies.closed(model, gone);
        changes.commit(
                event(caller, "delete", info.securable()),
                connection -> {
                    if (!force) {
                        Models.requireNoVersions(connection, info);
                    }
                    SecurableStore.delete(connection, info.id());
                    for (var copy : closed) {
                        SecurableStore.save(connection, copy);
                    }
                },
                shown -> {
                    gone.reversed().forEach(each -> shown.removeSecurable(each.id()));
                    closed.forEach(copy -> replace(shown, copy));
                });
    }

    private static void requireUnused(Model model, List<SecurableInfo> gone) {
        var ids = gone.stream().map(SecurableInfo::id).collect(Collectors.toSet());
        if (Collections.disjoint(ids, model.functions.keySet())) {
            return;
        }
        var users = new HashSet<UUID>();
        ids.forEach(id -> users.addAll(model.policyTables(id)));
        users.removeAll(ids);
        if (!users.isEmpty()) {
            throw Refusals.precondition(
                    "policies of %s use what would be dropped"
                            .formatted(
                                    users.stream()
                                            .limit(5)
                                            .map(id -> model.securable(id).orElseThrow())
                                            .map(i -> i.securable().name())
                                            .sorted()
                                            .collect(Collectors.joining(", "))),
                    "drop the row filters and masks first");
        }
    }

    private static void requireUnfed(Model model, Caller caller, SecurableInfo top, String what) {
        if (model.isNode(caller.principal().id())) {
            return;
        }
        for (var info : model.subtree(top)) {
            var table = model.tables.get(info.id());
            if (table != null && table.kind().fed()) {
                throw Refusals.precondition(
                        "%s cannot be %s: the node writes %s by its name"
                                .formatted(Model.named(top.securable()), what, table.name()),
                        "it goes with the pipeline, stream or sync that feeds it");
            }
        }
    }

    private SecurableInfo requireManaged(Model model, Caller caller, Securable securable) {
        access.require(caller, Privilege.MANAGE, securable);
        if (securable.type() == SecurableType.METASTORE) {
            throw Refusals.invalid("the metastore stays as it is", "");
        }
        return model.require(securable);
    }

    SecurableInfo touched(Caller caller, SecurableInfo info) {
        return info.touched(now(), caller.principal().name());
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MICROS);
    }

    /** With what is kept in other forms of the same. */
    static void replace(Model model, SecurableInfo info) {
        var table = model.tables.get(info.id());
        if (table == null) {
            model.put(info);
        } else {
            model.put(info, new Model.TableFacts(table.kind(), table.schema()));
        }
        model.functions.computeIfPresent(
                info.id(), (_, f) -> f.described(info.securable().name(), info.comment()));
    }

    static AuditEvent event(Caller caller, String verb, Securable securable) {
        return AuditEvent.done(
                caller,
                "unityCatalog",
                verb + word(securable.type()),
                Map.of("full_name_arg", securable.name()));
    }

    /** {@code ExternalLocation} of EXTERNAL_LOCATION. */
    static String word(SecurableType type) {
        return Stream.of(type.name().split("_", -1))
                .map(part -> part.charAt(0) + Model.lower(part.substring(1)))
                .collect(Collectors.joining());
    }
}
