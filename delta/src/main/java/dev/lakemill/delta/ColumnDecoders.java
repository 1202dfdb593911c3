package dev.lakemill.delta;

import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;

/**
 * Makes the decoders of the columns that are asked for, out of what a file has: a field is found by
 * its name (exactly first, then without regard to case), and is null where the file has none.
 *
 * @param leaves opens the reader of a leaf of the current row group
 */
record ColumnDecoders(MessageType file, Function<ColumnDescriptor, ColumnReader> leaves) {

    ColumnDecoder of(Column column) {
        return field(file, List.of(), column);
    }

    private ColumnDecoder field(GroupType group, List<String> around, Column column) {
        var found = find(group, column.name());
        return found.isEmpty()
                ? new ColumnDecoder.Absent()
                : of(found.get(), join(around, found.get()), column.type());
    }

    private ColumnDecoder of(Type field, List<String> path, DataType type) {
        return switch (type) {
            case DataType.Primitive _, DataType.Decimal _ -> leaf(field, path, type);
            case DataType.Struct struct -> struct(group(field, path), path, struct);
            case DataType.Array array -> {
                var list = only(field, path);
                var listPath = join(path, list);
                var element = only(list, listPath);
                var elements = of(element, join(listPath, element), array.element());
                yield repeated(elements, path, listPath);
            }
            case DataType.Map map -> {
                var entries = only(field, path);
                var fields =
                        List.of(
                                Column.required("key", map.key()),
                                new Column("value", map.value(), map.valueContainsNull(), ""));
                var entriesPath = join(path, entries);
                var entry =
                        struct(
                                group(entries, entriesPath),
                                entriesPath,
                                new DataType.Struct(fields));
                yield repeated(entry, path, entriesPath);
            }
        };
    }

    private ColumnDecoder leaf(Type field, List<String> path, DataType type) {
        if (!field.isPrimitive() || field.isRepetition(Type.Repetition.REPEATED)) {
            throw unsupported(path);
        }
        var descriptor = file.getColumnDescription(array(path));
        return new LeafDecoders(descriptor, leaves.apply(descriptor)).of(type);
    }

    private ColumnDecoder struct(GroupType group, List<String> path, DataType.Struct type) {
        var fields = type.fields().stream().map(field -> field(group, path, field)).toList();
        return new ColumnDecoder.Struct(fields, file.getMaxDefinitionLevel(array(path)));
    }

    private ColumnDecoder repeated(ColumnDecoder element, List<String> field, List<String> list) {
        return new ColumnDecoder.Repeated(
                element,
                file.getMaxDefinitionLevel(array(field)),
                file.getMaxDefinitionLevel(array(list)),
                file.getMaxRepetitionLevel(array(list)));
    }

    private static GroupType group(Type field, List<String> path) {
        if (field.isPrimitive()) {
            throw unsupported(path);
        }
        return field.asGroupType();
    }

    private static Type only(Type field, List<String> path) {
        var group = group(field, path);
        if (group.getFieldCount() != 1) {
            throw unsupported(path);
        }
        return group.getType(0);
    }

    private static Optional<Type> find(GroupType group, String name) {
        return group.containsField(name)
                ? Optional.of(group.getType(name))
                : group.getFields().stream()
                        .filter(field -> field.getName().equalsIgnoreCase(name))
                        .findFirst();
    }

    private static List<String> join(List<String> around, Type field) {
        var path = new ArrayList<>(around);
        path.add(field.getName());
        return path;
    }

    private static String[] array(List<String> path) {
        return path.toArray(new String[0]);
    }

    private static LakemillException unsupported(List<String> path) {
        return new LakemillException(
                ErrorCode.UNIMPLEMENTED,
                "Parquet field '%s' does not have the table's form".formatted(path),
                "rewrite the file with three-level lists and key_value maps");
    }
}
