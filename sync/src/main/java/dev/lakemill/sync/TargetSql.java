package dev.lakemill.sync;

import dev.lakemill.types.Column;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32;

/**
 * The SQL of one synced table.
 *
 * <p>Rows and keys on their way are in temporary tables of the sync's session, whose columns are
 * named c0, c1, ... by the column's position, whatever the columns are called.
 */
final class TargetSql {
    private static final int NAME_BYTES_MAX = 63;

    /** Room for new versions of rows on their pages, and a vacuum as soon as a little is dead. */
    private static final String STORAGE =
            "fillfactor=80, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=1000,"
                    + " autovacuum_vacuum_cost_delay=0";

    private final SyncedTableSpec spec;
    private final List<Column> columns;
    private final int[] keyColumns;
    private final int number;
    private String schema;

    /**
     * @param number unique among the session's tables
     */
    TargetSql(SyncedTableSpec spec, int number) {
        this.spec = spec;
        this.columns = spec.sourceSchema().columns();
        this.keyColumns = spec.keyColumns();
        this.number = number;
        this.schema = spec.postgresSchema();
    }

    /**
     * While columns are masked, a view stands in the table's place, and the table is in a hidden
     * schema.
     */
    void lieIn(String schema) {
        this.schema = schema;
    }

    String schema() {
        return schema;
    }

    boolean isHidden() {
        return !schema.equals(spec.postgresSchema());
    }

    /** The table's name for SQL. */
    String table() {
        return quoted(schema) + "." + quoted(spec.postgresTable());
    }

    String changedRows() {
        return "pg_temp.changed_rows_" + number;
    }

    String deletedKeys() {
        return "pg_temp.deleted_keys_" + number;
    }

    String allRows() {
        return "pg_temp.all_rows_" + number;
    }

    String createChangedRows() {
        return "CREATE TEMP TABLE IF NOT EXISTS changed_rows_%d (%s) ON COMMIT DELETE ROWS"
                .formatted(number, all(this::stagedColumn, ", "));
    }

    String createDeletedKeys() {
        return "CREATE TEMP TABLE IF NOT EXISTS deleted_keys_%d (%s) ON COMMIT DELETE ROWS"
                .formatted(number, keys(this::stagedColumn, ", "));
    }

    String createAllRows() {
        return "CREATE TEMP TABLE all_rows_%d (position bigint, %s) ON COMMIT DROP"
                .formatted(number, all(this::stagedColumn, ", "));
    }

    /** Deletes the keys in {@link #deletedKeys}. */
    String delete() {
        return delete(deletedKeys() + " AS s");
    }

    /** Deletes keys given as one array per column of the key. */
    String deleteFromArrays() {
        var names = keys(i -> "c" + i, ", ");
        return delete("unnest(%s) AS s (%s)".formatted(keys(this::array, ", "), names));
    }

    private String delete(String keys) {
        return "DELETE FROM %s AS t USING %s WHERE %s"
                .formatted(table(), keys, keys(this::sameKey, " AND "));
    }

    /**
     * Writes the rows in {@link #changedRows}. Returns one number: how many were new. Rows that are
     * there as they are stay untouched.
     */
    String upsert() {
        return upsert(
                "SELECT %s FROM %s".formatted(all(i -> "c" + i, ", "), changedRows()), newer());
    }

    /** The same of rows given as one array per column. */
    String upsertFromArrays() {
        return upsert("SELECT * FROM unnest(%s)".formatted(all(this::array, ", ")), newer());
    }

    /** Of rows in {@link #allRows} with one key, all but the last, or the newest. */
    String deleteDuplicates() {
        var time = spec.hasTimeseriesKey() ? "c" + timeColumn() + " DESC NULLS LAST, " : "";
        return deleteAllButFirst(allRows(), keys(i -> "c" + i, ", "), time + "position DESC");
    }

    private int timeColumn() {
        return spec.positions(List.of(spec.form().timeseriesKey()))[0];
    }

    /** By one sort, however many rows have the same key. */
    private static String deleteAllButFirst(String rows, String key, String order) {
        return """
        DELETE FROM %1$s AS t USING (
            SELECT ctid AS place,
                row_number() OVER (PARTITION BY %2$s ORDER BY %3$s) AS n FROM %1$s) AS s
        WHERE t.ctid = s.place AND s.n > 1
        """
                .formatted(rows, key, order);
    }

    String deleteMissing() {
        return "DELETE FROM %s AS t WHERE NOT EXISTS (SELECT FROM %s AS s WHERE %s)"
                .formatted(table(), allRows(), keys(this::sameKey, " AND "));
    }

    /** Compares first and touches only what differs: ON CONFLICT locks even rows it leaves. */
    String upsertDifferent() {
        return upsert(
                "SELECT %s FROM %s AS s LEFT JOIN %s AS t ON %s WHERE t.%s IS NULL OR %s"
                        .formatted(
                                all(i -> "s.c" + i, ", "),
                                allRows(),
                                table(),
                                keys(this::sameKey, " AND "),
                                name(keyColumns[0]),
                                "(%s) IS DISTINCT FROM (%s)"
                                        .formatted(
                                                all(i -> "t." + name(i), ", "),
                                                all(i -> "s.c" + i, ", "))),
                "");
    }

    /** Rows that are older than what is there stay behind. */
    private String newer() {
        return spec.hasTimeseriesKey()
                ? " AND (t.%1$s IS NULL OR EXCLUDED.%1$s >= t.%1$s)"
                        .formatted(quoted(spec.form().timeseriesKey()))
                : "";
    }

    /**
     * @param condition of rows that are there already
     */
    private String upsert(String rows, String condition) {
        return """
        WITH applied AS (
            INSERT INTO %s AS t (%s) %s ON CONFLICT (%s) DO %s RETURNING t.xmax = 0 AS fresh)
        SELECT count(*) FILTER (WHERE fresh) FROM applied
        """
                .formatted(
                        table(),
                        all(this::name, ", "),
                        rows,
                        keys(this::name, ", "),
                        onConflict(condition));
    }

    private String onConflict(String condition) {
        var others = others();
        if (others.isEmpty()) {
            return "NOTHING";
        }
        return "UPDATE SET %s WHERE (%s) IS DISTINCT FROM (%s)%s"
                .formatted(
                        list(others, i -> "%1$s = EXCLUDED.%1$s".formatted(name(i)), ", "),
                        list(others, i -> "t." + name(i), ", "),
                        list(others, i -> "EXCLUDED." + name(i), ", "),
                        condition);
    }

    /** Without a key: {@link #createKey} comes when the first rows are there. */
    String create() {
        return "CREATE TABLE %s (%s) WITH (%s)".formatted(table(), declarations(), STORAGE);
    }

    /** Takes no lock that reads or writes feel. */
    String setStorage() {
        return "ALTER TABLE %s SET (%s)".formatted(table(), STORAGE);
    }

    /** The same table for a try, which goes with the transaction. */
    String createTemporary(String name) {
        return "CREATE TEMP TABLE %s (%s) ON COMMIT DROP".formatted(quoted(name), declarations());
    }

    private String declarations() {
        var keys = IntStream.of(keyColumns).boxed().collect(Collectors.toSet());
        var extra =
                spec.form().extraColumns().stream()
                        .map(column -> ", " + declaration(column))
                        .collect(Collectors.joining());
        return all(i -> name(i) + " " + type(i) + (keys.contains(i) ? " NOT NULL" : ""), ", ")
                + extra;
    }

    private static String declaration(ExtraColumn column) {
        return quoted(column.name()) + " " + column.declaration();
    }

    /** 0 for an empty table. */
    String countOneRow() {
        return "SELECT count(*) FROM (SELECT FROM %s LIMIT 1) AS s".formatted(table());
    }

    String keyName() {
        return constraintName("pkey", spec.primaryKey());
    }

    /** Enough for upserts, and takes no lock that readers feel. */
    String createKey() {
        return "CREATE UNIQUE INDEX %s ON %s (%s)"
                .formatted(quoted(keyName()), table(), keys(this::name, ", "));
    }

    /** Makes what {@link #createKey} made the primary key, behind a lock for a moment. */
    String declareKey() {
        return "ALTER TABLE %1$s ADD CONSTRAINT %2$s PRIMARY KEY USING INDEX %2$s"
                .formatted(table(), quoted(keyName()));
    }

    /** Of rows of the table with one key, all but the last, or the newest. */
    String deleteLoadedDuplicates() {
        var time = spec.hasTimeseriesKey() ? name(timeColumn()) + " DESC NULLS LAST, " : "";
        return deleteAllButFirst(table(), keys(this::name, ", "), time + "ctid DESC");
    }

    /** For COPY. */
    String tableWithColumns() {
        return "%s (%s)".formatted(table(), all(this::name, ", "));
    }

    String addColumn(ExtraColumn column) {
        return "ALTER TABLE %s ADD COLUMN %s".formatted(table(), declaration(column));
    }

    String addColumn(int column) {
        return "ALTER TABLE %s ADD COLUMN %s %s".formatted(table(), name(column), type(column));
    }

    String widenColumn(int column) {
        return "ALTER TABLE %s ALTER COLUMN %s TYPE %s"
                .formatted(table(), name(column), type(column));
    }

    String lock() {
        return "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE".formatted(table());
    }

    String dropColumn(String column) {
        return "ALTER TABLE %s DROP COLUMN %s".formatted(table(), quoted(column));
    }

    /**
     * @param column empty for the table
     */
    String comment(String column, String text) {
        var object =
                column.isEmpty() ? "TABLE " + table() : "COLUMN " + table() + "." + quoted(column);
        return "COMMENT ON %s IS '%s'".formatted(object, text.replace("'", "''"));
    }

    /**
     * Definitions by name of all indexes that are wanted besides the key's: what stands behind the
     * table's name.
     */
    Map<String, String> indexes() {
        var wanted = new LinkedHashMap<String, String>();
        for (var index : spec.indexes()) {
            var names =
                    IntStream.of(spec.positions(index))
                            .mapToObj(this::name)
                            .collect(Collectors.joining(", "));
            wanted.put(indexName(index), "(%s)".formatted(names));
        }
        spec.form().extraIndexes().forEach(e -> wanted.put(e.name(), e.definition()));
        return wanted;
    }

    /**
     * @param how CONCURRENTLY, or nothing
     */
    String createIndex(String how, String name, String definition) {
        return "CREATE INDEX %s %s ON %s %s".formatted(how, quoted(name), table(), definition);
    }

    String dropIndex(String how, String name) {
        return "DROP INDEX %s %s.%s".formatted(how, quoted(schema), quoted(name));
    }

    /** The same for the same columns, at most 63 bytes, and told from other indexes by its end. */
    private String indexName(List<String> index) {
        return constraintName("sync", index);
    }

    /** Whether an index is one that {@link #createIndex} made. */
    static boolean isIndexName(String name) {
        return name.matches(".*_sync_[0-9a-f]{8}");
    }

    private String constraintName(String kind, List<String> names) {
        var crc = new CRC32();
        var known = quoted(spec.postgresSchema()) + "." + quoted(spec.postgresTable());
        crc.update((known + names).getBytes(StandardCharsets.UTF_8));
        var end = "_%s_%08x".formatted(kind, crc.getValue());
        var start = spec.postgresTable() + "_" + String.join("_", names);
        while (start.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES_MAX - end.length()) {
            start = start.substring(0, start.offsetByCodePoints(start.length(), -1));
        }
        return start + end;
    }

    private String stagedColumn(int column) {
        return "c" + column + " " + type(column);
    }

    private String array(int column) {
        return "?::%s[]".formatted(PostgresType.of(columns.get(column).type()).sql());
    }

    private String sameKey(int column) {
        return "t.%s = s.c%d".formatted(name(column), column);
    }

    private String name(int column) {
        return quoted(columns.get(column).name());
    }

    String type(int column) {
        var override = spec.form().types().get(columns.get(column).name());
        if (override != null) {
            return override.sql();
        }
        return PostgresType.declaration(columns.get(column).type());
    }

    private List<Integer> others() {
        var keys = IntStream.of(keyColumns).boxed().collect(Collectors.toCollection(HashSet::new));
        var others = new ArrayList<Integer>();
        for (var i = 0; i < columns.size(); i++) {
            if (!keys.contains(i)) {
                others.add(i);
            }
        }
        return others;
    }

    private String all(IntFunction<String> text, String separator) {
        return IntStream.range(0, columns.size())
                .mapToObj(text)
                .collect(Collectors.joining(separator));
    }

    private String keys(IntFunction<String> text, String separator) {
        return IntStream.of(keyColumns).mapToObj(text).collect(Collectors.joining(separator));
    }

    private static String list(List<Integer> positions, IntFunction<String> text, String between) {
        return positions.stream().map(text::apply).collect(Collectors.joining(between));
    }

    static String quoted(String identifier) {
        return "\"" + identifier.replace("\"", "\"\"") + "\"";
    }
}
