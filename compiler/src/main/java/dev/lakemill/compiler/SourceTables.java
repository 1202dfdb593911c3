package dev.lakemill.compiler;

import dev.lakemill.types.Column;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.catalyst.AliasIdentifier;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.SubqueryAlias;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;

/**
 * The pipeline's tables as Spark's analyzer sees them: relations without rows, whose columns say in
 * their metadata which table they belong to.
 */
final class SourceTables {
    private static final String TABLE = "pipeline table";

    private SourceTables() {}

    /** A table under its three-part name, so that a column may be qualified by any part of it. */
    static LogicalPlan relation(TableName table, TableSchema schema, boolean streaming) {
        var metadata = new MetadataBuilder().putString(TABLE, table.toString()).build();
        return new SubqueryAlias(
                new AliasIdentifier(
                        table.table(), Scala.seq(List.of(table.catalog(), table.schema()))),
                relation(schema, metadata, streaming));
    }

    /** The rows of a dataset that an expectation looks at. */
    static LogicalPlan rows(TableSchema schema) {
        return relation(schema, Metadata.empty(), false);
    }

    /** The table that a relation stands for; empty for rows written in a query. */
    static Optional<TableName> source(LocalRelation relation) {
        return Scala.<Attribute>list(relation.output()).stream()
                .findFirst()
                .filter(column -> column.metadata().contains(TABLE))
                .map(column -> TableName.parse(column.metadata().getString(TABLE)));
    }

    private static LogicalPlan relation(TableSchema schema, Metadata metadata, boolean streaming) {
        var columns = schema.columns().stream().map(c -> attribute(c, metadata)).toList();
        return new LocalRelation(
                Scala.seq(columns), Scala.seq(List.<InternalRow>of()), streaming, Scala.none());
    }

    private static Attribute attribute(Column column, Metadata metadata) {
        return new AttributeReference(
                column.name(),
                SparkTypes.spark(column.type()),
                column.nullable(),
                metadata,
                NamedExpression.newExprId(),
                Scala.seq(List.of()));
    }
}
