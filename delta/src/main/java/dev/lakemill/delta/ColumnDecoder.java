package dev.lakemill.delta;

import java.util.List;
import java.util.Objects;
import org.apache.arrow.vector.BaseFixedWidthVector;
import org.apache.arrow.vector.ValueVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.parquet.column.ColumnReader;
import org.jspecify.annotations.Nullable;

/**
 * Reads one column of a Parquet row group into an Arrow vector; the counterpart of {@link
 * ColumnEncoder}, where the levels are told.
 *
 * <p>Invariant: before {@link #read} and after it, every leaf below stands at the first value of
 * the next row or element; so the levels of any one leaf below tell whether this field is there,
 * and whether the list around it goes on.
 */
abstract sealed class ColumnDecoder
        permits LeafDecoder,
                ColumnDecoder.Struct,
                ColumnDecoder.Repeated,
                ColumnDecoder.Absent,
                ColumnDecoder.Constant {

    /** Takes the vector of the next batch. */
    abstract void bind(ValueVector vector);

    /** Reads the next value into {@code index} of the bound vector. */
    abstract void read(int index);

    /** Passes over the one entry that stands for an absent or empty field around this one. */
    abstract void skip();

    /** A leaf below, for its levels; null when the file has none. */
    abstract @Nullable ColumnReader leaf();

    /** Reads the next {@code count} rows of all columns into the root's empty vectors. */
    static void read(List<ColumnDecoder> columns, VectorSchemaRoot root, int count) {
        for (int i = 0; i < columns.size(); i++) {
            var vector = root.getVector(i);
            vector.setInitialCapacity(count);
            vector.allocateNew();
            columns.get(i).bind(vector);
            columns.get(i).readRows(count);
        }
        root.setRowCount(count);
    }

    private void readRows(int count) {
        for (int row = 0; row < count; row++) {
            read(row);
        }
    }

    /** A column or field that the file does not have: all null. */
    static final class Absent extends ColumnDecoder {
        @SuppressWarnings("NullAway.Init") // bind comes before any read
        private ValueVector vector;

        @Override
        void bind(ValueVector next) {
            vector = next;
        }

        @Override
        void read(int index) {
            switch (vector) {
                case BaseFixedWidthVector fixed -> fixed.setNull(index);
                case StructVector struct -> struct.setNull(index);
                default -> {
                    // The offsets of lists and bytes are filled up when the row count is set.
                }
            }
        }

        @Override
        void skip() {}

        @Override
        @Nullable ColumnReader leaf() {
            return null;
        }
    }

    /** A partition column that the file does not have: the log says its value. */
    static final class Constant extends ColumnDecoder {
        private final @Nullable String value;

        @SuppressWarnings("NullAway.Init") // bind comes before any read
        private ValueVector vector;

        Constant(@Nullable String value) {
            this.value = value;
        }

        @Override
        void bind(ValueVector next) {
            vector = next;
        }

        @Override
        void read(int index) {
            PartitionValues.set(vector, index, value);
        }

        @Override
        void skip() {}

        @Override
        @Nullable ColumnReader leaf() {
            return null;
        }
    }

    static final class Struct extends ColumnDecoder {
        private final List<ColumnDecoder> fields;
        private final int present;
        private final @Nullable ColumnReader leaf;

        @SuppressWarnings("NullAway.Init") // bind comes before any read
        private StructVector vector;

        /**
         * @param present the definition level from which on the struct is there
         */
        Struct(List<ColumnDecoder> fields, int present) {
            this.fields = fields;
            this.present = present;
            this.leaf =
                    fields.stream()
                            .map(ColumnDecoder::leaf)
                            .filter(Objects::nonNull)
                            .findFirst()
                            .orElse(null);
        }

        @Override
        void bind(ValueVector next) {
            vector = (StructVector) next;
            for (int i = 0; i < fields.size(); i++) {
                fields.get(i).bind(vector.getChildByOrdinal(i));
            }
        }

        @Override
        void read(int index) {
            if (leaf != null && leaf.getCurrentDefinitionLevel() >= present) {
                vector.setIndexDefined(index);
            } else {
                vector.setNull(index);
            }
            for (var field : fields) {
                field.read(index);
            }
        }

        @Override
        void skip() {
            fields.forEach(ColumnDecoder::skip);
        }

        @Override
        @Nullable ColumnReader leaf() {
            return leaf;
        }
    }

    /** A list, or a map as the list of its entries. */
    static final class Repeated extends ColumnDecoder {
        private final ColumnDecoder element;
        private final ColumnReader leaf;
        private final int present;
        private final int filled;
        private final int repetition;
        private int elements;

        @SuppressWarnings("NullAway.Init") // bind comes before any read
        private ListVector vector;

        /**
         * @param present the definition level from which on the list is there
         * @param filled the definition level from which on it has an element
         * @param repetition the repetition level of its second and later elements
         */
        Repeated(ColumnDecoder element, int present, int filled, int repetition) {
            this.element = element;
            this.leaf = Objects.requireNonNull(element.leaf(), "a list's element has a leaf");
            this.present = present;
            this.filled = filled;
            this.repetition = repetition;
        }

        @Override
        void bind(ValueVector next) {
            vector = (ListVector) next;
            element.bind(vector.getDataVector());
            elements = 0;
        }

        @Override
        void read(int index) {
            int level = leaf.getCurrentDefinitionLevel();
            if (level < present) {
                vector.setNull(index);
                element.skip();
                return;
            }
            vector.startNewValue(index);
            int start = elements;
            if (level < filled) {
                element.skip();
            } else {
                do {
                    element.read(elements++);
                } while (leaf.getCurrentRepetitionLevel() == repetition);
            }
            vector.endValue(index, elements - start);
        }

        @Override
        void skip() {
            element.skip();
        }

        @Override
        ColumnReader leaf() {
            return leaf;
        }
    }
}
