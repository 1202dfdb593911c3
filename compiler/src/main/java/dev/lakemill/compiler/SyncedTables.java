package dev.lakemill.compiler;

import dev.lakemill.compiler.Statement.CreateDataset;
import dev.lakemill.compiler.Statement.CreateSynced;
import dev.lakemill.compiler.Statement.Word;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.NearestName;
import dev.lakemill.plan.SyncedTable;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Checks that a synced table has something to show, and a key to tell its rows apart by. */
final class SyncedTables {
    private final CreateSynced synced;
    private final Dataset source;
    private final List<TextError> errors;

    private SyncedTables(CreateSynced synced, Dataset source, List<TextError> errors) {
        this.synced = synced;
        this.source = source;
        this.errors = errors;
    }

    /** Empty if errors were found, or if the source has some. */
    static Optional<SyncedTable> check(
            CreateSynced synced,
            Declarations declarations,
            Map<String, Dataset> datasets,
            List<TextError> errors) {
        var name = synced.source().toString();
        var declared = declarations.find(name);
        if (declared.isEmpty()) {
            errors.add(declarations.unknown(name, synced.sourcePosition()));
            return Optional.empty();
        }
        if (!(declared.get() instanceof CreateDataset)) {
            errors.add(
                    new TextError(
                            synced.sourcePosition(),
                            "%s is not computed by this pipeline".formatted(name),
                            "show a streaming table or a materialized view over it"));
            return Optional.empty();
        }
        return Optional.ofNullable(datasets.get(Declarations.key(name)))
                .flatMap(source -> new SyncedTables(synced, source, errors).check());
    }

    private Optional<SyncedTable> check() {
        var before = errors.size();
        var key = columns(synced.primaryKey(), "the primary key");
        var indexes = new ArrayList<List<String>>();
        synced.indexes().forEach(index -> indexes.add(columns(index, "an index")));
        return errors.size() > before
                ? Optional.empty()
                : Optional.of(
                        new SyncedTable(
                                synced.name(), source.name(), key, indexes, synced.position()));
    }

    private List<String> columns(List<Word> words, String what) {
        var columns = new ArrayList<String>();
        var seen = new HashSet<String>();
        for (var word : words) {
            var place = source.schema().indexOf(word.text());
            if (place.isEmpty()) {
                var names = source.schema().columns().stream().map(Column::name).toList();
                errors.add(
                        new TextError(
                                word.position(),
                                "%s has no column '%s'".formatted(source.name(), word.text()),
                                NearestName.hint(word.text(), names)));
                continue;
            }
            var column = source.schema().column(place.getAsInt());
            if (!seen.add(column.name())) {
                refuse(word, "column '%s' stands twice in %s".formatted(column.name(), what), "");
            } else if (!isComparable(column.type())) {
                refuse(
                        word,
                        "column '%s' of type %s cannot stand in %s"
                                .formatted(column.name(), column.type().sql(), what),
                        "use columns of numbers, texts, dates or times");
            }
            columns.add(column.name());
        }
        return columns;
    }

    private void refuse(Word word, String message, String hint) {
        errors.add(new TextError(word.position(), message, hint));
    }

    private static boolean isComparable(DataType type) {
        return type instanceof DataType.Decimal
                || (type instanceof Primitive && type != Primitive.BINARY);
    }
}
