package dev.lakemill.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.AggregateFunction;
import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.CompileRequest;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.Dataset.IngestedTable;
import dev.lakemill.plan.Dataset.MaterializedView;
import dev.lakemill.plan.Dataset.StreamingTable;
import dev.lakemill.plan.Expectation;
import dev.lakemill.plan.Expression;
import dev.lakemill.plan.OnViolation;
import dev.lakemill.plan.PipelinePlan;
import dev.lakemill.plan.PlanJson;
import dev.lakemill.plan.Relation;
import dev.lakemill.plan.Relations;
import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextError;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class PipelineCompilerTest {
    private static final Catalyst CATALYST = new Catalyst();
    private static final String TABLE =
            "CREATE TABLE a.b.t (k STRING NOT NULL, x INT, p DECIMAL(10,4), ts TIMESTAMP, d DATE);\n";

    @Test
    void datasetsStandBehindWhatTheyRead() {
        var plan =
                plan(
                        "CREATE MATERIALIZED VIEW a.b.last AS SELECT * FROM a.b.middle;",
                        "CREATE MATERIALIZED VIEW a.b.middle AS SELECT k, x FROM a.b.first;",
                        "CREATE STREAMING TABLE a.b.first AS SELECT * FROM STREAM(a.b.t);",
                        TABLE);
        assertThat(plan.datasets().stream().map(d -> d.name().table()))
                .containsExactly("t", "first", "middle", "last");
        assertThat(plan.datasets().get(0)).isInstanceOf(IngestedTable.class);
        assertThat(plan.datasets().get(1)).isInstanceOf(StreamingTable.class);
        assertThat(plan.datasets().get(2)).isInstanceOf(MaterializedView.class);
    }

    @Test
    void schemasAreSparks() {
        var view =
                view(
                        "SELECT k, sum(x) AS s, avg(p) AS a, count(*) AS n, p / 3 AS third, x / 2 AS"
                                + " half FROM a.b.t GROUP BY k, x, p");
        assertThat(view.schema().columns())
                .containsExactly(
                        Column.required("k", Primitive.STRING),
                        Column.nullable("s", Primitive.LONG),
                        Column.nullable("a", new DataType.Decimal(14, 8)),
                        Column.required("n", Primitive.LONG),
                        Column.nullable("third", new DataType.Decimal(12, 6)),
                        Column.nullable("half", Primitive.DOUBLE));
    }

    @Test
    void aScanNamesExactlyTheColumnsThatAreRead() {
        var view =
                view(
                        "WITH all AS (SELECT *, x + 1 AS y FROM a.b.t) SELECT k FROM all WHERE ts >"
                                + " now() - INTERVAL 1 HOUR");
        assertThat(Relations.columnsRead(view.query(), TableName.parse("a.b.t")))
                .containsExactly("k", "ts");
        assertThat(Relations.usesNow(view.query())).isTrue();
        assertThat(Relations.usesNow(view("SELECT k FROM a.b.t").query())).isFalse();
    }

    @Test
    void nowIsNeverComputedAtCompileTime() {
        var view = view("SELECT unix_seconds(now()) div 60 AS m, current_date() AS d FROM a.b.t");
        assertThat(Relations.usesNow(view.query())).isTrue();
        assertThat(Relations.expressions(view.query()).filter(e -> e instanceof Expression.Literal))
                .isEmpty();
    }

    @Test
    void temporaryViewsAreInlinedEachTimeAnew() {
        var plan =
                plan(
                        TABLE,
                        "CREATE TEMPORARY VIEW big AS SELECT * FROM a.b.t WHERE x > 10;",
                        "CREATE TEMPORARY VIEW bigger AS SELECT * FROM big WHERE x > 20;",
                        "CREATE MATERIALIZED VIEW a.b.v AS SELECT l.k, r.x FROM big l JOIN bigger r"
                                + " ON l.k = r.k;");
        var view = (MaterializedView) plan.datasets().getLast();
        assertThat(plan.datasets()).hasSize(2);
        assertThat(Relations.scans(view.query()).map(Relation.Scan::table))
                .containsExactly(TableName.parse("a.b.t"), TableName.parse("a.b.t"));
        assertThat(Relations.deep(view.query()).filter(Relation.Filter.class::isInstance))
                .hasSize(3);
    }

    @Test
    void namesAreFoundWithoutRegardToCaseAndWithAnyQualifier() {
        assertThat(view("SELECT T.K, b.t.X, a.b.t.p FROM A.B.T").schema().columns())
                .extracting(Column::name)
                .containsExactly("K", "X", "p");
    }

    @Test
    void bothFormsOfStreamAreRead() {
        var plan =
                plan(
                        TABLE,
                        "CREATE OR REFRESH STREAMING TABLE a.b.one AS SELECT * FROM STREAM a.b.t;",
                        "CREATE STREAMING TABLE IF NOT EXISTS a.b.two AS SELECT * FROM"
                                + " STREAM(a.b.t) AS s LEFT JOIN a.b.v USING (k);",
                        "CREATE MATERIALIZED VIEW a.b.v AS SELECT k, max(x) AS top FROM a.b.t GROUP"
                                + " BY k;");
        assertThat(plan.datasets().stream().map(d -> d.name().table()))
                .containsExactly("t", "one", "v", "two");
        var two = (StreamingTable) plan.datasets().getLast();
        assertThat(Relations.scans(two.query()).map(Relation.Scan::streaming))
                .containsExactly(true, false);
    }

    @Test
    void declaredColumnsGiveOrderTypeNameAndComment() {
        var plan =
                plan(
                        TABLE,
                        "CREATE MATERIALIZED VIEW a.b.v (P DECIMAL(12,2) COMMENT 'a price', k STRING"
                                + " NOT NULL) COMMENT 'two' AS SELECT k, p FROM a.b.t;");
        var view = (MaterializedView) plan.datasets().getLast();
        assertThat(view.comment()).isEqualTo("two");
        assertThat(view.schema().columns())
                .containsExactly(
                        new Column("P", new DataType.Decimal(12, 2), true, "a price"),
                        Column.required("k", Primitive.STRING));
        assertThat(view.query().output())
                .extracting(a -> a.name() + " " + a.type().sql())
                .containsExactly("P DECIMAL(12,2)", "k STRING");
    }

    @Test
    void expectationsKnowTheColumnsByPlace() {
        var plan =
                plan(
                        TABLE,
                        """
                        CREATE STREAMING TABLE a.b.s (
                          CONSTRAINT some EXPECT (x IS NOT NULL AND p > 0),
                          CONSTRAINT fresh EXPECT ( ts > now() - INTERVAL 1 DAY ) ON VIOLATION DROP ROW,
                          CONSTRAINT sure EXPECT (k <> '') ON VIOLATION FAIL UPDATE,
                          CONSTRAINT sane EXPECT (p < 1000) ON VIOLATION QUARANTINE,
                          CONSTRAINT once EXPECT UNIQUE (k, ts) ON VIOLATION DROP ROW
                        ) AS SELECT * FROM STREAM(a.b.t);
                        """);
        var rules = ((StreamingTable) plan.datasets().getLast()).expectations();
        assertThat(rules)
                .extracting(Expectation::name)
                .containsExactly("some", "fresh", "sure", "sane", "once");
        assertThat(rules)
                .extracting(Expectation::onViolation)
                .containsExactly(
                        OnViolation.WARN,
                        OnViolation.DROP_ROW,
                        OnViolation.FAIL_UPDATE,
                        OnViolation.QUARANTINE,
                        OnViolation.DROP_ROW);
        assertThat(rules.get(1).text()).isEqualTo("ts > now() - INTERVAL 1 DAY");
        assertThat(rules.get(4).text()).isEqualTo("UNIQUE (k, ts)");
        assertThat(((Expectation.Unique) rules.get(4)).columns()).containsExactly("k", "ts");
        var condition = ((Expectation.Condition) rules.get(3)).condition();
        assertThat(Relations.deep(condition).filter(Expression.Reference.class::isInstance))
                .extracting(e -> ((Expression.Reference) e).attribute().id())
                .containsExactly(2);
    }

    @Test
    void aggregatesAreKeysAndMeasuresBelowAProjection() {
        var view = view("SELECT sum(x) + 1 AS s, upper(k) AS u FROM a.b.t GROUP BY upper(k)");
        var aggregate = (Relation.Aggregate) ((Relation.Project) view.query()).input();
        assertThat(aggregate.keys()).hasSize(1);
        assertThat(aggregate.measures())
                .extracting(m -> m.call().function())
                .containsExactly(AggregateFunction.SUM);
    }

    @Test
    void syncedTablesTakeTheSpellingOfTheirSource() {
        var plan =
                plan(
                        TABLE,
                        "CREATE MATERIALIZED VIEW a.b.v AS SELECT k, x FROM a.b.t;",
                        "CREATE SYNCED TABLE a.out.v FROM A.B.V PRIMARY KEY (K) INDEX (x) INDEX (x,"
                                + " k);");
        var synced = plan.syncedTables().getFirst();
        assertThat(synced.source()).isEqualTo(TableName.parse("a.b.v"));
        assertThat(synced.primaryKey()).containsExactly("k");
        assertThat(synced.indexes()).containsExactly(List.of("x"), List.of("x", "k"));
    }

    @Test
    void equalTextsGiveEqualPlansAndSurviveJson() {
        var texts =
                new String[] {
                    TABLE,
                    "CREATE MATERIALIZED VIEW a.b.v AS SELECT k, x, row_number() OVER (PARTITION BY k"
                            + " ORDER BY ts DESC) AS n, lag(x) OVER (ORDER BY ts) AS l, CASE WHEN x"
                            + " IN (1, 2) THEN 'few' END AS c FROM a.b.t WHERE EXISTS (SELECT 1 FROM"
                            + " a.b.t u WHERE u.k = t.k) UNION ALL SELECT 'z', 1, 2, NULL, NULL;",
                    "CREATE MATERIALIZED VIEW a.b.w AS SELECT DISTINCT x FROM a.b.t WHERE p > (SELECT"
                            + " avg(p) FROM a.b.t) ORDER BY x LIMIT 3;"
                };
        var plan = plan(texts);
        assertThat(plan(texts)).isEqualTo(plan);
        assertThat(PlanJson.read(PlanJson.write(plan))).isEqualTo(plan);
    }

    @Test
    void positionsCountLettersAsEditorsDo() {
        var text =
                TABLE
                        + "/* 🌱 a comment; with 'quotes' */ CREATE MATERIALIZED VIEW a.b.v AS\n"
                        + "SELECT '🌱' AS s,\n\twrong FROM a.b.t;";
        assertThat(errors(text)).singleElement().asString().startsWith("p.sql:4:2: ");
    }

    @Test
    void allErrorsOfATextAreTold() {
        assertThat(
                        errors(
                                TABLE,
                                "CREATE MATERIALIZED VIEW a.b.one AS SELECT xx FROM a.b.t;",
                                "CREATE MATERIALIZED VIEW a.b.two AS SELECT x FROM a.b.tt;",
                                "CREATE MATERIALIZED VIEW a.b.three AS SELECT uper(k) AS u, foo(k) AS"
                                        + " f FROM a.b.t;",
                                "CREATE MATERIALIZED VIEW a.b.four AS SELECT x FROM a.b.t WHERE x >;",
                                "CREATE MATERIALIZED VIEW a.b.five AS SELECT * FROM a.b.one;"))
                .containsExactly(
                        "p.sql:2:44: A column, variable, or function parameter with name `xx` cannot"
                                + " be resolved. Did you mean one of the following? [`x`, `d`, `k`, `p`,"
                                + " `ts`].; hint: did you mean x?",
                        "p.sql:3:51: this pipeline has no table or view 'a.b.tt'; hint: did you mean"
                                + " a.b.t?",
                        "p.sql:4:46: there is no function 'uper'; hint: did you mean upper?",
                        "p.sql:4:60: there is no function 'foo'; hint:"
                                + " docs/reference/sql-functions.md lists what is supported",
                        "p.sql:5:67: Syntax error at or near end of input.; hint: see Spark's SQL"
                                + " syntax");
    }

    @Test
    void aRingIsNamedWhole() {
        assertThat(
                        errors(
                                "CREATE MATERIALIZED VIEW a.b.x AS SELECT 1 AS n FROM a.b.y;",
                                "CREATE MATERIALIZED VIEW a.b.y AS SELECT 1 AS n FROM z;",
                                "CREATE TEMPORARY VIEW z AS SELECT 1 AS n FROM a.b.x;",
                                "CREATE MATERIALIZED VIEW a.b.outside AS SELECT n FROM a.b.y;"))
                .containsExactly(
                        "p.sql:1:1: the pipeline reads itself: a.b.x reads a.b.y reads z reads a.b.x;"
                                + " hint: take one of these out of the ring");
    }

    @Test
    void streamsAreReadAsLakeflowHasIt() {
        assertThat(error("CREATE STREAMING TABLE a.b.s AS SELECT * FROM a.b.t;"))
                .contains("a streaming table reads at least one STREAM");
        assertThat(error("CREATE MATERIALIZED VIEW a.b.s AS SELECT * FROM STREAM a.b.t;"))
                .contains("a materialized view reads whole tables");
        assertThat(
                        error(
                                "CREATE STREAMING TABLE a.b.s AS SELECT k, count(*) AS n FROM STREAM"
                                        + " a.b.t GROUP BY k;"))
                .contains("an aggregate over a STREAM");
        assertThat(error("CREATE STREAMING TABLE a.b.s AS SELECT DISTINCT k FROM STREAM a.b.t;"))
                .contains("DISTINCT over a STREAM");
        assertThat(
                        error(
                                "CREATE STREAMING TABLE a.b.s AS SELECT l.k FROM STREAM a.b.t l JOIN"
                                        + " STREAM a.b.t r ON l.k = r.k;"))
                .contains("a join of two STREAMs");
        assertThat(
                        error(
                                "CREATE STREAMING TABLE a.b.s AS SELECT l.k FROM a.b.t l LEFT JOIN"
                                        + " STREAM a.b.t r ON l.k = r.k;"))
                .contains("LEFT OUTER JOIN that keeps rows of the whole table");
        assertThat(
                        error(
                                "CREATE STREAMING TABLE a.b.s AS SELECT k FROM STREAM a.b.t UNION ALL"
                                        + " SELECT k FROM a.b.t;"))
                .contains("UNION of a STREAM and a whole table");
        assertThat(
                        error(
                                "CREATE STREAMING TABLE a.b.s AS SELECT k FROM STREAM a.b.t WHERE k IN"
                                        + " (SELECT k FROM STREAM a.b.t);"))
                .contains("Streaming query is not allowed in subquery expressions");
        assertThat(
                        error(
                                "CREATE MATERIALIZED VIEW a.b.v AS SELECT k FROM a.b.t; CREATE"
                                        + " STREAMING TABLE a.b.s AS SELECT k FROM STREAM(a.b.v);"))
                .contains("a.b.v is a materialized view, whose rows change");
    }

    @Test
    void declaredColumnsMustFitTheQuery() {
        assertThat(view("(x BIGINT)", "SELECT x FROM a.b.t")).contains("Compiled");
        assertThat(view("(x STRING)", "SELECT x FROM a.b.t")).contains("Compiled");
        assertThat(view("(x DATE)", "SELECT x FROM a.b.t"))
                .contains("column 'x' is declared as DATE, but the query gives INT");
        assertThat(view("(y INT)", "SELECT x FROM a.b.t"))
                .contains("the query gives 0 columns named 'y'");
        assertThat(view("(x INT)", "SELECT x, k FROM a.b.t"))
                .contains("the query's column 'k' is not declared");
        assertThat(view("(x VARCHAR(10))", "SELECT x FROM a.b.t"))
                .contains("a column of type VARCHAR(10) is not supported; hint: use STRING");
        assertThat(view("", "SELECT x + 1 FROM a.b.t")).contains("'(x + 1)' has no legal name");
        assertThat(view("", "SELECT x, k AS X FROM a.b.t")).contains("column 'X' stands twice");
        assertThat(view("", "SELECT NULL AS n FROM a.b.t")).contains("give NULL a type");
        assertThat(view("", "SELECT ts - ts AS i FROM a.b.t")).contains("timestampdiff");
    }

    @Test
    void whatDependsOnChanceIsRefused() {
        assertThat(view("", "SELECT rand() AS r FROM a.b.t")).contains("rand is not supported");
        assertThat(view("", "SELECT x FROM a.b.t LIMIT 3")).contains("LIMIT without ORDER BY");
        assertThat(view("", "SELECT first(x) AS f FROM a.b.t")).contains("use min_by(value, time)");
        assertThat(view("", "SELECT collect_list(x) AS l FROM a.b.t")).contains("is not supported");
    }

    @Test
    void anOrderThatDoesNotReachTheLimitIsRefused() {
        assertThat(view("", "SELECT x FROM a.b.t OFFSET 3"))
                .contains("OFFSET without ORDER BY", "add ORDER BY before OFFSET");
        assertThat(
                        view(
                                "",
                                "SELECT k FROM (SELECT k, x FROM a.b.t ORDER BY ts DESC) WHERE x = 1"
                                        + " LIMIT 3"))
                .contains("LIMIT without ORDER BY", "add ORDER BY before LIMIT");
        assertThat(
                        view(
                                "",
                                "SELECT * FROM (SELECT * FROM (SELECT k, x FROM a.b.t ORDER BY x)"
                                        + " WHERE x > 1) WHERE x < 9 LIMIT 3"))
                .contains("LIMIT without ORDER BY");
        view("SELECT k FROM (SELECT k, x FROM a.b.t ORDER BY x, k) WHERE x = 1 LIMIT 3");
        view("SELECT k FROM (SELECT k, x FROM a.b.t ORDER BY ts, k) LIMIT 3 OFFSET 1");
        view("SELECT k FROM a.b.t ORDER BY ts, k OFFSET 1");
    }

    @Test
    void whatAPlanCannotSayIsRefusedWithItsPlace() {
        assertThat(view("", "SELECT x FROM a.b.t TABLESAMPLE (5 PERCENT)"))
                .contains("is not supported");
        assertThat(
                        view(
                                "",
                                "SELECT k COLLATE UTF8_LCASE AS c FROM a.b.t WHERE (k COLLATE UTF8_LCASE) = 'a'"))
                .contains("is not supported");
    }

    @Test
    void expectationsMustBeConditionsOnOneRow() {
        assertThat(rule("EXPECT (x)")).contains("a value of type INT");
        assertThat(rule("EXPECT (sum(x) > 1)")).contains("an expectation looks at one row");
        assertThat(rule("EXPECT (x IN (SELECT x FROM a.b.t))")).contains("Rejected");
        assertThat(rule("EXPECT (nope > 1)")).contains("`nope` cannot be resolved");
        assertThat(rule("EXPECT (uper(k) = 'A')")).contains("did you mean upper?");
        assertThat(rule("EXPECT UNIQUE (kk)")).contains("a.b.s has no column 'kk'");
        assertThat(rule("EXPECT UNIQUE (k) ON VIOLATION FAIL UPDATE")).contains("cannot fail");
        assertThat(rule("EXPECT (x > 1) ON VIOLATION IGNORE")).contains("write DROP ROW");
        assertThat(
                        error(
                                "CREATE MATERIALIZED VIEW a.b.v (CONSTRAINT c EXPECT (x > 1) ON"
                                        + " VIOLATION QUARANTINE) AS SELECT x FROM a.b.t;"))
                .contains("a materialized view has no quarantine");
    }

    @Test
    void namesAreTakenOnce() {
        assertThat(error("CREATE TABLE A.b.T (x INT);")).contains("'A.b.T' is declared twice");
        assertThat(
                        error(
                                "CREATE TABLE a.b.s_quarantine (x INT); CREATE STREAMING TABLE a.b.s"
                                        + " (CONSTRAINT c EXPECT (x > 1) ON VIOLATION QUARANTINE) AS"
                                        + " SELECT * FROM STREAM a.b.t;"))
                .contains("'a.b.s_quarantine' is declared twice");
        assertThat(
                        error(
                                "CREATE MATERIALIZED VIEW a.b.v AS SELECT k FROM a.b.t; CREATE SYNCED"
                                        + " TABLE a.s.v FROM a.b.v PRIMARY KEY (k); CREATE SYNCED TABLE"
                                        + " z.s.v FROM a.b.v PRIMARY KEY (k);"))
                .contains("'s.v' is declared twice");
    }

    @Test
    void syncedTablesNeedASourceAndAKey() {
        assertThat(error("CREATE SYNCED TABLE a.s.v FROM a.b.v PRIMARY KEY (k);"))
                .contains("no table or view 'a.b.v'");
        assertThat(error("CREATE SYNCED TABLE a.s.v FROM a.b.t PRIMARY KEY (k);"))
                .contains("a.b.t is not computed by this pipeline");
        var view = "CREATE MATERIALIZED VIEW a.b.v AS SELECT k, array(x) AS l FROM a.b.t; ";
        assertThat(error(view + "CREATE SYNCED TABLE a.s.v FROM a.b.v PRIMARY KEY (kk);"))
                .contains("a.b.v has no column 'kk'; hint: did you mean k?");
        assertThat(error(view + "CREATE SYNCED TABLE a.s.v FROM a.b.v PRIMARY KEY (l);"))
                .contains("column 'l' of type ARRAY<INT> cannot stand in the primary key");
        assertThat(error(view + "CREATE SYNCED TABLE a.s.v FROM a.b.v PRIMARY KEY (k, K);"))
                .contains("stands twice");
    }

    private static MaterializedView view(String query) {
        return (MaterializedView)
                plan(TABLE, "CREATE MATERIALIZED VIEW a.b.v AS " + query + ";")
                        .datasets()
                        .getLast();
    }

    private static String view(String columns, String query) {
        return compile(TABLE, "CREATE MATERIALIZED VIEW a.b.v " + columns + " AS " + query + ";")
                .toString();
    }

    private static String rule(String rule) {
        return compile(
                        TABLE,
                        "CREATE STREAMING TABLE a.b.s (CONSTRAINT c "
                                + rule
                                + ") AS SELECT * FROM STREAM a.b.t;")
                .toString();
    }

    private static PipelinePlan plan(String... texts) {
        return compile(texts).orThrow();
    }

    private static String error(String text) {
        return String.join("\n", errors(TABLE, text));
    }

    private static List<String> errors(String... texts) {
        return ((Compilation.Rejected) compile(texts))
                .errors().stream().map(TextError::toString).toList();
    }

    /** One file of the texts, each on its own line. */
    private static Compilation compile(String... texts) {
        var text =
                String.join(
                        "\n",
                        IntStream.range(0, texts.length).mapToObj(i -> texts[i].strip()).toList());
        var compilation =
                PipelineCompiler.compile(
                        CATALYST,
                        new CompileRequest("p", List.of(new SourceText("p.sql", text)), "hash"));
        assertThat(PlanJson.readCompilation(PlanJson.writeCompilation(compilation)))
                .isEqualTo(compilation);
        return compilation;
    }

    @Test
    void everyDatasetKnowsItsPlace() {
        assertThat(plan(TABLE, "CREATE MATERIALIZED VIEW a.b.v AS SELECT k FROM a.b.t;").datasets())
                .extracting(Dataset::position)
                .extracting(Object::toString)
                .containsExactly("p.sql:1:1", "p.sql:2:1");
    }
}
