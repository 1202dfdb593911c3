package dev.lakemill.delta;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.parquet.column.ColumnWriter;

/**
 * Writes one Arrow column into Parquet's column writers.
 *
 * <p>Parquet keeps a nested value as its leaves, each with a repetition level (at which list the
 * value repeats) and a definition level (how many optional and repeated fields around it are
 * there); see the Dremel paper. An encoder is a tree like the type. Each node is told the levels of
 * what stands around it and adds its own: an optional field that is there adds one to the
 * definition level, an element of a list one more.
 *
 * <p>A null where the schema says NOT NULL ends the file with INVALID_ARGUMENT.
 */
abstract sealed class ColumnEncoder implements RowsEncoder
        permits LeafEncoder, ColumnEncoder.Struct, ColumnEncoder.Repeated {
    private final String path;
    private final boolean nullable;

    ColumnEncoder(String path, boolean nullable) {
        this.path = path;
        this.nullable = nullable;
    }

    /**
     * @param writers finds the column writer of a leaf by its path in the Parquet schema
     */
    static ColumnEncoder of(Column column, Function<String[], ColumnWriter> writers) {
        var node = new Node(List.of(column.name()), column.name(), column.nullable(), 0, 0);
        return of(node, column.type(), writers);
    }

    /** Where a field stands: its Parquet path, its readable path, and the levels around it. */
    record Node(
            List<String> parquetPath,
            String path,
            boolean nullable,
            int repetition,
            int definition) {
        /** The levels inside, when the field is there. */
        int inside() {
            return nullable ? definition + 1 : definition;
        }

        Node child(List<String> names, String name, boolean isNullable, boolean repeated) {
            var parquet = new ArrayList<>(parquetPath);
            parquet.addAll(names);
            var step = repeated ? 1 : 0;
            return new Node(
                    parquet, path + "." + name, isNullable, repetition + step, inside() + step);
        }
    }

    private static ColumnEncoder of(
            Node node, DataType type, Function<String[], ColumnWriter> writers) {
        return switch (type) {
            case DataType.Primitive _, DataType.Decimal _ ->
                    LeafEncoder.of(
                            node, type, writers.apply(node.parquetPath().toArray(new String[0])));
            case DataType.Struct struct -> struct(node, struct.fields(), writers);
            case DataType.Array array -> {
                var element =
                        node.child(
                                List.of("list", "element"), "element", array.containsNull(), true);
                yield new Repeated(node, of(element, array.element(), writers));
            }
            case DataType.Map map -> {
                var entry = node.child(List.of("key_value"), "entry", false, true);
                var fields =
                        List.of(
                                Column.required("key", map.key()),
                                new Column("value", map.value(), map.valueContainsNull(), ""));
                yield new Repeated(node, struct(entry, fields, writers));
            }
        };
    }

    private static Struct struct(
            Node node, List<Column> columns, Function<String[], ColumnWriter> writers) {
        var fields = new ArrayList<ColumnEncoder>();
        for (var column : columns) {
            var name = column.name();
            var field = node.child(List.of(name), name, column.nullable(), false);
            fields.add(of(field, column.type(), writers));
        }
        return new Struct(node, fields);
    }

    /** Writes the value at {@code index} with the levels of what stands around it. */
    abstract void write(int index, int repetition, int definition);

    /** Writes that something around this field is null or empty. */
    abstract void writeAbsent(int repetition, int definition);

    @Override
    public final void writeRows(int from, int to) {
        for (int row = from; row < to; row++) {
            write(row, 0, 0);
        }
    }

    /** Parquet's writers hold all. */
    @Override
    public final long bytes() {
        return 0;
    }

    @Override
    public final void flush() {
        // Parquet's writers are flushed together.
    }

    /** Writes a null of this field itself, or refuses it. */
    final void writeNull(int repetition, int definition) {
        if (!nullable) {
            throw nullIn(path);
        }
        writeAbsent(repetition, definition);
    }

    /** Why a null is refused. */
    static LakemillException nullIn(String path) {
        return new LakemillException(
                ErrorCode.INVALID_ARGUMENT,
                "column '%s' is NOT NULL, but a row has no value for it".formatted(path),
                "send a value, or drop NOT NULL from the column");
    }

    final int inside(int definition) {
        return nullable ? definition + 1 : definition;
    }

    static final class Struct extends ColumnEncoder {
        private final List<ColumnEncoder> fields;

        @SuppressWarnings("NullAway.Init") // bind comes before any write
        private StructVector vector;

        Struct(Node node, List<ColumnEncoder> fields) {
            super(node.path(), node.nullable());
            this.fields = fields;
        }

        @Override
        public void bind(ValueVector next) {
            vector = (StructVector) next;
            for (int i = 0; i < fields.size(); i++) {
                fields.get(i).bind(vector.getChildByOrdinal(i));
            }
        }

        @Override
        void write(int index, int repetition, int definition) {
            if (vector.isNull(index)) {
                writeNull(repetition, definition);
                return;
            }
            for (var field : fields) {
                field.write(index, repetition, inside(definition));
            }
        }

        @Override
        void writeAbsent(int repetition, int definition) {
            for (var field : fields) {
                field.writeAbsent(repetition, definition);
            }
        }
    }

    /** A list, or a map as the list of its entries. */
    static final class Repeated extends ColumnEncoder {
        private final ColumnEncoder element;
        private final int elementRepetition;

        @SuppressWarnings("NullAway.Init") // bind comes before any write
        private ListVector vector;

        Repeated(Node node, ColumnEncoder element) {
            super(node.path(), node.nullable());
            this.element = element;
            this.elementRepetition = node.repetition() + 1;
        }

        @Override
        public void bind(ValueVector next) {
            vector = (ListVector) next;
            element.bind(vector.getDataVector());
        }

        @Override
        void write(int index, int repetition, int definition) {
            if (vector.isNull(index)) {
                writeNull(repetition, definition);
                return;
            }
            int start = vector.getElementStartIndex(index);
            int end = vector.getElementEndIndex(index);
            if (start == end) {
                element.writeAbsent(repetition, inside(definition));
                return;
            }
            for (int i = start; i < end; i++) {
                var level = i == start ? repetition : elementRepetition;
                element.write(i, level, inside(definition) + 1);
            }
        }

        @Override
        void writeAbsent(int repetition, int definition) {
            element.writeAbsent(repetition, definition);
        }
    }
}
