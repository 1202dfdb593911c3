package dev.lakemill.pipeline;

import static dev.lakemill.pipeline.DuckPrinter.quoted;

import dev.lakemill.plan.OnViolation;
import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;
import org.jspecify.annotations.Nullable;

/**
 * Holds the rows of one query against a table's expectations and settles each row's fate.
 *
 * <p>Each row has exactly one fate. Conditions are judged first, all of them for every row, once; a
 * NULL condition has failed. A row that fails a FAIL UPDATE rule ends the batch. Otherwise
 * quarantine goes before drop, because it keeps the evidence. Then come the UNIQUE rules, in their
 * order, over the rows that are still to be kept, so that a bad row never makes a good one a
 * duplicate: the first in the order of the source wins, against all rows ever kept.
 */
final class Checks {
    /** The order of the source, in every streamed table and streaming query. */
    static final String ROW = "_lakemill_row";

    static final int KEEP = 0;
    static final int QUARANTINE = 1;
    static final int DROP = 2;

    private static final String FATE = "_lakemill_fate";
    private static final String PASSED = "_lakemill_passed_";
    private static final int ROW_CHARS_MAX = 1000;
    private static final int EXPECTED_ROWS = 1000;
    private static final TableSchema ORDER = ordered(new TableSchema(List.of()));

    private final DuckSession duck;
    private final TableName table;
    private final TableSchema schema;
    private final List<Rule> rules;
    private final String columns;
    private final String struct;

    /** By the place of their rule; of all UNIQUE rules or of none. */
    private final Map<Integer, KeptKeys> kept;

    Checks(DuckSession duck, TableName table, TableSchema schema, List<Rule> rules) {
        this(duck, table, schema, rules, Map.of());
    }

    /**
     * @param kept of each UNIQUE rule by its place, or empty where DuckDB is to look at all rows
     */
    Checks(
            DuckSession duck,
            TableName table,
            TableSchema schema,
            List<Rule> rules,
            Map<Integer, KeptKeys> kept) {
        this.kept = kept;
        this.duck = duck;
        this.table = table;
        this.schema = schema;
        this.rules = rules;
        this.columns = columns(schema);
        this.struct =
                schema.columns().stream()
                        .map(column -> "%1$s := %1$s".formatted(quoted(column.name())))
                        .collect(Collectors.joining(", ", "struct_pack(", ")"));
    }

    /** SQL of a condition on judged rows. */
    static String fate(int fate) {
        return FATE + " = " + fate;
    }

    /** A table's columns, and {@link #ROW}. */
    static TableSchema ordered(TableSchema schema) {
        var columns = new ArrayList<>(schema.columns());
        columns.add(Column.required(ROW, Primitive.LONG));
        return new TableSchema(columns);
    }

    /**
     * Judges rows by conditions alone; returns the SQL name of the table that holds them, with
     * fates and flags, until the table's next rows are judged.
     *
     * @param query gives the table's columns and {@link #ROW}
     * @throws RowRejected when a row fails a FAIL UPDATE rule
     */
    String judge(String query, String now) {
        var judged = judged();
        duck.repeat(
                "CREATE OR REPLACE TEMP TABLE %s AS %s".formatted(judged, conditions(query, now)));
        for (int i = 0; i < rules.size(); i++) {
            if (rules.get(i).onViolation() == OnViolation.FAIL_UPDATE) {
                var row = text(judged, "NOT " + passed(i));
                if (row != null) {
                    throw rejected(rules.get(i), row);
                }
            }
        }
        return judged;
    }

    /** Counts what {@link #judge} judged. */
    TableCount count(String judged) {
        var read = ordered(new TableSchema(flags()));
        var sql = "SELECT %s FROM %s".formatted(columns(read), judged);
        try (var rows = duck.rows(sql, read, EXPECTED_ROWS)) {
            return new JudgedRows(rows, 0, flagged(0)).count(rules);
        }
    }

    /**
     * Settled rows, in the order of the source.
     *
     * @param kept of the table's {@link #ordered} columns
     * @param quarantined of {@link PipelineOutputs#quarantineSchema}, {@link #ordered}
     */
    record Settled(TableCount count, Rows kept, Rows quarantined) implements AutoCloseable {
        @Override
        public void close() {
            kept.close();
            quarantined.close();
        }
    }

    /**
     * Judges the rows of a query that adds to the table, counts them, and takes those that go on.
     *
     * @param query gives the table's columns and {@link #ROW}
     * @param number of the batch
     * @param expected how many rows there may be
     * @param keysTable SQL name of the keys of all rows ever kept; needed by UNIQUE rules
     * @throws RowRejected when a row fails a FAIL UPDATE rule
     */
    Settled settle(String query, String now, long number, long expected, String keysTable) {
        var sql = conditions(query, now);
        for (int i = 0; i < rules.size() && kept.isEmpty(); i++) {
            if (rules.get(i).test() instanceof Rule.Test.Unique unique) {
                sql = unique(sql, i, unique, keysTable);
            }
        }
        var all = new ArrayList<>(schema.columns());
        all.replaceAll(c -> new Column(c.name(), c.type(), true, ""));
        all.addAll(flags());
        var read = ordered(new TableSchema(all));
        var ready =
                "SELECT %s FROM (%s) AS judged ORDER BY %s, %s"
                        .formatted(columns(read), sql, FATE, ROW);
        try (var rows = duck.rows(ready, read, expected)) {
            var judged = new JudgedRows(rows, schema.size(), flagged(schema.size()));
            failOn(judged, Rule.Test.Condition.class);
            var known = new HashMap<KeptKeys, KeptKeys.Known>();
            for (int i = 0; i < rules.size(); i++) {
                var keys = kept.get(i);
                if (keys != null) {
                    known.put(keys, settleUnique(judged, i, keys, keysTable));
                }
            }
            failOn(judged, Rule.Test.Unique.class);
            known.forEach((keys, of) -> keys.add(of, judged.kept()));
            return new Settled(
                    judged.count(rules),
                    judged.take(judged.of(KEEP), contentInOrder(), ordered(schema)),
                    quarantined(judged, number));
        }
    }

    /** With the rules that each row failed: planning SQL for that takes longer. */
    private Rows quarantined(JudgedRows judged, long number) {
        var places = judged.of(QUARANTINE);
        var aside = ordered(PipelineOutputs.quarantineSchema(schema));
        var taken = judged.take(places, contentInOrder(), ordered(schema));
        var vectors = new ArrayList<>(taken.root().getFieldVectors());
        for (int added = schema.size(); added < aside.size() - 1; added++) {
            var field = ArrowTypes.schema(aside).getFields().get(added);
            vectors.add(added, field.createVector(duck.allocator()));
        }
        var failed = ((ListVector) vectors.get(schema.size())).getWriter();
        var batch = (BigIntVector) vectors.get(schema.size() + 1);
        for (int row = 0; row < places.length; row++) {
            failed.setPosition(row);
            failed.startList();
            for (int i = 0; i < rules.size(); i++) {
                if (judged.hasFailed(i, places[row])) {
                    failed.varChar().writeVarChar(rules.get(i).name());
                }
            }
            failed.endList();
            batch.setSafe(row, number);
        }
        var root = new VectorSchemaRoot(vectors);
        root.setRowCount(places.length);
        return new Rows(aside, root);
    }

    /** The places, among what is judged, of the table's {@link #ordered} columns. */
    private List<Integer> contentInOrder() {
        var places = new ArrayList<>(IntStream.range(0, schema.size()).boxed().toList());
        places.add(schema.size() + flags().size());
        return places;
    }

    private KeptKeys.Known settleUnique(
            JudgedRows judged, int rule, KeptKeys keys, String keysTable) {
        var known = keys.known(judged.rows(), judged.kept());
        known.doubles().stream().forEach(place -> fail(judged, rule, place));
        if (!known.doubtful().isEmpty()) {
            var gone = keptBefore(judged, known.doubtful(), keys, keysTable);
            known.doubtful().stream()
                    .filter(place -> gone.contains(judged.order(place)))
                    .forEach(place -> fail(judged, rule, place));
        }
        return known;
    }

    /** Looks in DuckDB for the keys of some rows; the {@link #ROW} of those that it finds. */
    private Set<Long> keptBefore(
            JudgedRows judged, BitSet doubtful, KeptKeys keys, String keysTable) {
        var asked = new TableSchema(keys.columns().stream().map(schema::column).toList());
        var columns = new ArrayList<>(keys.columns());
        columns.add(contentInOrder().getLast());
        var names = asked.columns().stream().map(c -> quoted(c.name())).toList();
        var sql =
                "SELECT %s FROM %s AS c SEMI JOIN %s AS w ON %s"
                        .formatted(ROW, DuckSession.INCOMING, keysTable, same(names));
        try (var rows = judged.take(doubtful.stream().toArray(), columns, ordered(asked))) {
            return duck.answer(rows, sql, ORDER, Checks::orders);
        }
    }

    private static Set<Long> orders(Iterator<Rows> batches) {
        var orders = new HashSet<Long>();
        while (batches.hasNext()) {
            try (var rows = batches.next()) {
                for (int row = 0; row < rows.count(); row++) {
                    orders.add(((BigIntVector) rows.vector(0)).get(row));
                }
            }
        }
        return orders;
    }

    /** UNIQUE rules behind this one say nothing of a row that it takes out. */
    private void fail(JudgedRows judged, int rule, int place) {
        var fate = fateOf(rules.get(rule));
        judged.fail(rule, place, fate);
        for (int later = rule + 1; later < rules.size() && fate != KEEP; later++) {
            if (rules.get(later).test() instanceof Rule.Test.Unique) {
                judged.unjudged(later, place);
            }
        }
    }

    private static String same(List<String> keys) {
        return keys.stream()
                .map(key -> "c.%1$s IS NOT DISTINCT FROM w.%1$s".formatted(key))
                .collect(Collectors.joining(" AND "));
    }

    private static int fateOf(Rule unique) {
        return switch (unique.onViolation()) {
            case QUARANTINE -> QUARANTINE;
            case DROP_ROW -> DROP;
            case WARN, FAIL_UPDATE -> KEEP;
        };
    }

    /** Some of the rows, without the columns behind the schema's, sharing memory. */
    static Rows firstColumns(Rows rows, int from, int length, TableSchema schema) {
        var vectors = new ArrayList<FieldVector>();
        for (int i = 0; i < schema.size(); i++) {
            var transfer = rows.vector(i).getTransferPair(rows.vector(i).getAllocator());
            transfer.splitAndTransfer(from, length);
            vectors.add((FieldVector) transfer.getTo());
        }
        var root = new VectorSchemaRoot(vectors);
        root.setRowCount(length);
        return new Rows(schema, root);
    }

    /** The fate of a judged row, and what each rule says of it. */
    private List<Column> flags() {
        var flags = new ArrayList<Column>();
        flags.add(Column.required(FATE, Primitive.INTEGER));
        for (int i = 0; i < rules.size(); i++) {
            if (!kept.containsKey(i)) {
                flags.add(Column.nullable(passed(i), Primitive.BOOLEAN));
            }
        }
        return flags;
    }

    /** Where the rules' flags are; -1 of those that nothing is known of yet. */
    private List<Integer> flagged(int fate) {
        var places = new ArrayList<Integer>();
        int next = fate + 1;
        for (int i = 0; i < rules.size(); i++) {
            places.add(kept.containsKey(i) ? -1 : next++);
        }
        return places;
    }

    /** The columns' quoted names. */
    static String columns(TableSchema schema) {
        return schema.columns().stream()
                .map(column -> quoted(column.name()))
                .collect(Collectors.joining(", "));
    }

    private String conditions(String query, String now) {
        var flags = new StringBuilder();
        for (int i = 0; i < rules.size(); i++) {
            if (rules.get(i).test() instanceof Rule.Test.Condition condition) {
                flags.append(", coalesce((%s), false)".formatted(condition.sql().apply(now)));
                flags.append(" AS ").append(passed(i));
            }
        }
        return "SELECT *, %s AS %s FROM (SELECT %s AS %s, %s%s FROM (%s) AS q) AS flagged"
                .formatted(fate(), FATE, row(), ROW, columns, flags, query);
    }

    /**
     * Rows that come of one source row, by a join or a union, are told apart by their content, so
     * that the winner of a UNIQUE rule is the same in every replay.
     */
    private String row() {
        return rules.stream().anyMatch(rule -> rule.test() instanceof Rule.Test.Unique)
                ? "row_number() OVER (ORDER BY %s, %s)".formatted(ROW, columns)
                : ROW;
    }

    private String fate() {
        return "CASE WHEN NOT (%s) THEN %d WHEN NOT (%s) THEN %d ELSE %d END"
                .formatted(
                        allPassed(OnViolation.QUARANTINE),
                        QUARANTINE,
                        allPassed(OnViolation.DROP_ROW),
                        DROP,
                        KEEP);
    }

    private String allPassed(OnViolation onViolation) {
        var flags = new ArrayList<String>();
        for (int i = 0; i < rules.size(); i++) {
            if (rules.get(i).onViolation() == onViolation
                    && rules.get(i).test() instanceof Rule.Test.Condition) {
                flags.add(passed(i));
            }
        }
        return flags.isEmpty() ? "true" : String.join(" AND ", flags);
    }

    private String unique(String sql, int index, Rule.Test.Unique rule, String keysTable) {
        var keys = rule.columns().stream().map(DuckPrinter::quoted).toList();
        return """
        WITH judged AS MATERIALIZED (%3$s),
          c AS (SELECT %1$s, %2$s FROM judged WHERE %4$s = 0),
          seen AS (SELECT %1$s FROM c SEMI JOIN %5$s AS w ON %6$s),
          firsts AS (SELECT min(%1$s) AS %1$s FROM c GROUP BY %2$s),
          flagged AS (
            SELECT *, CASE WHEN %4$s = 0 THEN
                %1$s IN (SELECT %1$s FROM firsts) AND %1$s NOT IN (SELECT %1$s FROM seen)
              END AS %7$s
            FROM judged)
        SELECT * REPLACE (CASE WHEN %7$s = false THEN %8$d ELSE %4$s END AS %4$s)
        FROM flagged ORDER BY %1$s"""
                .formatted(
                        ROW,
                        String.join(", ", keys),
                        sql,
                        FATE,
                        keysTable,
                        same(keys),
                        passed(index),
                        fateOf(rules.get(index)));
    }

    private void failOn(JudgedRows judged, Class<? extends Rule.Test> kind) {
        for (int i = 0; i < rules.size(); i++) {
            var rule = rules.get(i);
            if (rule.onViolation() == OnViolation.FAIL_UPDATE && kind.isInstance(rule.test())) {
                var failed = judged.firstFailed(i);
                if (failed.isPresent()) {
                    throw rejected(rule, text(judged, failed.getAsInt()));
                }
            }
        }
    }

    private RowRejected rejected(Rule rule, String row) {
        return new RowRejected(
                "%s: a row fails the expectation %s: %s".formatted(table, rule.text(), row),
                "mend the data's producer, or change the rule to ON VIOLATION"
                        + " QUARANTINE; then start the pipeline again");
    }

    private String text(JudgedRows judged, int place) {
        var from = judged();
        try (var row = judged.take(new int[] {place}, contentInOrder(), ordered(schema))) {
            duck.load(
                    row.schema(),
                    List.of(row),
                    "CREATE OR REPLACE TEMP TABLE %s AS SELECT * FROM %s"
                            .formatted(from, DuckSession.INCOMING));
        }
        return String.valueOf(text(from, "true"));
    }

    /** The first row for people; null when there is none. */
    private @Nullable String text(String from, String condition) {
        return duck.text(
                "SELECT left(CAST(%s AS VARCHAR), %d) FROM %s WHERE %s ORDER BY %s LIMIT 1"
                        .formatted(struct, ROW_CHARS_MAX, from, condition, ROW));
    }

    private String judged() {
        return quoted(table + " judged");
    }

    private static String passed(int index) {
        return PASSED + index;
    }
}
