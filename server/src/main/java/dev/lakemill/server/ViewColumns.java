package dev.lakemill.server;

import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.catalog.ViewDefinition;
import dev.lakemill.plan.Attribute;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.SourcePosition;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.types.TypeWidening;
import java.util.ArrayList;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The columns of a view, which stay as they were when its text was checked: what the text gives
 * besides is left out, and a type that a source has widened becomes the view's.
 */
final class ViewColumns {
    private ViewColumns() {}

    /** FAILED_PRECONDITION when the query does not give them any more. */
    static Relation fitted(CatalogTable view, ViewDefinition definition, Relation query) {
        var left = new ArrayList<>(query.output());
        var columns = new ArrayList<Relation.Named>();
        for (int i = 0; i < view.schema().size(); i++) {
            var column = view.schema().column(i);
            var name = definition.queryColumns().get(i);
            var given =
                    left.stream()
                            .filter(a -> a.name().equalsIgnoreCase(name))
                            .findFirst()
                            .orElseThrow(
                                    () ->
                                            changed(
                                                    view,
                                                    definition,
                                                    "gives no column '%s' any more"
                                                            .formatted(name)));
            left.remove(given);
            columns.add(named(view, definition, column, given, i));
        }
        return new Relation.Project(query, columns);
    }

    private static Relation.Named named(
            CatalogTable view,
            ViewDefinition definition,
            Column column,
            Attribute given,
            int place) {
        var reference = new Expression.Reference(given);
        var type = type(view, definition, column, given);
        var value =
                type.equals(given.type())
                        ? reference
                        : new Expression.Cast(
                                reference,
                                type,
                                false,
                                given.nullable(),
                                new SourcePosition(view.name().toString(), 1, 1));
        return new Relation.Named(
                new Attribute(Integer.MAX_VALUE - place, column.name(), type, true), value);
    }

    private static DataType type(
            CatalogTable view, ViewDefinition definition, Column column, Attribute given) {
        if (TypeWidening.isAllowed(given.type(), column.type())) {
            return column.type();
        }
        if (!sql(given.type()).equals(sql(column.type()))
                && !TypeWidening.isAllowed(column.type(), given.type())) {
            throw changed(
                    view,
                    definition,
                    "gives its column '%s' as %s now, not as %s"
                            .formatted(column.name(), given.type().sql(), column.type().sql()));
        }
        return given.type();
    }

    /** Of a view, as a query over it sees them. */
    static TableSchema schema(CatalogTable view, Relation fitted) {
        return new TableSchema(
                IntStream.range(0, view.schema().size())
                        .mapToObj(
                                i -> typed(view.schema().column(i), fitted.output().get(i).type()))
                        .toList());
    }

    private static Column typed(Column column, DataType type) {
        return sql(column.type()).equals(sql(type))
                ? column
                : new Column(column.name(), type, true, column.comment());
    }

    /** What is told apart of types: whether a part may be NULL is not. */
    private static String sql(DataType type) {
        return type.sql().replace(" NOT NULL", "");
    }

    private static LakemillException changed(
            CatalogTable view, ViewDefinition definition, String how) {
        return new LakemillException(
                ErrorCode.FAILED_PRECONDITION,
                "the view %s cannot be read any more: its text, over %s, %s"
                        .formatted(
                                view.name(),
                                definition.sources().stream()
                                        .map(TableName::toString)
                                        .collect(Collectors.joining(", ")),
                                how),
                "its owner can mend it: ALTER VIEW %s AS SELECT …".formatted(view.name()));
    }
}
