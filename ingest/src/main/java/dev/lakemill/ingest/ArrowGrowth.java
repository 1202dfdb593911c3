package dev.lakemill.ingest;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableSchema;
import dev.lakemill.types.TypeWidening;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.arrow.vector.types.DateUnit;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;

/**
 * Says which columns a table would need for an Arrow schema that is newer than it: a nullable one,
 * whose parts are nullable too, for each nullable field that is no column, and a wider type where a
 * field is wider than its column. A field of another kind is left to {@link ArrowSchema}, which
 * refuses it. Reads one schema.
 */
final class ArrowGrowth {
    /** Types within types. */
    private static final int NESTING_MAX = 16;

    private final TableSchema schema;
    private final boolean widens;

    /** What new columns may still have, parts of types counted each. */
    private int partsLeft;

    private ArrowGrowth(TableSchema schema, boolean widens) {
        this.schema = schema;
        this.widens = widens;
        this.partsLeft = JsonGrowth.COLUMNS_MAX - schema.size();
    }

    static List<Column> columns(TableSchema schema, List<Field> fields, boolean widens) {
        var growth = new ArrowGrowth(schema, widens);
        var columns = fields.stream().flatMap(field -> growth.column(field).stream()).toList();
        return growth.partsLeft < 0 ? List.of() : columns;
    }

    /** The type of what a field holds; empty when no column has it. */
    static Optional<DataType> type(Field field) {
        return new ArrowGrowth(new TableSchema(List.of()), false).type(field, 0);
    }

    private Optional<Column> column(Field field) {
        if (field.getName() == null) {
            return Optional.empty();
        }
        var place = schema.indexOf(field.getName());
        if (place.isEmpty()) {
            return field.isNullable() ? part(field, 0) : Optional.empty();
        }
        var column = schema.column(place.getAsInt());
        return widens && field.getChildren().isEmpty()
                ? type(field)
                        .filter(type -> TypeWidening.isAllowed(column.type(), type))
                        .map(type -> new Column(column.name(), type, column.nullable(), ""))
                : Optional.empty();
    }

    private Optional<Column> part(Field field, int depth) {
        return field.getName() != null && JsonGrowth.mayBeColumn(field.getName())
                ? type(field, depth).map(type -> Column.nullable(field.getName(), type))
                : Optional.empty();
    }

    private Optional<DataType> type(Field field, int depth) {
        partsLeft--;
        if (partsLeft < 0 || depth > NESTING_MAX || !ArrowSchema.isWhole(field)) {
            return Optional.empty();
        }
        var children = field.getChildren();
        return switch (field.getType()) {
            case ArrowType.List _ ->
                    type(children.getFirst(), depth + 1)
                            .map(element -> new DataType.Array(element, true));
            case ArrowType.Map _ -> map(children.getFirst().getChildren(), depth + 1);
            case ArrowType.Struct _ -> struct(children, depth + 1);
            default -> simple(field.getType());
        };
    }

    private Optional<DataType> map(List<Field> entry, int depth) {
        return type(entry.get(0), depth)
                .filter(key -> key instanceof Primitive || key instanceof DataType.Decimal)
                .flatMap(
                        key ->
                                type(entry.get(1), depth)
                                        .map(value -> new DataType.Map(key, value, true)));
    }

    private Optional<DataType> struct(List<Field> fields, int depth) {
        var parts = new ArrayList<Column>();
        var names = new HashSet<String>();
        for (var field : fields) {
            var part = part(field, depth);
            if (part.isEmpty() || !names.add(field.getName().toLowerCase(Locale.ROOT))) {
                return Optional.empty();
            }
            parts.add(part.get());
        }
        // Parquet has no struct without fields.
        return parts.isEmpty() ? Optional.empty() : Optional.of(new DataType.Struct(parts));
    }

    private static Optional<DataType> simple(ArrowType type) {
        return Optional.ofNullable(
                switch (type) {
                    case ArrowType.Bool _ -> Primitive.BOOLEAN;
                    case ArrowType.Int i when i.getIsSigned() ->
                            switch (i.getBitWidth()) {
                                case Byte.SIZE -> Primitive.BYTE;
                                case Short.SIZE -> Primitive.SHORT;
                                case Integer.SIZE -> Primitive.INTEGER;
                                default -> Primitive.LONG;
                            };
                    case ArrowType.FloatingPoint f ->
                            switch (f.getPrecision()) {
                                case HALF -> null;
                                case SINGLE -> Primitive.FLOAT;
                                case DOUBLE -> Primitive.DOUBLE;
                            };
                    case ArrowType.Utf8 _, ArrowType.LargeUtf8 _ -> Primitive.STRING;
                    case ArrowType.Binary _, ArrowType.LargeBinary _ -> Primitive.BINARY;
                    case ArrowType.Date d when d.getUnit() == DateUnit.DAY -> Primitive.DATE;
                    case ArrowType.Timestamp t when t.getUnit() == TimeUnit.MICROSECOND ->
                            t.getTimezone() == null ? Primitive.TIMESTAMP_NTZ : Primitive.TIMESTAMP;
                    case ArrowType.Decimal d when isOurs(d) ->
                            new DataType.Decimal(d.getPrecision(), d.getScale());
                    default -> null;
                });
    }

    private static boolean isOurs(ArrowType.Decimal type) {
        return type.getBitWidth() == 128
                && type.getPrecision() >= 1
                && type.getPrecision() <= 38
                && type.getScale() >= 0
                && type.getScale() <= type.getPrecision();
    }
}
