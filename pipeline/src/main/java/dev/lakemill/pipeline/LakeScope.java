package dev.lakemill.pipeline;

import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.types.TableName;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/** A query, and what all that it scans is called in the engine. */
final class LakeScope {
    final Relation query;
    final SequencedMap<TableName, LakeQuery.Source> sources;
    final LakeQuery.Person person;
    final Map<TableName, String> names = new HashMap<>();
    final DuckPrinter printer;

    LakeScope(
            Relation query,
            SequencedMap<TableName, LakeQuery.Source> sources,
            LakeQuery.Person person,
            Instant now) {
        this.query = query;
        this.sources = sources;
        this.person = person;
        sources.keySet().forEach(s -> names.put(s, "t" + names.size()));
        var micros = ChronoUnit.MICROS.between(Instant.EPOCH, now);
        this.printer =
                new DuckPrinter(
                        scan -> name(scan.table()),
                        "make_timestamp(%d)".formatted(micros),
                        PolicySql.caller(person));
    }

    String name(TableName source) {
        return names.getOrDefault(source, "");
    }

    /** The columns of it that the query or one of its views reads. */
    Set<String> read(TableName source) {
        var read = new LinkedHashSet<>(Relations.columnsRead(query, source));
        for (var other : sources.values()) {
            if (other instanceof LakeQuery.View view) {
                read.addAll(Relations.columnsRead(view.query(), source));
            }
        }
        return read;
    }
}
