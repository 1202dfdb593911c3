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
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.complex.ListVector;

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

    /** More than these are not named in SQL: all rows are looked at. */
    private static final int DOUBTFUL_NAMED_MAX = 1000;

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

    /**
     * Judges the rows; returns the SQL name of the table that holds them, with fates and flags,
     * until the table's next rows are judged.
     *
     * @param query gives the table's columns and {@link #ROW}
     * @param whole SQL name of all rows ever kept; needed by UNIQUE rules
     * @throws RowRejected when a row fails a FAIL UPDATE rule
     */
    String judge(String query, String now, String whole) {
        var judged = quoted(table + " judged");
        var sql = conditions(query, now);
        for (int i = 0; i < rules.size(); i++) {
            if (rules.get(i).test() instanceof Rule.Test.Unique unique) {
                sql = kept.isEmpty() ? unique(sql, i, unique, whole) : passing(sql, i);
            }
        }
        duck.repeat("CREATE OR REPLACE TEMP TABLE %s AS %s".formatted(judged, sql));
        failOn(OnViolation.FAIL_UPDATE, judged, Rule.Test.Condition.class);
        if (kept.isEmpty()) {
            failOn(OnViolation.FAIL_UPDATE, judged, Rule.Test.Unique.class);
        }
        return judged;
    }

    /** Counts judged rows. */
    TableCount count(String judged) {
        var sql = "SELECT %s FROM %s".formatted(columns(flags()), judged);
        try (var flags = duck.rows(sql, flags(), EXPECTED_ROWS)) {
            return count(flags, 0);
        }
    }

    /**
     * Judged rows, settled.
     *
     * @param quarantined of {@link PipelineOutputs#quarantineSchema}
     */
    record Settled(TableCount count, Rows kept, Rows quarantined) implements AutoCloseable {
        @Override
        public void close() {
            kept.close();
            quarantined.close();
        }
    }

    /**
     * Counts the rows and takes those that go on, in their order.
     *
     * @param number of the batch
     * @param expected how many rows there may be
     * @param whole SQL name of all rows ever kept; needed by UNIQUE rules
     * @throws RowRejected when a row fails a FAIL UPDATE rule
     */
    Settled settle(String judged, long number, long expected, String whole) {
        var all = new ArrayList<>(schema.columns());
        all.replaceAll(c -> new Column(c.name(), c.type(), true, ""));
        all.addAll(flags().columns());
        all.add(Column.required(ROW, Primitive.LONG));
        var sql =
                "SELECT %s, %s, %s FROM %s ORDER BY %s, %s"
                        .formatted(columns, columns(flags()), ROW, judged, FATE, ROW);
        var read = new TableSchema(all);
        try (var rows = duck.rows(sql, read, expected)) {
            if (!looksAtDoubtful(judged, rows, whole)) {
                return settled(rows, number);
            }
        }
        failOn(OnViolation.FAIL_UPDATE, judged, Rule.Test.Unique.class);
        try (var rows = duck.rows(sql, read, expected)) {
            return settled(rows, number);
        }
    }

    private Settled settled(Rows rows, long number) {
        var count = count(rows, schema.size());
        var going = (int) count.kept();
        var settled =
                new Settled(
                        count,
                        firstColumns(rows, 0, going, schema),
                        quarantined(rows, going, (int) count.quarantined(), number));
        kept.values().forEach(keys -> keys.add(settled.kept()));
        return settled;
    }

    /** Some of the rows with the rules that each failed: planning SQL for that takes longer. */
    private Rows quarantined(Rows rows, int from, int length, long number) {
        var aside = PipelineOutputs.quarantineSchema(schema);
        var all = firstColumns(rows, from, length, schema);
        var vectors = new ArrayList<>(all.root().getFieldVectors());
        for (var field :
                ArrowTypes.schema(aside).getFields().subList(schema.size(), aside.size())) {
            vectors.add(field.createVector(duck.allocator()));
        }
        var failed = ((ListVector) vectors.get(schema.size())).getWriter();
        var batch = (BigIntVector) vectors.get(schema.size() + 1);
        for (int row = 0; row < length; row++) {
            failed.setPosition(row);
            failed.startList();
            for (int i = 0; i < rules.size(); i++) {
                var passed = (BitVector) rows.vector(schema.size() + 1 + i);
                if (!passed.isNull(from + row) && passed.get(from + row) == 0) {
                    failed.varChar().writeVarChar(rules.get(i).name());
                }
            }
            failed.endList();
            batch.setSafe(row, number);
        }
        var root = new VectorSchemaRoot(vectors);
        root.setRowCount(length);
        return new Rows(aside, root);
    }

    /**
     * Looks for the keys among all rows that are not new for sure, and for those that stand there
     * twice; says whether there were such rows.
     */
    private boolean looksAtDoubtful(String judged, Rows rows, String whole) {
        var fate = (IntVector) rows.vector(schema.size());
        var row = (BigIntVector) rows.vector(rows.schema().size() - 1);
        int passed = 0;
        while (passed < rows.count() && fate.get(passed) == KEEP) {
            passed++;
        }
        boolean looked = false;
        for (int i = 0; i < rules.size(); i++) {
            var keys = kept.get(i);
            if (keys != null && rules.get(i).test() instanceof Rule.Test.Unique unique) {
                var doubtful = keys.doubtful(rows, passed);
                if (!doubtful.isEmpty()) {
                    var among =
                            doubtful.cardinality() > DOUBTFUL_NAMED_MAX
                                    ? "true"
                                    : doubtful.stream()
                                            .mapToObj(place -> Long.toString(row.get(place)))
                                            .collect(Collectors.joining(", ", ROW + " IN (", ")"));
                    duck.execute(doubles(judged, i, unique, among, whole));
                    looked = true;
                }
            }
        }
        return looked;
    }

    /** SQL that gives the rows their fate whose key was kept before, or stands before them. */
    private String doubles(
            String judged, int index, Rule.Test.Unique rule, String among, String whole) {
        var keys = rule.columns().stream().map(DuckPrinter::quoted).toList();
        var set = new StringBuilder("%s = false".formatted(passed(index)));
        var fate = fateOf(rules.get(index));
        if (fate != KEEP) {
            set.append(", %s = %d".formatted(FATE, fate));
            for (int later = index + 1; later < rules.size(); later++) {
                if (rules.get(later).test() instanceof Rule.Test.Unique) {
                    set.append(", %s = NULL".formatted(passed(later)));
                }
            }
        }
        return """
        UPDATE %1$s SET %2$s WHERE %3$s IN (
          WITH c AS (SELECT %3$s, %4$s FROM %1$s WHERE %5$s AND %6$s)
          SELECT %3$s FROM (
            SELECT %3$s, row_number() OVER (PARTITION BY %4$s ORDER BY %3$s) AS place FROM c)
          WHERE place > 1
          UNION ALL SELECT %3$s FROM c SEMI JOIN %7$s AS w ON %8$s)"""
                .formatted(
                        judged,
                        set,
                        ROW,
                        String.join(", ", keys),
                        fate(KEEP),
                        among,
                        whole,
                        same(keys));
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

    /** Every row that is to be kept passes the UNIQUE rule, until it is known to be a double. */
    private static String passing(String sql, int index) {
        return "SELECT *, CASE WHEN %s THEN true END AS %s FROM (%s)"
                .formatted(fate(KEEP), passed(index), sql);
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

    /** The fate of a judged row, and whether it passed each rule. */
    private TableSchema flags() {
        var flags = new ArrayList<Column>();
        flags.add(Column.required(FATE, Primitive.INTEGER));
        for (int i = 0; i < rules.size(); i++) {
            flags.add(Column.nullable(passed(i), Primitive.BOOLEAN));
        }
        return new TableSchema(flags);
    }

    /**
     * @param first place of the first of the {@link #flags}
     */
    private TableCount count(Rows rows, int first) {
        var fates = new int[DROP + 1];
        var fate = (IntVector) rows.vector(first);
        for (int row = 0; row < rows.count(); row++) {
            fates[fate.get(row)]++;
        }
        var counts = new ArrayList<TableCount.RuleCount>();
        for (int i = 0; i < rules.size(); i++) {
            var flags = (BitVector) rows.vector(first + 1 + i);
            long passed = 0;
            for (int row = 0; row < rows.count(); row++) {
                passed += flags.isNull(row) ? 0 : flags.get(row);
            }
            var judged = rows.count() - flags.getNullCount();
            counts.add(new TableCount.RuleCount(rules.get(i).name(), passed, judged - passed));
        }
        return new TableCount(rows.count(), fates[KEEP], fates[QUARANTINE], fates[DROP], counts);
    }

    /** SQL of the names of the rules that a row failed. */
    String failedRules() {
        var names = new ArrayList<String>();
        for (int i = 0; i < rules.size(); i++) {
            names.add(
                    "CASE WHEN NOT %s THEN %s END".formatted(passed(i), text(rules.get(i).name())));
        }
        return "list_filter(CAST([%s] AS VARCHAR[]), lambda rule : rule IS NOT NULL)"
                .formatted(String.join(", ", names));
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

    private String unique(String sql, int index, Rule.Test.Unique rule, String whole) {
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
                        whole,
                        same(keys),
                        passed(index),
                        fateOf(rules.get(index)));
    }

    private void failOn(OnViolation onViolation, String from, Class<? extends Rule.Test> kind) {
        for (int i = 0; i < rules.size(); i++) {
            var rule = rules.get(i);
            if (rule.onViolation() == onViolation && kind.isInstance(rule.test())) {
                var row =
                        duck.text(
                                "SELECT left(CAST(%s AS VARCHAR), %d) FROM %s"
                                                .formatted(struct, ROW_CHARS_MAX, from)
                                        + " WHERE NOT %s ORDER BY %s LIMIT 1"
                                                .formatted(passed(i), ROW));
                if (row != null) {
                    throw new RowRejected(
                            "%s: a row fails the expectation %s: %s"
                                    .formatted(table, rule.text(), row),
                            "mend the data's producer, or change the rule to ON VIOLATION"
                                    + " QUARANTINE; then start the pipeline again");
                }
            }
        }
    }

    private static String passed(int index) {
        return PASSED + index;
    }

    private static String text(String value) {
        return "'" + value.replace("'", "''") + "'";
    }
}
