package dev.lakemill.sync;

import static dev.lakemill.sync.TestPostgres.ask;
import static dev.lakemill.sync.TestPostgres.await;
import static dev.lakemill.sync.TestPostgres.execute;
import static dev.lakemill.sync.TestPostgres.postgres;
import static dev.lakemill.sync.TestPostgres.query;
import static dev.lakemill.sync.TestSource.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.feed.TableFeed;
import dev.lakemill.sync.ExtraColumn.Maintenance;
import dev.lakemill.sync.TestSource.Row;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Columns and indexes that only Postgres has, and the first load that brings them about. */
final class ExtrasTest {
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.required("id", Primitive.INTEGER),
                    Column.nullable("name", Primitive.STRING));
    private static final ExtraColumn WORDS =
            new ExtraColumn(
                    "words",
                    "tsvector",
                    "to_tsvector('english', name)",
                    Maintenance.STORED_GENERATED);
    private static final ExtraColumn CAME_AT =
            new ExtraColumn("came_at", "timestamptz", "now()", Maintenance.DEFAULT_VALUE);

    @TempDir Path folder;

    private final String schema = TestPostgres.uniqueName("extras");
    private final TableName source = TableName.parse("lake.raw." + schema);
    private final TableName name = TableName.parse("lake." + schema + ".items");
    private final String table = schema + ".items";

    @Test
    void computedColumnsAndIndexesOfAnyFormComeWithTheFirstRows() throws SQLException {
        var form =
                form(
                        List.of(WORDS, CAME_AT),
                        new ExtraIndex("words_" + schema, "USING gin (words)"),
                        new ExtraIndex("lower_" + schema, "(lower(name), id DESC)"),
                        new ExtraIndex("part_" + schema, "(name) WHERE id > 1"));
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "growing towers"), row(2, "basil"), row(1, "tall towers"));
            try (var _ = start(delta, form)) {
                await(
                        "the later row of each key shows",
                        () -> shown().equals("1tall towers 2basil"));
                assertThat(found("tower")).isEqualTo("1");
                assertThat(indexes()).containsExactly("lower", "part", "words");
                assertThat(ask("SELECT count(*) FROM %s WHERE came_at <= now()".formatted(table)))
                        .isEqualTo("2");
                var cameAt = ask("SELECT came_at FROM %s WHERE id = 2".formatted(table));
                delta.append(row(2, "a tower of basil"));
                await("changes are computed", () -> found("tower").equals("1 2"));
                assertThat(ask("SELECT came_at FROM %s WHERE id = 2".formatted(table)))
                        .isEqualTo(cameAt);
            }
            await("the key is declared", this::hasPrimaryKey);
        }
    }

    @Test
    void extrasAreChangedInPlaceAndWhatOthersMadeStays() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "growing towers"));
            var first = new ExtraIndex("words_" + schema, "USING gin (words)");
            try (var _ = start(delta, form(List.of(WORDS, CAME_AT), first))) {
                await("the row shows", () -> found("tower").equals("1"));
            }
            execute(
                    "CREATE INDEX mine_%s ON %s (id, name)".formatted(schema, table),
                    "GRANT SELECT ON %s TO lakemill_reader".formatted(table));
            var oid = ask("SELECT '%s'::regclass::oid".formatted(table));
            var simple =
                    new ExtraColumn(
                            "words",
                            "tsvector",
                            "to_tsvector('simple', name)",
                            Maintenance.STORED_GENERATED);
            var second = new ExtraIndex("words_" + schema, "USING gist (words)");
            var third = new ExtraIndex("id_" + schema, "(id) INCLUDE (name)");
            try (var sync = start(delta, form(List.of(simple), second, third))) {
                await("it is computed anew", () -> found("tower").isEmpty());
                await(
                        "all indexes are there",
                        () -> indexes().equals(List.of("id", "mine", "words")));
                await("of the new form", () -> definition("words").contains("gist"));
                await("nothing is wrong", () -> sync.status().getFirst().problem().isEmpty());
                delta.append(row(2, "growing"));
                await("changes go on", () -> found("growing").equals("1 2"));
            }
            assertThat(ask("SELECT '%s'::regclass::oid".formatted(table))).isEqualTo(oid);
            assertThat(columns()).isEqualTo("id,name,words");
            try (var _ = start(delta, SyncedTableForm.USUAL)) {
                await("extras go", () -> columns().equals("id,name"));
                await("their indexes go", () -> indexes().equals(List.of("mine")));
            }
            assertThat(
                            ask(
                                    "SELECT has_table_privilege('lakemill_reader', '%s', 'SELECT')"
                                            .formatted(table)))
                    .isEqualTo("t");
        }
    }

    @Test
    void aComputedColumnFollowsWiderTypesOfWhatItIsComputedFrom() throws SQLException {
        var twice = new ExtraColumn("twice", "bigint", "id * 2", Maintenance.STORED_GENERATED);
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"));
            try (var _ = start(delta, form(List.of(twice)))) {
                await("the row shows", () -> shown().equals("1a"));
                delta.widen(
                        TableSchema.of(Column.required("id", Primitive.LONG), SCHEMA.column(1)));
                delta.append(row(5_000_000_000L, "b"));
                await(
                        "it is computed from the wide one",
                        () ->
                                ask("SELECT string_agg(twice::text, ' ' ORDER BY id) FROM " + table)
                                        .equals("2 10000000000"));
            }
        }
    }

    @Test
    void anIndexWhoseBuildingWasKilledIsBuiltAnew() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(row(1, "a"));
            try (var _ = start(delta, SyncedTableForm.USUAL)) {
                await("the row shows", () -> shown().equals("1a"));
            }
            var index = new ExtraIndex("name_" + schema, "(name)");
            // Building waits for this transaction, and is killed meanwhile.
            try (var older = postgres().ownerUnpooled().getConnection()) {
                older.setAutoCommit(false);
                older.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                query(older, "SELECT 1");
                try (var _ = start(delta, form(List.of(), index))) {
                    await("it is begun", () -> validity().equals("f"));
                    delta.append(row(2, "b"));
                    await("the sync goes on beside it", () -> shown().equals("1a 2b"));
                }
                assertThat(validity()).isEqualTo("f");
                try (var _ = start(delta, form(List.of(), index))) {
                    await("it is cleaned up and begun again", () -> validity().equals("f"));
                    TestPostgres.kill();
                    await("it is built after a kill", () -> validity().equals("t"));
                    assertThat(shown()).isEqualTo("1a 2b");
                }
            } catch (SQLException e) {
                // The reader's connection was killed with Postgres.
                assertThat(e.getSQLState()).startsWith("08");
            }
        }
    }

    @Test
    void aFirstLoadThatPostgresDidNotSurviveBeginsAnew() throws SQLException {
        var index = new ExtraIndex("name_" + schema, "(name)");
        var rows = new Row[20_000];
        Arrays.setAll(rows, i -> row(i, "row " + i));
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            delta.append(rows);
            delta.append(row(7, "the later one"));
            for (int kills = 0; kills < 3; kills++) {
                execute("DROP SCHEMA IF EXISTS %s CASCADE".formatted(schema));
                try (var sync = start(delta, form(List.of(WORDS), index))) {
                    await(
                            "it is at work, or done",
                            () -> {
                                var status = sync.status().getFirst();
                                return status.progress() != null || status.table().rows() > 0;
                            });
                    TestPostgres.kill();
                    await("it is whole", () -> count().equals("20000") && validity().equals("t"));
                    await("the key is declared", this::hasPrimaryKey);
                }
                assertThat(found("later")).isEqualTo("7");
            }
        }
    }

    private String count() throws SQLException {
        return ask("SELECT to_regclass('%s')".formatted(table)).isEmpty()
                ? ""
                : ask("SELECT count(*) FROM " + table);
    }

    @Test
    void readersOfATableThatIsLoadedWaitForNothing() throws SQLException {
        try (var delta = new TestSource(folder, source, SCHEMA, false)) {
            var none = new TestSource(folder.resolve("none"), source, SCHEMA, false);
            try (none;
                    var failing = start(new Unreadable(none), form(List.of()))) {
                await("there is a table", () -> !columns().isEmpty());
                assertThat(failing.status()).hasSize(1);
            }
            try (var reader = postgres().owner().getConnection()) {
                reader.setAutoCommit(false);
                reader.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                assertThat(query(reader, "SELECT * FROM " + table)).isEmpty();
                delta.append(row(1, "a"), row(1, "b"));
                try (var _ =
                        start(delta, form(List.of(), new ExtraIndex("n_" + schema, "(name)")))) {
                    await("it is loaded beside the reader", () -> shown().equals("1b"));
                    delta.append(row(1, "c"));
                    await("changes go on before the key is declared", () -> shown().equals("1c"));
                    assertThat(query(reader, "SELECT * FROM " + table)).isEmpty();
                    assertThat(hasPrimaryKey()).isFalse();
                    reader.commit();
                    await("the key is declared", this::hasPrimaryKey);
                }
            }
        }
    }

    @Test
    void whatPostgresRefusesIsFoundBeforeAnythingChanges() throws SQLException {
        execute(
                "CREATE SCHEMA " + schema,
                "CREATE FUNCTION %s.mine(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1'"
                        .formatted(schema));
        refused("column \"nope\" does not exist", column("text", "lower(nope)"));
        refused("not immutable", column("text", "name || now()"));
        refused("which Postgres does not have", column("nonsense", "name"));
        refused("which Postgres does not have", column("text NOT NULL", "name"));
        refused("function " + schema + ".mine", column("text", schema + ".mine(name)"));
        refused("a default calls pg_read_file", given("text", "pg_read_file('/etc/passwd')"));
        refused("a default calls query_to_xml", given("xml", "query_to_xml('x', true, true, '')"));
        refused("cannot use subquery", given("text", "(SELECT 'x')"));
        refused("closes a parenthesis", column("text", "name) STORED, y text DEFAULT (1"));
        refused("a semicolon", column("text", "name; DROP TABLE x"));
        refused("a comment", column("text", "name -- "));
        refused("a string with a prefix", column("text", "E'\\'' || name"));
        refused("a quote that is not closed", column("text", "name || 'x"));
        refused(
                "two columns name",
                new ExtraColumn("name", "text", "id", Maintenance.DEFAULT_VALUE));
        refusedIndex("does not exist", "(nope)");
        refusedIndex("IMMUTABLE", "((name || now()))");
        refusedIndex("access method \"nope\"", "USING nope (name)");
        refusedIndex("function " + schema + ".mine", "(%s.mine(name))".formatted(schema));
        assertThat(ask("SELECT to_regclass('%s')".formatted(table))).isEmpty();
        FormTrial.run(
                spec(
                        SCHEMA,
                        form(List.of(WORDS, given("timestamptz", "now() + interval '1 day'")))),
                postgres().ownerUnpooled());
    }

    @Test
    void vectorsAreRefusedWherePostgresHasNoPgvector() {
        var columns =
                TableSchema.of(
                        SCHEMA.column(0),
                        Column.nullable("embedding", DataType.parse("ARRAY<FLOAT>")));
        var form =
                new SyncedTableForm(
                        "",
                        Map.of("embedding", new TypeOverride(TypeOverride.Kind.VECTOR, 3)),
                        List.of(),
                        List.of());
        assertThatThrownBy(() -> FormTrial.run(spec(columns, form), postgres().ownerUnpooled()))
                .hasMessageContaining("VECTOR needs pgvector")
                .hasMessageContaining("arrays are jsonb");
    }

    private static ExtraColumn column(String type, String compute) {
        return new ExtraColumn("extra", type, compute, Maintenance.STORED_GENERATED);
    }

    private static ExtraColumn given(String type, String compute) {
        return new ExtraColumn("given", type, compute, Maintenance.DEFAULT_VALUE);
    }

    private void refused(String why, ExtraColumn column) {
        refused(why, form(List.of(column)));
    }

    private void refusedIndex(String why, String definition) {
        refused(why, form(List.of(), new ExtraIndex("x", definition)));
    }

    private void refused(String why, SyncedTableForm form) {
        assertThatThrownBy(() -> FormTrial.run(spec(SCHEMA, form), postgres().ownerUnpooled()))
                .hasMessageContaining(why);
    }

    private static SyncedTableForm form(List<ExtraColumn> columns, ExtraIndex... indexes) {
        return new SyncedTableForm("", Map.of(), columns, List.of(indexes));
    }

    private SyncedTableSpec spec(TableSchema columns, SyncedTableForm form) {
        return new SyncedTableSpec(name, source, columns, List.of("id"), List.of(), form);
    }

    private SourceSync start(SyncSource from, SyncedTableForm form) {
        var member = new SourcePlan.Member(name, from, columns -> spec(columns, form));
        var plan = new SourcePlan(name.toString(), SyncMode.CONTINUOUS, List.of(member));
        return SourceSync.start(plan, postgres().ownerUnpooled(), TestPostgres.SOON);
    }

    private String found(String word) throws SQLException {
        return ask(
                "SELECT string_agg(id::text, ' ' ORDER BY id) FROM %s WHERE words @@ '%s'"
                        .formatted(table, word));
    }

    private String shown() throws SQLException {
        if (ask("SELECT to_regclass('%s')".formatted(table)).isEmpty()) {
            return "";
        }
        return ask("SELECT string_agg(id || name, ' ' ORDER BY id) FROM " + table);
    }

    /** The first words of the names of indexes besides the key's. */
    private List<String> indexes() throws SQLException {
        return query(
                        "SELECT split_part(indexname, '_', 1) FROM pg_indexes WHERE schemaname ="
                                + " '%s' AND indexname NOT LIKE '%%pkey%%' ORDER BY 1"
                                        .formatted(schema))
                .stream()
                .map(row -> String.valueOf(row.getFirst()))
                .toList();
    }

    private String definition(String index) throws SQLException {
        return ask(
                "SELECT indexdef FROM pg_indexes WHERE schemaname = '%s' AND indexname = '%s_%s'"
                        .formatted(schema, index, schema));
    }

    private String validity() throws SQLException {
        return ask(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('%s.name_%s')"
                        .formatted(schema, schema));
    }

    private boolean hasPrimaryKey() throws SQLException {
        return ask("SELECT count(*) FROM pg_index WHERE indisprimary AND indrelid = '%s'::regclass"
                        .formatted(table))
                .equals("1");
    }

    private String columns() throws SQLException {
        return ask(
                "SELECT string_agg(column_name, ',' ORDER BY ordinal_position)"
                        + " FROM information_schema.columns WHERE table_schema = '%s'"
                                .formatted(schema));
    }

    /** A source whose rows cannot be read: its table is made, and stays empty. */
    private record Unreadable(TestSource source) implements SyncSource {
        @Override
        public TableName name() {
            return source.name();
        }

        @Override
        public TableSchema schema() {
            return source.schema();
        }

        @Override
        public SourceSnapshot snapshot() {
            throw new LakemillException(ErrorCode.UNAVAILABLE, "no rows today", "try tomorrow");
        }

        @Override
        public boolean hasNewer(long version) {
            return true;
        }

        @Override
        public Optional<TableFeed> feed() {
            return Optional.empty();
        }
    }
}
