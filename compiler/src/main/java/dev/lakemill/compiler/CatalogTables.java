package dev.lakemill.compiler;

import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.FileSource;
import dev.lakemill.plan.FileSource.Evolution;
import dev.lakemill.plan.FileSource.Format;
import dev.lakemill.plan.KnownTable;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.types.Column;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;

/** The tables of the catalog that a text reads, with what it says of their changes. */
final class CatalogTables {
    private static final String OPTION = "skipChangeCommits";

    private final Map<TableName, Dataset.FileTable> read = new LinkedHashMap<>();
    private final Map<TableName, Boolean> skips = new LinkedHashMap<>();

    /** In the order of the text. */
    List<Dataset.FileTable> read() {
        return List.copyOf(read.values());
    }

    /**
     * @throws TextRefused when the text reads one table in two ways
     */
    void add(KnownTable table, UnresolvedRelation relation, SourcePosition position) {
        var skip = relation.options().getBoolean(OPTION, false);
        for (var option : relation.options().keySet()) {
            if (!option.equalsIgnoreCase(OPTION)) {
                throw new TextRefused(
                        position,
                        "a stream has no option '%s'".formatted(option),
                        "the one that there is: WITH (%s = true)".formatted(OPTION));
            }
        }
        var before = skips.putIfAbsent(table.name(), skip);
        if (before != null && before != skip) {
            throw new TextRefused(
                    position,
                    "%s is read with and without %s".formatted(table.name(), OPTION),
                    "write it at each STREAM of the table, or at none");
        }
        read.putIfAbsent(table.name(), dataset(table, skip, position));
    }

    private static Dataset.FileTable dataset(
            KnownTable table, boolean skip, SourcePosition position) {
        var columns =
                table.schema().columns().stream()
                        .map(c -> new Column(c.name(), c.type(), true, c.comment()))
                        .toList();
        return new Dataset.FileTable(
                table.name(),
                new TableSchema(columns),
                position,
                new FileSource(
                        table.location(),
                        Format.DELTA,
                        Map.of(FileSource.SKIP_CHANGES, Boolean.toString(skip)),
                        Evolution.NONE,
                        "",
                        columns,
                        List.of(),
                        true));
    }
}
