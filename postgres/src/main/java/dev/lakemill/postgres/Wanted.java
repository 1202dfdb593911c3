package dev.lakemill.postgres;

import dev.lakemill.catalog.PrincipalInfo;
import dev.lakemill.catalog.TableKind;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/**
 * What Postgres is to look like for the catalog to be in force: worked out of the catalog alone.
 *
 * @param roles by name: one of each principal, those for read-only logins, and those that own state
 *     tables
 * @param schemas by Postgres's name
 * @param guarded whether event triggers watch over principals' own commands
 */
record Wanted(
        Map<String, Role> roles,
        Set<Membership> memberships,
        Map<String, Acl> schemas,
        Map<Relation, Table> tables,
        boolean guarded) {
    /**
     * A principal's role.
     *
     * @param mark the comment that tells it from roles that are not ours, and from an earlier
     *     principal of the same name
     */
    record Role(String mark, boolean login) {
        static final String MARK = "lakemill ";
        static final String OWNER_MARK = "lakemill owner ";
        static final String READ_ONLY_MARK = "lakemill read-only ";

        static Role of(PrincipalInfo info) {
            var kind = info.principal().kind();
            var word = kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
            // Also a group: its members may log in as it, which the front door checks.
            return new Role(MARK + word + " " + info.principal().id(), info.active());
        }

        /** The one for a principal's read-only logins: it is in no group, and in it is nobody. */
        static Role readOnly(PrincipalInfo info) {
            return new Role(READ_ONLY_MARK + info.principal().id(), info.active());
        }

        boolean isReadOnly() {
            return mark.startsWith(READ_ONLY_MARK);
        }
    }

    /**
     * A table that the catalog governs.
     *
     * @param owner the role that owns it: no principal's, but perhaps one that principals are in
     * @param filter which rows show; empty for all
     * @param masks what shows instead, by column
     */
    record Table(String owner, Acl acl, String filter, Map<String, String> masks) {}

    static Wanted of(Governed governed) {
        return new Building(governed).build();
    }

    /** The role that owns what a principal makes in a schema; guard.sql knows it by this too. */
    static String ownerRole(UUID owner, Securable schema) {
        var text = owner + " " + schema.name().toLowerCase(Locale.ROOT);
        try {
            var md5 = MessageDigest.getInstance("MD5");
            var hash = md5.digest(text.getBytes(StandardCharsets.UTF_8));
            return "lakemill_owner:" + HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static String postgresName(Securable schema) {
        return schema.name().substring(schema.name().indexOf('.') + 1).toLowerCase(Locale.ROOT);
    }

    private static final class Building {
        private final Governed governed;
        private final Reach reach;
        private final Map<String, Role> roles = new HashMap<>();
        private final Map<String, UUID> readers = new TreeMap<>();
        private final Set<Membership> memberships;
        private final Map<String, Acl> schemas = new TreeMap<>();
        private final Map<Relation, Table> tables = new HashMap<>();

        Building(Governed governed) {
            this.governed = governed;
            this.reach = new Reach(governed);
            this.memberships = new HashSet<>(reach.memberships());
        }

        Wanted build() {
            for (var info : governed.principals()) {
                roles.put(info.principal().name(), Role.of(info));
                if (governed.readOnly().contains(info.principal().id())) {
                    roles.put(readOnlyName(info), Role.readOnly(info));
                    readers.put(readOnlyName(info), info.principal().id());
                }
            }
            schemas();
            for (var table : governed.tables()) {
                tables.put(table.relation(), table(table));
            }
            return new Wanted(roles, memberships, schemas, tables, governed.guarded());
        }

        /**
         * Those that hold a table, and those that a principal may make one in. Schemas of several
         * catalogs may be one in Postgres, so USAGE opens no table by itself.
         */
        private void schemas() {
            var places = new TreeMap<String, Set<Securable>>();
            governed.schemas().forEach(schema -> place(places, postgresName(schema), schema));
            var filled = new HashSet<String>();
            for (var table : governed.tables()) {
                var name = table.relation().schema();
                var on = Securable.table(table.table().name());
                place(places, name, on.parent().orElseThrow());
                filled.add(name);
            }
            places.forEach(
                    (name, all) -> {
                        var users = new BitSet();
                        all.forEach(schema -> users.or(reach.mayUse(schema)));
                        var creators = creators(name, all);
                        if (filled.contains(name) || !creators.isEmpty()) {
                            var acl = Acl.empty().add(reach.outermost(users), "USAGE");
                            acl.add(reach.outermost(creators), "CREATE");
                            acl.add(List.of(Roles.READER), "USAGE");
                            acl.add(readers(users), "USAGE");
                            schemas.put(name, acl);
                        }
                    });
        }

        private static void place(
                Map<String, Set<Securable>> places, String name, Securable schema) {
            places.computeIfAbsent(name, _ -> new HashSet<>()).add(Governed.key(schema));
        }

        /** Only where event triggers watch over what they make. */
        private BitSet creators(String name, Set<Securable> schemas) {
            var creators = new BitSet();
            if (governed.guarded()
                    && !Roles.isReserved(name)
                    && !name.equals("information_schema")) {
                schemas.stream()
                        .filter(schema -> postgresName(schema).equals(name))
                        .forEach(s -> creators.or(reach.may(Privilege.CREATE_TABLE, s)));
            }
            return creators;
        }

        private Table table(Governed.Table table) {
            var filter = table.filters().stream().map(PolicySql::expression).findFirst().orElse("");
            var masks = new TreeMap<String, String>();
            table.masks().forEach(m -> masks.put(m.mask().column(), PolicySql.expression(m)));
            var plain = filter.isEmpty() && masks.isEmpty();
            var owner = plain ? owner(table) : Roles.OBJECTS;
            return new Table(owner, acl(table), filter, masks);
        }

        private Acl acl(Governed.Table table) {
            var on = Securable.table(table.table().name());
            var selectors = reach.may(Privilege.SELECT, on);
            var acl = Acl.empty().add(reach.outermost(selectors), "SELECT");
            acl.add(readers(selectors), "SELECT");
            if (table.table().kind() == TableKind.SYNCED) {
                return acl.add(List.of(Roles.READER), "SELECT");
            }
            var writers = reach.outermost(reach.may(Privilege.MODIFY, on));
            return acl.add(writers, "INSERT", "UPDATE", "DELETE");
        }

        private static String readOnlyName(PrincipalInfo info) {
            return FrontDoorBackend.READ_ONLY_PREFIX + info.principal().name();
        }

        /** The roles for read-only logins of those in the set. */
        private List<String> readers(BitSet set) {
            return readers.entrySet().stream()
                    .filter(reader -> reach.has(set, reader.getValue()))
                    .map(Map.Entry::getKey)
                    .toList();
        }

        /**
         * A role that the catalog's owner is in, so that he can alter and drop the table by plain
         * SQL; ours while he may not use the schema.
         */
        private String owner(Governed.Table table) {
            var on = Securable.table(table.table().name());
            var schema = on.parent().orElseThrow();
            var owner = governed.owner(on);
            var members = reach.members(owner);
            members.and(reach.mayUse(schema));
            var apart = governed.guarded() && table.table().kind() == TableKind.STATE;
            if (!apart || members.isEmpty()) {
                return Roles.OBJECTS;
            }
            var name = ownerRole(owner, schema);
            var where = schema.name().toLowerCase(Locale.ROOT);
            var role = new Role(Role.OWNER_MARK + owner + " in " + where, false);
            if (roles.put(name, role) == null) {
                reach.outermost(members).forEach(m -> memberships.add(Membership.of(name, m)));
                schemas.getOrDefault(table.relation().schema(), Acl.empty())
                        .add(List.of(name), "USAGE");
            }
            return name;
        }
    }
}
