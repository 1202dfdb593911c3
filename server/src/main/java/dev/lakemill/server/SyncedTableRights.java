package dev.lakemill.server;

import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.Decision;
import dev.lakemill.sync.SourceStatus;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which synced tables stand still for want of rights: a copy is made with the rights of its owner,
 * who may lose them, and of a source that may be made anew under its name, or come under policies.
 * It shows what it had. Safe to use from any thread.
 */
final class SyncedTableRights {
    private static final Logger log = LoggerFactory.getLogger(SyncedTableRights.class);

    private final Catalog catalog;
    private volatile Map<TableName, String> reasons = Map.of();

    SyncedTableRights(Catalog catalog) {
        this.catalog = catalog;
    }

    /** Looks at all anew; the groups with a table that stands still now, or not any more. */
    Set<String> changes(List<SyncedTables.Defined> all) {
        var before = reasons;
        var now = new HashMap<TableName, String>();
        for (var defined : all) {
            reason(defined).ifPresent(why -> now.put(defined.table().name(), why));
        }
        reasons = Map.copyOf(now);
        return all.stream()
                .filter(d -> differs(d.table().name(), before, now))
                .map(SyncedTables.Defined::group)
                .collect(Collectors.toSet());
    }

    private static boolean differs(
            TableName name, Map<TableName, String> before, Map<TableName, String> now) {
        var why = now.get(name);
        if (why != null && !why.equals(before.get(name))) {
            log.warn("{} stands still: {}", name, why);
        }
        return before.containsKey(name) != now.containsKey(name);
    }

    private Optional<String> reason(SyncedTables.Defined synced) {
        var source = synced.definition().source();
        if (catalog.find(source).isEmpty()) {
            return Optional.empty();
        }
        var owner = catalog.grants().owner(Securable.table(synced.table().name()));
        var may = catalog.access().decide(owner.id(), Privilege.SELECT, Securable.table(source));
        if (may instanceof Decision.Denied) {
            return Optional.of(
                    "its owner %s may not read %s any more; GRANT SELECT on that to the owner"
                            .formatted(owner.name(), source));
        }
        return catalog.view(source).isPresent()
                ? Optional.empty()
                : SyncedTableRules.policies(catalog, source);
    }

    boolean mayGoOn(TableName name) {
        return !reasons.containsKey(name);
    }

    /** FAILED_PRECONDITION for one that stands still. */
    void require(TableName name) {
        var why = reasons.get(name);
        if (why != null) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "%s stands still: %s".formatted(name, why),
                    "it goes on by itself then");
        }
    }

    /** Of one that stands still. */
    Optional<SourceStatus> status(SyncedTables.Defined synced) {
        var name = synced.table().name();
        return Optional.ofNullable(reasons.get(name))
                .map(why -> SourceStatus.standing(name, synced.definition().source(), why));
    }
}
