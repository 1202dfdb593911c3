package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.CreateDataset;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.FileSchema;
import dev.lakemill.plan.FileSource;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.plan.TextRefused;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * The tables that stand for the calls of {@code read_files}: the nth of a streaming table {@code t}
 * is {@code t__files_n}.
 */
final class FileTables {
    private final Catalyst catalyst;
    private final Declarations declarations;
    private final Map<TableName, List<Column>> found = new HashMap<>();
    private final Map<TableName, Integer> counts = new HashMap<>();
    private final Map<String, FileSource> unknown = new TreeMap<>();
    private final List<Dataset.FileTable> known = new ArrayList<>();

    FileTables(Catalyst catalyst, Declarations declarations, List<FileSchema> found) {
        this.catalyst = catalyst;
        this.declarations = declarations;
        found.forEach(schema -> this.found.put(schema.table(), schema.columns()));
    }

    /** Those whose columns are known, in the order of the text. */
    List<Dataset.FileTable> known() {
        return List.copyOf(known);
    }

    /** Those whose columns are not. */
    Map<String, FileSource> unknown() {
        return Map.copyOf(unknown);
    }

    /**
     * The query with its calls replaced by names of tables.
     *
     * @throws TextRefused for a call that is wrong, or in a statement that reads no files
     */
    LogicalPlan named(LogicalPlan query, Statement reader, SourcePosition otherwise) {
        return query.transformDownWithSubqueries(
                Scala.change(
                        node ->
                                node instanceof UnresolvedTableValuedFunction call
                                        && FileCalls.isOne(call),
                        node -> {
                            var call = (UnresolvedTableValuedFunction) node;
                            var at = catalyst.position(call.origin(), otherwise);
                            return relation(table(call, reader, at));
                        }));
    }

    private static UnresolvedRelation relation(TableName name) {
        return new UnresolvedRelation(
                Scala.seq(List.of(name.catalog(), name.schema(), name.table())),
                CaseInsensitiveStringMap.empty(),
                true);
    }

    private TableName table(
            UnresolvedTableValuedFunction call, Statement reader, SourcePosition at) {
        var source = FileCalls.source(catalyst, call, at);
        if (!(reader instanceof CreateDataset dataset) || !dataset.streaming()) {
            throw new TextRefused(
                    at,
                    "files are read by the streaming table that takes their rows",
                    "write STREAM read_files(…) in a STREAMING TABLE, and read that table");
        }
        var number = counts.merge(dataset.name(), 1, Integer::sum);
        var name =
                new TableName(
                        dataset.name().catalog(),
                        dataset.name().schema(),
                        dataset.name().table() + "__files_" + number);
        if (declarations.isTaken(name)) {
            throw new TextRefused(
                    at,
                    "'%s' is declared, but the rows of these files are kept under that name"
                            .formatted(name),
                    "give the other table another name");
        }
        var columns = source.declared().isEmpty() ? found.get(name) : source.declared();
        if (columns == null) {
            unknown.put(name.toString(), source);
        } else {
            known.add(new Dataset.FileTable(name, schema(columns, source), at, source));
        }
        return name;
    }

    private static TableSchema schema(List<Column> columns, FileSource source) {
        var all = new ArrayList<>(columns);
        for (var hint : source.hints()) {
            var place = -1;
            for (int i = 0; i < all.size(); i++) {
                place = all.get(i).name().equalsIgnoreCase(hint.name()) ? i : place;
            }
            if (place < 0) {
                all.add(hint);
            } else {
                all.set(place, Column.nullable(all.get(place).name(), hint.type()));
            }
        }
        if (!source.rescued().isEmpty()) {
            all.removeIf(column -> column.name().equalsIgnoreCase(source.rescued()));
            all.add(Column.nullable(source.rescued(), Primitive.STRING));
        }
        return new TableSchema(all);
    }
}
