package dev.lakemill.ingest;

import com.google.protobuf.ByteString;
import dev.lakemill.catalog.CatalogTable;
import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import dev.lakemill.types.TypeWidening;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.Schema;
import org.apache.arrow.flatbuf.Type;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;

/**
 * Holds a stream's Arrow schema against its table, and turns its batches into payloads.
 *
 * <p>Fields match columns by name, in any order; nullable columns may be missing. Immutable.
 */
final class ArrowSchema {
    /** Of a message, those within others counted, too. */
    private static final int FIELDS_MAX = 10_000;

    private static final int NESTING_MAX = 64;

    /** Where a column stands in a batch; -1 where the batch does not have it. */
    private record Place(ArrowField field, int firstNode, int firstBuffer) {}

    private final TableName table;
    private final Set<String> microseconds;

    /** Whether a column may be sent as a narrower type, as those do who know an older form. */
    private final boolean narrower;

    private final int cells;
    private final List<Place> places = new ArrayList<>();
    private int nodes;
    private int buffers;

    /**
     * @param header the IPC message of the schema
     * @throws Refusal SCHEMA_VALIDATION_FAILED when it does not fit the table
     */
    ArrowSchema(CatalogTable of, RowPolicy policy, ByteString header) {
        this(of.name(), of.schema(), policy, fields(header));
    }

    /**
     * @param fields of the schema, as {@link #fields} reads them
     * @throws Refusal SCHEMA_VALIDATION_FAILED when they do not fit the table
     */
    ArrowSchema(TableName table, TableSchema schema, RowPolicy policy, List<Field> fields) {
        this.table = table;
        this.microseconds = policy.microsecondColumns();
        this.narrower = policy.widens();
        this.cells = Cells.of(schema).ofRow();
        var byColumn = new Place[schema.size()];
        for (var field : fields) {
            checkNamed(field);
            int column =
                    schema.indexOf(field.getName()).orElseThrow(() -> notInTable(field.getName()));
            if (byColumn[column] != null) {
                throw refused(
                        "FIELD_COUNT_MISMATCH",
                        "the field '%s' stands twice".formatted(field.getName()),
                        "send each column once");
            }
            var reader = reader(schema.column(column), field, "");
            byColumn[column] = new Place(reader, nodes, buffers);
            nodes += reader.nodes();
            buffers += reader.buffers();
        }
        for (int i = 0; i < byColumn.length; i++) {
            places.add(byColumn[i] == null ? absent(schema.column(i)) : byColumn[i]);
        }
    }

    /**
     * The fields of an IPC message of a schema.
     *
     * @throws Refusal SCHEMA_VALIDATION_FAILED when it is none
     */
    static List<Field> fields(ByteString header) {
        try {
            var message = Message.getRootAsMessage(header.asReadOnlyByteBuffer());
            if (message.header(new Schema()) instanceof Schema schema) {
                checkReadable(schema);
            }
            return MessageSerializer.deserializeSchema(message).getFields();
        } catch (RuntimeException e) {
            throw Refusal.badSchema(
                    "TYPE_INCOMPATIBLE",
                    "the schema is not one of Arrow's: " + e,
                    "send the schema as an Arrow library writes it");
        }
    }

    /**
     * Arrow's library believes what a message says of itself: it makes room for as many types as a
     * union claims, and follows fields within fields for ever. No column is a union.
     */
    private static void checkReadable(Schema schema) {
        int left = FIELDS_MAX;
        for (int i = 0; i < schema.fieldsLength(); i++) {
            left = fieldsLeft(schema.fields(i), 1, left);
        }
    }

    private static int fieldsLeft(org.apache.arrow.flatbuf.Field field, int depth, int before) {
        if (before == 0 || depth > NESTING_MAX || field.typeType() == Type.Union) {
            throw new IllegalArgumentException(
                    "a field is a union, or there are more than %d, or more than %d within another"
                            .formatted(FIELDS_MAX, NESTING_MAX));
        }
        int left = before - 1;
        for (int i = 0; i < field.childrenLength(); i++) {
            left = fieldsLeft(field.children(i), depth + 1, left);
        }
        return left;
    }

    /** Arrow's library reads a field without a name as one whose name is null. */
    private void checkNamed(Field field) {
        if (field.getName() == null) {
            throw refused(
                    "FIELD_NOT_IN_TABLE", "a field has no name", "name each field as its column");
        }
    }

    private Place absent(Column column) {
        if (!column.nullable()) {
            throw refused(
                    "MISSING_REQUIRED_COLUMN",
                    "column '%s' is NOT NULL, but the schema does not have it"
                            .formatted(column.name()),
                    "add it to the schema");
        }
        return new Place(reader(column, ArrowTypes.field(column), ""), -1, -1);
    }

    /**
     * The payload of a batch.
     *
     * @throws Refusal naming the column, the row and what was expected
     */
    Payload payload(Inbound.ArrowBatch message) {
        try {
            var batch = new ArrowBatch(message.header(), message.body());
            int rows = batch.rows();
            Cells.check((long) rows * cells);
            if (batch.nodes() != nodes || batch.buffers() != buffers) {
                throw ArrowBatch.malformed("it has not the nodes and buffers of its schema");
            }
            var out = new ArrowPayload.Writer();
            for (var place : places) {
                if (place.firstNode() < 0) {
                    place.field().nulls(rows, out);
                } else {
                    pass(batch, rows, place, out);
                }
            }
            return new Payload(out.toByteArray(rows, places.size()), rows);
        } catch (RefusedRow e) {
            throw Refusal.badRecord(
                    "the batch with offset %d: %s".formatted(message.offset(), e.problem()),
                    e.hint());
        } catch (Refusal e) {
            throw e;
        } catch (RuntimeException e) {
            // Of the libraries that read what a stranger wrote.
            throw ArrowBatch.malformed(String.valueOf(e.getMessage()));
        }
    }

    private static void pass(ArrowBatch batch, int rows, Place place, ArrowPayload.Writer out) {
        // Exactly: a number's width is told by its buffer's bytes and the batch's rows.
        int length = batch.length(place.firstNode());
        if (length != rows) {
            throw ArrowBatch.malformed(
                    "'%s' has %d values, and the batch has %d rows"
                            .formatted(place.field().name, length, rows));
        }
        batch.seek(place.firstNode(), place.firstBuffer());
        place.field().pass(batch, rows, null, out);
    }

    private ArrowField reader(Column column, Field field, String path) {
        var name = path + column.name();
        var type = field.getType();
        var fits = isWhole(field) && fits(column.type(), type);
        if (!fits && narrower && path.isEmpty()) {
            // Its buffers stay narrow in the log, where their length tells the type.
            var sent = ArrowGrowth.type(field).filter(t -> isNarrower(t, column));
            if (sent.isPresent()) {
                return reader(
                        new Column(column.name(), sent.get(), column.nullable(), ""), field, path);
            }
        }
        if (!fits) {
            throw refused(
                    "TYPE_INCOMPATIBLE",
                    "column '%s' is %s, but the schema has %s"
                            .formatted(name, column.type().sql(), type),
                    "send it as " + ArrowTypes.field(column).getType());
        }
        boolean nullable = column.nullable();
        return switch (column.type()) {
            case Primitive primitive -> primitive(column, primitive, type, path.isEmpty());
            case DataType.Decimal d -> new ArrowField.OfDecimal(column.name(), nullable, d);
            case DataType.Array a ->
                    new ArrowField.OfList(
                            column.name(),
                            nullable,
                            reader(
                                    new Column("element", a.element(), a.containsNull(), ""),
                                    field.getChildren().getFirst(),
                                    name + "."));
            case DataType.Map m ->
                    new ArrowField.OfMap(
                            column.name(), nullable, entries(m, field.getChildren(), name));
            case DataType.Struct s ->
                    new ArrowField.OfStruct(
                            column.name(),
                            nullable,
                            parts(s.fields(), field.getChildren(), name, true));
        };
    }

    /** Whether its values stand in its own buffers, and those of the children its type has. */
    static boolean isWhole(Field field) {
        var children = field.getChildren();
        return field.getDictionary() == null
                && switch (field.getType()) {
                    case ArrowType.List _ -> children.size() == 1;
                    case ArrowType.Map _ ->
                            children.size() == 1
                                    && children.getFirst().getType() instanceof ArrowType.Struct
                                    && children.getFirst().getChildren().size() == 2;
                    default -> true;
                };
    }

    private static boolean isNarrower(DataType sent, Column column) {
        return TypeWidening.isAllowed(sent, column.type());
    }

    private ArrowField.OfStruct entries(DataType.Map map, List<Field> children, String name) {
        var parts =
                List.of(
                        new Column("key", map.key(), false, ""),
                        new Column("value", map.value(), map.valueContainsNull(), ""));
        var entries = children.getFirst();
        return new ArrowField.OfStruct(
                "entries", false, parts(parts, entries.getChildren(), name, false));
    }

    /** The parts of a struct, which come in the table's order. */
    private List<ArrowField> parts(
            List<Column> columns, List<Field> fields, String name, boolean named) {
        if (columns.size() != fields.size()) {
            throw refused(
                    "FIELD_COUNT_MISMATCH",
                    "column '%s' has %d fields, but the schema has %d"
                            .formatted(name, columns.size(), fields.size()),
                    "send all fields of a struct");
        }
        var parts = new ArrayList<ArrowField>();
        for (int i = 0; i < columns.size(); i++) {
            if (named && !columns.get(i).name().equalsIgnoreCase(fields.get(i).getName())) {
                throw refused(
                        "FIELD_OUT_OF_ORDER",
                        "field %d of column '%s' is '%s', but the schema has '%s'"
                                .formatted(i, name, columns.get(i).name(), fields.get(i).getName()),
                        "send a struct's fields in the table's order");
            }
            parts.add(reader(columns.get(i), fields.get(i), name + "."));
        }
        return parts;
    }

    private ArrowField primitive(Column column, Primitive primitive, ArrowType type, boolean top) {
        var name = column.name();
        var nullable = column.nullable();
        return switch (primitive) {
            case BOOLEAN -> new ArrowField.OfFixed(name, nullable, 1);
            case BYTE -> new ArrowField.OfFixed(name, nullable, 8);
            case SHORT -> new ArrowField.OfFixed(name, nullable, 16);
            case INTEGER, FLOAT -> new ArrowField.OfFixed(name, nullable, 32);
            case LONG, DOUBLE -> new ArrowField.OfFixed(name, nullable, 64);
            case STRING ->
                    new ArrowField.OfBytes(
                            name, nullable, type instanceof ArrowType.LargeUtf8, true);
            case BINARY ->
                    new ArrowField.OfBytes(
                            name, nullable, type instanceof ArrowType.LargeBinary, false);
            case DATE, TIMESTAMP, TIMESTAMP_NTZ ->
                    new ArrowField.OfTime(
                            name, nullable, primitive, top && microseconds.contains(name));
        };
    }

    /** Arrow's type of the column, and those that differ in what does not matter. */
    private static boolean fits(DataType type, ArrowType given) {
        var wanted = ArrowTypes.field(Column.nullable("x", type)).getType();
        return switch (given) {
            case ArrowType.LargeUtf8 _ -> type == Primitive.STRING;
            case ArrowType.LargeBinary _ -> type == Primitive.BINARY;
            // The zone is for showing: the values are microseconds in UTC all the same.
            case ArrowType.Timestamp t ->
                    wanted instanceof ArrowType.Timestamp w
                            && t.getUnit() == w.getUnit()
                            && (t.getTimezone() == null) == (w.getTimezone() == null);
            case ArrowType.Map _ -> type instanceof DataType.Map;
            default -> given.equals(wanted);
        };
    }

    private Refusal notInTable(String field) {
        return refused(
                "FIELD_NOT_IN_TABLE",
                "the schema's field %s is not a column".formatted(RefusedRow.shown(field)),
                "add the column to the table, or leave the field out");
    }

    private Refusal refused(String cause, String problem, String hint) {
        return Refusal.badSchema(cause, "%s: %s".formatted(table, problem), hint);
    }
}
