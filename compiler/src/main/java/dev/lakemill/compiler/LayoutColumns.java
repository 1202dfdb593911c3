package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.CreateDataset;
import dev.lakemill.compiler.Statement.Word;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Checks the columns of PARTITIONED BY and CLUSTER BY against what Delta can do with them. */
final class LayoutColumns {
    private static final int CLUSTER_COLUMNS_MAX = 4;

    /** Columns of which files carry the least and the greatest value. */
    private static final int STATISTICS_COLUMNS_MAX = 32;

    private static final Set<DataType> PARTITIONS =
            Set.of(
                    Primitive.BOOLEAN,
                    Primitive.BYTE,
                    Primitive.SHORT,
                    Primitive.INTEGER,
                    Primitive.LONG,
                    Primitive.STRING,
                    Primitive.DATE);

    private final CreateDataset dataset;
    private final TableSchema schema;

    LayoutColumns(CreateDataset dataset, TableSchema schema) {
        this.dataset = dataset;
        this.schema = schema;
    }

    List<String> partitionedBy() {
        var words = dataset.clauses().layout().partitionedBy();
        var names = new ArrayList<String>();
        for (var word : words) {
            var column = column(word, names);
            if (!PARTITIONS.contains(column.type())
                    && !(column.type() instanceof DataType.Decimal)) {
                throw new TextRefused(
                        word.position(),
                        "%s is not partitioned by '%s', of type %s"
                                .formatted(dataset.name(), column.name(), column.type().sql()),
                        column.type() == Primitive.TIMESTAMP
                                        || column.type() == Primitive.TIMESTAMP_NTZ
                                ? "partition by its day: CAST(%s AS DATE)".formatted(column.name())
                                : "partition by whole numbers, decimals, text, days or booleans");
            }
        }
        if (!words.isEmpty() && names.size() == schema.size()) {
            throw new TextRefused(
                    words.getFirst().position(),
                    "%s is partitioned by all of its columns".formatted(dataset.name()),
                    "leave out the ones with many values");
        }
        return names;
    }

    List<String> clusteredBy() {
        var words = dataset.clauses().layout().clusteredBy();
        var names = new ArrayList<String>();
        for (var word : words) {
            var column = column(word, names);
            var hasBounds =
                    column.type() instanceof DataType.Decimal
                            || (column.type() instanceof Primitive
                                    && column.type() != Primitive.BOOLEAN
                                    && column.type() != Primitive.BINARY);
            if (!hasBounds || schema.indexOf(word.text()).orElseThrow() >= STATISTICS_COLUMNS_MAX) {
                throw new TextRefused(
                        word.position(),
                        "%s is not clustered by '%s': files carry no bounds of it"
                                .formatted(dataset.name(), column.name()),
                        "cluster by numbers, text or times among the first %d columns"
                                .formatted(STATISTICS_COLUMNS_MAX));
            }
        }
        if (names.size() > CLUSTER_COLUMNS_MAX) {
            throw new TextRefused(
                    words.get(CLUSTER_COLUMNS_MAX).position(),
                    "Delta clusters by at most %d columns".formatted(CLUSTER_COLUMNS_MAX),
                    "name the ones that queries filter by");
        }
        return names;
    }

    private Column column(Word word, List<String> names) {
        var place = schema.indexOf(word.text());
        if (place.isEmpty()) {
            throw new TextRefused(
                    word.position(),
                    "%s has no column '%s'".formatted(dataset.name(), word.text()),
                    NearestName.hint(
                            word.text(), schema.columns().stream().map(Column::name).toList()));
        }
        var column = schema.column(place.getAsInt());
        if (names.contains(column.name())) {
            throw new TextRefused(
                    word.position(), "'%s' stands twice".formatted(word.text()), "name it once");
        }
        names.add(column.name());
        return column;
    }
}
