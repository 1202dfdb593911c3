package dev.lakemill.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lakemill.plan.Fragment;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.SqlCompilation;
import dev.lakemill.plan.SqlRequest;
import dev.lakemill.types.ArrowTypes;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.ErrorCode;
import dev.lakemill.types.LakemillException;
import dev.lakemill.types.Rows;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LakeQueryTest {
    private static final TableName ORDERS = TableName.parse("main.gold.orders");
    private static final TableSchema SCHEMA =
            TableSchema.of(
                    Column.nullable("id", Primitive.LONG),
                    Column.nullable("region", Primitive.STRING),
                    Column.nullable("buyer", Primitive.STRING));
    private static final LakeQuery.Limits LIMITS =
            new LakeQuery.Limits(
                    1_000,
                    1 << 20,
                    Duration.ofSeconds(30),
                    new PipelineConfig.Duck(64 << 20, 64 << 20, 2));
    private static final LakeQuery.Person ANN = new LakeQuery.Person("ann's", List.of("north"));

    /** A row filter and a mask as the catalog keeps them. */
    private static final LakeQuery.Rule NORTH =
            new LakeQuery.Rule(
                    "(coalesce(list_contains($groups, $1), false) AND ('$user' = '$user'))",
                    List.of("region"));

    private static final LakeQuery.Rule HIDDEN =
            new LakeQuery.Rule("(CASE WHEN ($1 = $user) THEN $1 ELSE '***' END)", List.of("buyer"));

    private static final WarmCompiler COMPILER = new WarmCompiler(Duration.ofMinutes(1));

    @TempDir Path folder;

    private final BufferAllocator allocator = new RootAllocator();

    @AfterEach
    void nothingIsLeftBehind() {
        assertThat(allocator.getAllocatedMemory()).isZero();
        assertThat(folder.toFile().list()).isNullOrEmpty();
        allocator.close();
    }

    @AfterAll
    static void endCompiler() {
        COMPILER.close();
    }

    @Test
    void aQueryAnswersInItsOrderUnderItsNames() {
        assertThat(
                        run(
                                "SELECT buyer, id, id AS buyer FROM main.gold.orders ORDER BY id"
                                        + " DESC LIMIT 3",
                                open()))
                .containsExactly("bob|5|5", "ann's|4|4", "ann's|3|3");
        assertThat(run("SELECT count(*) FROM main.gold.orders", open())).containsExactly("5");
        assertThat(run("SELECT id, id FROM main.gold.orders WHERE id < 2", open()))
                .containsExactly("1|1");
        assertThat(
                        run(
                                "WITH o AS (SELECT * FROM main.gold.orders) SELECT a.id FROM o a JOIN"
                                        + " o b ON a.id = b.id + 1 ORDER BY 1",
                                open()))
                .containsExactly("2", "3", "4", "5");
        assertThat(run("SELECT current_user(), is_account_group_member('north')", Map.of()))
                .containsExactly("ann's|true");
    }

    @Test
    void filterAndMaskStandBetweenTheRowsAndEveryQuery() {
        assertThat(run("SELECT * FROM main.gold.orders ORDER BY id", governed()))
                .containsExactly("1|north|***", "3|north|ann's");
        assertThat(run("SELECT count(*) FROM main.gold.orders", governed())).containsExactly("2");
        assertThat(run("SELECT id FROM main.gold.orders WHERE buyer = 'bob'", governed()))
                .isEmpty();
        assertThat(
                        run(
                                "SELECT (SELECT max(id) FROM main.gold.orders) AS m, EXISTS (SELECT"
                                        + " 1 FROM main.gold.orders WHERE region <> 'north') AS e",
                                governed()))
                .containsExactly("3|false");
    }

    /** DuckDB 2.0 takes the sums for 0 when its statistics say that nothing is joined. */
    @Test
    void sumsOverAnOuterJoinWithNothingAreCompared() {
        assertThat(
                        run(
                                "SELECT o.region, sum(o.id) > 0 AS positive FROM main.gold.orders o"
                                        + " LEFT JOIN (SELECT * FROM main.gold.orders WHERE id < -1)"
                                        + " n ON o.id = n.id GROUP BY o.region"
                                        + " HAVING sum(o.id) <> 0 ORDER BY 1",
                                open()))
                .containsExactly("north|true", "south|true");
    }

    @Test
    void anErrorOfTheQueryTellsNothingOfHiddenRows() {
        // Row 5 is hidden: were the division computed for it, the query would fail.
        assertThat(
                        run(
                                "SELECT id FROM main.gold.orders WHERE 1 / (id - 5) < 100 ORDER BY"
                                        + " id",
                                governed()))
                .containsExactly("1", "3");
        assertThat(
                        run(
                                "SELECT if(buyer = 'bob', CAST(buyer AS INT), 0) AS b FROM"
                                        + " main.gold.orders",
                                governed()))
                .containsExactly("0", "0");
        assertThatThrownBy(() -> run("SELECT 1 / (id - 3) FROM main.gold.orders", governed()))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT));
    }

    @Test
    void aQueryOverAViewTellsNothingOfRowsThatTheViewLeavesOut() {
        var view = "SELECT id, buyer FROM main.gold.orders WHERE id < 5";
        assertThat(
                        over(
                                "SELECT id FROM main.gold.v WHERE 1 / (id - 5) < 100 AND buyer <>"
                                        + " 'bob' ORDER BY id",
                                view,
                                open()))
                .containsExactly("3", "4");
        assertThat(over("SELECT count(*) FROM main.gold.v", view, open())).containsExactly("4");
        assertThat(over("SELECT v.buyer FROM main.gold.v v WHERE id = 1", view, governed()))
                .containsExactly("***");
    }

    @Test
    void aViewThatFailsTellsNothingOfTheValue() {
        var view = "SELECT id, CAST(buyer AS BIGINT) AS buyer FROM main.gold.orders";
        assertThatThrownBy(() -> over("SELECT buyer FROM main.gold.v", view, open()))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.FAILED_PRECONDITION);
                            assertThat(e.getMessage())
                                    .contains("main.gold.v")
                                    .doesNotContain("bob")
                                    .doesNotContain("ann's");
                        });
        assertThat(over("SELECT id FROM main.gold.v WHERE id = 2", view, open()))
                .as("what nobody reads is not computed")
                .containsExactly("2");
    }

    @Test
    void aResultIsKeptForAsLongAsItIsRead() {
        var query = new LakeQuery(LIMITS, folder, allocator);
        var relation = relation("SELECT id, buyer FROM main.gold.orders WHERE id > 2");
        try (var kept = query.keep(relation, new LinkedHashMap<>(open()), ANN, Instant.EPOCH)) {
            assertThat(kept.rowCount()).isEqualTo(3);
            for (int time = 0; time < 2; time++) {
                try (var rows = kept.read();
                        var batch = rows.next()) {
                    assertThat(batch).isNotNull();
                    assertThat(batch.count()).isEqualTo(3);
                    assertThat(rows.next()).isNull();
                }
            }
        }
        query.cancel();
        assertThatThrownBy(
                        () -> query.keep(relation, new LinkedHashMap<>(open()), ANN, Instant.EPOCH))
                .hasMessageContaining("cancelled");
    }

    /** Of a query over a view {@code main.gold.v}. */
    private List<String> over(String text, String view, Map<TableName, LakeQuery.Table> tables) {
        var name = TableName.parse("main.gold.v");
        var definition = relation(view);
        var schema =
                new TableSchema(
                        definition.output().stream()
                                .map(a -> Column.nullable(a.name(), a.type()))
                                .toList());
        var compiled =
                COMPILER.compile(
                        new SqlRequest.Query(
                                fragment(text),
                                List.of(new SqlRequest.Source(name.toString(), name, schema))));
        var sources = new LinkedHashMap<TableName, LakeQuery.Source>(tables);
        sources.put(name, new LakeQuery.View(name, definition));
        var query = new LakeQuery(LIMITS, folder, allocator);
        var relation = ((SqlCompilation.Query) compiled).relation();
        try (var result = query.run(relation, sources, ANN, Instant.EPOCH)) {
            return texts(result);
        }
    }

    @Test
    void aPolicyThatFailsHidesTheTableAndTheValue() {
        var failing = new LakeQuery.Rule("(CAST($1 AS BIGINT) > 0)", List.of("buyer"));
        var tables = Map.of(ORDERS, table(Optional.of(failing), Map.of()));
        assertThatThrownBy(() -> run("SELECT id FROM main.gold.orders", tables))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(ErrorCode.FAILED_PRECONDITION);
                            assertThat(e.getMessage())
                                    .doesNotContain("bob")
                                    .doesNotContain("ann's");
                        });
    }

    @Test
    void rowsBeyondTheLimitAreCut() {
        var limits = new LakeQuery.Limits(3, 1 << 20, LIMITS.timeMax(), LIMITS.engine());
        var query = new LakeQuery(limits, folder, allocator);
        try (var result =
                query.run(
                        relation("SELECT id FROM main.gold.orders ORDER BY id"),
                        new LinkedHashMap<>(open()),
                        ANN,
                        Instant.EPOCH)) {
            assertThat(result.cut()).isTrue();
            assertThat(texts(result)).containsExactly("1", "2", "3");
        }
    }

    @Test
    void aCancelledQueryEndsAndALateOneToo() {
        var reads = new AtomicInteger();
        var query = new LakeQuery[1];
        var endless =
                table(
                        Optional.empty(),
                        Map.of(),
                        () -> {
                            if (reads.incrementAndGet() == 3) {
                                query[0].cancel();
                            }
                            return rows();
                        });
        query[0] = new LakeQuery(LIMITS, folder, allocator);
        assertThatThrownBy(
                        () ->
                                query[0].run(
                                        relation("SELECT id FROM main.gold.orders"),
                                        new LinkedHashMap<>(Map.of(ORDERS, endless)),
                                        ANN,
                                        Instant.EPOCH))
                .hasMessageContaining("cancelled");

        var limits = new LakeQuery.Limits(10, 1 << 20, Duration.ofMillis(200), LIMITS.engine());
        var late = new LakeQuery(limits, folder, allocator);
        assertThatThrownBy(
                        () ->
                                late.run(
                                        relation("SELECT id FROM main.gold.orders"),
                                        new LinkedHashMap<>(Map.of(ORDERS, endless)),
                                        ANN,
                                        Instant.EPOCH))
                .isInstanceOfSatisfying(
                        LakemillException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.RESOURCE_EXHAUSTED));
    }

    @Test
    void whatIsWrongInTheTextIsToldWithItsPlace() {
        assertThat(rejected("SELECT nosuch FROM main.gold.orders")).contains("sql:1:8");
        assertThat(rejected("SELECT id FROM STREAM main.gold.orders")).contains("pipelines only");
        assertThat(rejected("SELECT FROM")).contains("sql:1");
        assertThat(
                        COMPILER.compile(
                                new SqlRequest.Query(fragment("SELECT 1 FROM a.b.c"), List.of())))
                .isInstanceOfSatisfying(
                        SqlCompilation.Reads.class,
                        reads ->
                                assertThat(reads.tables().getFirst().written()).isEqualTo("a.b.c"));
    }

    @Test
    void theCompilerEndsWhenNobodyAsks() throws InterruptedException {
        try (var compiler = new WarmCompiler(Duration.ofMillis(50))) {
            compiler.compile(new SqlRequest.Query(fragment("SELECT 1"), List.of()));
            while (compiler.isWarm()) {
                Thread.sleep(10);
            }
            assertThat(compiler.compile(new SqlRequest.Query(fragment("SELECT 1"), List.of())))
                    .isInstanceOf(SqlCompilation.Query.class);
        }
    }

    private static String rejected(String text) {
        var answer = COMPILER.compile(new SqlRequest.Query(fragment(text), sources()));
        return ((SqlCompilation.Rejected) answer).errors().getFirst().toString();
    }

    private static Fragment fragment(String text) {
        return Fragment.all(new SourceText("sql", text));
    }

    private static List<SqlRequest.Source> sources() {
        return List.of(new SqlRequest.Source(ORDERS.toString(), ORDERS, SCHEMA));
    }

    private static Relation relation(String text) {
        var answer = COMPILER.compile(new SqlRequest.Query(fragment(text), sources()));
        assertThat(answer).isInstanceOf(SqlCompilation.Query.class);
        return ((SqlCompilation.Query) answer).relation();
    }

    private List<String> run(String text, Map<TableName, LakeQuery.Table> tables) {
        var query = new LakeQuery(LIMITS, folder, allocator);
        try (var result =
                query.run(relation(text), new LinkedHashMap<>(tables), ANN, Instant.EPOCH)) {
            assertThat(result.cut()).isFalse();
            return texts(result);
        }
    }

    private static List<String> texts(LakeQuery.Result result) {
        var texts = new ArrayList<String>();
        for (var batch : result.batches()) {
            for (int row = 0; row < batch.count(); row++) {
                var values = new ArrayList<String>();
                for (int i = 0; i < result.columns().size(); i++) {
                    values.add(String.valueOf(batch.vector(i).getObject(row)));
                }
                texts.add(String.join("|", values));
            }
        }
        return texts;
    }

    private Map<TableName, LakeQuery.Table> open() {
        return Map.of(ORDERS, table(Optional.empty(), Map.of()));
    }

    private Map<TableName, LakeQuery.Table> governed() {
        return Map.of(ORDERS, table(Optional.of(NORTH), Map.of("buyer", HIDDEN)));
    }

    private LakeQuery.Table table(
            Optional<LakeQuery.Rule> filter, Map<String, LakeQuery.Rule> masks) {
        var left = new AtomicInteger(1);
        return table(filter, masks, () -> left.getAndDecrement() > 0 ? rows() : null);
    }

    private interface Next {
        @Nullable Rows next();
    }

    private LakeQuery.Table table(
            Optional<LakeQuery.Rule> filter, Map<String, LakeQuery.Rule> masks, Next next) {
        return new LakeQuery.Table(
                SCHEMA,
                columns ->
                        new LakeQuery.Reading() {
                            @Override
                            public @Nullable Rows next() {
                                try (var rows = next.next()) {
                                    return rows == null ? null : only(rows, columns);
                                }
                            }

                            @Override
                            public void close() {}
                        },
                filter,
                masks);
    }

    private Rows only(Rows rows, List<String> columns) {
        var schema =
                new TableSchema(
                        columns.stream()
                                .map(c -> SCHEMA.column(SCHEMA.indexOf(c).orElseThrow()))
                                .toList());
        var root = VectorSchemaRoot.create(ArrowTypes.schema(schema), allocator);
        for (int i = 0; i < columns.size(); i++) {
            var from = rows.vector(SCHEMA.indexOf(columns.get(i)).orElseThrow());
            var transfer = from.makeTransferPair(root.getVector(i));
            transfer.splitAndTransfer(0, rows.count());
        }
        root.setRowCount(rows.count());
        return new Rows(schema, root);
    }

    /** Five orders: of ann and bob, in north and south. */
    private Rows rows() {
        var root = VectorSchemaRoot.create(ArrowTypes.schema(SCHEMA), allocator);
        root.allocateNew();
        for (int i = 0; i < 5; i++) {
            ((BigIntVector) root.getVector(0)).setSafe(i, i + 1);
            text(root, 1, i, i % 2 == 0 && i < 4 ? "north" : "south");
            text(root, 2, i, i == 2 || i == 3 ? "ann's" : "bob");
        }
        root.setRowCount(5);
        return new Rows(SCHEMA, root);
    }

    private static void text(VectorSchemaRoot root, int column, int row, String text) {
        ((VarCharVector) root.getVector(column))
                .setSafe(row, text.getBytes(StandardCharsets.UTF_8));
    }
}
