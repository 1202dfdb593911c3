package dev.lakemill.sync;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What of a synced table differs from the usual in Postgres.
 *
 * @param timeseriesKey column whose greatest value decides which row of a key shows; empty for the
 *     one that came last
 * @param types by column, in place of the usual ones
 * @param extraColumns in their order, behind those of the source
 * @param extraIndexes besides those over lists of columns
 */
public record SyncedTableForm(
        String timeseriesKey,
        Map<String, TypeOverride> types,
        List<ExtraColumn> extraColumns,
        List<ExtraIndex> extraIndexes) {
    public static final SyncedTableForm USUAL =
            new SyncedTableForm("", Map.of(), List.of(), List.of());

    public SyncedTableForm {
        types = Map.copyOf(types);
        extraColumns = List.copyOf(extraColumns);
        extraIndexes = List.copyOf(extraIndexes);
    }

    /** Whether only Postgres can tell if there can be such a table. */
    public boolean isToBeTried() {
        return !extraColumns.isEmpty()
                || !extraIndexes.isEmpty()
                || types.values().stream().anyMatch(TypeOverride::isVector);
    }

    /** Declarations of extra columns by name. */
    Map<String, String> columnTexts() {
        return extraColumns.stream()
                .collect(Collectors.toMap(ExtraColumn::name, ExtraColumn::declaration));
    }

    /** Definitions of extra indexes by name. */
    Map<String, String> indexTexts() {
        return extraIndexes.stream()
                .collect(Collectors.toMap(ExtraIndex::name, ExtraIndex::definition));
    }
}
