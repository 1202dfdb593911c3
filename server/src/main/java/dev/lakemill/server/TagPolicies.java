package dev.lakemill.server;

import dev.lakemill.catalog.Caller;
import dev.lakemill.catalog.Catalog;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.Tag;
import dev.lakemill.ingest.RowPolicies;
import dev.lakemill.ingest.RowPolicy;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Privilege;
import dev.lakemill.types.Securable;
import dev.lakemill.types.TableName;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;

/**
 * What becomes of a table's bad rows, by its tags: {@code zerobus_rescue} on a column, as Zerobus
 * has it; {@code zerobus_dead_letter} on the table, with the name of another one; {@code
 * zerobus_unit} on a column, with {@code microseconds}; {@code zerobus_schema_evolution} on the
 * table, with what rows may change of it.
 *
 * <p>Dead letters are written with the right of the table's owner: a tag gives nobody a table that
 * its owner may not write.
 */
final class TagPolicies implements RowPolicies {
    private static final String RESCUE = "zerobus_rescue";
    private static final String DEAD_LETTER = "zerobus_dead_letter";
    private static final String UNIT = "zerobus_unit";
    private static final String MICROSECONDS = "microseconds";
    private static final String EVOLUTION = "zerobus_schema_evolution";

    /** In the words of Databricks' Auto Loader. */
    private static final Map<String, RowPolicy.Evolution> EVOLUTIONS =
            Map.of(
                    "none", RowPolicy.Evolution.NONE,
                    "addNewColumns", RowPolicy.Evolution.ADD_NEW_COLUMNS,
                    "addNewColumnsWithTypeWidening",
                            RowPolicy.Evolution.ADD_NEW_COLUMNS_WITH_TYPE_WIDENING);

    private final Catalog catalog;

    TagPolicies(Catalog catalog) {
        this.catalog = catalog;
    }

    @Override
    public RowPolicy of(CatalogTable table) {
        var rescue = Optional.<String>empty();
        var deadLetters = Optional.<TableName>empty();
        var microseconds = new HashSet<String>();
        var evolution = RowPolicy.Evolution.NONE;
        for (var tag : catalog.tags().on(Securable.table(table.name()))) {
            if (tag.key().equals(RESCUE) && !tag.column().isEmpty()) {
                rescue = Optional.of(tag.column());
            } else if (tag.key().equals(DEAD_LETTER) && tag.column().isEmpty()) {
                deadLetters = Optional.of(deadLetters(table, tag));
            } else if (tag.key().equals(UNIT) && !tag.column().isEmpty()) {
                microseconds.add(unit(table, tag));
            } else if (tag.key().equals(EVOLUTION) && tag.column().isEmpty()) {
                evolution = evolution(table, tag);
            }
        }
        return new RowPolicy(rescue, deadLetters, microseconds, evolution);
    }

    private static RowPolicy.Evolution evolution(CatalogTable table, Tag tag) {
        var found = EVOLUTIONS.get(tag.value());
        if (found == null) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "%s has the tag %s with '%s'".formatted(table.name(), EVOLUTION, tag.value()),
                    "its values are none, addNewColumns and addNewColumnsWithTypeWidening");
        }
        return found;
    }

    private TableName deadLetters(CatalogTable table, Tag tag) {
        var target = TableName.parse(tag.value());
        var owner = catalog.grants().owner(Securable.table(table.name()));
        try {
            catalog.access()
                    .require(
                            new Caller(owner, null, "ingest", "", ""),
                            Privilege.MODIFY,
                            Securable.table(target));
        } catch (LakemillException e) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "%s sends its dead letters to %s, which its owner %s may not write"
                            .formatted(table.name(), target, owner.name()),
                    "grant the owner MODIFY on it, or take the tag %s off".formatted(DEAD_LETTER),
                    e);
        }
        return target;
    }

    private static String unit(CatalogTable table, Tag tag) {
        if (!tag.value().equals(MICROSECONDS)) {
            throw new LakemillException(
                    ErrorCode.FAILED_PRECONDITION,
                    "column '%s' of %s has the tag %s with '%s'"
                            .formatted(tag.column(), table.name(), UNIT, tag.value()),
                    "its one value is " + MICROSECONDS);
        }
        return tag.column();
    }
}
