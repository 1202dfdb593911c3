package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.MaintenanceSql.weighted;

import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Relation;
import java.util.List;
import java.util.Optional;

/** The changes of a part, computed once a batch and kept, since they are read more than once. */
final class KeptChanges {
    private final Maintained part;
    private final String table;
    private final Relation.Scan stand;

    KeptChanges(Maintained part, MaintenanceSql sql) {
        this.part = part;
        this.table = sql.table("changes");
        this.stand = sql.stand(table, weighted(columns()));
    }

    /** Empty also when the changes turn out to be no rows. */
    Optional<Relation> changes(MaintenanceSql sql) {
        return part.changes(sql)
                .filter(rows -> sql.keep(table, sql.print(weighted(rows, columns()))))
                .map(_ -> stand);
    }

    /** SQL name of the kept table. */
    String table() {
        return table;
    }

    /** The part's columns; the kept changes have the weight, too. */
    List<Attribute> columns() {
        return part.now().output();
    }
}
