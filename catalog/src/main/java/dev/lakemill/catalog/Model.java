package dev.lakemill.catalog;

import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.PrincipalKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.SecurableType;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the catalog knows, as maps by id; {@link Changes} guards it. Every change of one thing costs
 * as much as that thing, however much else there is.
 */
final class Model implements Rules.Facts {
    /**
     * Of a table: its function and the columns that it is called with, or uses beside the masked.
     */
    record Policy(UUID function, List<String> columns) {}

    /** What only tables have. */
    record TableFacts(TableKind kind, TableSchema schema) {}

    final Map<UUID, PrincipalInfo> principals = new HashMap<>();
    final Map<UUID, Set<UUID>> members = new HashMap<>();
    final Map<UUID, CatalogTable> tables = new HashMap<>();
    final Map<UUID, Map<UUID, Set<Privilege>>> grants = new HashMap<>();
    final Map<UUID, PolicyFunction> functions = new HashMap<>();
    final Map<UUID, ViewDefinition> views = new HashMap<>();
    final Map<UUID, Policy> filters = new HashMap<>();
    final Map<UUID, Map<String, Policy>> masks = new HashMap<>();
    final Map<UUID, Map<String, Map<String, String>>> tags = new HashMap<>();

    private final Map<String, UUID> principalNames = new HashMap<>();
    private final Map<UUID, Set<UUID>> groups = new HashMap<>();
    private final Map<UUID, SecurableInfo> securables = new HashMap<>();
    private final Map<Securable, UUID> securableNames = new HashMap<>();
    private final Map<UUID, Set<UUID>> children = new HashMap<>();
    private final Map<String, UUID> stateTables = new HashMap<>();
    private @Nullable UUID everybody;
    private @Nullable UUID node;

    // Principals.

    void put(PrincipalInfo info) {
        var principal = info.principal();
        principals.put(principal.id(), info);
        principalNames.put(lower(principal.name()), principal.id());
        if (principal.name().equals(Principals.USERS)) {
            everybody = principal.id();
        } else if (principal.name().equals(Principals.SYSTEM)) {
            node = principal.id();
        }
    }

    void removePrincipal(UUID id) {
        var info = principals.remove(id);
        if (info == null) {
            return;
        }
        principalNames.remove(lower(info.principal().name()));
        List.copyOf(groups.getOrDefault(id, Set.of())).forEach(group -> removeMember(group, id));
        List.copyOf(members.getOrDefault(id, Set.of())).forEach(member -> removeMember(id, member));
        grants.values().forEach(byPrincipal -> byPrincipal.remove(id));
    }

    void addMember(UUID group, UUID member) {
        members.computeIfAbsent(group, _ -> new LinkedHashSet<>()).add(member);
        groups.computeIfAbsent(member, _ -> new LinkedHashSet<>()).add(group);
    }

    void removeMember(UUID group, UUID member) {
        removeFrom(members, group, member);
        removeFrom(groups, member, group);
    }

    Optional<PrincipalInfo> principal(UUID id) {
        return Optional.ofNullable(principals.get(id));
    }

    Optional<PrincipalInfo> principal(String name) {
        return Optional.ofNullable(principalNames.get(lower(name))).flatMap(this::principal);
    }

    PrincipalInfo requirePrincipal(UUID id) {
        return principal(id).orElseThrow(() -> missing("there is no principal " + id));
    }

    PrincipalInfo requirePrincipal(String name) {
        return principal(name)
                .orElseThrow(() -> missing("there is no principal `%s`".formatted(name)));
    }

    Set<UUID> directGroups(UUID principal) {
        return groups.getOrDefault(principal, Set.of());
    }

    @Override
    public boolean isNode(UUID principal) {
        return principal.equals(node);
    }

    @Override
    public boolean isActive(UUID principal) {
        return principal(principal).filter(PrincipalInfo::active).isPresent();
    }

    @Override
    public Set<UUID> identities(UUID principal) {
        var found = new LinkedHashSet<UUID>();
        var open = new ArrayDeque<UUID>(List.of(principal));
        while (!open.isEmpty()) {
            var next = open.remove();
            if (found.add(next)) {
                open.addAll(directGroups(next));
            }
        }
        if (everybody != null) {
            found.add(everybody);
        }
        return found;
    }

    /** How many groups lie in one another from this one up, itself counted. */
    int levelsAbove(UUID group) {
        return levels(group, this::directGroups);
    }

    /** How many groups lie in one another from this one down, itself counted. */
    int levelsBelow(UUID group) {
        return levels(group, id -> members.getOrDefault(id, Set.of()));
    }

    /** Groups do not contain themselves, so that this ends. */
    private int levels(UUID group, Function<UUID, Set<UUID>> next) {
        var levels = 0;
        for (var level = Set.of(group); !level.isEmpty(); levels++) {
            level =
                    level.stream()
                            .flatMap(id -> next.apply(id).stream())
                            .filter(this::isGroup)
                            .collect(Collectors.toSet());
        }
        return levels;
    }

    private boolean isGroup(UUID id) {
        return requirePrincipal(id).principal().kind() == PrincipalKind.GROUP;
    }

    // Securables.

    @Override
    public Optional<SecurableInfo> securable(Securable name) {
        return Optional.ofNullable(securableNames.get(key(name))).map(securables::get);
    }

    Optional<SecurableInfo> securable(UUID id) {
        return Optional.ofNullable(securables.get(id));
    }

    SecurableInfo require(Securable name) {
        return securable(name).orElseThrow(() -> missing("there is no " + named(name)));
    }

    CatalogTable requireTable(TableName name) {
        var table = table(name);
        if (table == null) {
            throw new LakemillException(
                    ErrorCode.NOT_FOUND,
                    "there is no table %s".formatted(name),
                    "./lakemill table list shows those that there are");
        }
        return table;
    }

    @Nullable CatalogTable table(TableName name) {
        var id = securableNames.get(key(Securable.table(name)));
        return id == null ? null : tables.get(id);
    }

    /** Those of one kind below it, by name. */
    List<SecurableInfo> children(UUID parent, SecurableType type) {
        var byName = new TreeMap<String, SecurableInfo>();
        for (var child : children.getOrDefault(parent, Set.of())) {
            var info = securables.get(child);
            if (info != null && info.securable().type() == type) {
                byName.put(info.securable().name(), info);
            }
        }
        return List.copyOf(byName.values());
    }

    /** It and all below it, parents first. */
    List<SecurableInfo> subtree(SecurableInfo top) {
        var found = new ArrayList<>(List.of(top));
        for (var i = 0; i < found.size(); i++) {
            children.getOrDefault(found.get(i).id(), Set.of())
                    .forEach(child -> securable(child).ifPresent(found::add));
        }
        return found;
    }

    boolean hasChildren(UUID id) {
        return children.containsKey(id);
    }

    Collection<SecurableInfo> securables() {
        return securables.values();
    }

    int size() {
        return securables.size();
    }

    /** Its parent stands here already. */
    void put(SecurableInfo info) {
        var before = securables.put(info.id(), info);
        if (before != null) {
            securableNames.remove(key(before.securable()));
        }
        securableNames.put(key(info.securable()), info.id());
        info.securable()
                .parent()
                .flatMap(this::securable)
                .ifPresent(
                        parent ->
                                children.computeIfAbsent(parent.id(), _ -> new LinkedHashSet<>())
                                        .add(info.id()));
    }

    void put(SecurableInfo info, TableFacts facts) {
        put(info);
        tables.put(info.id(), table(info, facts));
        if (facts.kind() == TableKind.STATE) {
            stateTables.put(info.location(), info.id());
        }
    }

    /** By its location. */
    Optional<CatalogTable> stateTable(String location) {
        return Optional.ofNullable(stateTables.get(location)).map(tables::get);
    }

    private static CatalogTable table(SecurableInfo info, TableFacts facts) {
        return new CatalogTable(
                info.id(),
                TableName.parse(info.securable().name()),
                facts.kind(),
                facts.schema(),
                info.location(),
                info.comment(),
                info.properties(),
                info.createdAt());
    }

    /** Takes along all that is said of it, but not what is below it. */
    void removeSecurable(UUID id) {
        var info = securables.remove(id);
        if (info == null) {
            return;
        }
        securableNames.remove(key(info.securable()));
        info.securable()
                .parent()
                .flatMap(this::securable)
                .ifPresent(parent -> removeFrom(children, parent.id(), id));
        children.remove(id);
        tables.remove(id);
        stateTables.remove(info.location(), id);
        grants.remove(id);
        functions.remove(id);
        views.remove(id);
        filters.remove(id);
        masks.remove(id);
        tags.remove(id);
    }

    // Grants.

    @Override
    public Set<Privilege> granted(UUID securable, UUID principal) {
        var byPrincipal = grants.get(securable);
        return byPrincipal == null ? Set.of() : byPrincipal.getOrDefault(principal, Set.of());
    }

    void grant(UUID securable, UUID principal, Privilege privilege) {
        grants.computeIfAbsent(securable, _ -> new HashMap<>())
                .computeIfAbsent(principal, _ -> EnumSet.noneOf(Privilege.class))
                .add(privilege);
    }

    void revoke(UUID securable, UUID principal, Privilege privilege) {
        var byPrincipal = grants.get(securable);
        if (byPrincipal != null) {
            removeFrom(byPrincipal, principal, privilege);
            if (byPrincipal.isEmpty()) {
                grants.remove(securable);
            }
        }
    }

    void replaceGrants(Model other) {
        grants.clear();
        grants.putAll(other.grants);
    }

    // Policies and tags.

    void putMask(UUID table, String column, Policy policy) {
        masks.computeIfAbsent(table, _ -> new TreeMap<>()).put(column, policy);
    }

    PolicyFunction function(UUID id) {
        return Objects.requireNonNull(functions.get(id), "a function without a body");
    }

    /** The tables whose filter or masks call the function. */
    Set<UUID> policyTables(UUID function) {
        var found = new HashSet<UUID>();
        filters.forEach(
                (table, filter) -> {
                    if (filter.function().equals(function)) {
                        found.add(table);
                    }
                });
        masks.forEach(
                (table, byColumn) -> {
                    if (byColumn.values().stream().anyMatch(m -> m.function().equals(function))) {
                        found.add(table);
                    }
                });
        return found;
    }

    void removeMask(UUID table, String column) {
        removeEntry(masks, table, column);
    }

    void putTag(UUID securable, String column, String key, String value) {
        tags.computeIfAbsent(securable, _ -> new TreeMap<>())
                .computeIfAbsent(column, _ -> new TreeMap<>())
                .put(key, value);
    }

    void removeTag(UUID securable, String column, String key) {
        var byColumn = tags.get(securable);
        if (byColumn != null) {
            removeEntry(byColumn, column, key);
            if (byColumn.isEmpty()) {
                tags.remove(securable);
            }
        }
    }

    void removeTags(UUID securable, String column) {
        removeEntry(tags, securable, column);
    }

    static Securable key(Securable name) {
        return new Securable(name.type(), lower(name.name()));
    }

    static String lower(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    /** As SQL names it: {@code EXTERNAL LOCATION landing}. */
    static String named(Securable securable) {
        var type = securable.type().name().replace('_', ' ');
        return securable.name().isEmpty() ? type : type + " " + securable.name();
    }

    private static LakemillException missing(String problem) {
        return new LakemillException(
                ErrorCode.NOT_FOUND, problem, "names are found without regard to case");
    }

    private static <K, V> void removeFrom(Map<K, Set<V>> sets, K key, V value) {
        var set = sets.get(key);
        if (set != null && set.remove(value) && set.isEmpty()) {
            sets.remove(key);
        }
    }

    private static <K, L, V> void removeEntry(Map<K, Map<L, V>> maps, K key, L inner) {
        var map = maps.get(key);
        if (map != null && map.remove(inner) != null && map.isEmpty()) {
            maps.remove(key);
        }
    }
}
