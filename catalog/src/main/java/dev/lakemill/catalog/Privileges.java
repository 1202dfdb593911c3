package dev.lakemill.catalog;

import static dev.lakemill.types.Privilege.ALL_PRIVILEGES;
import static dev.lakemill.types.Privilege.APPLY_TAG;
import static dev.lakemill.types.Privilege.BROWSE;
import static dev.lakemill.types.Privilege.CREATE_AGENT;
import static dev.lakemill.types.Privilege.CREATE_APP;
import static dev.lakemill.types.Privilege.CREATE_CATALOG;
import static dev.lakemill.types.Privilege.CREATE_EXTERNAL_LOCATION;
import static dev.lakemill.types.Privilege.CREATE_EXTERNAL_TABLE;
import static dev.lakemill.types.Privilege.CREATE_EXTERNAL_VOLUME;
import static dev.lakemill.types.Privilege.CREATE_FUNCTION;
import static dev.lakemill.types.Privilege.CREATE_MANAGED_STORAGE;
import static dev.lakemill.types.Privilege.CREATE_MATERIALIZED_VIEW;
import static dev.lakemill.types.Privilege.CREATE_MODEL;
import static dev.lakemill.types.Privilege.CREATE_SCHEMA;
import static dev.lakemill.types.Privilege.CREATE_STORAGE_CREDENTIAL;
import static dev.lakemill.types.Privilege.CREATE_TABLE;
import static dev.lakemill.types.Privilege.CREATE_VIEW;
import static dev.lakemill.types.Privilege.CREATE_VOLUME;
import static dev.lakemill.types.Privilege.EXECUTE;
import static dev.lakemill.types.Privilege.EXTERNAL_USE_SCHEMA;
import static dev.lakemill.types.Privilege.MANAGE;
import static dev.lakemill.types.Privilege.MODIFY;
import static dev.lakemill.types.Privilege.READ_FILES;
import static dev.lakemill.types.Privilege.READ_VOLUME;
import static dev.lakemill.types.Privilege.REFRESH;
import static dev.lakemill.types.Privilege.SELECT;
import static dev.lakemill.types.Privilege.USE_CATALOG;
import static dev.lakemill.types.Privilege.USE_SCHEMA;
import static dev.lakemill.types.Privilege.WRITE_FILES;
import static dev.lakemill.types.Privilege.WRITE_VOLUME;

import dev.lakemill.types.Privilege;
import dev.lakemill.types.SecurableType;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Which privileges there are for which kind of securable: the one table of them. */
public final class Privileges {
    private static final Map<SecurableType, Set<Privilege>> ACTING =
            new EnumMap<>(SecurableType.class);
    private static final Map<SecurableType, Set<Privilege>> GRANTABLE =
            new EnumMap<>(SecurableType.class);

    static {
        acting(
                SecurableType.METASTORE,
                CREATE_CATALOG,
                CREATE_EXTERNAL_LOCATION,
                CREATE_STORAGE_CREDENTIAL,
                CREATE_APP,
                CREATE_AGENT);
        acting(SecurableType.CATALOG, USE_CATALOG, CREATE_SCHEMA);
        acting(
                SecurableType.SCHEMA,
                USE_SCHEMA,
                EXTERNAL_USE_SCHEMA,
                CREATE_TABLE,
                CREATE_VIEW,
                CREATE_MATERIALIZED_VIEW,
                CREATE_VOLUME,
                CREATE_FUNCTION,
                CREATE_MODEL);
        acting(SecurableType.TABLE, SELECT, MODIFY, REFRESH);
        acting(SecurableType.VOLUME, READ_VOLUME, WRITE_VOLUME);
        acting(SecurableType.FUNCTION, EXECUTE);
        acting(SecurableType.REGISTERED_MODEL, EXECUTE);
        acting(
                SecurableType.EXTERNAL_LOCATION,
                READ_FILES,
                WRITE_FILES,
                CREATE_EXTERNAL_TABLE,
                CREATE_EXTERNAL_VOLUME,
                CREATE_MANAGED_STORAGE);
        acting(
                SecurableType.CREDENTIAL,
                READ_FILES,
                WRITE_FILES,
                CREATE_EXTERNAL_LOCATION,
                CREATE_EXTERNAL_TABLE);
        acting(SecurableType.APP, EXECUTE);
        acting(SecurableType.AGENT, EXECUTE);
        for (var type : SecurableType.values()) {
            if (type != SecurableType.METASTORE) {
                of(ACTING, type).addAll(Set.of(ALL_PRIVILEGES, MANAGE, BROWSE, APPLY_TAG));
            }
            GRANTABLE.put(type, EnumSet.copyOf(of(ACTING, type)));
        }
        inherited(
                SecurableType.SCHEMA,
                SecurableType.TABLE,
                SecurableType.VOLUME,
                SecurableType.FUNCTION,
                SecurableType.REGISTERED_MODEL);
        inherited(SecurableType.CATALOG, SecurableType.SCHEMA);
    }

    private Privileges() {}

    /** What one may be granted there: on a container also what its children inherit. */
    public static Set<Privilege> grantable(SecurableType type) {
        return Collections.unmodifiableSet(of(GRANTABLE, type));
    }

    /** What acts on that kind itself: what its owner has. */
    public static Set<Privilege> acting(SecurableType type) {
        return Collections.unmodifiableSet(of(ACTING, type));
    }

    /**
     * Whether ALL PRIVILEGES holds it: not MANAGE, nor EXTERNAL USE SCHEMA, which Databricks too
     * wants granted by name.
     */
    public static boolean inAll(Privilege privilege) {
        return privilege != MANAGE && privilege != EXTERNAL_USE_SCHEMA;
    }

    /** What one needs on the parent to create it. */
    public static Privilege toCreate(SecurableType type) {
        return switch (type) {
            case METASTORE -> throw new IllegalArgumentException("there is one metastore");
            case CATALOG -> CREATE_CATALOG;
            case SCHEMA -> CREATE_SCHEMA;
            case TABLE -> CREATE_TABLE;
            case VOLUME -> CREATE_VOLUME;
            case FUNCTION -> CREATE_FUNCTION;
            case REGISTERED_MODEL -> CREATE_MODEL;
            case EXTERNAL_LOCATION -> CREATE_EXTERNAL_LOCATION;
            case CREDENTIAL -> CREATE_STORAGE_CREDENTIAL;
            case APP -> CREATE_APP;
            case AGENT -> CREATE_AGENT;
        };
    }

    /** What one needs on a container to reach anything in it. */
    public static Optional<Privilege> toUse(SecurableType type) {
        return switch (type) {
            case CATALOG -> Optional.of(USE_CATALOG);
            case SCHEMA -> Optional.of(USE_SCHEMA);
            case METASTORE,
                    TABLE,
                    VOLUME,
                    FUNCTION,
                    REGISTERED_MODEL,
                    EXTERNAL_LOCATION,
                    CREDENTIAL,
                    APP,
                    AGENT ->
                    Optional.empty();
        };
    }

    private static void acting(SecurableType type, Privilege first, Privilege... rest) {
        ACTING.put(type, EnumSet.of(first, rest));
    }

    private static void inherited(SecurableType by, SecurableType... children) {
        for (var child : children) {
            of(GRANTABLE, by).addAll(of(GRANTABLE, child));
        }
    }

    private static Set<Privilege> of(Map<SecurableType, Set<Privilege>> table, SecurableType type) {
        return table.getOrDefault(type, Set.of());
    }
}
