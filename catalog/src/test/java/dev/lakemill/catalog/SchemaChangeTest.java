package dev.lakemill.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SchemaChangeTest {
    private static final Column SKU = Column.required("sku", Primitive.STRING);
    private static final Column GRAMS = Column.nullable("grams", Primitive.LONG);
    private static final TableSchema STOCK = TableSchema.of(SKU, GRAMS);

    @Test
    void sameColumnsAreNoChangeWhateverTheirCommentsAndCase() {
        var commented = new Column("GRAMS", Primitive.LONG, true, "what is left");
        assertThat(SchemaChange.between(STOCK, TableSchema.of(SKU, commented)))
                .isEqualTo(new SchemaChange.None());
    }

    @Test
    void nullableColumnsAtTheEndAreAdded() {
        var price = Column.nullable("price", Primitive.DOUBLE);
        assertThat(SchemaChange.between(STOCK, TableSchema.of(SKU, GRAMS, price)))
                .isEqualTo(new SchemaChange.Added(List.of(price)));
    }

    @Test
    void everythingElseIsIncompatibleAndSaysWhy() {
        refused(TableSchema.of(GRAMS, SKU), "column sku moved");
        refused(TableSchema.of(SKU), "column grams is gone");
        refused(
                TableSchema.of(SKU, Column.nullable("grams", Primitive.INTEGER)),
                "column grams was BIGINT and is INT");
        refused(
                TableSchema.of(SKU, Column.required("grams", Primitive.LONG)),
                "column grams became NOT NULL");
        refused(
                TableSchema.of(SKU, GRAMS, Column.required("price", Primitive.DOUBLE)),
                "the new column price is NOT NULL");
    }

    private static void refused(TableSchema after, String reason) {
        assertThat(SchemaChange.between(STOCK, after))
                .isEqualTo(new SchemaChange.Incompatible(reason));
    }
}
