package dev.lakemill.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lakemill.plan.Compilation;
import dev.lakemill.plan.CompileRequest;
import dev.lakemill.plan.Dataset;
import dev.lakemill.plan.FileSchema;
import dev.lakemill.plan.FileSource.Evolution;
import dev.lakemill.plan.FileSource.Format;
import dev.lakemill.plan.KnownTable;
import dev.lakemill.plan.SourceText;
import dev.lakemill.types.Column;
import dev.lakemill.types.DataType.Primitive;
import dev.lakemill.types.TableName;
import dev.lakemill.types.TableSchema;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** {@code STREAM read_files(…)}. */
final class ReadFilesTest {
    private static final String TEXT =
            "CREATE STREAMING TABLE c.s.t AS SELECT f.*, upper(name) AS big FROM STREAM"
                    + " read_files('in', format => 'json', schemaHints => 'x INT, y DATE') f;\n";

    @Test
    void columnsAreAskedForAndHintsGoOverThem() {
        assertThat(compile(TEXT))
                .isInstanceOfSatisfying(
                        Compilation.FilesUnknown.class,
                        unknown -> assertThat(unknown.files()).containsKey("c.s.t__files_1"));
        var found =
                new FileSchema(
                        TableName.parse("c.s.t__files_1"),
                        List.of(
                                Column.nullable("name", Primitive.STRING),
                                Column.nullable("x", Primitive.LONG)));
        var plan = compile(TEXT, found).orThrow();
        var files = (Dataset.FileTable) plan.datasets().getFirst();
        assertThat(files.files().format()).isEqualTo(Format.JSON);
        assertThat(files.files().evolution()).isEqualTo(Evolution.ADD_NEW_COLUMNS);
        assertThat(columns(files))
                .containsExactly("name STRING", "x INT", "y DATE", "_rescued_data STRING");
        assertThat(columns(plan.datasets().getLast()))
                .containsExactly(
                        "name STRING", "x INT", "y DATE", "_rescued_data STRING", "big STRING");
    }

    @Test
    void aSchemaInTheTextNeedsNoFiles() {
        var plan =
                compile(
                                "CREATE STREAMING TABLE c.s.t AS SELECT id FROM STREAM"
                                        + " read_files('/in', format => 'csv', schema => 'id BIGINT',"
                                        + " header => true);")
                        .orThrow();
        var files = (Dataset.FileTable) plan.datasets().getFirst();
        assertThat(columns(files)).containsExactly("id BIGINT");
        assertThat(files.files().evolution()).isEqualTo(Evolution.NONE);
        assertThat(files.files().options()).containsEntry("header", "true");
    }

    @Test
    void aPathMayBeInABucket() {
        for (var path : List.of("s3://lake/in/*.csv", "s3a://lake", "s3://lake/")) {
            var plan =
                    compile(
                                    "CREATE STREAMING TABLE c.s.t AS SELECT id FROM STREAM"
                                            + " read_files('%s', format => 'csv', schema => 'id INT');"
                                                    .formatted(path))
                            .orThrow();
            var files = (Dataset.FileTable) plan.datasets().getFirst();
            assertThat(files.files().path()).isEqualTo(path);
        }
    }

    @Test
    void whatIsWrongIsToldWithItsPlace() {
        assertThat(error("STREAM read_files('in')")).contains("1:47").contains("needs a format");
        assertThat(error("STREAM read_files('in', format => 'xml')")).contains("'xml'");
        assertThat(error("STREAM read_files('in', format => 'csv', headr => true)"))
                .contains("did you mean header?");
        assertThat(error("STREAM read_files('gs://b/in', format => 'csv')"))
                .contains("not from 'gs://b/in'");
        assertThat(error("STREAM read_files('s3://*/in', format => 'csv')"))
                .contains("'s3://*/in' names no bucket");
        assertThat(error("STREAM read_files('in/[.csv', format => 'csv')"))
                .contains("1:47", "'in/[.csv' is no pattern: Missing ']");
        assertThat(
                        error(
                                "STREAM read_files('in', format => 'csv', pathGlobFilter =>"
                                        + " '*.{csv')"))
                .contains("'*.{csv' is no pattern: Missing '}");
        assertThat(error("read_files('in', format => 'csv')")).contains("STREAM read_files");
        assertThat(error("STREAM read_files('in', format => 'json', header => true)"))
                .contains("option of CSV");
        assertThat(error("STREAM read_files('in', format => 'csv', schema => 'id NUMERC')"))
                .contains("schema: ");
        assertThat(
                        error(
                                "STREAM read_files('in', format => 'csv', schema => 'id INT',"
                                        + " schemaEvolutionMode => 'addNewColumns')"))
                .contains("schemaHints");
        assertThat(
                        text(
                                compile(
                                        "CREATE MATERIALIZED VIEW c.s.v AS SELECT * FROM STREAM"
                                                + " read_files('in', format => 'json');")))
                .contains("in a STREAMING TABLE");
    }

    @Test
    void theTableOfTheRowsTakesNoNameOfAnother() {
        for (var other :
                List.of(
                        "CREATE TABLE c.s.T__FILES_1 (id BIGINT);",
                        "CREATE MATERIALIZED VIEW c.s.t__files_1 AS SELECT 1 AS one;")) {
            assertThat(
                            text(
                                    compile(
                                            "CREATE STREAMING TABLE c.s.t AS SELECT id FROM STREAM"
                                                    + " read_files('in', format => 'csv', schema =>"
                                                    + " 'id BIGINT');"
                                                    + other)))
                    .contains("t.sql:1:48", "c.s.t__files_1", "another name");
        }
    }

    @Test
    void aTableOfTheCatalogIsReadAsItsTextSays() {
        var plan =
                compile(
                                "CREATE STREAMING TABLE c.s.t AS SELECT id FROM STREAM O.x.Other"
                                        + " WITH (skipChangeCommits = true);"
                                        + "CREATE MATERIALIZED VIEW c.g.n AS SELECT count(*) AS n"
                                        + " FROM c.s.t;")
                        .orThrow();
        var other = (Dataset.FileTable) plan.datasets().getFirst();
        assertThat(other.name().toString()).isEqualTo("o.x.other");
        assertThat(other.files().format()).isEqualTo(Format.DELTA);
        assertThat(other.files().options()).containsEntry("skipchangecommits", "true");
        assertThat(error("STREAM o.x.other WITH (skipped = 1)")).contains("'skipped'");
        assertThat(error("STREAM o.x.oter")).contains("did you mean o.x.other?");
    }

    private static String error(String from) {
        return text(compile("CREATE STREAMING TABLE c.s.t AS SELECT * FROM " + from + ";"));
    }

    private static String text(Compilation compilation) {
        assertThat(compilation).isInstanceOf(Compilation.Rejected.class);
        return ((Compilation.Rejected) compilation).errors().getFirst().toString();
    }

    private static List<String> columns(Dataset dataset) {
        return dataset.schema().columns().stream()
                .map(column -> column.name() + " " + column.type().sql())
                .toList();
    }

    private static Compilation compile(String text, FileSchema... found) {
        return PipelineCompiler.compile(
                new Catalyst(),
                new CompileRequest(
                        "test",
                        List.of(new SourceText("t.sql", text)),
                        Map.of(),
                        List.of(found),
                        List.of(
                                new KnownTable(
                                        TableName.parse("o.x.other"),
                                        TableSchema.of(Column.required("id", Primitive.LONG)),
                                        "/tables/o/x/other")),
                        List.of(),
                        List.of(),
                        "hash"));
    }
}
