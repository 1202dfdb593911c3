package dev.lakemill.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.SourceText;
import dev.lakemill.plan.TextError;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class StatementParserTest {
    @Test
    void semicolonsInStringsNamesAndCommentsEndNothing() {
        var statements =
                parse(
                        """
                        -- one; two
                        CREATE MATERIALIZED VIEW a.b.v COMMENT 'it''s; \\'so\\'' AS
                          SELECT ';' AS x, ";" AS y, `odd;name`, r'\\;' /* ; /* nested ; */ ; */ FROM a.b.t;
                        CREATE TABLE a.b.t (`odd;name` STRING COMMENT ";") ;;
                        """);
        assertThat(statements).hasSize(2);
        var view = (Statement.CreateDataset) statements.getFirst();
        assertThat(view.clauses().comment()).isEqualTo("it's; 'so'");
        assertThat(((Statement.Flow.Insert) view.flows().getFirst()).query().text())
                .startsWith("SELECT ';'")
                .endsWith("FROM a.b.t");
        var table = (Statement.CreateTable) statements.getLast();
        assertThat(table.columns().getFirst().name()).isEqualTo("odd;name");
        assertThat(table.columns().getFirst().comment()).isEqualTo(";");
    }

    @Test
    void typesOfSeveralPartsAreOneText() {
        var table =
                (Statement.CreateTable)
                        parse(
                                        "CREATE TABLE a.b.t (p DECIMAL(10, 4) NOT NULL, m MAP<STRING,"
                                                + " ARRAY<INT>>, s STRUCT<a: INT COMMENT 'x', b: STRING"
                                                + " NOT NULL> COMMENT 'y') USING DELTA COMMENT 'z'")
                                .getFirst();
        assertThat(table.comment()).isEqualTo("z");
        assertThat(table.columns())
                .extracting(c -> c.type().text())
                .containsExactly(
                        "DECIMAL(10, 4)",
                        "MAP<STRING, ARRAY<INT>>",
                        "STRUCT<a: INT COMMENT 'x', b: STRING NOT NULL>");
        assertThat(table.columns())
                .extracting(Statement.ColumnText::nullable)
                .containsExactly(false, true, true);
    }

    @Test
    void eachStatementHasItsOwnError() {
        assertThat(
                        errors(
                                """
                                SELECT 1;
                                CREATE VIEW v AS SELECT 1;
                                CREATE TABLE t (x INT);
                                CREATE TABLE a.b.c (x);
                                CREATE TABLE a.b.c (x INT DEFAULT 1);
                                CREATE TABLE a.b.c (x INT) AS SELECT 1;
                                CREATE OR REFRESH STREAMING TABLE a.b.c PARTITIONED BY (days(x)) AS SELECT 1;
                                CREATE MATERIALIZED VIEW a.b.c;
                                CREATE MATERIALIZED VIEW a.b.c AS ;
                                CREATE SYNCED TABLE a.b.c FROM a.b.d;
                                CREATE STREAMING TABLE a.b.c (CONSTRAINT x CHECK (y)) AS SELECT 1;
                                CREATE TEMPORARY VIEW a.b AS SELECT 1;
                                CREATE TABLE a.b.`1x` (x INT);
                                CREATE STREAMING TABLE a.b.c (CONSTRAINT x EXPECT (y > (1)) AS SELECT 1;
                                """))
                .extracting(e -> e.position().line())
                .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
    }

    @Test
    void whatHasNoEndIsToldWhereItBegins() {
        assertThat(errors("CREATE TABLE a.b.c (x INT COMMENT 'no end"))
                .extracting(TextError::toString)
                .containsExactly("f.sql:1:35: this string has no end; hint: close it with '");
        assertThat(errors("\n /* no end"))
                .extracting(TextError::toString)
                .containsExactly("f.sql:2:2: this comment has no end; hint: close it with */");
        assertThat(errors("CREATE TABLE `a"))
                .extracting(TextError::toString)
                .containsExactly("f.sql:1:14: this name has no end; hint: close it with `");
    }

    @Test
    void anErrorPointsWithACaret() {
        var text = "CREATE TABLE a.b.t (\n\tx INT,\n\ty);";
        var error = errors(text).getFirst();
        assertThat(error.caret(new SourceText("f.sql", text))).isEqualTo("\ty);\n\t ^");
    }

    private static List<Statement> parse(String text) {
        var errors = new ArrayList<TextError>();
        var statements = StatementParser.parse(new SourceText("f.sql", text), errors);
        assertThat(errors).isEmpty();
        return statements;
    }

    private static List<TextError> errors(String text) {
        var errors = new ArrayList<TextError>();
        StatementParser.parse(new SourceText("f.sql", text), errors);
        return errors;
    }
}
